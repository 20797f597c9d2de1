package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var mapConcurrencyTests = map[string]func(world){
	"LockMap keeps others waiting that lock it":                      testMapLockWaits,
	"LockMap lets others pass that lock another":                     testMapLockOthers,
	"many that lock one map each all succeed":                        testMapLockMany,
	"many that change one map under its lock all succeed":            testMapRaceLocked,
	"of many that give one subject an item exactly one wins":         testMapRaceItem,
	"of many that insert one name exactly one wins":                  testMapRaceName,
	"items are not put in a map that is deleted":                     testMapRaceDelete,
	"a connection is not deleted while a map of it is inserted":      testMapRaceConnection,
	"a revision is not removed while a job begins to use it":         testMapRaceRevision,
	"a revision that is held is not removed":                         testMapRaceHeld,
	"UpdateJob does not wait for maps that the job stays with":       testMapRaceStays,
	"many that drop the same revisions all succeed":                  testMapRaceDrop,
	"many that write one directory all succeed, and each is noticed": testDirectoryRace,
}

func testMapLockWaits(w world) {
	w.withMap()
	lock := func(tx store.Tx) error { return tx.LockMap(w.ctx, idmap.AccountMap, "m") }
	if waited, err := w.meanwhile(lock, lock); !waited || err != nil {
		w.t.Errorf("the second lock waited: %t, and ended with %v", waited, err)
	}
}

func testMapLockOthers(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"), someMap("b")).insertMaps(idmap.GroupMap, someMap("g"))
	w.pass(
		func(tx store.Tx) error { return tx.LockMap(w.ctx, idmap.AccountMap, "a") },
		func(ctx context.Context, tx store.Tx) error { return tx.LockMap(ctx, idmap.AccountMap, "b") },
		func(ctx context.Context, tx store.Tx) error { return tx.LockMap(ctx, idmap.GroupMap, "g") },
	)
}

// testMapLockMany runs one after the other on an engine with one writer, and that is fine too.
func testMapLockMany(w world) {
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
				if held, err := tx.HoldMapRevision(w.ctx, m.ID, m.Revision); err != nil {
					return err
				} else if held && i == 1 {
					return tx.InsertJob(w.ctx, jobOf(name(i), m.ID))
				}
				return w.keepWith(tx, idmap.AccountMap, m, name(i))
			})
		})
		equal(w.t, "winners", w.winners(errs, nil), 4)
		equal(w.t, "kept", w.firstRevision(m.ID), m)
	}
}

// jobOf returns a job that uses the first revision of an account map.
func jobOf(id, mapID string) idmap.Job {
	j := job(id)
	j.Transfer.AccountMap = &idmap.MapUse{ID: mapID, Revision: 1}
	return j
}

// testMapRaceHeld lets the last job go that uses a revision, while another transaction is about to insert one.
func testMapRaceHeld(w world) {
	for name, hold := range map[string]func(store.Tx, idmap.Map) error{
		"kept": func(tx store.Tx, m idmap.Map) error { return tx.KeepMapRevision(w.ctx, idmap.AccountMap, m) },
		"held": func(tx store.Tx, m idmap.Map) error {
			held, err := tx.HoldMapRevision(w.ctx, m.ID, m.Revision)
			if err == nil && !held {
				err = errors.New("the revision is not kept")
			}
			return err
		},
	} {
		m := someMap(name)
		w.keep(idmap.AccountMap, m, "old "+name)
		deleted := make(chan error, 1)
		w.update(func(tx store.Tx) error {
			if err := hold(tx, m); err != nil {
				return err
			}
			go func() { deleted <- w.retry(func(tx store.Tx) error { return tx.DeleteJob(w.ctx, "old "+name) }) }()
			time.Sleep(overtake)
			return tx.InsertJob(w.ctx, jobOf("new "+name, m.ID))
		})
		equal(w.t, "DeleteJob", <-deleted, nil)
		equal(w.t, name, w.firstRevision(name), m)
		nothing(w.t, "deleted", w.jobs("old "+name))
	}
}

func testMapRaceStays(w world) {
	m := someMap("m")
	w.keep(idmap.AccountMap, m, "j1")
	w.insertJobs(jobOf("j2", "m"))
	next := jobOf("j2", "m")
	next.Revision, next.Status = 2, "running"
	w.pass(
		func(tx store.Tx) error { return tx.KeepMapRevision(w.ctx, idmap.AccountMap, m) },
		func(ctx context.Context, tx store.Tx) error { return tx.UpdateJob(ctx, next) },
	)
}

// testMapRaceDrop lets many jobs go at once that use two revisions, in either order.
func testMapRaceDrop(w world) {
	w.keep(idmap.AccountMap, someMap("a"), "ja")
	w.keep(idmap.GroupMap, someMap("b"), "jb")
	for i := range crowd {
		j := job(fmt.Sprint(i))
		j.Transfer.AccountMap, j.Transfer.GroupMap = &idmap.MapUse{ID: "a", Revision: 1}, &idmap.MapUse{ID: "b", Revision: 1}
		if i%2 == 0 {
			j.Transfer.AccountMap, j.Transfer.GroupMap = j.Transfer.GroupMap, j.Transfer.AccountMap
		}
		w.insertJobs(j)
	}
	w.update(func(tx store.Tx) error { return errors.Join(tx.DeleteJob(w.ctx, "ja"), tx.DeleteJob(w.ctx, "jb")) })
	w.checkKept("a", 1)
	errs := together(crowd, func(i int) error {
		return w.retry(func(tx store.Tx) error { return tx.DeleteJob(w.ctx, fmt.Sprint(i)) })
	})
	equal(w.t, "winners", w.winners(errs, nil), crowd)
	w.checkKept("a")
	w.checkKept("b")
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
