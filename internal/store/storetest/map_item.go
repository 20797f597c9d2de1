package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var mapItemTests = map[string]func(world){
	"an item is found as it was put":                                           testItemRoundTrip,
	"PutMapItems replaces an item by id":                                       testItemReplace,
	"PutMapItems takes the last of two with one id":                            testItemTwice,
	"items are of one map":                                                     testItemOtherMap,
	"a duplicate of map, role and subject is ErrConflict":                      testItemDuplicate,
	"two items may swap subjects in one call":                                  testItemSwap,
	"a chain of subjects moves on in one call":                                 testItemChain,
	"a subject is free again when its item is gone":                            testItemFrees,
	"PutMapItems in a missing map is ErrConflict":                              testItemMissingMap,
	"an item without id, role or subject is a fault, not stored":               testItemIncomplete,
	"DeleteMapItems removes by id what is there":                               testItemDelete,
	"lists are in byte order, filtered, counted":                               testItemFilter,
	"items are found by subject, by target, and by what the subject is called": testItemAlternatives,
	"a principal that is called nothing finds no item":                         testItemCalledNothing,
	"an item that is put anew is found as it is now":                           testItemKeysReplaced,
	"pages hold for ids and subjects that are asked for":                       testItemPagesOfKeys,
	"ten thousand are put, found, swapped and deleted at once":                 testManyItems,
}

// exception returns a pair of two ids.
func exception(id, subject, target string) idmap.MapItem {
	return idmap.MapItem{
		ID: id, Role: idmap.RoleException, Subject: idmap.Principal{ID: subject}, Target: idmap.Principal{ID: target},
	}
}

func exclusion(id string, role idmap.ItemRole, subject string) idmap.MapItem {
	return idmap.MapItem{ID: id, Role: role, Subject: idmap.Principal{ID: subject}}
}

func (w world) putItems(mapID string, items ...idmap.MapItem) world {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.PutMapItems(w.ctx, mapID, items) })
	return w
}

// withMap returns a world with one map, "m".
func (w world) withMap() world {
	w.t.Helper()
	return w.connections().insertMaps(idmap.AccountMap, someMap("m"))
}

// items returns all items of a map, in the order in which they are listed.
func (w world) items(mapID string) []idmap.MapItem {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.MapItem, error) {
		return r.ListMapItems(w.ctx, mapID, idmap.MapItemFilter{}, idmap.Page{Limit: idmap.MaxMapItems})
	})
}

func (w world) refuseItems(want error, mapID string, items ...idmap.MapItem) {
	w.t.Helper()
	w.refused(want, func(tx store.Tx) error { return tx.PutMapItems(w.ctx, mapID, items) })
}

func testItemRoundTrip(w world) {
	full := idmap.MapItem{ID: "i1", Role: idmap.RoleException, Subject: *principal("s", "Ålice"), Target: *principal("d", `\u0000 \\ufffd "`)}
	complete(w.t, full)
	w.withMap().putItems("m", full, exclusion("i2", idmap.RoleDestinationExclusion, "s"), exclusion("I", idmap.RoleSourceExclusion, "s"))
	equal(w.t, "put", w.items("m"), []idmap.MapItem{
		exclusion("I", idmap.RoleSourceExclusion, "s"), full, exclusion("i2", idmap.RoleDestinationExclusion, "s"),
	})
}

func testItemReplace(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"), exception("b", "s2", "d"))
	next := exclusion("a", idmap.RoleSourceExclusion, "s2")
	next.Subject.Name = "Other"
	w.putItems("m", next, exception("c", "s", "d3"))
	equal(w.t, "stored", w.items("m"), []idmap.MapItem{next, exception("b", "s2", "d"), exception("c", "s", "d3")})
	w.checkItems("a", idmap.MapItemFilter{Query: "other"})
}

func testItemTwice(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"), exception("b", "s2", "d"), exception("a", "s3", "d3"))
	equal(w.t, "stored", w.items("m"), []idmap.MapItem{exception("a", "s3", "d3"), exception("b", "s2", "d")})
}

func testItemOtherMap(w world) {
	w.withMap().insertMaps(idmap.GroupMap, someMap("m2"))
	w.putItems("m", exception("a", "s", "d")).putItems("m2", exception("a", "s", "other"), exception("b", "s2", "d"))
	equal(w.t, "items", w.items("m"), []idmap.MapItem{exception("a", "s", "d")})
	equal(w.t, "items of the other", w.items("m2"), []idmap.MapItem{exception("a", "s", "other"), exception("b", "s2", "d")})
	w.update(func(tx store.Tx) error { return tx.DeleteMapItems(w.ctx, "m2", []string{"a"}) })
	equal(w.t, "items", w.items("m"), []idmap.MapItem{exception("a", "s", "d")})
	nothing(w.t, "items of no map", w.items("none"))
	nothing(w.t, "items of no map", w.items(""))
}

