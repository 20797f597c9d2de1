package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errPaused = errors.New("it asks to wait for longer than this call may take")

// pause holds all calls of a client back once the server has said to one of them that it is asked too much.
type pause struct {
	mu    sync.Mutex
	until time.Time
}

// extend makes the pause last for d from now, unless it lasts longer already.
func (p *pause) extend(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.until) {
		p.until = until
	}
}

// left returns how long the pause still lasts; zero when there is none.
func (p *pause) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(time.Until(p.until), 0)
}

// wait returns when the pause is over, or the context is. It does not wait for a pause that outlasts the context.
func (p *pause) wait(ctx context.Context) error {
	for {
		left := p.left()
		if left == 0 {
			return ctx.Err()
		}
		if !affordable(ctx, left) {
			return errPaused
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
