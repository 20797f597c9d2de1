package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// door is an admission whose requests tell who had a place, in order.
type door struct {
	*admission
	t *testing.T

	mu      sync.Mutex
	entered []string
	leaves  []func()
	errs    []error
}

func newDoor(t *testing.T, b bounds) *door {
	t.Helper()
	return &door{admission: newAdmission(b, newMetrics(prometheus.NewRegistry()).refused), t: t}
}

// ask sends a request, and returns when it has a place, waits or is refused.
func (d *door) ask(ctx context.Context, name string) {
	d.t.Helper()
	go func() {
		leave, err := d.enter(ctx, idmap.Token{ID: name, Name: name})
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil {
			d.errs = append(d.errs, err)
			return
		}
		d.entered, d.leaves = append(d.entered, name), append(d.leaves, leave)
	}()
	synctest.Wait()
}

// finish ends the requests that have a place, the oldest first, until nobody waits.
func (d *door) finish() {
	for len(d.leaves) > 0 {
		leave := d.leaves[0]
		d.leaves = d.leaves[1:]
		leave()
		synctest.Wait()
	}
}

func (d *door) wantEntered(want string) {
	d.t.Helper()
	if got := strings.Join(d.entered, ","); got != want {
		d.t.Errorf("places went to %s, want %s", got, want)
	}
}

// wantEmpty checks that nothing is kept of requests that are over.
func (d *door) wantEmpty() {
	d.t.Helper()
	if d.atWork != 0 || d.inQueue != 0 || len(d.clients) != 0 || len(d.turns) != 0 {
		d.t.Errorf("when all are gone there are %d at work, %d waiting, %d clients, %d turns", d.atWork, d.inQueue, len(d.clients), len(d.turns))
	}
}

// counted returns how many refusals with that reason the metrics know of.
func counted(t *testing.T, refused prometheus.Collector, reason string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(refused)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == reason {
			return m.GetCounter().GetValue()
		}
	}
	return -1
}

// wantRefusal checks the last error, and that the metrics know of it.
func (d *door) wantRefusal(kind idmap.ErrorKind, reason, says string) {
	d.t.Helper()
	if len(d.errs) == 0 {
		d.t.Fatal("nothing was refused")
	}
	got, ok := errors.AsType[*idmap.Error](d.errs[len(d.errs)-1])
	if !ok || got.Kind != kind || got.RetryAfter != refusedRetry || !strings.Contains(got.Error(), says) {
		d.t.Errorf("refused with %+v, want kind %d, %s and %q", got, kind, refusedRetry, says)
	}
	if n := counted(d.t, d.refused, reason); n != 1 {
		d.t.Errorf("%v were refused for %s, want 1", n, reason)
	}
}

// TestPlacesGoRound lets two clients come behind one with many requests, which one of them has two of: each has the next
// place in turn, and those of one client in their order.
func TestPlacesGoRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, bounds{working: 1, workingOfOne: 1, waiting: 2000, waitingOfOne: 1000, patience: time.Hour})
		d.ask(t.Context(), "many")
		for range 1000 {
			d.ask(t.Context(), "many")
		}
		for _, name := range []string{"two", "one", "two"} {
			d.ask(t.Context(), name)
		}
		d.finish()
		if got := strings.Join(d.entered[:8], ","); got != "many,many,two,one,many,two,many,many" {
			t.Errorf("places went to %s", got)
		}
		if len(d.entered) != 1004 || len(d.errs) != 0 {
			t.Errorf("%d had a place, and %v", len(d.entered), d.errs)
		}
		d.wantEmpty()
	})
}

// TestOneClientLeavesPlaces keeps all requests of a client at work: it has its share and no more, and another has the
// rest at once. A place that its requests leave goes to one of its own.
func TestOneClientLeavesPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, bounds{working: 4, workingOfOne: 3, waiting: 10, waitingOfOne: 5, patience: time.Hour})
		for range 5 {
			d.ask(t.Context(), "slow")
		}
		d.wantEntered("slow,slow,slow")
		d.ask(t.Context(), "other")
		d.wantEntered("slow,slow,slow,other")
		d.leaves[3]()
		synctest.Wait()
		d.wantEntered("slow,slow,slow,other") // although two of slow wait
		d.entered, d.leaves = d.entered[:3], d.leaves[:3]
		d.ask(t.Context(), "other")
		d.ask(t.Context(), "other")
		d.leaves[0]()
		synctest.Wait()
		d.wantEntered("slow,slow,slow,other,slow") // came first
		d.leaves[1]()
		synctest.Wait()
		d.wantEntered("slow,slow,slow,other,slow,other")
		d.leaves = d.leaves[2:]
		d.finish()
		d.wantEmpty()
	})
}

func TestQueuesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, bounds{working: 1, workingOfOne: 1, waiting: 3, waitingOfOne: 2, patience: time.Hour})
		for range 3 {
			d.ask(t.Context(), "many")
		}
		d.ask(t.Context(), "many")
		d.wantRefusal(idmap.KindRateLimited, refusedClientQueue, `Token "many" has 2 requests waiting`)
		d.ask(t.Context(), "b")
		d.ask(t.Context(), "c")
		d.wantRefusal(idmap.KindUnavailable, refusedQueue, "3 requests waiting")
		if got := d.inQueueNow(); got != 3 || len(d.errs) != 2 {
			t.Errorf("%v wait, and %v", got, d.errs)
		}
		d.finish()
		d.wantEntered("many,many,b,many")
		d.wantEmpty()
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, bounds{working: 1, workingOfOne: 1, waiting: 3, waitingOfOne: 2, patience: 3 * time.Second})
		d.ask(t.Context(), "slow")
		began := time.Now()
		_, err := d.enter(t.Context(), idmap.Token{ID: "b"})
		d.errs = append(d.errs, err)
		d.wantRefusal(idmap.KindUnavailable, refusedPatience, "waited for 3s")
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("it waited for %s", waited)
		}
		d.finish()
		d.wantEmpty()
	})
}

// TestWhoIsGoneLeavesTheQueue cancels a request in the middle of a queue, and the only one of another client.
func TestWhoIsGoneLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, bounds{working: 1, workingOfOne: 1, waiting: 5, waitingOfOne: 5, patience: time.Hour})
		gone, leave := context.WithCancel(t.Context())
		d.ask(t.Context(), "a")
		d.ask(t.Context(), "b")
		d.ask(gone, "b")
		d.ask(gone, "c")
		d.ask(t.Context(), "b")
		leave()
		synctest.Wait()
		if d.inQueueNow() != 2 || len(d.errs) != 2 || !errors.Is(d.errs[0], context.Canceled) || !errors.Is(d.errs[1], context.Canceled) {
			t.Errorf("%v wait, and %v", d.inQueueNow(), d.errs)
		}
		d.finish()
		d.wantEntered("a,b,b")
		d.wantEmpty()
	})
}

// TestAdmissionUnderLoad sends requests of many clients, of which some go while they wait, and checks the bounds at each.
func TestAdmissionUnderLoad(t *testing.T) {
	t.Parallel()
	b := bounds{working: 4, workingOfOne: 3, waiting: 40, waitingOfOne: 20, patience: time.Minute}
	d := newDoor(t, b)
	var all sync.WaitGroup
	var atWork, done, refused atomic.Int64
	of := make([]atomic.Int64, 5)
	for worker := range 60 {
		all.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%4 == worker%4 {
					go cancel()
				}
				who := worker % len(of)
				leave, err := d.enter(ctx, idmap.Token{ID: fmt.Sprint(who)})
				if err != nil {
					refused.Add(1)
				} else {
					if atWork.Add(1) > int64(b.working) || of[who].Add(1) > int64(b.workingOfOne) {
						t.Error("more are at work than may be")
					}
					of[who].Add(-1)
					atWork.Add(-1)
					done.Add(1)
					leave()
				}
				cancel()
			}
		})
	}
	all.Wait()
	d.wantEmpty()
	if done.Load()+refused.Load() != 60*200 || done.Load() == 0 {
		t.Errorf("%d were done, %d refused", done.Load(), refused.Load())
	}
}

func TestRateOfEachToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(3, newMetrics(prometheus.NewRegistry()).refused)
		let := func(name string) (n int) {
			for range 10 {
				left, err := r.take(idmap.Token{ID: name, Name: name})
				if err == nil {
					n++
				}
				if left != 3-n {
					t.Errorf("after %d requests %d are left, want %d", n, left, 3-n)
				}
			}
			return n
		}
		if a, b := let("a"), let("b"); a != 3 || b != 3 {
			t.Errorf("at once a had %d and b %d, want 3 each", a, b)
		}
		if n := counted(t, r.refused, refusedRate); n != 14 {
			t.Errorf("the metrics know of %v refusals, want 14", n)
		}
		_, err := r.take(idmap.Token{ID: "a", Name: "a"})
		refused, ok := errors.AsType[*idmap.Error](err)
		if !ok || refused.Kind != idmap.KindRateLimited || refused.RetryAfter != time.Second || !strings.Contains(refused.Error(), `Token "a" has sent more than 3 requests`) {
			t.Errorf("refused with %+v", refused)
		}
		time.Sleep(refused.RetryAfter)
		if n := let("a"); n != 3 {
			t.Errorf("after what Retry-After says a had %d, want 3", n)
		}
		time.Sleep(time.Hour)
		if n := let("a"); n != 3 {
			t.Errorf("after an hour a had %d, want 3: a second's worth and no more", n)
		}
		none := newRates(0, r.refused)
		if _, err := none.take(idmap.Token{ID: "a"}); err != nil || len(none.tokens) != 0 {
			t.Error("without a limit something was refused, or kept")
		}
	})
}

// TestIdleTokensAreForgotten: those only that would have as much again.
func TestIdleTokensAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(1, newMetrics(prometheus.NewRegistry()).refused)
		for n := range 1000 {
			_, _ = r.take(idmap.Token{ID: fmt.Sprint(n)}) // the first, which is never refused
		}
		time.Sleep(rateSweep)
		if _, err := r.take(idmap.Token{ID: "5"}); err != nil { // is kept: it has had what it may
			t.Error("token 5 was refused after a minute")
		}
		if _, _ = r.take(idmap.Token{ID: "new"}); len(r.tokens) != 2 {
			t.Errorf("%d tokens are kept, want 5 and new", len(r.tokens))
		}
		if _, err := r.take(idmap.Token{ID: "5"}); err == nil {
			t.Error("token 5 had more than it may since others were forgotten")
		}
	})
}