func testItemDuplicate(w world) {
	before := []idmap.MapItem{exception("a", "s", "d"), exclusion("b", idmap.RoleSourceExclusion, "s"), exception("c", "S", "d")}
	w.withMap().putItems("m", before...)
	for _, item := range []idmap.MapItem{
		exception("new", "s", "x"), exclusion("new", idmap.RoleSourceExclusion, "s"), exception("c", "s", "d"),
	} {
		// In one call with one that could be stored: neither is.
		w.refuseItems(store.ErrConflict, "m", exception("new2", "s2", "d"), item)
		equal(w.t, "stored", w.items("m"), before)
	}
	w.refuseItems(store.ErrConflict, "m", exception("x", "s4", "d"), exception("y", "s4", "d2"))
	equal(w.t, "stored", w.items("m"), before)
}

func testItemSwap(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"), exception("b", "s2", "d2"))
	want := []idmap.MapItem{exception("a", "s2", "d"), exception("b", "s", "d2")}
	w.putItems("m", want...)
	equal(w.t, "swapped", w.items("m"), want)
}

func testItemChain(w world) {
	const n = 5
	var before, want []idmap.MapItem
	for i := range n { // each takes what the next one has; the last takes something new
		before = append(before, exception(fmt.Sprint(i), fmt.Sprint("s", i), "d"))
		want = append(want, exception(fmt.Sprint(i), fmt.Sprint("s", i+1), "d"))
	}
	w.withMap().putItems("m", before...)
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	w.refused(errRollBack, func(tx store.Tx) error {
		return errors.Join(tx.PutMapItems(w.ctx, "m", backwards), errRollBack)
	})
	equal(w.t, "as it was", w.items("m"), before)
	w.putItems("m", want...)
	equal(w.t, "moved on", w.items("m"), want)
	w.refuseItems(store.ErrConflict, "m", want[0], exception("4", "s1", "d")) // the outcome has s1 twice
}

func testItemFrees(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"))
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteMapItems(w.ctx, "m", []string{"a"}) },
			func() error { return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{exception("b", "s", "d")}) },
		)
	})
	equal(w.t, "stored", w.items("m"), []idmap.MapItem{exception("b", "s", "d")})
}

func testItemMissingMap(w world) {
	w.withMap().refuseItems(store.ErrConflict, "none", exception("a", "s", "d"))
}

func testItemIncomplete(w world) {
	w.withMap()
	for _, item := range []idmap.MapItem{exception("", "s", "d"), exception("a", "", "d"), exclusion("a", "", "s")} {
		err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{item}) })
		if err == nil || errors.Is(err, store.ErrConflict) {
			w.t.Errorf("%+v answers %v, want a fault", item, err)
		}
	}
	nothing(w.t, "stored", w.items("m"))
}

func testItemDelete(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"), exception("b", "s2", "d"))
	w.update(func(tx store.Tx) error { return tx.DeleteMapItems(w.ctx, "m", []string{"none", "a", "a", "B"}) })
	equal(w.t, "left", w.items("m"), []idmap.MapItem{exception("b", "s2", "d")})
}

func (w world) checkItems(want string, f idmap.MapItemFilter) {
	w.t.Helper()
	checkList(w, want, f, func(i idmap.MapItem) string { return i.ID },
		func(r store.Reader) ([]idmap.MapItem, error) { return r.ListMapItems(w.ctx, "m", f, all) },
		func(r store.Reader) (int, error) { return r.CountMapItems(w.ctx, "m", f) })
}

