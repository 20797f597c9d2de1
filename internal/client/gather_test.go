package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestLull(t *testing.T) {
	at := time.Unix(0, 0)
	steady := func(gap time.Duration) (p pace) {
		for range 100 {
			p, at = p.after(at), at.Add(gap)
		}
		return p
	}
	for gap, want := range map[time.Duration]time.Duration{
		0: 2 * time.Millisecond, 20 * time.Millisecond: 60 * time.Millisecond, time.Hour: 200 * time.Millisecond,
	} {
		if got := steady(gap).lull(); got > want || got < want*9/10 {
			t.Errorf("calls %s apart: %s, want about %s", gap, got, want)
		}
	}
	after := steady(0).after(at.Add(time.Hour))
	if after.gap != longestGap/paceMemory {
		t.Errorf("one pause of an hour makes the gap %s", after.gap)
	}
}

func TestPatience(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		callers, waiting    int
		quiet, waited, lull time.Duration
		want                time.Duration
	}{
		"a lone caller":           {1, 0, 0, 0, 60 * ms, 0},
		"none is back":            {10, 0, 0, 0, 60 * ms, 60 * ms},
		"few are":                 {10, 7, 20 * ms, 140 * ms, 60 * ms, 40 * ms},
		"most are":                {10, 8, 0, 160 * ms, 60 * ms, 0},
		"two, and one is back":    {2, 1, 0, 0, 60 * ms, 0},
		"nobody came for long":    {10, 3, 61 * ms, 100 * ms, 60 * ms, 0},
		"they come, but for long": {1000, 3, 0, 480 * ms, 60 * ms, 20 * ms},
		"it is too long":          {1000, 3, 0, 501 * ms, 60 * ms, 0},
	} {
		if got := patience(test.callers, test.waiting, test.quiet, test.waited, test.lull); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// bench is a gatherer of numbers, whose requests take 10 ms each.
type bench struct {
	*gatherer[int, int]
	mu       sync.Mutex
	requests []string // the calls of each
	ended    []error  // the requests' contexts
	fail     error
}

func newBench() *bench {
	b := &bench{}
	request := func(ctx context.Context, calls ...int) error {
		b.mu.Lock()
		b.requests = append(b.requests, fmt.Sprint(calls))
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
		b.mu.Lock()
		b.ended = append(b.ended, ctx.Err())
		b.mu.Unlock()
		if slices.Contains(calls, 13) {
			panic("thirteen")
		}
		return ctx.Err()
	}
	b.gatherer = &gatherer[int, int]{
		came: make(chan struct{}, 1),
		gone: func(ctx context.Context) error { return ctx.Err() },
		admit: func() func(int) bool { // numbers of one sign
			first := 0
			return func(n int) bool {
				if first == 0 {
					first = n
				}
				return (n < 0) == (first < 0)
			}
		},
		alone: func(ctx context.Context, n int) (int, error) { return 2 * n, request(ctx, n) },
		together: func(ctx context.Context, calls []int) ([]outcome[int], error) {
			answers := make([]outcome[int], len(calls))
			for i, n := range calls {
				answers[i].out = 2 * n
				if n == 7 {
					answers[i].err = errors.New("seven")
				}
			}
			if err := request(ctx, calls...); err != nil {
				return nil, err
			}
			return answers, b.fail
		},
	}
	return b
}

// at makes a call after that time, and reports what it says otherwise than expected.
func (b *bench) at(all *sync.WaitGroup, t *testing.T, after time.Duration, n int, words string) {
	all.Go(func() {
		time.Sleep(after)
		out, err := b.do(t.Context(), n)
		if words == "" && (err != nil || out != 2*n) || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
			t.Errorf("%d: %d, %v, want %q", n, out, err, words)
		}
	})
}

func (b *bench) want(t *testing.T, requests ...string) {
	t.Helper()
	if !slices.Equal(b.requests, requests) {
		t.Errorf("requests %q\nwant     %q", b.requests, requests)
	}
}

