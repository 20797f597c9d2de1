package sqlstore

import (
	"fmt"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// ErrClosed answers whoever comes after Close.
var ErrClosed = fmt.Errorf("%w: it was closed", store.ErrUnavailable)

// Gate counts who is inside of a store, so that it can be closed when the last one has left. The zero Gate is open.
type Gate struct {
	mu     sync.Mutex
	inside sync.WaitGroup
	closed bool
}

// Enter lets the caller in until it calls leave, or fails with ErrClosed.
func (g *Gate) Enter() (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	g.inside.Add(1)
	return g.inside.Done, nil
}

// Close lets nobody in any more and waits for those who are inside. It reports whether this call was the one that
// closed the gate.
func (g *Gate) Close() (closed bool) {
	g.mu.Lock()
	closed = !g.closed
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
	return closed
}