func testItemFilter(w world) {
	w.withMap().insertMaps(idmap.AccountMap, someMap("m2")).putItems("m2", exception("z", "s1", "d1"))
	named := exception("B", "s1", "d1")
	named.Subject.Name, named.Target.Email = "Ålice Große", "al_ice@example.com"
	excluded := exclusion("c", idmap.RoleDestinationExclusion, "s1")
	excluded.Subject.Username, excluded.Subject.Caption = "CAROL", "100% staff"
	w.putItems("m", named, exception("a", "s2", "d1"), excluded, exclusion("d", idmap.RoleSourceExclusion, "s3"))
	exceptions, both := []idmap.ItemRole{idmap.RoleException}, []idmap.ItemRole{idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion}
	for _, c := range []struct {
		want   string
		filter idmap.MapItemFilter
	}{
		{"B a c d", idmap.MapItemFilter{}},
		{"B a", idmap.MapItemFilter{Roles: exceptions}},
		{"c d", idmap.MapItemFilter{Roles: both}},
		{"", idmap.MapItemFilter{Roles: []idmap.ItemRole{"other"}}},
		{"B c", idmap.MapItemFilter{IDs: []string{"c", "B", "b", "none", "c", "z"}}},
		{"B c", idmap.MapItemFilter{SubjectIDs: []string{"s1", "none", "S2"}}},
		{"B", idmap.MapItemFilter{SubjectIDs: []string{"s1", "s3"}, Roles: exceptions}},
		{"c", idmap.MapItemFilter{SubjectIDs: []string{"s1", "s3"}, IDs: []string{"a", "c"}}},
		{"", idmap.MapItemFilter{SubjectIDs: []string{"d1"}}},
		{"B", idmap.MapItemFilter{Query: "ålice grosse"}},
		{"B", idmap.MapItemFilter{Query: "l_i"}},
		{"c", idmap.MapItemFilter{Query: "carol"}},
		{"c", idmap.MapItemFilter{Query: "0%"}},
		{"", idmap.MapItemFilter{Query: "carol", Roles: exceptions}},
		{"", idmap.MapItemFilter{Query: "carol", IDs: []string{"a", "B"}}},
	} {
		w.checkItems(c.want, c.filter)
	}
}

// testItemAlternatives has a target that two items share, and names that differ in one field, or in case.
func testItemAlternatives(w world) {
	w.withMap().insertMaps(idmap.AccountMap, someMap("m2"))
	item := func(id, subject, name, target string) idmap.MapItem {
		i := exception(id, subject, target)
		i.Subject.Name = name
		return i
	}
	out := exclusion("x", idmap.RoleSourceExclusion, "s9")
	out.Subject.Name = "Alice"
	byEmail := item("e", "s4", "", "d2")
	byEmail.Subject.Email = "Alice"
	w.putItems("m2", item("z", "s1", "Alice", "d1"))
	w.putItems("m", item("a", "s1", "Alice", "d1"), item("b", "s2", "alice", "d1"), item("c", "s3", "", "d3"), byEmail, out)
	exceptions, alice := []idmap.ItemRole{idmap.RoleException}, []idmap.Principal{{Name: "Alice"}}
	for _, c := range []struct {
		want   string
		filter idmap.MapItemFilter
	}{
		{"a b", idmap.MapItemFilter{TargetIDs: []string{"d1", "s3", "D2"}}},
		{"a b e", idmap.MapItemFilter{TargetIDs: []string{"d1", "d2", "d1"}}},
		{"", idmap.MapItemFilter{TargetIDs: []string{""}}}, // exclusions have no target
		{"a x", idmap.MapItemFilter{CalledAs: alice}},
		{"a x", idmap.MapItemFilter{CalledAs: []idmap.Principal{{ID: "s2", Type: "account", Name: "Alice"}}}},
		{"a", idmap.MapItemFilter{CalledAs: alice, Roles: exceptions}},
		{"e", idmap.MapItemFilter{CalledAs: []idmap.Principal{{Email: "Alice"}}}},
		{"", idmap.MapItemFilter{CalledAs: []idmap.Principal{{Name: "Alice", Email: "Alice"}, {Username: "Alice"}}}},
		{"a c e x", idmap.MapItemFilter{SubjectIDs: []string{"s3", "s1"}, TargetIDs: []string{"d2"}, CalledAs: alice}},
		{"a c e", idmap.MapItemFilter{SubjectIDs: []string{"s3"}, TargetIDs: []string{"d2"}, CalledAs: alice, Roles: exceptions}},
		{"c e", idmap.MapItemFilter{SubjectIDs: []string{"s3"}, TargetIDs: []string{"d2"}, CalledAs: alice, IDs: []string{"b", "c", "e", "z"}}},
		{"x", idmap.MapItemFilter{TargetIDs: []string{""}, CalledAs: alice, IDs: []string{"b", "x"}}},
		{"b", idmap.MapItemFilter{TargetIDs: []string{"d1"}, Query: "alice", IDs: []string{"b"}}},
		{"", idmap.MapItemFilter{TargetIDs: []string{"d2", "d3"}, Query: "d1"}},
	} {
		w.checkItems(c.want, c.filter)
	}
}

