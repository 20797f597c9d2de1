package storetest

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var mapTests = map[string]func(world){
	"a map is found as it was inserted, and updated":           testMapRoundTrip,
	"a missing one, or one of another kind, is left out":       testMapMissing,
	"a duplicate id, or folded name of a kind, is ErrConflict": testMapDuplicate,
	"an update to the name of another one is ErrConflict":      testMapRenameConflict,
	"UpdateMap wants the stored revision":                      testMapRevisionConflict,
	"UpdateMap keeps when the map was created":                 testMapCreatedOn,
	"a map of a connection that does not exist":                testMapMissingConnection,
	"DeleteConnection fails while a map uses it":               testMapConnectionInUse,
	"DeleteMap removes its items, and nothing of another map":  testMapDelete,
	"LockMap answers NotFound if there is none of the kind":    testMapLockMissing,
	"LockMap changes nothing about a map":                      testMapLockChangesNothing,
	"lists are in byte order, filtered, counted":               testMapList,
}

// someMap returns a map from mail to app.
func someMap(id string) idmap.Map {
	m := idmap.Map{ID: id, Name: "Map " + id, UnmappedPolicy: idmap.UnmappedSkip, Revision: 1, CreatedOn: at(1), ModifiedOn: at(1)}
	m.MapBy.Email = true
	m.Source.Connection.ID, m.Destination.Connection.ID = "mail", "app"
	return m
}

func fullMap() idmap.Map {
	m := someMap("map1")
	m.Name, m.UnmappedPolicy = "Straße 1", idmap.UnmappedPassthrough
	m.Source.Default = principal("s-1", "Ålice")
	m.Destination.Default = principal("d-1", `B"o\b`)
	m.MapBy = idmap.MapBy{
		ID: true, Name: true, Username: true, Email: true, Caption: true, Default: true, Fuzzy: true, ExternalPassthrough: true,
		Passthrough: true, BuiltIn: true, LDAP: true, ExternalResolve: idmap.ExternalResolveFirst, FuzzyThreshold: new(0.7 + 1e-15),
	}
	return m
}

// principal returns one that has every field.
func principal(id, name string) *idmap.Principal {
	return &idmap.Principal{
		Type: "account", ID: id, Name: name, Username: "user " + name, Email: "SMTP:" + name + "@Example.com", Caption: "caption " + name,
	}
}

func (w world) insertMaps(kind idmap.MapKind, maps ...idmap.Map) world {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		for _, m := range maps {
			if err := tx.InsertMap(w.ctx, kind, m); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w world) maps(kind idmap.MapKind, ids ...string) []idmap.Map {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Map, error) {
		found, err := r.Maps(w.ctx, kind, ids)
		return sorted(found, func(m idmap.Map) string { return m.ID }), err
	})
}

func testMapRoundTrip(w world) {
	w.connections()
	m := fullMap()
	complete(w.t, m, "Exceptions", "Exclusions") // they are rows of their own
	bare := someMap("map2")
	bare.MapBy, bare.UnmappedPolicy, bare.CreatedOn, bare.ModifiedOn = idmap.MapBy{}, "", nil, nil
	w.insertMaps(idmap.AccountMap, m, bare)
	equal(w.t, "inserted", w.maps(idmap.AccountMap, "map1", "map2"), []idmap.Map{m, bare})
	m, bare = bare, m // each becomes what the other was
	m.ID, m.Revision, m.CreatedOn, bare.ID, bare.Revision, bare.CreatedOn = "map1", 2, bare.CreatedOn, "map2", 2, nil
	m.Name, m.Source.Connection.ID, m.Destination.Connection.ID = "STRASSE 1", "mail2", "app2"
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.UpdateMap(w.ctx, idmap.AccountMap, m) },
			func() error {
				bare.Name = "Map 2"
				return tx.UpdateMap(w.ctx, idmap.AccountMap, bare)
			},
		)
	})
	equal(w.t, "updated", w.maps(idmap.AccountMap, "map1", "map2"), []idmap.Map{m, bare})
}

