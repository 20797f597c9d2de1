package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var signInConcurrencyTests = map[string]func(world){
	"LockUserMappings keeps others waiting that lock or write it":  testMappingLockWaits,
	"LockUserMappings lets others pass that lock another":          testMappingLockOthers,
	"TryLockUserMappings leaves out what others have locked":       testMappingTryLockOthers,
	"batches that touch or lock the same mappings do not deadlock": testMappingTouchMany,
	"a mapping is deleted after it was touched":                    testTouchThenDelete,
	"a mapping that is deleted meanwhile is not touched":           testDeleteThenTouch,
	"a touch is not lost to an update, nor an update to a touch":   testTouchAndUpdate,
	"many that use one session at once are all counted":            testRaceUse,
	"EndSessions ends what a sign-in continues meanwhile":          testUseThenEnd,
	"a session begins anew that is ended meanwhile":                testEndThenUse,
	"of many that end the same sessions each is ended once":        testRaceEnd,
	"no use of a session is lost between those who end it":         testRaceUseAndEnd,
	"no session outlives a mapping that is deleted meanwhile":      testRaceUseAndDelete,
	"of many that trim the history each entry is removed once":     testRaceTrim,
}

// meanwhile runs first, and second while first is not committed yet. It returns how second ended, and whether it waited.
func (w world) meanwhile(first, second func(store.Tx) error) (waited bool, err error) {
	w.t.Helper()
	var ended atomic.Bool
	done := make(chan error, 1)
	w.update(func(tx store.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		go func() {
			err := w.retry(second)
			waited = ended.Load()
			done <- err
		}()
		time.Sleep(overtake)
		ended.Store(true)
		return nil
	})
	err = <-done
	return waited, err
}

func (w world) lock(ids ...string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.LockUserMappings(w.ctx, ids) }
}

func (w world) touching(second int, ids ...string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.TouchUserMappings(w.ctx, ids, *at(second)) }
}

func testMappingTryLockOthers(w world) {
	w.connections().insert(people(4)...)
	w.pass(
		func(tx store.Tx) error {
			deleted := people(3)[2].UserMapping
			return errors.Join(w.lock("mu0000")(tx), w.touching(9, "mu0001")(tx), tx.DeleteUserMappings(w.ctx, []idmap.UserMapping{deleted}))
		},
		func(ctx context.Context, tx store.Tx) error {
			found, err := tx.TryLockUserMappings(ctx, idsOf(people(4)))
			equal(w.t, "free", idsOf(found), []string{"mu0003"})
			return err
		},
	)
}

// signingIn touches the mapping and uses a session, as a sign-in does.
func (w world) signingIn(u idmap.Session) func(store.Tx) error {
	return func(tx store.Tx) error {
		if err := tx.TouchUserMappings(w.ctx, []string{u.UserMapping.ID}, u.LastUsedOn); err != nil {
			return err
		}
		_, err := tx.UseSessions(w.ctx, []idmap.Session{u})
		return err
	}
}

func testMappingLockWaits(w world) {
	w.connections().insert(people(2)...)
	w.use(userSession("s", "mu0001", ""))
	next := updated("mu0001", "new@example.com", "new")
	for name, second := range map[string]func(store.Tx) error{
		"a lock":   w.lock("mu0001"),
		"a touch":  w.touching(3, "mu0001"),
		"an end":   func(tx store.Tx) error { _, err := tx.EndSessions(w.ctx, idmap.SessionFilter{ID: "s"}, 1); return err },
		"a change": func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}) },
	} {
		waited, err := w.meanwhile(w.lock("mu0001", "mu0000"), second)
		if err != nil || !waited {
			w.t.Errorf("%s waits: %t, and ends with %v", name, waited, err)
		}
	}
}

func testMappingLockOthers(w world) {
	w.connections().insert(people(4)...)
	w.use(userSession("s", "mu0003", ""))
	w.pass(
		w.lock("mu0001"),
		func(_ context.Context, tx store.Tx) error { return w.lock("mu0000", "mu0002")(tx) },
		func(_ context.Context, tx store.Tx) error { return w.signingIn(userSession("t", "mu0002", ""))(tx) },
		func(ctx context.Context, tx store.Tx) error {
			_, err := tx.EndSessions(ctx, idmap.SessionFilter{ID: "s"}, 1)
			return err
		},
	)
}

