package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const crowd = 16

var concurrencyTests = map[string]func(world){
	"of many that insert one email exactly one wins":                 testRaceInsert,
	"as many revision updates succeed as the revision says":          testRaceRevision,
	"of many that claim one address with other holders one succeeds": testRaceClaim,
	"of many that claim one address one succeeds, also under a lock": testRaceClaimLocked,
	"claims and releases of one address leave one open entry":        testRaceRelease,
	"LockConnection keeps others waiting that lock it":               testLockWaits,
	"LockConnection lets others pass that lock another":              testLockOthers,
	"many that lock one connection each all succeed":                 testLockMany,
	"ShareConnections waits for who locked, and sees what it wrote":  testShareWaits,
	"ShareConnections keeps others from locking":                     testShareKeepsOut,
	"of many that claim one idempotency key one makes the object":    testRaceIdempotency,
	"many that write what has nothing in common all succeed":         testRaceDisjoint,
	"readers see whole transactions only":                            testReadersSeeWhole,
	"a connection is not deleted while a mapping of it is inserted":  testRaceDelete,
}

// together runs fn many times at once and returns the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// winners counts those that have no error, and fails if a loser has another error than want.
func (w world) winners(errs []error, want error) (n int) {
	w.t.Helper()
	for _, err := range errs {
		switch {
		case err == nil:
			n++
		case !errors.Is(err, want):
			w.t.Errorf("a loser gets %v, want %v", err, want)
		}
	}
	return n
}

func testRaceInsert(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		m := mapping(fmt.Sprint("m", i), "a@example.com", fmt.Sprint("user", i))
		return w.s.Update(w.ctx, func(tx store.Tx) error { return tx.InsertUserMappings(w.ctx, []store.UserMapping{m}) })
	})
	equal(w.t, "winners", w.winners(errs, store.ErrConflict), 1)
	equal(w.t, "stored", len(w.mappings()), 1)
}

func testRaceRevision(w world) {
	w.connections().insert(mapping("m", "a@example.com", "a"))
	errs := together(50, func(i int) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			found, err := tx.UserMappings(w.ctx, store.UserMappingKeys{IDs: []string{"m"}})
			if err != nil {
				return err
			}
			found[0].Revision++
			found[0].UserID = fmt.Sprint("user", i)
			return tx.UpdateUserMappings(w.ctx, found)
		})
	})
	won := w.winners(errs, store.ErrConflict)
	equal(w.t, "revision", w.mappings()[0].Revision, int64(won+1))
	if won == 0 {
		w.t.Error("nobody succeeded")
	}
}

var errRefused = errors.New("the claim was refused")

// claimOrRefuse claims, and rolls back if a claim is refused.
func (w world) claimOrRefuse(tx store.Tx, claims ...store.EmailClaim) error {
	refused, err := tx.ClaimEmails(w.ctx, claims, *at(10))
	if err == nil && len(refused) > 0 {
		return errRefused
	}
	return err
}

func testRaceClaim(w world) { w.raceClaim(func(store.Tx) error { return nil }) }

func testRaceClaimLocked(w world) {
	w.connections().raceClaim(func(tx store.Tx) error { return tx.LockConnection(w.ctx, "mail") })
}

// raceClaim lets many claim the same two addresses, in either order.
func (w world) raceClaim(lock func(store.Tx) error) {
	errs := together(crowd, func(i int) error {
		h := holder("app", fmt.Sprint("account", i), "")
		claims := []store.EmailClaim{claim(fmt.Sprint("a", i), "a@example.com", h), claim(fmt.Sprint("b", i), "b@example.com", h)}
		if i%2 == 1 {
			claims[0], claims[1] = claims[1], claims[0]
		}
		return w.retry(func(tx store.Tx) error {
			if err := lock(tx); err != nil {
				return err
			}
			return w.claimOrRefuse(tx, claims...)
		})
	})
	equal(w.t, "winners", w.winners(errs, errRefused), 1)
	a, b := w.entry("a@example.com"), w.entry("b@example.com")
	equal(w.t, "holders", len(a.Holders), 1)
	equal(w.t, "holders", a.Holders, b.Holders)
}