func testMapCreatedOn(w world) {
	w.connections().insertMaps(idmap.GroupMap, someMap("m"))
	m := someMap("m")
	m.Revision, m.CreatedOn, m.ModifiedOn = 2, at(50), at(51)
	w.update(func(tx store.Tx) error { return tx.UpdateMap(w.ctx, idmap.GroupMap, m) })
	m.CreatedOn = at(1)
	equal(w.t, "stored", w.maps(idmap.GroupMap, "m"), []idmap.Map{m})
}

func testMapMissing(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a")).insertMaps(idmap.GroupMap, someMap("g"))
	equal(w.t, "account maps", w.maps(idmap.AccountMap, "none", "a", "a", "g", "A"), []idmap.Map{someMap("a")})
	equal(w.t, "group maps", w.maps(idmap.GroupMap, "a", "g"), []idmap.Map{someMap("g")})
	nothing(w.t, "no keys", w.maps(idmap.AccountMap))
}

func testMapDuplicate(w world) {
	w.connections().insertMaps(idmap.AccountMap, fullMap())
	sameID := someMap("map1")
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertMap(w.ctx, kind, sameID) })
	}
	sameName := someMap("map2")
	sameName.Name = " STRASSE 1"
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertMap(w.ctx, idmap.AccountMap, sameName) })
	w.insertMaps(idmap.GroupMap, sameName)
	equal(w.t, "stored", w.maps(idmap.AccountMap, "map1", "map2"), []idmap.Map{fullMap()})
	equal(w.t, "stored of another kind", w.maps(idmap.GroupMap, "map1", "map2"), []idmap.Map{sameName})
}

func testMapRenameConflict(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"), someMap("b"))
	m := someMap("a")
	m.Name, m.Revision = "MAP B", 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateMap(w.ctx, idmap.AccountMap, m) })
	equal(w.t, "stored", w.maps(idmap.AccountMap, "a"), []idmap.Map{someMap("a")})
}

func testMapRevisionConflict(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"))
	update := func(kind idmap.MapKind, id string, revision int64) {
		m := someMap(id)
		m.Name, m.Revision = "Other", revision
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateMap(w.ctx, kind, m) })
	}
	for _, revision := range []int64{0, 1, 3} {
		update(idmap.AccountMap, "a", revision)
	}
	update(idmap.AccountMap, "none", 2)
	update(idmap.GroupMap, "a", 2)
	equal(w.t, "stored", w.maps(idmap.AccountMap, "a"), []idmap.Map{someMap("a")})
}

func testMapMissingConnection(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"))
	for _, set := range []func(*idmap.Map){
		func(m *idmap.Map) { m.Source.Connection.ID = "none" },
		func(m *idmap.Map) { m.Destination.Connection.ID = "none" },
	} {
		m, next := someMap("b"), someMap("a")
		set(&m)
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertMap(w.ctx, idmap.AccountMap, m) })
		set(&next)
		next.Revision = 2
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateMap(w.ctx, idmap.AccountMap, next) })
	}
	equal(w.t, "stored", w.maps(idmap.AccountMap, "a", "b"), []idmap.Map{someMap("a")})
}

func testMapConnectionInUse(w world) {
	w.connections()
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		w.insertMaps(kind, someMap("m"))
		for _, id := range []string{"mail", "app"} {
			w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, id) })
			equal(w.t, "stored", len(w.connection(id)), 1)
		}
		w.update(func(tx store.Tx) error { return tx.DeleteMap(w.ctx, kind, "m") })
	}
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "app") })
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "mail") })
}