func testMappingTouchMany(w world) {
	w.connections().insert(people(60)...)
	ids := idsOf(people(60))
	backwards := slices.Clone(ids)
	slices.Reverse(backwards)
	errs := together(crowd, func(i int) error {
		mine := [][]string{ids, backwards, ids[20:], backwards[30:]}[i%4]
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			if i%3 == 0 {
				return tx.LockUserMappings(w.ctx, mine)
			}
			return tx.TouchUserMappings(w.ctx, mine, *at(i))
		})
	})
	w.winners(errs, store.ErrConflict) // at SERIALIZABLE some may lose
	for _, err := range errs {
		if err != nil && strings.Contains(err.Error(), "deadlock") {
			w.t.Errorf("they waited for each other: %v", err)
		}
	}
}

func testTouchThenDelete(w world) {
	w.connections().insert(people(1)...)
	_, err := w.meanwhile(w.touching(5, "mu0000"), func(tx store.Tx) error { return tx.DeleteUserMappings(w.ctx, plain(people(1))) })
	equal(w.t, "delete", err, nil)
	equal(w.t, "left", w.mappings(), nil)
}

func testDeleteThenTouch(w world) {
	w.connections().insert(people(1)...)
	result := make(chan error, 1)
	w.update(func(tx store.Tx) error {
		if err := tx.DeleteUserMappings(w.ctx, plain(people(1))); err != nil {
			return err
		}
		go func() { result <- w.s.Update(w.ctx, w.signingIn(userSession("s", "mu0000", ""))) }()
		time.Sleep(overtake)
		return nil
	})
	if err := <-result; !errors.Is(err, store.ErrConflict) {
		w.t.Errorf("the touch answers %v, want ErrConflict", err)
	}
	nothing(w.t, "sessions", w.end(idmap.SessionFilter{}, 9))
}

func testTouchAndUpdate(w world) {
	w.connections().insert(people(1)...)
	next := updated("mu0000", "new@example.com", "new")
	update := func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}) }
	for second, order := range [][2]func(store.Tx) error{{w.touching(5, "mu0000"), update}, {update, w.touching(6, "mu0000")}} {
		_, err := w.meanwhile(order[0], order[1])
		equal(w.t, "second transaction", err, nil)
		next.LastSignInOn = at(5 + second)
		equal(w.t, "stored", w.mappings(), []store.UserMapping{next})
		next.Revision, next.LastSignInOn = 3, nil
	}
}

func testRaceUse(w world) {
	w.withMapping()
	errs := together(crowd, func(i int) error {
		u := userSession(fmt.Sprint("s", i), "m", "x")
		u.FirstUsedOn, u.LastUsedOn = *at(i), *at(i)
		return w.retry(w.signingIn(u))
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	stored := w.sessions()
	equal(w.t, "sessions", len(stored), 1)
	equal(w.t, "uses", stored[0].UseCount, int64(crowd))
	equal(w.t, "first use", stored[0].FirstUsedOn, *at(0))
	equal(w.t, "last use", stored[0].LastUsedOn, *at(crowd - 1))
	equal(w.t, "last sign-in", w.mappings()[0].LastSignInOn, at(crowd-1))
}

func testUseThenEnd(w world) {
	w.withMapping().use(filledSession())
	var ended []idmap.Session
	waited, err := w.meanwhile(w.signingIn(filledSession()), func(tx store.Tx) (err error) {
		ended, err = tx.EndSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: []string{"m"}}, 9)
		return err
	})
	equal(w.t, "end", err, nil)
	equal(w.t, "waited", waited, true)
	want := filledSession()
	want.UseCount *= 2
	equal(w.t, "ended, as it was then", ended, []idmap.Session{want})
	nothing(w.t, "left", w.sessions())
}

