package storetest

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var mapRevisionTests = map[string]func(world){
	"a revision is kept with its items, whatever becomes of the map": testRevisionRoundTrip,
	"MapRevision answers NotFound if it was not kept":                testRevisionMissing,
	"a revision that is kept already stays as it is":                 testRevisionTwice,
	"HoldMapRevision reports whether a revision is kept":             testRevisionHold,
	"DeleteJob removes the revisions that no job uses any more":      testRevisionDeleteJob,
	"UpdateJob removes the revision that the job leaves":             testRevisionUpdateJob,
	"a map of ten thousand items is kept":                            testRevisionLarge,
}

// keep keeps a revision, for a new job whose id is given.
func (w world) keep(kind idmap.MapKind, m idmap.Map, jobID string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return w.keepWith(tx, kind, m, jobID) })
}

func (w world) keepWith(tx store.Tx, kind idmap.MapKind, m idmap.Map, jobID string) error {
	if err := tx.KeepMapRevision(w.ctx, kind, m); err != nil {
		return err
	}
	j := job(jobID)
	use := &idmap.MapUse{ID: m.ID, Revision: m.Revision}
	if kind == idmap.AccountMap {
		j.Transfer.AccountMap = use
	} else {
		j.Transfer.GroupMap = use
	}
	return tx.InsertJob(w.ctx, j)
}

func (w world) firstRevision(mapID string) idmap.Map {
	w.t.Helper()
	return read(w, func(r store.Reader) (idmap.Map, error) { return r.MapRevision(w.ctx, mapID, 1) })
}

// checkKept fails unless exactly these revisions of a map, out of the first few, are kept.
func (w world) checkKept(mapID string, want ...int64) {
	w.t.Helper()
	var kept []int64
	for revision := range int64(5) {
		_, err := readOr(w, func(r store.Reader) (idmap.Map, error) { return r.MapRevision(w.ctx, mapID, revision) })
		if err == nil {
			kept = append(kept, revision)
		} else {
			notFound(w.t, err)
		}
	}
	equal(w.t, "kept", kept, want)
}

// readOr returns what fn reads, or its error.
func readOr[T any](w world, fn func(store.Reader) (T, error)) (answer T, err error) {
	err = w.s.View(w.ctx, func(r store.Reader) (err error) {
		answer, err = fn(r)
		return err
	})
	return answer, err
}

func testRevisionRoundTrip(w world) {
	m := fullMap().WithItems([]idmap.MapItem{
		{ID: "i1", Role: idmap.RoleException, Subject: *principal("s", "Ålice"), Target: *principal("d", `\u0000 \\ufffd "`)},
		exclusion("i2", idmap.RoleDestinationExclusion, "s"), exclusion("i3", idmap.RoleSourceExclusion, "s"),
	})
	complete(w.t, m)
	without, empty := someMap("m2"), someMap("m3").WithItems(nil)
	w.connections().insertMaps(idmap.AccountMap, fullMap(), without)
	w.keep(idmap.AccountMap, m, "j1")
	w.keep(idmap.GroupMap, without, "j2")
	w.keep(idmap.GroupMap, empty, "j3")
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteMap(w.ctx, idmap.AccountMap, "map1") },
			func() error { next := without; next.Revision = 2; return tx.UpdateMap(w.ctx, idmap.AccountMap, next) },
		)
	})
	equal(w.t, "kept", w.firstRevision("map1"), m)
	equal(w.t, "kept without items", w.firstRevision("m2"), without)
	equal(w.t, "kept with no items", w.firstRevision("m3"), empty)
}

func testRevisionMissing(w world) {
	w.withMap().keep(idmap.AccountMap, someMap("kept"), "j")
	w.update(func(tx store.Tx) error {
		for _, missing := range []struct {
			id       string
			revision int64
		}{{"m", 1}, {"kept", 0}, {"kept", 2}, {"KEPT", 1}, {"", 1}, {"\x00", 1}} {
			_, err := tx.MapRevision(w.ctx, missing.id, missing.revision)
			notFound(w.t, err)
		}
		_, err := tx.MapRevision(w.ctx, "kept", 1) // not found is an answer, and the transaction goes on
		return err
	})
}

