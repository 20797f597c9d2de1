package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// errRollBack ends a transaction that is not to be committed.
var errRollBack = errors.New("roll back")

// overtake is how long a test gives another goroutine to do what it must not do.
const overtake = 150 * time.Millisecond

var transactionTests = map[string]func(world){
	"nothing of an Update that fails remains":                  testRollback,
	"nothing of an Update that panics remains":                 testPanic,
	"nothing of an Update that ignores a failure remains":      testIgnoredFailure,
	"after a failure every call of the transaction fails":      testFailedTransaction,
	"nothing of an Update whose context ends remains":          testCancelled,
	"Update and View answer the error of fn as it is":          testErrorIdentity,
	"Update does not retry":                                    testNoRetry,
	"a transaction reads its own writes, others do not":        testIsolation,
	"View runs on one consistent snapshot":                     testSnapshot,
	"View does not wait for writers":                           testViewDoesNotWait,
	"Close waits for what is under way, and then nothing goes": testClose,
	"Ping reports that a read works":                           testPing,
	"Close may be called twice":                                testCloseTwice,
}

func testRollback(w world) {
	w.refused(errRollBack, func(tx store.Tx) error { return errors.Join(w.fillWith(tx), errRollBack) })
	w.checkEmpty()
}

func testPanic(w world) {
	func() {
		defer func() { equal(w.t, "panic", recover(), any("boom")) }()
		_ = w.s.Update(w.ctx, func(tx store.Tx) error {
			if err := w.fillWith(tx); err != nil {
				w.t.Error(err)
			}
			panic("boom")
		})
	}()
	func() {
		defer func() { equal(w.t, "panic", recover(), any("boom")) }()
		_ = w.s.View(w.ctx, func(store.Reader) error { panic("boom") })
	}()
	w.checkEmpty()
}

func testIgnoredFailure(w world) {
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		if err := w.fillWith(tx); err != nil {
			return err
		}
		if err := tx.InsertToken(w.ctx, token("t"), "again"); !errors.Is(err, store.ErrConflict) {
			w.t.Errorf("a duplicate answers %v", err)
		}
		return nil
	})
	w.checkEmpty()
}

func testFailedTransaction(w world) {
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		if err := w.fillWith(tx); err != nil {
			return err
		}
		missing := connection("none")
		missing.Revision = 2
		first := tx.UpdateConnection(w.ctx, missing)
		for name, call := range map[string]func() error{
			"InsertToken":      func() error { return tx.InsertToken(w.ctx, token("u"), "u") },
			"ListTokens":       func() error { _, err := tx.ListTokens(w.ctx, all); return err },
			"Connections":      func() error { _, err := tx.Connections(w.ctx, nil); return err },
			"LockConnection":   func() error { return tx.LockConnection(w.ctx, "mail") },
			"ShareConnections": func() error { return tx.ShareConnections(w.ctx, []string{"mail"}) },
			"DeleteConnection": func() error { return tx.DeleteConnection(w.ctx, "app") },
			"DirectoryVersion": func() error { _, err := tx.DirectoryVersion(w.ctx, "\x00"); return err },
			"PutAccounts":      func() error { return tx.PutAccounts(w.ctx, "mail", nil) },
			"Maps":             func() error { _, err := tx.Maps(w.ctx, idmap.AccountMap, nil); return err },
			"LockMap":          func() error { return tx.LockMap(w.ctx, idmap.AccountMap, "map1") },
			"ListMapItems": func() error {
				_, err := tx.ListMapItems(w.ctx, "map1", idmap.MapItemFilter{IDs: []string{"\x00"}}, all)
				return err
			},
			"PutMapItems":         func() error { return tx.PutMapItems(w.ctx, "map1", nil) },
			"DeleteJob":           func() error { return tx.DeleteJob(w.ctx, "j1") },
			"LockUserMappings":    func() error { return tx.LockUserMappings(w.ctx, nil) },
			"TryLockUserMappings": func() error { _, err := tx.TryLockUserMappings(w.ctx, nil); return err },
			"ConnectionVersions":  func() error { _, err := tx.ConnectionVersions(w.ctx, nil); return err },
			"TouchUserMappings":   func() error { return tx.TouchUserMappings(w.ctx, nil, *at(1)) },
			"ListSignIns": func() error {
				_, err := tx.ListSignIns(w.ctx, idmap.SignInFilter{Reason: "none at all"}, all)
				return err
			},
			"CountSignIns":      func() error { _, err := tx.CountSignIns(w.ctx, idmap.SignInFilter{}, 0); return err },
			"SignInConnections": func() error { _, err := tx.SignInConnections(w.ctx); return err },
			"InsertSignIns":     func() error { return tx.InsertSignIns(w.ctx, nil) },
			"ListSessions": func() error {
				_, err := tx.ListSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: []string{}}, all)
				return err
			},
			"ListSessionUsage": func() error {
				_, err := tx.ListSessionUsage(w.ctx, idmap.SessionFilter{Client: "\x00"}, all)
				return err
			},
			"EndSessions": func() error { _, err := tx.EndSessions(w.ctx, idmap.SessionFilter{}, 0); return err },
		} {
			if err := call(); !errors.Is(err, store.ErrConflict) {
				w.t.Errorf("%s after a failure answers %v", name, err)
			}
		}
		return first
	})
	w.checkEmpty()
}