func testMapDelete(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"), someMap("b"))
	w.putItems("a", exception("i", "s", "d")).putItems("b", exception("i", "s", "d"))
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteMap(w.ctx, idmap.GroupMap, "a") }, // there is none of that kind
			func() error { return tx.DeleteMap(w.ctx, idmap.AccountMap, "none") },
		)
	})
	equal(w.t, "stored", w.maps(idmap.AccountMap, "a", "b"), []idmap.Map{someMap("a"), someMap("b")})
	w.update(func(tx store.Tx) error { return tx.DeleteMap(w.ctx, idmap.AccountMap, "a") })
	equal(w.t, "left", w.maps(idmap.AccountMap, "a", "b"), []idmap.Map{someMap("b")})
	nothing(w.t, "items", w.items("a"))
	equal(w.t, "items of the other", w.items("b"), []idmap.MapItem{exception("i", "s", "d")})
	w.insertMaps(idmap.GroupMap, someMap("a")) // the same id again begins with no items
	nothing(w.t, "items", w.items("a"))
}

func testMapLockMissing(w world) {
	w.connections().insertMaps(idmap.AccountMap, someMap("a"))
	w.update(func(tx store.Tx) error {
		notFound(w.t, tx.LockMap(w.ctx, idmap.AccountMap, "none"))
		notFound(w.t, tx.LockMap(w.ctx, idmap.GroupMap, "a"))
		notFound(w.t, tx.LockMap(w.ctx, idmap.AccountMap, "\x00"))
		return tx.LockMap(w.ctx, idmap.AccountMap, "a") // not found is an answer, and the transaction goes on
	})
}

func testMapLockChangesNothing(w world) {
	w.connections().insertMaps(idmap.AccountMap, fullMap())
	w.update(func(tx store.Tx) error { return tx.LockMap(w.ctx, idmap.AccountMap, "map1") })
	equal(w.t, "stored", w.maps(idmap.AccountMap, "map1"), []idmap.Map{fullMap()})
}

func testMapList(w world) {
	w.connections()
	named := func(id, name, source, destination string) idmap.Map {
		m := someMap(id)
		m.Name, m.Source.Connection.ID, m.Destination.Connection.ID = name, source, destination
		return m
	}
	w.insertMaps(idmap.AccountMap, named("a", "Grüße 100%", "mail", "app"), named("B", "Other", "app", "app2"), named("c", "Third", "mail2", "app"))
	w.insertMaps(idmap.GroupMap, named("g", "Grüße 100%", "mail", "app"))
	accounts := func(f idmap.MapFilter) idmap.MapFilter { f.Kind = idmap.AccountMap; return f }
	for _, c := range []struct {
		want   string
		filter idmap.MapFilter
	}{
		{"B a c", accounts(idmap.MapFilter{})},
		{"g", idmap.MapFilter{Kind: idmap.GroupMap}},
		{"", idmap.MapFilter{Kind: "map"}},
		{"a", accounts(idmap.MapFilter{Key: "grüsse 100%"})},
		{"", accounts(idmap.MapFilter{Key: "Grüße 100%"})}, // not folded
		{"B a c", accounts(idmap.MapFilter{ConnectionID: "app"})},
		{"a", accounts(idmap.MapFilter{ConnectionID: "mail"})},
		{"B", accounts(idmap.MapFilter{SourceConnectionID: "app"})},
		{"a c", accounts(idmap.MapFilter{DestinationConnectionID: "app"})},
		{"c", accounts(idmap.MapFilter{DestinationConnectionID: "app", SourceConnectionID: "mail2"})},
		{"a", accounts(idmap.MapFilter{Query: "0%"})},
		{"B c", accounts(idmap.MapFilter{Query: "h"})},
		{"", accounts(idmap.MapFilter{Query: "h", ConnectionID: "mail"})},
	} {
		checkList(w, c.want, c.filter, func(m idmap.Map) string { return m.ID },
			func(r store.Reader) ([]idmap.Map, error) { return r.ListMaps(w.ctx, c.filter, all) },
			func(r store.Reader) (int, error) { return r.CountMaps(w.ctx, c.filter) })
	}
}
