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

// steady is a crew whose calls come so far apart.
func steady(gap time.Duration) (c crew, now time.Time) {
	now = time.Unix(0, 0)
	for range 100 {
		now = now.Add(gap)
		c = c.called(now)
	}
	return c, now
}

func TestLull(t *testing.T) {
	for gap, want := range map[time.Duration]time.Duration{
		0: 2 * time.Millisecond, 20 * time.Millisecond: 80 * time.Millisecond, time.Hour: 200 * time.Millisecond,
	} {
		if c, _ := steady(gap); c.lull() > want || c.lull() < want*9/10 {
			t.Errorf("calls %s apart: %s, want about %s", gap, c.lull(), want)
		}
	}
	c, now := steady(0)
	if c = c.called(now.Add(time.Hour)); c.gap != longestGap/paceMemory {
		t.Errorf("one pause of an hour makes the gap %s", c.gap)
	}
}

func TestPatience(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		size, waiting int
		counting      bool
		quiet, waited time.Duration
		want          time.Duration
	}{
		"a lone caller":                 {size: 1, waiting: 1},
		"a lone caller that is counted": {size: 1, waiting: 1, counting: true, want: 80 * ms},
		"none is back":                  {size: 10, want: 80 * ms},
		"few are":                       {size: 10, waiting: 8, quiet: 20 * ms, waited: 140 * ms, want: 60 * ms},
		"most are":                      {size: 10, waiting: 9, waited: 160 * ms},
		"most are, and are counted":     {size: 10, waiting: 9, waited: 160 * ms, counting: true, want: 80 * ms},
		"two, and one is back":          {size: 2, waiting: 1},
		"nobody came for long":          {size: 10, waiting: 3, quiet: 81 * ms, waited: 100 * ms},
		"they come, but for long":       {size: 1000, waiting: 3, waited: 480 * ms, want: 20 * ms},
		"it is too long":                {size: 1000, waiting: 3, waited: 501 * ms},
	} {
		c := crew{gap: 20 * ms, size: test.size, count: firstCount}
		if test.counting {
			c.requests = firstCount
		}
		if got := c.patience(test.waiting, 0, test.quiet, test.waited); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestSizeOfTheCrew: it is learned from who meets, and from counting, and forgotten when they do not come any more.
func TestSizeOfTheCrew(t *testing.T) {
	c, now := steady(20 * time.Millisecond)
	want := func(name string, size, count int) {
		t.Helper()
		if c.size != size || c.count != count {
			t.Errorf("%s: %d callers, counted again after %d requests, want %d and %d", name, c.size, c.count, size, count)
		}
	}
	want("at first", 1, 8)
	for range 8 {
		c = c.answered(1)
	}
	c = c.gathered(1, 0)
	want("counted, and alone", 1, 16)
	for range 16 {
		c = c.answered(1)
	}
	c = c.gathered(10, 0)
	want("counted, and not alone", 10, 8)
	c = c.answered(9)
	c = c.gathered(9, 0)
	want("most are back", 10, 8)
	c = c.gathered(3, 0)
	want("few are back", 8, 8)
	c = c.gathered(3, 0)
	want("few are back again", 6, 8)
	c = c.answered(9)
	want("more than that have met", 9, 8)
	for range 8 {
		c = c.answered(9)
	}
	c = c.gathered(10, 0)
	want("counted, and one was busy", 10, 16)
	c = c.gathered(3, 6)
	want("few came, and others were asked for", 9, 16)
	c = c.called(now.Add(time.Hour))
	want("another piece of work", 1, 8)
}

// TestComplete: for how many of ten callers a request waits, and how many requests may be under way.
func TestComplete(t *testing.T) {
	for name, test := range map[string]struct {
		crew
		asked, enough, most int
	}{
		"a lone caller":                       {crew{size: 1}, 0, 1, 1},
		"one request at a time":               {crew{size: 10}, 0, 9, 1},
		"two, and none is under way":          {crew{size: 10, two: true}, 0, 5, 2},
		"two, and half are asked for":         {crew{size: 10, two: true}, 5, 5, 2},
		"two, and nobody else can come":       {crew{size: 10, two: true}, 6, 4, 2},
		"two, and one nobody knew of":         {crew{size: 10, two: true}, 10, 1, 2},
		"two, but callers are few":            {crew{size: 3, two: true}, 0, 2, 1},
		"two, but the server is asked enough": {crew{size: 10, two: true, sparing: true}, 0, 9, 1},
	} {
		test.count = firstCount
		if test.complete(test.enough-1, test.asked) || !test.complete(test.enough, test.asked) || test.crew.most() != test.most {
			t.Errorf("%s: not complete with %d, or %d requests", name, test.enough, test.crew.most())
		}
		if test.requests = firstCount; test.complete(10, test.asked) {
			t.Errorf("%s: complete although callers are counted", name)
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

func newBench(t *testing.T) *bench {
	t.Cleanup(func() { time.Sleep(time.Second) }) // so that who waits for callers that do not come has gone
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
				b := newBench(t)
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
			})
		})
	}
}

// TestLoneCallsDoNotWait, but for the few among many that find out whether they are alone.
func TestLoneCallsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t), time.Now()
		call := func(n int) {
			for range n {
				if _, err := b.do(t.Context(), 1); err != nil {
					t.Error(err)
				}
			}
		}
		call(firstCount)
		if took := time.Since(began); took != 80*time.Millisecond {
			t.Errorf("8 requests of 10 ms took %s", took)
		}
		call(992)
		if took := time.Since(began); took > 10*time.Second+7*40*time.Millisecond {
			t.Errorf("1,000 requests of 10 ms took %s, counting 7 times", took)
		}
	})
}

// tenCallers make 1,000 calls. After each they take turns with the others at something else, which lasts so long.
func (b *bench) tenCallers(t *testing.T, busy time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	turn, next := make(chan struct{}, 1), make(chan int, 1000)
	for n := range 1000 {
		next <- n + 14
	}
	close(next)
	for range 10 {
		all.Go(func() {
			for n := range next {
				if _, err := b.do(t.Context(), n); err != nil {
					t.Error(err)
				}
				turn <- struct{}{}
				time.Sleep(busy)
				<-turn
			}
		})
	}
	all.Wait()
}

// TestTwoRequests: of ten callers half work at something else while the others wait for a server that is far away.
func TestTwoRequests(t *testing.T) {
	for _, two := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b, began := newBench(t), time.Now()
			b.crew.two = two
			b.tenCallers(t, time.Millisecond)
			n, took := len(b.requests), time.Since(began)
			t.Logf("two %t: %d requests, %s", two, n, took)
			if n > 250 || two != (took < 1700*time.Millisecond) {
				t.Errorf("two %t: 1,000 calls took %d requests and %s; without any they take 1 s", two, n, took)
			}
		})
	}
}

// TestCallsThatNeverMeet are of ten callers, each of which takes turns with the others at something else for 20 ms, as
// Terraform does when it writes its state. Requests are answered faster than that.
func TestCallsThatNeverMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t), time.Now()
		b.tenCallers(t, 20*time.Millisecond)
		if n, took := len(b.requests), time.Since(began); n > 1000/8 || took > 21*time.Second {
			t.Errorf("1,000 calls of 10 callers took %d requests and %s; without any they take 20 s", n, took)
		}
	})
}

// TestWhoGoesHarmsNobody: the request goes on until the last of its callers has gone.
func TestWhoGoesHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
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
		b := newBench(t)
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
	})
}
