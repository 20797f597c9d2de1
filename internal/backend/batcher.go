package backend

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// batcher lets calls that come at the same time share a transaction, since each one has to reach the disk. A call that
// finds nobody at work runs at once; those that come meanwhile are the next batch. It is safe for concurrent use.
type batcher[In, Out any] struct {
	// run answers the calls in their order, or fails all of them.
	run     func(ctx context.Context, calls []In) ([]Out, error)
	size    int           // of the largest batch
	timeout time.Duration // of one batch
	// queue names the queue of a call. Calls of different queues share no batch, and do not wait for each other; nil: all
	// are of one.
	queue func(In) string
	// gathers: a batch costs so much, however many are in it, that it waits a moment for those who were just answered.
	gathers bool

	mu      sync.Mutex
	waiting map[string][]*waiter[In, Out] // by queue; a queue that is there is worked at
}

// waiter is a call that waits for its batch.
type waiter[In, Out any] struct {
	ctx    context.Context // who has given up before the batch begins is left out
	call   In
	answer chan answered[Out] // has room for the answer, so that it does not matter who has given up
}

type answered[Out any] struct {
	out Out
	err error
}

// do returns what the call's batch answers. A caller whose context ends gets nothing, and the batch goes on without it.
func (b *batcher[In, Out]) do(ctx context.Context, call In) (Out, error) {
	w := &waiter[In, Out]{ctx: ctx, call: call, answer: make(chan answered[Out], 1)}
	b.enqueue(w)
	select {
	case a := <-w.answer:
		return a.out, a.err
	case <-ctx.Done():
		var nothing Out
		return nothing, ctx.Err()
	}
}

func (b *batcher[In, Out]) enqueue(w *waiter[In, Out]) {
	queue := ""
	if b.queue != nil {
		queue = b.queue(w.call)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, working := b.waiting[queue]
	if b.waiting == nil {
		b.waiting = map[string][]*waiter[In, Out]{}
	}
	b.waiting[queue] = append(b.waiting[queue], w)
	if !working {
		go b.work(queue)
	}
}

// work runs batches of a queue until nobody waits in it.
func (b *batcher[In, Out]) work(queue string) {
	for batch := b.next(queue); batch != nil; batch = b.next(queue) {
		b.serve(batch)
		if b.gathers {
			b.awaitSiblings(queue, len(batch))
		}
	}
}

const (
	// siblings is how many callers there must be for a batch to wait for more of them. It waits as long as they keep
	// coming, each siblingPause for the next, and siblingPatience at most: short beside what a batch costs, most of which
	// does not depend on how many are in it.
	siblings        = 8
	siblingPause    = 2 * time.Millisecond
	siblingPatience = 10 * time.Millisecond
)

// awaitSiblings waits for those who were just answered to be back, but not for a few: a lone caller waits for nobody.
func (b *batcher[In, Out]) awaitSiblings(queue string, answered int) {
	here := b.inQueue(queue)
	callers := answered + here
	if callers < siblings {
		return
	}
	began := time.Now()
	for last := began; here < callers && time.Since(last) < siblingPause && time.Since(began) < siblingPatience; {
		time.Sleep(siblingPause / 10)
		if now := b.inQueue(queue); now > here {
			here, last = now, time.Now()
		}
	}
}

func (b *batcher[In, Out]) inQueue(queue string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting[queue])
}

// next takes those who have waited longest, or returns nil and goes home.
func (b *batcher[In, Out]) next(queue string) []*waiter[In, Out] {
	b.mu.Lock()
	defer b.mu.Unlock()
	waiting := b.waiting[queue]
	n := min(len(waiting), b.size)
	if n == 0 {
		delete(b.waiting, queue)
		return nil
	}
	b.waiting[queue] = waiting[n:]
	return waiting[:n:n]
}

// serve answers a batch. No caller's context ends it, since it is everybody's.
func (b *batcher[In, Out]) serve(batch []*waiter[In, Out]) {
	live := batch[:0]
	for _, w := range batch {
		if w.ctx.Err() == nil {
			live = append(live, w)
		}
	}
	if len(live) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(live[0].ctx), b.timeout)
	defer cancel()
	if err := b.answer(ctx, live); err != nil {
		b.answerEach(ctx, live, err)
	}
}

// answerEach runs the calls of a batch that failed one by one, so that one which cannot be does not fail the others.
// Where it is the database that fails, it would fail each.
func (b *batcher[In, Out]) answerEach(ctx context.Context, batch []*waiter[In, Out], err error) {
	again := len(batch) > 1 && !errors.Is(err, store.ErrUnavailable)
	for i, w := range batch {
		one := err
		if again {
			one = b.answer(ctx, batch[i:i+1])
		}
		if one != nil {
			w.fail(ctx, one)
		}
	}
}

func (w *waiter[In, Out]) fail(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = idmap.Unavailable(err, time.Second) // it is the batch's time that ran out, not the caller's
	}
	w.answer <- answered[Out]{err: err}
}

// answer runs the calls and answers all of them, or none and fails.
func (b *batcher[In, Out]) answer(ctx context.Context, batch []*waiter[In, Out]) error {
	calls := make([]In, len(batch))
	for i, w := range batch {
		calls[i] = w.call
	}
	results, err := b.runSafely(ctx, calls)
	if err != nil {
		return err
	}
	for i, w := range batch {
		w.answer <- answered[Out]{out: results[i]}
	}
	return nil
}

// runSafely turns a panic into an error: it is in nobody's request, and would end the server.
func (b *batcher[In, Out]) runSafely(ctx context.Context, calls []In) (results []Out, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if results, err = b.run(ctx, calls); err == nil && len(results) != len(calls) {
		err = fmt.Errorf("a batch of %d calls got %d answers", len(calls), len(results))
	}
	return results, err
}
