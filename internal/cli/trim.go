package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
)

// trimming removes what is too old of the sign-in history while a server runs, in small steps: sign-ins come between them.
type trimming struct {
	backend *backend.Backend
	log     *slog.Logger
	every   time.Duration // when all is removed, or a step failed
	pause   time.Duration // while there is more
}

func newTrimming(b *backend.Backend, log *slog.Logger) trimming {
	return trimming{backend: b, log: log, every: time.Minute, pause: 100 * time.Millisecond}
}

// start begins to trim. Stop ends it, as the end of the context does, and returns when nothing is under way any more.
func (t trimming) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { t.run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

func (t trimming) run(ctx context.Context) {
	wait := t.every
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait = t.step(ctx)
		}
	}
}

// step answers how long to wait for the next one.
func (t trimming) step(ctx context.Context) time.Duration {
	more, err := t.backend.TrimSignIns(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		t.log.WarnContext(ctx, "removing old entries of the sign-in history failed, and is tried again later", slog.Any("cause", err))
	case err == nil && more:
		return t.pause
	}
	return t.every
}