func testRaceRelease(w world) {
	w.claim(claim("e", "a@example.com", holder("app", "first", "")))
	first := w.entry("a@example.com")
	first.Revision++
	first.Released = &idmap.Release{On: *at(20), By: "admin"}
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			if i == 0 {
				return tx.ReleaseEmailAssignment(w.ctx, first)
			}
			return w.claimOrRefuse(tx, claim(fmt.Sprint("e", i), "a@example.com", holder("app", fmt.Sprint("account", i), "")))
		})
	})
	equal(w.t, "release", errs[0], nil)
	if won := w.winners(errs[1:], errRefused); won > 1 {
		w.t.Errorf("%d claims succeeded", won)
	}
	for _, e := range w.entries("a@example.com") {
		equal(w.t, "holders", len(e.Holders), 1)
	}
	equal(w.t, "holders of the released entry", w.entryByID("e").Holders, []idmap.EmailHolder{holder("app", "first", "")})
}

func testRaceIdempotency(w world) {
	var made atomic.Int64
	errs := together(crowd, func(i int) error {
		mine := false
		err := w.retry(func(tx store.Tx) error {
			found, err := tx.ClaimIdempotencyKey(w.ctx, record("t", "k"))
			mine = err == nil && found == nil
			if err != nil || found != nil {
				return err
			}
			return tx.AnswerIdempotencyKey(w.ctx, answered(record("t", "k"), fmt.Sprint("o", i)))
		})
		if mine && err == nil {
			made.Add(1)
		}
		return err
	})
	equal(w.t, "errors", w.winners(errs, nil), crowd)
	equal(w.t, "objects", made.Load(), 1)
}

func testRaceDisjoint(w world) {
	w.connections()
	mappings := people(crowd * 4)
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			mine := mappings[i*4 : i*4+4]
			if err := tx.InsertUserMappings(w.ctx, mine); err != nil {
				return err
			}
			for _, m := range mine {
				if err := w.claimOrRefuse(tx, claim("e"+m.ID, m.Email, holder("app", "", m.UserID))); err != nil {
					return err
				}
			}
			return tx.AppendAudit(w.ctx, []idmap.AuditEntry{auditEntry(i, "user_mapping", mine[0].ID)})
		})
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	equal(w.t, "mappings", w.mappings(), mappings)
	equal(w.t, "audit", len(w.audit()), crowd)
}

// testReadersSeeWhole moves a user id from one mapping to another, over and over, while readers look for it.
func testReadersSeeWhole(w world) {
	w.connections().insert(people(2)...)
	done := make(chan struct{})
	errs := together(5, func(i int) error {
		if i > 0 {
			return w.countUntil(done)
		}
		defer close(done)
		next := people(2)
		for range 30 {
			next[0].UserID, next[1].UserID = next[1].UserID, next[0].UserID
			next[0].Revision++
			next[1].Revision++
			if err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, next) }); err != nil {
				return err
			}
		}
		return nil
	})
	equal(w.t, "winners", w.winners(errs, nil), 5)
}

// countUntil fails if ever one of the first two people is not mapped exactly once.
func (w world) countUntil(done chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		err := w.s.View(w.ctx, func(r store.Reader) error {
			for _, m := range people(2) {
				n, err := r.CountUserMappings(w.ctx, idmap.UserMappingFilter{UserKey: m.UserKey()})
				if err != nil || n != 1 {
					return fmt.Errorf("%d mappings have the user id %q, or %w", n, m.UserID, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

func testRaceDelete(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			if i%2 == 0 {
				return tx.DeleteConnection(w.ctx, "app")
			}
			m := mapping(fmt.Sprint("m", i), fmt.Sprintf("a%d@example.com", i), fmt.Sprint("user", i))
			return tx.InsertUserMappings(w.ctx, []store.UserMapping{m})
		})
	})
	w.winners(errs, store.ErrConflict)
	if mapped, exists := len(w.mappings()) > 0, len(w.connection("app")) == 1; mapped != exists {
		w.t.Errorf("mappings: %t, their connection: %t", mapped, exists)
	}
}
