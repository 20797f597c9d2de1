package backend

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// doubling answers each number with its double; what fail says of a batch fails it. It takes a second for each.
type doubling struct {
	fail    func(calls []int) error
	batches [][]int
}

func (d *doubling) run(ctx context.Context, calls []int) ([]int, error) {
	d.batches = append(d.batches, slices.Clone(calls))
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.fail != nil {
		if err := d.fail(calls); err != nil {
			return nil, err
		}
	}
	answers := make([]int, len(calls))
	for i, n := range calls {
		answers[i] = 2 * n
	}
	return answers, nil
}

// askAll asks for the doubles of numbers while another call is under way, and returns the answers.
func askAll(t *testing.T, d *doubling, numbers ...int) (answers []int, errs []error) {
	t.Helper()
	b := &batcher[int, int]{run: d.run, size: 3, timeout: time.Minute}
	answers, errs = make([]int, len(numbers)), make([]error, len(numbers))
	var all sync.WaitGroup
	all.Go(func() { _, _ = b.do(t.Context(), 0) })
	synctest.Wait()
	for i, n := range numbers {
		all.Go(func() { answers[i], errs[i] = b.do(t.Context(), n) })
		synctest.Wait()
	}
	all.Wait()
	return answers, errs
}

func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubling{}
		answers, errs := askAll(t, d, 1, 2, 3, 4)
		if !slices.Equal(answers, []int{2, 4, 6, 8}) || errors.Join(errs...) != nil {
			t.Errorf("got %v, %v", answers, errs)
		}
		if want := [][]int{{0}, {1, 2, 3}, {4}}; !slices.EqualFunc(d.batches, want, slices.Equal) {
			t.Errorf("the batches are %v, want %v: the first runs at once, and those who come meanwhile share the next", d.batches, want)
		}
	})
}

func TestBadCallFailsAlone(t *testing.T) {
	t.Parallel()
	errBad := errors.New("two is bad")
	for name, fail := range map[string]func() error{"error": func() error { return errBad }, "panic": func() error { panic(errBad) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &doubling{fail: func(calls []int) error {
					if slices.Contains(calls, 2) {
						return fail()
					}
					return nil
				}}
				answers, errs := askAll(t, d, 1, 2, 3)
				if !slices.Equal(answers, []int{2, 0, 6}) || errs[0] != nil || errs[1] == nil || errs[2] != nil {
					t.Errorf("got %v, %v", answers, errs)
				}
			})
		})
	}
}

func TestBatchWithoutDatabaseIsNotRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubling{fail: func(calls []int) error { return public(store.ErrUnavailable) }}
		_, errs := askAll(t, d, 1, 2, 3)
		for _, err := range errs {
			if !idmap.IsKind(err, idmap.KindUnavailable) {
				t.Errorf("got %v, want that it is unavailable", err)
			}
		}
		if len(d.batches) != 2 {
			t.Errorf("the batches are %v, want each once", d.batches)
		}
	})
}

func TestBatchEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &batcher[int, int]{run: (&doubling{}).run, size: 3, timeout: time.Millisecond}
		if _, err := b.do(t.Context(), 1); !idmap.IsKind(err, idmap.KindUnavailable) {
			t.Errorf("got %v, want that it is unavailable", err)
		}
	})
}

func TestWhoGivesUpHarmsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubling{}
		b := &batcher[int, int]{run: d.run, size: 3, timeout: time.Minute}
		impatient, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		ask := func(ctx context.Context, n int, want error) {
			all.Go(func() {
				if got, err := b.do(ctx, n); !errors.Is(err, want) || err == nil && got != 2*n {
					t.Errorf("%d: got %d, %v, want %v", n, got, err, want)
				}
			})
			synctest.Wait()
		}
		ask(impatient, 1, context.Canceled) // its batch is under way
		ask(impatient, 2, context.Canceled) // its batch has not begun, and is without it
		ask(t.Context(), 3, nil)
		cancel()
		all.Wait()
		if want := [][]int{{1}, {3}}; !slices.EqualFunc(d.batches, want, slices.Equal) {
			t.Errorf("the batches are %v, want %v", d.batches, want)
		}
	})
}

// TestSiblingsComeAlong: those who were just answered are waited for, if there are many, and a lone caller waits for
// nobody.
func TestSiblingsComeAlong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		callers int
		gathers bool
		want    []int // how many each batch has
	}{
		{"many", 10, true, []int{1, 10, 10, 9}},
		{"many, not to be gathered", 10, false, []int{1, 9, 1, 9, 1, 9}},
		{"a few", 3, true, []int{1, 2, 1, 2, 1, 2}},
		{"one", 1, true, []int{1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &doubling{}
				b := &batcher[int, int]{run: d.run, size: 100, timeout: time.Minute, gathers: c.gathers}
				began := time.Now()
				var all sync.WaitGroup
				for n := range c.callers {
					all.Go(func() {
						for range 3 {
							if got, err := b.do(t.Context(), n); got != 2*n || err != nil {
								t.Errorf("%d is answered %d, %v", n, got, err)
							}
							time.Sleep(time.Millisecond) // what is to be done before the next call
						}
					})
					synctest.Wait()
				}
				all.Wait()
				took := time.Since(began)
				time.Sleep(siblingPatience) // who waits for siblings gives up
				var sizes []int
				for _, batch := range d.batches {
					sizes = append(sizes, len(batch))
				}
				if !slices.Equal(sizes, c.want) {
					t.Errorf("the batches have %v calls, want %v", sizes, c.want)
				}
				if c.callers == 1 && took > 3*time.Second+3*time.Millisecond {
					t.Errorf("a lone caller waited: three calls of a second each took %s", took)
				}
			})
		})
	}
}