func testItemCalledNothing(w world) {
	w.withMap().putItems("m", exception("a", "s", "d"), exclusion("b", idmap.RoleSourceExclusion, "s"))
	for _, p := range []idmap.Principal{{}, {ID: "s"}, {Type: "account", ID: "s"}} {
		w.checkItems("", idmap.MapItemFilter{CalledAs: []idmap.Principal{p}})
		w.checkItems("", idmap.MapItemFilter{CalledAs: []idmap.Principal{p}, IDs: []string{"a", "b"}})
	}
}

func testItemKeysReplaced(w world) {
	old, next := exception("a", "s", "d"), exception("a", "s", "d2")
	old.Subject.Name, next.Subject.Caption = "Old", "Next"
	w.withMap().putItems("m", old).putItems("m", next)
	w.checkItems("", idmap.MapItemFilter{TargetIDs: []string{"d"}, CalledAs: []idmap.Principal{old.Subject}})
	w.checkItems("a", idmap.MapItemFilter{TargetIDs: []string{"d2"}})
	w.checkItems("a", idmap.MapItemFilter{CalledAs: []idmap.Principal{next.Subject}})
}

func testItemPagesOfKeys(w world) {
	w.withMap()
	var keys, subjects []string
	var items []idmap.MapItem
	var called []idmap.Principal
	for i := range 1200 { // more than one statement takes
		keys, subjects = append(keys, fmt.Sprintf("i%04d", i)), append(subjects, fmt.Sprintf("s%04d", (i*7)%1200))
		called = append(called, idmap.Principal{Name: subjects[i]})
		item := exception(keys[i], subjects[i], "d"+subjects[i])
		item.Subject.Name = subjects[i]
		items = append(items, item)
	}
	targets := targetsOf(items)
	w.putItems("m", items...)
	for name, f := range map[string]idmap.MapItemFilter{
		"all": {}, "by id": {IDs: keys}, "by subject": {SubjectIDs: subjects}, "by both": {IDs: keys, SubjectIDs: subjects},
		"by target": {TargetIDs: targets}, "by what they are called": {CalledAs: called},
		"by either": {SubjectIDs: subjects[:700], TargetIDs: targets[300:900], CalledAs: called[600:]},
	} {
		list := pages{name, nil, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListMapItems(w.ctx, "m", f, p)
			return ids(list, err, func(i idmap.MapItem) string { return i.ID })
		}}
		rows := read(w, func(r store.Reader) ([]string, error) { return list.page(r, idmap.Page{Limit: len(items)}) })
		equal(w.t, name, rows, keys)
		rows = read(w, func(r store.Reader) ([]string, error) { return list.page(r, idmap.Page{After: keys[500], Limit: 300}) })
		equal(w.t, name+", a page", rows, keys[501:801])
	}
}

func targetsOf(items []idmap.MapItem) []string {
	targets := make([]string, len(items))
	for n, i := range items {
		targets[n] = i.Target.ID
	}
	return targets
}

func testManyItems(w world) {
	const n = 10_000
	items, keys, subjects, called := make([]idmap.MapItem, n), make([]string, n), make([]string, n), make([]idmap.Principal, n)
	for i := range items {
		keys[i], subjects[i] = fmt.Sprintf("i%05d", i), fmt.Sprintf("s%05d", i)
		items[i] = exception(keys[i], subjects[i], "d"+subjects[i])
		items[i].Subject.Name = keys[i]
		called[i] = items[i].Subject
	}
	w.withMap().putItems("m", items...)
	equal(w.t, "put", w.items("m"), items)
	for name, f := range map[string]idmap.MapItemFilter{
		"by id": {IDs: keys}, "by subject": {SubjectIDs: subjects}, "by target": {TargetIDs: targetsOf(items)},
		"by what they are called": {CalledAs: called, Roles: []idmap.ItemRole{idmap.RoleException}},
	} {
		found := read(w, func(r store.Reader) ([]idmap.MapItem, error) {
			return r.ListMapItems(w.ctx, "m", f, idmap.Page{Limit: n})
		})
		equal(w.t, name, found, items)
		equal(w.t, name, read(w, func(r store.Reader) (int, error) { return r.CountMapItems(w.ctx, "m", f) }), n)
	}
	for i := range items { // each takes the subject of the next one
		items[i].Subject.ID = subjects[(i+1)%n]
	}
	w.putItems("m", items...)
	equal(w.t, "moved on", w.items("m"), items)
	w.update(func(tx store.Tx) error { return tx.DeleteMapItems(w.ctx, "m", keys) })
	nothing(w.t, "left", w.items("m"))
}
