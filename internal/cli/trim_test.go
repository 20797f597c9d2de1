package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// lockedText is a log that several goroutines may write and read.
type lockedText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// writeHistory writes so many entries from before any time that entries are kept, and one of today.
func writeHistory(t *testing.T, s store.Store, old int) {
	t.Helper()
	entries := make([]idmap.SignIn, old+1)
	for i := range entries {
		entries[i] = idmap.SignIn{
			ID: fmt.Sprintf("s%05d", i), On: time.Now().AddDate(-1, 0, 0), Outcome: idmap.OutcomeDenied,
			SignInAttempt: idmap.SignInAttempt{
				Source: idmap.SignInEnd{Connection: idmap.Ref{ID: "contoso"}}, Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: "gone"}},
				Email: "jane@contoso.com", UserID: "jane",
			},
		}
	}
	entries[old].On = time.Now()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.InsertSignIns(t.Context(), entries) }); err != nil {
		t.Fatal(err)
	}
}

func historySize(t *testing.T, b *backend.Backend) int {
	t.Helper()
	list, err := b.SignIns(t.Context(), idmap.SignInFilter{}, idmap.Page{Limit: idmap.MaxPageSize})
	if err != nil {
		t.Fatal(err)
	}
	return list.Total
}

func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestTrimming(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "idmap.db"))
	if err != nil {
		t.Fatal(err)
	}
	writeHistory(t, s, 1200)
	b := backend.New(s, backend.Options{})
	var log lockedText
	trim := newTrimming(b, slog.New(slog.NewTextHandler(&log, nil)))
	trim.every, trim.pause = 10*time.Millisecond, time.Millisecond
	stop := trim.start(t.Context())
	defer stop()

	within(t, "the old entries to go", func() bool { return historySize(t, b) == 1 })
	if log.String() != "" {
		t.Errorf("when all goes well there is nothing to say:\n%s", &log)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, "several failures, which do not end it", func() bool { return strings.Count(log.String(), "level=WARN") > 1 })
	stop()
	said := log.String()
	time.Sleep(5 * trim.every)
	if log.String() != said {
		t.Error("it goes on after it was stopped")
	}
}

// A step is never under way when the server closes the database.
func TestTrimmingEndsWithItsServer(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "idmap.db"))
	if err != nil {
		t.Fatal(err)
	}
	writeHistory(t, s, 5000)
	var log lockedText
	trim := newTrimming(backend.New(s, backend.Options{}), slog.New(slog.NewTextHandler(&log, nil)))
	trim.every, trim.pause = 0, 0
	ctx, cancel := context.WithCancel(t.Context())
	stop := trim.start(ctx)
	time.Sleep(20 * time.Millisecond)
	cancel() // as a signal does
	stop()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if log.String() != "" {
		t.Errorf("to be stopped is no failure:\n%s", &log)
	}
}
