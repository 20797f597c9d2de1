package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := newTurns()
		var done []func()
		for range largeAtOnce {
			end, err := free.turn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, end)
		}
		start := time.Now()
		_, err := free.turn(t.Context())
		if refused, ok := errors.AsType[*idmap.Error](err); !ok || refused.Kind != idmap.KindUnavailable || refused.RetryAfter != turnRetry || time.Since(start) != turnPatience {
			t.Errorf("one too many is told %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := free.turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that gives up is told %v", err)
		}
		time.AfterFunc(turnPatience/2, done[0])
		if _, err := free.turn(t.Context()); err != nil {
			t.Errorf("one that waits until another is done is told %v", err)
		}
	})
}
