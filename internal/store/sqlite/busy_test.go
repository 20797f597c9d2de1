package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/goleak"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

func insertMany(t *testing.T, tx store.Tx, n int) error {
	t.Helper()
	entries := make([]idmap.AuditEntry, n)
	for i := range entries {
		entries[i] = idmap.AuditEntry{ID: fmt.Sprintf("%06d", i), Reason: "some text that fills a page before long"}
	}
	return tx.AppendAudit(t.Context(), entries)
}

func countAudit(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		n, err = r.CountAudit(t.Context(), idmap.AuditFilter{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBusyIsUnavailable writes while a program that does not know our lock file holds SQLite's own lock.
func TestBusyIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	s := openAt(t, path)
	if _, err := s.writer.ExecContext(t.Context(), `PRAGMA busy_timeout = 50`); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := openPool(f.writerDSN(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error { return insertMany(t, tx, 1) })
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Update answers %v, want ErrUnavailable", err)
	}
	if n := countAudit(t, s); n != 0 { // and readers go on
		t.Errorf("%d rows", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return insertMany(t, tx, 1) }); err != nil {
		t.Error(err)
	}
}

// TestWaitForTurnEndsWithContext waits for another process, and for another goroutine.
func TestWaitForTurnEndsWithContext(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) }) // whoever gave up lets go of the lock as soon as it gets it
	path := filepath.Join(t.TempDir(), "idmap.db")
	s, other := openAt(t, path), openAt(t, path)
	t.Cleanup(func() { _ = errors.Join(s.Close(), other.Close()) })
	err := s.Update(t.Context(), func(store.Tx) error {
		if locked, err := flock.New(path + ".lock").TryLock(); locked || err != nil {
			t.Errorf("the lock file is not locked: %v", err)
		}
		for name, waiting := range map[string]*Store{"same store": s, "other store": other} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			err := waiting.Update(ctx, func(store.Tx) error { return errors.New("two write at once") })
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: Update answers %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the lock is free again
		if err := other.Update(t.Context(), func(store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneWaitIsLeftBehind lets several writers give up while another process holds the lock: no more than one thread
// may go on waiting for it.
func TestOneWaitIsLeftBehind(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	path := filepath.Join(t.TempDir(), "idmap.db")
	s := openAt(t, path)
	t.Cleanup(func() { _ = s.Close() })
	holder := flock.New(path + ".lock") // a descriptor of its own waits as another process does
	if err := holder.Lock(); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := s.Update(ctx, func(store.Tx) error { return errors.New("two write at once") })
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Update answers %v", err)
		}
	}
	if n := runtime.NumGoroutine() - before; n > 1 {
		t.Errorf("%d goroutines are left behind, want one at most", n)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the turn is free again
		if err := s.Update(t.Context(), func(store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