func testEndThenUse(w world) {
	w.withMapping().use(filledSession())
	anew := userSession("anew", "m", "outlook")
	waited, err := w.meanwhile(func(tx store.Tx) error {
		_, err := tx.EndSessions(w.ctx, idmap.SessionFilter{ID: "s"}, 9)
		return err
	}, w.signingIn(anew))
	equal(w.t, "use", err, nil)
	equal(w.t, "waited", waited, true)
	anew.Email, anew.UserID = "a@example.com", "a"
	equal(w.t, "begun anew", w.sessions(), []idmap.Session{anew})
}

func testRaceEnd(w world) {
	w.connections().insert(people(20)...)
	var begun []string
	for i, m := range people(20) {
		w.use(userSession(fmt.Sprintf("s%02d", (i*7)%20), m.ID, "x"), userSession(fmt.Sprintf("t%02d", i), m.ID, "y"))
		begun = append(begun, fmt.Sprintf("s%02d", i), fmt.Sprintf("t%02d", i))
	}
	var mu sync.Mutex
	var all []string
	errs := together(crowd, func(i int) error {
		var ended []idmap.Session
		f := []idmap.SessionFilter{{}, {UserMappingIDs: []string{"mu0019", "mu0003"}}, {Client: "x"}, {ConnectionID: "mail"}}[i%4]
		err := w.retry(func(tx store.Tx) (err error) {
			ended, err = tx.EndSessions(w.ctx, f, 3)
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		all = append(all, sessionIDs(ended)...)
		return err
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	all = append(all, sessionIDs(w.end(idmap.SessionFilter{}, 100))...)
	slices.Sort(all)
	slices.Sort(begun)
	equal(w.t, "ended", all, begun)
}

// testRaceUseAndEnd adds up the uses of all sessions that there ever were.
func testRaceUseAndEnd(w world) {
	w.withMapping()
	var ended atomic.Int64
	errs := together(crowd*2, func(i int) error {
		if i%4 != 0 {
			return w.retry(w.signingIn(userSession(fmt.Sprint("s", i), "m", []string{"x", "y"}[i%2])))
		}
		var uses int64
		err := w.retry(func(tx store.Tx) error {
			sessions, err := tx.EndSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: []string{"m"}}, 9)
			uses = 0
			for _, u := range sessions {
				uses += u.UseCount
			}
			return err
		})
		ended.Add(uses)
		return err
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd*2)
	left := int64(0)
	for _, u := range w.sessions() {
		left += u.UseCount
	}
	equal(w.t, "uses", ended.Load()+left, int64(crowd*2*3/4))
}

// endAndDelete deletes a mapping, which is at its first revision, with its sessions.
func (w world) endAndDelete(tx store.Tx, id string) error {
	return firstError(
		func() error { return tx.LockUserMappings(w.ctx, []string{id}) },
		func() error {
			_, err := tx.EndSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: []string{id}}, 100)
			return err
		},
		func() error { return tx.DeleteUserMappings(w.ctx, []idmap.UserMapping{{ID: id, Revision: 1}}) },
	)
}

func testRaceUseAndDelete(w world) {
	w.connections()
	for range 4 {
		w.insert(mapping("m", "a@example.com", "a"))
		errs := together(crowd, func(i int) error {
			if i == crowd/2 {
				return w.retry(func(tx store.Tx) error { return w.endAndDelete(tx, "m") })
			}
			return w.s.Update(w.ctx, w.signingIn(userSession(fmt.Sprint("s", i), "m", fmt.Sprint(i))))
		})
		w.winners(errs, store.ErrConflict)
		equal(w.t, "delete", errs[crowd/2], nil)
		equal(w.t, "mappings", w.mappings(), nil)
		nothing(w.t, "sessions", w.end(idmap.SessionFilter{}, 100))
	}
}

func testRaceTrim(w world) {
	const n = 100
	for i := range n {
		w.addSignIns(signIn(fmt.Sprint(i), i%50))
	}
	var removed atomic.Int64
	errs := together(crowd, func(int) error {
		some := 0
		err := w.retry(func(tx store.Tx) (err error) {
			some, err = tx.DeleteSignIns(w.ctx, "app", *at(40), 7)
			return err
		})
		removed.Add(int64(some))
		return err
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	left := len(w.signIns(idmap.SignInFilter{}))
	equal(w.t, "entries", int(removed.Load())+left, n)
}
