package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var mapConcurrencyTests = map[string]func(world){
	"LockMap keeps others waiting that lock it":                      testMapLockWaits,
	"LockMap lets others pass that lock another":                     testMapLockOthers,
	"many that change one map under its lock all succeed":            testMapRaceLocked,
	"of many that give one subject an item exactly one wins":         testMapRaceItem,
	"of many that insert one name exactly one wins":                  testMapRaceName,
	"items are not put in a map that is deleted":                     testMapRaceDelete,
	"a connection is not deleted while a map of it is inserted":      testMapRaceConnection,
	"a revision is not removed while a job begins to use it":         testMapRaceRevision,
	"many that write one directory all succeed, and each is noticed": testDirectoryRace,
}

func testMapLockWaits(w world) {
	w.withMap()
	var ended atomic.Bool
	second := make(chan error, 1)
	w.update(func(tx store.Tx) error {
		if err := tx.LockMap(w.ctx, idmap.AccountMap, "m"); err != nil {
			return err
		}
		go func() {
			second <- w.retry(func(tx store.Tx) error {
				if err := tx.LockMap(w.ctx, idmap.AccountMap, "m"); err != nil {
					return err
				}
				if !ended.Load() {
					return errors.New("the second lock did not wait")
				}
				return nil
			})
		}()
		time.Sleep(overtake)
		ended.Store(true)
		return nil
	})
	equal(w.t, "second transaction", <-second, nil)
}

// testMapLockOthers runs one after the other on an engine with one writer, and that is fine too.
func testMapLockOthers(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"), someMap("b")).insertMaps(idmap.GroupMap, someMap("g"))
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			if i%3 == 2 {
				return tx.LockMap(w.ctx, idmap.GroupMap, "g")
			}
			return tx.LockMap(w.ctx, idmap.AccountMap, []string{"a", "b"}[i%3])
		})
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
}

// testMapRaceLocked lets many read a map, and write what they make of it.
func testMapRaceLocked(w world) {
	w.withMap()
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			if err := tx.LockMap(w.ctx, idmap.AccountMap, "m"); err != nil {
				return err
			}
			found, err := tx.Maps(w.ctx, idmap.AccountMap, []string{"m"})
			if err != nil {
				return err
			}
			n, err := tx.CountMapItems(w.ctx, "m", idmap.MapItemFilter{})
			if err != nil {
				return err
			}
			found[0].Revision++
			item := exception(fmt.Sprintf("i%02d", n), fmt.Sprint("s", i), "d")
			return errors.Join(tx.PutMapItems(w.ctx, "m", []idmap.MapItem{item}), tx.UpdateMap(w.ctx, idmap.AccountMap, found[0]))
		})
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	equal(w.t, "revision", w.maps(idmap.AccountMap, "m")[0].Revision, int64(crowd+1))
	equal(w.t, "items", len(w.items("m")), crowd)
}

func testMapRaceItem(w world) {
	w.withMap()
	errs := together(crowd, func(i int) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{exception(fmt.Sprint("i", i), "s", "d")})
		})
	})
	equal(w.t, "winners", w.winners(errs, store.ErrConflict), 1)
	equal(w.t, "items", len(w.items("m")), 1)
}

func testMapRaceName(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		m := someMap(fmt.Sprint("m", i))
		m.Name = "One name"
		return w.s.Update(w.ctx, func(tx store.Tx) error { return tx.InsertMap(w.ctx, idmap.AccountMap, m) })
	})
	equal(w.t, "winners", w.winners(errs, store.ErrConflict), 1)
}

func testMapRaceDelete(w world) {
	w.withMap()
	errs := together(crowd, func(i int) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			if i == crowd/2 {
				return tx.DeleteMap(w.ctx, idmap.AccountMap, "m")
			}
			return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{exception(fmt.Sprint("i", i), fmt.Sprint("s", i), "d")})
		})
	})
	w.winners(errs, store.ErrConflict)
	if exists := len(w.maps(idmap.AccountMap, "m")) == 1; !exists {
		nothing(w.t, "items", w.items("m"))
	} else if errs[crowd/2] == nil {
		w.t.Error("the map was deleted, and is there")
	}
}

func testMapRaceConnection(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error {
			if i%2 == 0 {
				return tx.DeleteConnection(w.ctx, "app")
			}
			return tx.InsertMap(w.ctx, idmap.AccountMap, someMap(fmt.Sprint("m", i)))
		})
	})
	w.winners(errs, store.ErrConflict)
	n := read(w, func(r store.Reader) (int, error) { return r.CountMaps(w.ctx, idmap.MapFilter{Kind: idmap.AccountMap}) })
	if mapped, exists := n > 0, len(w.connection("app")) == 1; mapped != exists {
		w.t.Errorf("maps: %t, their connection: %t", mapped, exists)
	}
}

// testMapRaceRevision lets jobs come that use a revision, while the last one goes that used it.
func testMapRaceRevision(w world) {
	for round := range 20 {
		m := someMap(fmt.Sprint("m", round))
		name := func(i int) string { return fmt.Sprintf("j%d-%d", round, i) }
		w.keep(idmap.AccountMap, m, name(0))
		errs := together(4, func(i int) error {
			return w.retry(func(tx store.Tx) error {
				if i == 0 {
					return tx.DeleteJob(w.ctx, name(0))
				}
				return w.keepWith(tx, idmap.AccountMap, m, name(i))
			})
		})
		equal(w.t, "winners", w.winners(errs, nil), 4)
		equal(w.t, "kept", w.firstRevision(m.ID), m)
	}
	// One that comes after the other has found the revision unused.
	m := someMap("late")
	w.keep(idmap.AccountMap, m, "old")
	deleted := make(chan error, 1)
	w.update(func(tx store.Tx) error {
		if err := tx.KeepMapRevision(w.ctx, idmap.AccountMap, m); err != nil {
			return err
		}
		go func() { deleted <- w.retry(func(tx store.Tx) error { return tx.DeleteJob(w.ctx, "old") }) }()
		time.Sleep(overtake)
		j := job("new")
		j.Transfer.AccountMap = &idmap.MapUse{ID: "late", Revision: 1}
		return tx.InsertJob(w.ctx, j)
	})
	equal(w.t, "DeleteJob", <-deleted, nil)
	equal(w.t, "kept", w.firstRevision("late"), m)
	nothing(w.t, "deleted", w.jobs("old"))
}

func testDirectoryRace(w world) {
	w.connections()
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error {
			before, err := tx.DirectoryVersion(w.ctx, "mail")
			if err != nil {
				return err
			}
			if err := tx.PutAccounts(w.ctx, "mail", []idmap.Account{{ID: "one", Name: fmt.Sprint(i)}, {ID: fmt.Sprint(i)}}); err != nil {
				return err
			}
			after, err := tx.DirectoryVersion(w.ctx, "mail")
			if err == nil && after == before {
				err = errors.New("the version is the same")
			}
			return err
		})
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	equal(w.t, "accounts", read(w, func(r store.Reader) (int, error) {
		return r.CountAccounts(w.ctx, "mail", idmap.DirectoryFilter{})
	}), crowd+1)
}