func testRevisionTwice(w world) {
	w.keep(idmap.AccountMap, someMap("m"), "j1")
	other := fullMap()
	other.ID = "m"
	w.keep(idmap.AccountMap, other, "j2")
	equal(w.t, "kept", w.firstRevision("m"), someMap("m"))
}

func testRevisionHold(w world) {
	second := someMap("m")
	second.Revision = 2
	w.keep(idmap.AccountMap, second, "j")
	w.update(func(tx store.Tx) error {
		for _, c := range []struct {
			id       string
			revision int64
			want     bool
		}{{"m", 2, true}, {"m", 1, false}, {"M", 2, false}, {"", 2, false}, {"\x00", 2, false}, {"m\xff", 2, false}} {
			held, err := tx.HoldMapRevision(w.ctx, c.id, c.revision)
			if err != nil || held != c.want {
				w.t.Errorf("revision %d of %q: got %v, %v, want %v", c.revision, c.id, held, err, c.want)
			}
		}
		return nil
	})
	w.checkKept("m", 2)
}

func testRevisionDeleteJob(w world) {
	one, two, three := someMap("m"), someMap("m"), someMap("m")
	two.Revision, three.Revision = 2, 3
	w.keep(idmap.AccountMap, one, "j1")
	w.keep(idmap.AccountMap, two, "j2")
	w.keep(idmap.AccountMap, two, "j3")
	w.keep(idmap.GroupMap, three, "j4")
	w.keep(idmap.AccountMap, someMap("other"), "j5")
	for _, c := range []struct {
		job  string
		want []int64
	}{{"none", []int64{1, 2, 3}}, {"j1", []int64{2, 3}}, {"j2", []int64{2, 3}}, {"j4", []int64{2}}, {"j3", nil}} {
		w.update(func(tx store.Tx) error { return tx.DeleteJob(w.ctx, c.job) })
		w.checkKept("m", c.want...)
	}
	w.checkKept("other", 1)
}

func testRevisionUpdateJob(w world) {
	one, two := someMap("m"), someMap("m")
	two.Revision = 2
	w.keep(idmap.AccountMap, one, "j1")
	w.keep(idmap.AccountMap, one, "j2")
	run := func(id string) {
		w.update(func(tx store.Tx) error {
			if err := tx.KeepMapRevision(w.ctx, idmap.AccountMap, two); err != nil {
				return err
			}
			j := job(id)
			j.Revision, j.Status, j.Transfer.AccountMap = 2, "running", &idmap.MapUse{ID: "m", Revision: 2}
			return tx.UpdateJob(w.ctx, j)
		})
	}
	run("j1")
	w.checkKept("m", 1, 2)
	run("j2")
	w.checkKept("m", 2)
	w.update(func(tx store.Tx) error { // the other job is untouched, and this one lets go of its map
		j := job("j2")
		j.Revision = 3
		return tx.UpdateJob(w.ctx, j)
	})
	w.checkKept("m", 2)
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateJob(w.ctx, job("j1")) })
	w.checkKept("m", 2)
}

func testRevisionLarge(w world) {
	items := make([]idmap.MapItem, 10_000)
	for i := range items {
		items[i] = idmap.MapItem{
			ID: fmt.Sprintf("i%05d", i), Role: idmap.RoleException,
			Subject: *principal(fmt.Sprint("s", i), fmt.Sprint("Person ", i)), Target: *principal(fmt.Sprint("d", i), fmt.Sprint("User ", i)),
		}
	}
	m := fullMap().WithItems(items)
	w.keep(idmap.AccountMap, m, "j")
	equal(w.t, "kept", w.firstRevision("map1"), m)
}