func testCancelled(w world) {
	ctx, cancel := context.WithCancel(w.ctx)
	err := w.s.Update(ctx, func(tx store.Tx) error {
		if err := w.fillWith(tx); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		w.t.Errorf("Update answers %v, want context.Canceled", err)
	}
	for name, run := range map[string]func() error{
		"Update": func() error { return w.s.Update(ctx, func(store.Tx) error { return nil }) },
		"View": func() error {
			return w.s.View(ctx, func(r store.Reader) error { _, err := r.CountTokens(ctx); return err })
		},
		"Ping": func() error { return w.s.Ping(ctx) },
	} {
		if err := run(); !errors.Is(err, context.Canceled) {
			w.t.Errorf("%s answers %v, want context.Canceled", name, err)
		}
	}
	w.checkEmpty()
}

func testErrorIdentity(w world) {
	if err := w.s.Update(w.ctx, func(store.Tx) error { return errRollBack }); err != errRollBack { //nolint:errorlint // the same one
		w.t.Errorf("Update answers %v", err)
	}
	if err := w.s.View(w.ctx, func(store.Reader) error { return errRollBack }); err != errRollBack { //nolint:errorlint // the same one
		w.t.Errorf("View answers %v", err)
	}
}

func testNoRetry(w world) {
	w.fill()
	calls := 0
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		calls++
		return tx.InsertToken(w.ctx, token("t"), "hash")
	})
	equal(w.t, "calls", calls, 1)
}

func testIsolation(w world) {
	empty := w.everything()
	w.update(func(tx store.Tx) error {
		if err := w.fillWith(tx); err != nil {
			return err
		}
		own, err := tx.CountUserMappings(w.ctx, idmap.UserMappingFilter{})
		equal(w.t, "own mappings", own, 1)
		equal(w.t, "what others see", w.everything(), empty)
		return err
	})
	w.checkFilled()
}

func testSnapshot(w world) {
	w.connections().insert(people(2)...)
	err := w.s.View(w.ctx, func(r store.Reader) error {
		before, err := r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, all)
		if err != nil {
			return err
		}
		next := people(3)
		next[1].Revision, next[1].UserID = 2, "renamed"
		w.update(func(tx store.Tx) error {
			return firstError(
				func() error { return tx.DeleteUserMappings(w.ctx, plain(people(1))) },
				func() error { return tx.UpdateUserMappings(w.ctx, next[1:2]) },
				func() error { return tx.InsertUserMappings(w.ctx, next[2:]) },
				func() error { return tx.PutAccounts(w.ctx, "mail", []idmap.Account{fullAccount()}) },
			)
		})
		after, err := r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, all)
		equal(w.t, "mappings", after, before)
		accounts, err2 := r.CountAccounts(w.ctx, "mail", idmap.DirectoryFilter{})
		equal(w.t, "accounts", accounts, 0)
		return errors.Join(err, err2)
	})
	equal(w.t, "View", err, nil)
	equal(w.t, "mappings of a new view", len(w.mappings()), 2)
}

func testViewDoesNotWait(w world) {
	w.fill()
	w.update(func(tx store.Tx) error {
		if err := tx.LockConnection(w.ctx, "mail"); err != nil {
			return err
		}
		next := updated("m", "b@example.com", "b")
		if err := tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		defer cancel()
		return w.s.View(ctx, func(r store.Reader) error {
			found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: []string{"m"}})
			equal(w.t, "as it was", found, []store.UserMapping{mapping("m", "a@example.com", "a")})
			return err
		})
	})
}

func testClose(w world) {
	w.fill()
	inside, closed := make(chan struct{}), make(chan error, 1)
	var ended atomic.Bool
	go func() {
		<-inside
		err := w.s.Close()
		if !ended.Load() {
			err = errors.Join(err, errors.New("the store was closed too early"))
		}
		closed <- err
	}()
	w.update(func(tx store.Tx) error {
		close(inside)
		time.Sleep(overtake)
		defer ended.Store(true)
		return tx.InsertToken(w.ctx, token("late"), "late")
	})
	equal(w.t, "Close", <-closed, nil)
	for name, err := range map[string]error{
		"Update": w.s.Update(w.ctx, func(store.Tx) error { return nil }),
		"View":   w.s.View(w.ctx, func(store.Reader) error { return nil }),
		"Ping":   w.s.Ping(w.ctx),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			w.t.Errorf("%s after Close answers %v, want ErrUnavailable", name, err)
		}
	}
}

func testCloseTwice(w world) {
	equal(w.t, "first", w.s.Close(), nil)
	equal(w.t, "second", w.s.Close(), nil)
}

func testPing(w world) {
	equal(w.t, "empty", w.s.Ping(w.ctx), nil)
	w.fill()
	equal(w.t, "filled", w.s.Ping(w.ctx), nil)
}
