package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

func testLockWaits(w world) {
	w.connections()
	waited, err := w.meanwhile(
		func(tx store.Tx) error { return tx.LockConnection(w.ctx, "mail") },
		func(tx store.Tx) error { return tx.LockConnection(w.ctx, "mail") })
	if !waited || err != nil {
		w.t.Errorf("the second lock waited: %t, and ended with %v", waited, err)
	}
}

func testShareWaits(w world) {
	w.connections()
	second := make(chan error, 1)
	w.update(func(tx store.Tx) error {
		if err := tx.LockConnection(w.ctx, "mail"); err != nil {
			return err
		}
		go func() {
			second <- w.retry(func(tx store.Tx) error {
				if err := tx.ShareConnections(w.ctx, []string{"mail", "none", "app", "mail"}); err != nil {
					return err
				}
				found, err := tx.Accounts(w.ctx, "mail", store.DirectoryKeys{IDs: []string{"late"}})
				if err == nil && len(found) == 0 {
					return errors.New("it did not wait, or does not see what was written meanwhile")
				}
				return err
			})
		}()
		time.Sleep(overtake)
		return tx.PutAccounts(w.ctx, "mail", []idmap.Account{{ID: "late"}})
	})
	equal(w.t, "second transaction", <-second, nil)
}

func testShareKeepsOut(w world) {
	w.connections()
	waited, err := w.meanwhile(
		func(tx store.Tx) error { return tx.ShareConnections(w.ctx, []string{"mail"}) },
		func(tx store.Tx) error { return tx.LockConnection(w.ctx, "mail") })
	if !waited || err != nil {
		w.t.Errorf("the lock waited: %t, and ended with %v", waited, err)
	}
}

func testLockOthers(w world) {
	w.connections()
	w.pass(
		func(tx store.Tx) error { return tx.LockConnection(w.ctx, "app") },
		func(ctx context.Context, tx store.Tx) error { return tx.LockConnection(ctx, "mail") },
	)
}

// pass holds what one has done, and fails unless others end meanwhile. That they do not wait is the point, so whoever
// loses against another may.
func (w world) pass(one func(store.Tx) error, others ...func(context.Context, store.Tx) error) {
	w.t.Helper()
	soon, cancel := context.WithTimeout(w.ctx, patience/10)
	defer cancel()
	var passed []error
	held := w.s.Update(w.ctx, func(tx store.Tx) error {
		if err := one(tx); err != nil {
			return err
		}
		for _, other := range others {
			passed = append(passed, w.s.Update(soon, func(tx store.Tx) error { return other(soon, tx) }))
		}
		return nil
	})
	for _, err := range append(passed, held) {
		if err != nil && !errors.Is(err, store.ErrConflict) {
			w.t.Errorf("a transaction answers %v, and was to pass", err)
		}
	}
}

// testLockMany runs one after the other on an engine with one writer, and that is fine too.
func testLockMany(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			return tx.LockConnection(w.ctx, []string{"app", "app2", "mail", "mail2"}[i%4])
		})
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
}
