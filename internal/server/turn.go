package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	// largeAtOnce is how many large bodies are worked on at once: parsed, each takes several times its size.
	largeAtOnce = 2
	// turnPatience is how long a large body waits for its turn.
	turnPatience = 30 * time.Second
	// turnRetry is when one that waited in vain had better be sent again.
	turnRetry = 15 * time.Second
)

// turns are taken by requests with a large body, so that many of them do not fill the memory together.
type turns struct{ free *semaphore.Weighted }

func newTurns() turns { return turns{semaphore.NewWeighted(largeAtOnce)} }

// turn waits until one is free. It lasts until done is called, which is never nil.
func (t turns) turn(ctx context.Context) (done func(), err error) {
	waiting, stop := context.WithTimeout(ctx, turnPatience)
	defer stop()
	if err := t.free.Acquire(waiting, 1); err != nil {
		if ctx.Err() != nil {
			return func() {}, ctx.Err()
		}
		return func() {}, crowded()
	}
	return func() { t.free.Release(1) }, nil
}

func crowded() error {
	return &idmap.Error{
		Kind: idmap.KindUnavailable, RetryAfter: turnRetry,
		Violations: []idmap.Violation{{Code: idmap.CodeUnavailable, Description: "The server works on as many large requests as it can at once. Send this one again later, or in smaller parts."}},
	}
}
