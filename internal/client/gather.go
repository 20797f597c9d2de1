package client

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// gatherer lets calls that come at the same time share a request. A call that finds nobody at work goes at once; those
// that come meanwhile are the next request. Where there are many callers, a second request may be under way: while half of
// the callers wait for the server, the others go on. It is safe for concurrent use.
type gatherer[In, Out any] struct {
	// alone makes one call by its own request.
	alone func(ctx context.Context, call In) (Out, error)
	// together makes the calls by one request, and answers them in their order, or fails all of them.
	together func(ctx context.Context, calls []In) ([]outcome[Out], error)
	// admit begins a request. What it returns tells of one call after the other whether it may be in the request, too; of
	// the first it always may.
	admit func() func(In) bool
	// sparing reports whether the server has few requests left for this client; nil: it never says.
	sparing func() bool
	// gone is the error for a caller whose context has ended.
	gone func(ctx context.Context) error

	mu       sync.Mutex
	waiting  []*caller[In, Out]
	awaiting bool // it is waited for callers
	requests int  // under way
	asked    int  // callers whose request is under way
	crew     crew
	came     chan struct{} // has room for one: that somebody came while it was waited, or that a request has ended
}

// caller waits for its request.
type caller[In, Out any] struct {
	ctx    context.Context
	call   In
	answer chan outcome[Out] // has room for the answer, so that it does not matter who has gone
}

type outcome[Out any] struct {
	out Out
	err error
}

// do returns what the call's request answers. A caller whose context ends goes at once, and the request goes on for the
// others.
func (g *gatherer[In, Out]) do(ctx context.Context, call In) (Out, error) {
	c := &caller[In, Out]{ctx: ctx, call: call, answer: make(chan outcome[Out], 1)}
	g.enqueue(c)
	select {
	case a := <-c.answer:
		return a.out, a.err
	case <-ctx.Done():
		var nothing Out
		return nothing, g.gone(ctx)
	}
}

func (g *gatherer[In, Out]) enqueue(c *caller[In, Out]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.crew = g.crew.called(time.Now())
	g.waiting = append(g.waiting, c)
	if g.awaiting {
		g.tell()
	} else if g.requests < g.crew.most() {
		g.awaiting = true
		go g.work()
	}
}

// tell wakes who waits for callers.
func (g *gatherer[In, Out]) tell() {
	select {
	case g.came <- struct{}{}:
	default: // it was told already
	}
}

// work makes requests until nobody waits, or somebody else sees to those who do.
func (g *gatherer[In, Out]) work() {
	for {
		g.awaitOthers()
		batch := g.next()
		if len(batch) == 0 {
			return
		}
		g.serve(batch)
		if !g.answered(len(batch)) {
			return
		}
	}
}

// answered notes the end of a request. It reports whether its worker is to go on.
func (g *gatherer[In, Out]) answered(callers int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.crew = g.crew.answered(g.asked + len(g.waiting))
	g.crew.sparing = g.sparing != nil && g.sparing()
	g.requests, g.asked = g.requests-1, g.asked-callers
	if g.awaiting {
		g.tell()
		return false
	}
	g.awaiting = true
	return true
}

// next takes those who may share a request, who has waited longest first, and leaves out who has gone. Nobody is passed
// over for ever: whoever must wait is first in the next request.
func (g *gatherer[In, Out]) next() (batch []*caller[In, Out]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var others []*caller[In, Out]
	admits := g.admit()
	for _, c := range g.waiting {
		switch {
		case c.ctx.Err() != nil:
		case admits(c.call):
			batch = append(batch, c)
		default:
			others = append(others, c)
		}
	}
	g.waiting, g.awaiting = others, false
	if len(batch) > 0 {
		g.requests, g.asked = g.requests+1, g.asked+len(batch)
	}
	return batch
}

// awaitOthers waits for those who are expected to call. crew.patience tells how long. Where no other request may be under
// way, or nobody waits, that is until one ends.
func (g *gatherer[In, Out]) awaitOthers() {
	for began := time.Now(); ; {
		wait, ends := g.patience(began)
		switch {
		case ends:
			<-g.came
		case wait <= 0:
			return
		default:
			select {
			case <-g.came:
			case <-time.After(wait):
			}
		}
	}
}

// patience returns how much longer to wait for calls; zero ends the wait. Or it tells to wait until a request ends, or
// somebody comes.
func (g *gatherer[In, Out]) patience(began time.Time) (wait time.Duration, ends bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.requests > 0 && (g.requests >= g.crew.most() || len(g.waiting) == 0) {
		return 0, true
	}
	quiet := min(time.Since(g.crew.last), time.Since(began))
	if wait = g.crew.patience(len(g.waiting), g.asked, quiet, time.Since(began)); wait <= 0 {
		g.crew = g.crew.gathered(len(g.waiting), g.asked)
	}
	return wait, false
}

// serve answers a batch. Where the request as such is refused, each call is made alone, so that one which does not fit
// fails no other.
func (g *gatherer[In, Out]) serve(batch []*caller[In, Out]) {
	if len(batch) == 1 {
		g.serveAlone(batch[0])
		return
	}
	ctx, done := shared(batch)
	defer done()
	answers, err := safely(func() ([]outcome[Out], error) { return g.together(ctx, callsOf(batch)) })
	if refusesRequest(err) {
		var all sync.WaitGroup
		for _, c := range batch {
			all.Go(func() { g.serveAlone(c) })
		}
		all.Wait()
		return
	}
	for i, c := range batch {
		if err != nil {
			c.answer <- outcome[Out]{err: err}
		} else {
			c.answer <- answers[i]
		}
	}
}

// serveAlone makes a call as if nobody gathered: it ends with its caller.
func (g *gatherer[In, Out]) serveAlone(c *caller[In, Out]) {
	out, err := safely(func() (Out, error) { return g.alone(c.ctx, c.call) })
	c.answer <- outcome[Out]{out, err}
}

func callsOf[In, Out any](batch []*caller[In, Out]) []In {
	calls := make([]In, len(batch))
	for i, c := range batch {
		calls[i] = c.call
	}
	return calls
}

// shared returns the context of a request: it has the values of the first caller's, and ends when all callers have gone.
func shared[In, Out any](batch []*caller[In, Out]) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].ctx))
	var here atomic.Int64
	here.Store(int64(len(batch)))
	stops := make([]func() bool, len(batch))
	for i, c := range batch {
		stops[i] = context.AfterFunc(c.ctx, func() {
			if here.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// refusesRequest tells the refusal of a request as such, of which a call may be no reason, from any other error.
func refusesRequest(err error) bool {
	e, ok := errors.AsType[*idmap.Error](err)
	return ok && (e.Kind == idmap.KindMalformed || e.Kind == idmap.KindTooLarge || e.Kind == idmap.KindRule)
}

// safely turns a panic into an error: it is in no caller's goroutine, and would end the program.
func safely[T any](do func() (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &idmap.Error{
				Kind: idmap.KindInternal, Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack()),
				Violations: []idmap.Violation{{
					Code:        idmap.CodeInternal,
					Description: "This program failed while it made a request. This is a fault of the program. Report it with the log of the run.",
				}},
			}
		}
	}()
	return do()
}
