package storetest

import (
	"errors"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

func testIdentifierMaps(w world) {
	w.connections()
	var maps []idmap.Map
	var jobs []idmap.Job
	for i, id := range oddInOrder() {
		m, j := someMap(id), job(id)
		m.Name, m.Source.Default = fmt.Sprint("Map ", i), principal(id, id)
		j.Name, j.Transfer.AccountMap, j.Transfer.GroupMap = id, &idmap.MapUse{ID: id, Revision: 1}, &idmap.MapUse{ID: id, Revision: 2}
		maps, jobs = append(maps, m), append(jobs, j)
	}
	w.insertMaps(idmap.GroupMap, maps...).insertJobs(jobs...)
	equal(w.t, "maps", w.maps(idmap.GroupMap, oddIDs...), maps)
	equal(w.t, "the list of maps", read(w, func(r store.Reader) ([]idmap.Map, error) {
		return r.ListMaps(w.ctx, idmap.MapFilter{Kind: idmap.GroupMap}, all)
	}), maps)
	equal(w.t, "jobs", w.jobs(oddIDs...), jobs)
	for i, id := range oddInOrder() {
		w.checkJobs(id, idmap.JobFilter{MapID: id})
		w.update(func(tx store.Tx) error { return tx.KeepMapRevision(w.ctx, idmap.GroupMap, maps[i]) })
	}
	w.update(func(tx store.Tx) error { return tx.DeleteJob(w.ctx, "none") })
	for i, id := range oddInOrder() {
		equal(w.t, "kept", w.firstRevision(id), maps[i])
	}
}

// testIdentifierItems gives two maps the odd ids, as those of items and as those of subjects.
func testIdentifierItems(w world) {
	w.withMap().insertMaps(idmap.GroupMap, someMap("M"))
	var items, others []idmap.MapItem
	odd := oddInOrder()
	for i, id := range odd {
		item := exception(id, odd[(i+1)%len(odd)], id)
		item.Subject.Name, item.Target.Name = id, id
		items, others = append(items, item), append(others, exclusion(id, idmap.RoleSourceExclusion, id))
	}
	w.putItems("m", items...).putItems("M", others...)
	w.putItems("m", items...) // again, over what is there
	equal(w.t, "the list", w.items("m"), items)
	equal(w.t, "the list of the other", w.items("M"), others)
	for _, f := range []idmap.MapItemFilter{{IDs: oddIDs}, {SubjectIDs: oddIDs}, {IDs: oddIDs, SubjectIDs: oddIDs}} {
		equal(w.t, "by id", read(w, func(r store.Reader) ([]idmap.MapItem, error) {
			return r.ListMapItems(w.ctx, "m", f, all)
		}), items)
	}
	for _, item := range items {
		w.checkItems(item.ID, idmap.MapItemFilter{IDs: []string{item.ID}})
		w.checkItems(item.ID, idmap.MapItemFilter{SubjectIDs: []string{item.Subject.ID}})
		w.checkItems(item.ID, idmap.MapItemFilter{TargetIDs: []string{item.Target.ID}})
		w.checkItems(item.ID, idmap.MapItemFilter{CalledAs: []idmap.Principal{item.Subject}})
	}
}

func testIdentifierMapNotText(w world) {
	w.withMap().putItems("m", exception("i", "s", "d"))
	for _, bad := range []string{"a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80", `\` + "\xff"} {
		nothing(w.t, "maps", w.maps(idmap.AccountMap, bad))
		nothing(w.t, "maps", w.maps(idmap.MapKind(bad), "m"))
		nothing(w.t, "items", w.items(bad))
		nothing(w.t, "jobs", w.jobs(bad))
		w.checkJobs("", idmap.JobFilter{Query: bad})
		w.checkJobs("", idmap.JobFilter{MapID: bad})
		for _, f := range []idmap.MapItemFilter{
			{IDs: []string{bad}},
			{SubjectIDs: []string{bad}},
			{Query: bad},
			{Query: bad, IDs: []string{"i"}},
			{Roles: []idmap.ItemRole{idmap.ItemRole(bad)}},
			{TargetIDs: []string{bad}},
			{CalledAs: []idmap.Principal{{Name: bad}}},
			{CalledAs: []idmap.Principal{{Name: bad}}, IDs: []string{"i"}},
		} {
			w.checkItems("", f)
		}
		for _, f := range []idmap.MapItemFilter{{}, {IDs: []string{"i"}}} {
			nothing(w.t, "page after it", read(w, func(r store.Reader) ([]idmap.MapItem, error) {
				return r.ListMapItems(w.ctx, "m", f, idmap.Page{After: bad, Limit: 9})
			}))
		}
		w.refuseText(bad)
	}
}

// refuseText fails unless every write of maps refuses what is no text, wherever it stands.
func (w world) refuseText(bad string) {
	w.t.Helper()
	subject, target := exception("bad", "x", "d"), exception("bad", "x", "d")
	subject.Subject.Name, target.Target.Caption = bad, bad
	m, kept := someMap("bad"), someMap("bad").WithItems([]idmap.MapItem{target})
	m.Destination.Default = &idmap.Principal{ID: "d", Email: bad}
	for name, write := range map[string]func(store.Tx) error{
		"a subject":  func(tx store.Tx) error { return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{subject}) },
		"a target":   func(tx store.Tx) error { return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{target}) },
		"a default":  func(tx store.Tx) error { return tx.InsertMap(w.ctx, idmap.AccountMap, m) },
		"a revision": func(tx store.Tx) error { return tx.KeepMapRevision(w.ctx, idmap.AccountMap, kept) },
		"a job":      func(tx store.Tx) error { return tx.InsertJob(w.ctx, idmap.Job{ID: "bad", Name: bad}) },
	} {
		err := w.s.Update(w.ctx, write)
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
			w.t.Errorf("storing %q in %s answers %v, want an error that no repetition cures", bad, name, err)
		}
	}
	equal(w.t, "items", len(w.items("m")), 1)
}