func TestCallsShareRequests(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		calls map[time.Duration][]int
		words map[int]string
		fail  error
		want  []string
	}{
		"one after the other": {calls: map[time.Duration][]int{0: {1}, 20 * ms: {2}, 40 * ms: {3}}, want: []string{"[1]", "[2]", "[3]"}},
		"who comes meanwhile": {calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {3}}, want: []string{"[1]", "[2 3]"}},
		"each has its error":  {calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {7}}, words: map[int]string{7: "seven"}, want: []string{"[1]", "[2 7]"}},
		"who does not fit is next": {
			calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {-3}, 7 * ms: {4}, 15 * ms: {5}, 16 * ms: {-6}},
			want:  []string{"[1]", "[2 4]", "[-3 -6]", "[5]"},
		},
		"all fail": {
			calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {3}}, fail: ErrUnreachable,
			words: map[int]string{2: "reached", 3: "reached"}, want: []string{"[1]", "[2 3]"},
		},
		"the request is refused": {
			calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {3}}, fail: idmap.Refusef(idmap.CodeMalformed, "", "No."),
			want: []string{"[1]", "[2 3]", "[2]", "[3]"},
		},
		"panic":                {calls: map[time.Duration][]int{0: {13}}, words: map[int]string{13: "fault of the program"}, want: []string{"[13]"}},
		"panic of one of many": {calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {13}}, words: map[int]string{2: "fault", 13: "fault"}, want: []string{"[1]", "[2 13]"}},
		"siblings are awaited": { // 2 and 3 were answered at 20 ms, and come back 1 ms after each other
			calls: map[time.Duration][]int{0: {1}, 5 * ms: {2}, 6 * ms: {3}, 7 * ms: {4}, 21 * ms: {5}, 22 * ms: {6}},
			want:  []string{"[1]", "[2 3 4]", "[5 6]"},
		},
		"but not for long": {
			calls: map[time.Duration][]int{0: {1}, 1 * ms: {2}, 2 * ms: {3}, 3 * ms: {4}, 21 * ms: {5}, 300 * ms: {6}},
			want:  []string{"[1]", "[2 3 4]", "[5]", "[6]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench()
				b.fail = test.fail
				var all sync.WaitGroup
				for after, calls := range test.calls {
					for _, n := range calls {
						b.at(&all, t, after, n, test.words[n])
					}
				}
				all.Wait()
				slices.Sort(b.requests[min(2, len(b.requests)):]) // those that are made alone go at the same time
				slices.Sort(test.want[min(2, len(test.want)):])
				b.want(t, test.want...)
				time.Sleep(time.Second)
			})
		})
	}
}

// TestLoneCallsDoNotWait, not even right after each other.
func TestLoneCallsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(), time.Now()
		for range 100 {
			if _, err := b.do(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("100 requests of 10 ms took %s", took)
		}
	})
}

// TestWhoGoesHarmsNobody: the request goes on until the last of its callers has gone.
func TestWhoGoesHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var all sync.WaitGroup
		b.at(&all, t, 0, 1, "")
		short, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond) // 5 ms into the second request
		defer cancel()
		soon, stop := context.WithTimeout(t.Context(), 7*time.Millisecond) // before the second request
		defer stop()
		for ctx, n := range map[context.Context]int{short: 2, soon: 3} {
			all.Go(func() {
				time.Sleep(5 * time.Millisecond)
				began := time.Now()
				_, err := b.do(ctx, n)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Millisecond {
					t.Errorf("%d: %v after %s", n, err, time.Since(began))
				}
			})
		}
		b.at(&all, t, 6*time.Millisecond, 4, "")
		all.Wait()
		b.want(t, "[1]", "[2 4]")
		time.Sleep(time.Second)
		if !slices.Equal(b.ended, []error{nil, nil}) {
			t.Errorf("the requests ended with %v", b.ended)
		}
	})
}

func TestNobodyIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var all sync.WaitGroup
		b.at(&all, t, 0, 1, "")
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
		defer cancel()
		for n := range 3 {
			all.Go(func() {
				time.Sleep(5 * time.Millisecond)
				if _, err := b.do(ctx, n+2); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d: %v", n, err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if len(b.requests) != 2 || len(b.ended) != 2 || !errors.Is(b.ended[1], context.Canceled) {
			t.Errorf("%q ended with %v, want the second cancelled", b.requests, b.ended)
		}
		time.Sleep(time.Second)
	})
}
