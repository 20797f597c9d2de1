package storetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var userMappingTests = map[string]func(world){
	"a mapping is found as it was inserted, and updated":      testMappingRoundTrip,
	"mappings are found by id and by email in a scope":        testMappingKeys,
	"UserMappingsOf finds on the side of the key":             testMappingsOf,
	"UserMappingsBehind finds those whose user was renamed":   testMappingsBehind,
	"UserMappingsBehind finds thousands":                      testManyMappingsBehind,
	"UserMappingsBehind after any sequence of writes":         testBehindModel,
	"UpdateUserMappings wants the stored revision of each":    testMappingRevision,
	"DeleteUserMappings wants the stored revision of each":    testMappingDelete,
	"BindUserMappings binds what is unbound, no new revision": testMappingBind,
	"BindUserMappings to an account that has one":             testMappingBindConflict,
	"a mapping of a connection that does not exist":           testMappingMissingConnection,
	"thousands are inserted, found, updated and deleted":      testManyMappings,
	"a mapping without canonical keys is a fault, not stored": testMappingWithoutKeys,
	"a call with nothing to do is no fault":                   testMappingNothing,
	"UpdateUserMappings keeps when the mapping was created":   testMappingCreatedOn,
	"UpdateUserMappings keeps when it was last signed into":   testMappingKeepsSignIn,
	"TouchUserMappings sets a time that never moves back":     testMappingTouch,
	"TouchUserMappings of one that is missing is ErrConflict": testMappingTouchMissing,
	"LockUserMappings leaves out what does not exist":         testMappingLockMissing,
	"TryLockUserMappings answers mappings as they are now":    testMappingTryLock,
	"thousands are locked and touched":                        testManyMappingsTouched,
	"one mapping twice in one call is ErrConflict":            testMappingTwiceInOneCall,
}

func fullMapping() store.UserMapping {
	m := mapping("m1", "Ålice@Example.com", "ALICE")
	m.EmailSource, m.Origin, m.LastSignInOn = idmap.EmailFromUsername, idmap.OriginSignIn, at(8)
	m.Source.Account, m.Destination.Account = idmap.RefTo("sa"), idmap.RefTo("da")
	m.EmailScope = "platform:oracle_sales"
	return m
}

func testMappingRoundTrip(w world) {
	w.connections()
	m := fullMapping()
	w.insert(m)
	equal(w.t, "inserted", w.mappings(), []store.UserMapping{m})

	m = mapping("m1", "bob@example.org", "bob")
	m.Revision, m.ModifiedOn, m.LastSignInOn = 2, at(9), at(8) // nothing but a sign-in changes it
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{m}) })
	equal(w.t, "updated", w.mappings(), []store.UserMapping{m})
}

func testMappingCreatedOn(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"))
	m := mapping("m1", "b@example.com", "a")
	m.Revision, m.CreatedOn = 2, at(50)
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{m}) })
	equal(w.t, "created on", w.mappings()[0].CreatedOn, at(1))
}

func (w world) touch(second int, ids ...string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.TouchUserMappings(w.ctx, ids, *at(second)) })
}

func testMappingKeepsSignIn(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"))
	next := mapping("m1", "b@example.com", "b")
	next.Revision = 2
	w.touch(7, "m1") // after somebody read the mapping, and before it is written
	for _, stale := range []*time.Time{nil, at(6), at(8)} {
		next.LastSignInOn = stale
		w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}) })
		equal(w.t, "last sign-in", w.mappings()[0].LastSignInOn, at(7))
		next.Revision++
	}
}

func testMappingTouch(w world) {
	before := people(3)
	w.connections().insert(before...)
	for _, c := range []struct{ second, want int }{{5, 5}, {7, 7}, {3, 7}, {7, 7}, {8, 8}} {
		w.touch(c.second, "mu0002", "mu0000", "mu0002")
		before[0].LastSignInOn, before[2].LastSignInOn = at(c.want), at(c.want)
		equal(w.t, "touched, no new revision", w.mappings(), before)
	}
	w.touch(1, "mu0001")
	equal(w.t, "touched alone", w.mappings()[1].LastSignInOn, at(1))
}

func testMappingTouchMissing(w world) {
	w.connections().insert(people(2)...)
	for _, ids := range [][]string{{"none"}, {"mu0000", "none"}, {"MU0000"}, {"mu0000 "}, {""}} {
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.TouchUserMappings(w.ctx, ids, *at(9)) })
	}
	err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.TouchUserMappings(w.ctx, []string{"\x00"}, *at(9)) })
	if err == nil || errors.Is(err, store.ErrConflict) {
		w.t.Errorf("touching what is no text answers %v, want an error that no repetition cures", err)
	}
	equal(w.t, "stored", w.mappings(), people(2))
}

func testMappingLockMissing(w world) {
	w.connections().insert(people(1)...)
	w.update(func(tx store.Tx) error {
		return tx.LockUserMappings(w.ctx, []string{"none", "mu0000", "\x00", "\xff", "mu0000", ""})
	})
	equal(w.t, "stored", w.mappings(), people(1))
}

func testMappingTryLock(w world) {
	before := people(1200)
	w.connections().insert(before...)
	w.update(func(tx store.Tx) error {
		if err := tx.TouchUserMappings(w.ctx, []string{"mu0000"}, *at(9)); err != nil {
			return err
		}
		before[0].LastSignInOn = at(9)
		found, err := tx.TryLockUserMappings(w.ctx, append([]string{"none", "mu0000", "\x00", ""}, idsOf(before)...))
		slices.SortFunc(found, func(a, b store.UserMapping) int { return strings.Compare(a.ID, b.ID) })
		equal(w.t, "locked", found, before)
		return err
	})
}

func testManyMappingsTouched(w world) {
	before := people(1200)
	w.connections().insert(before...)
	ids := idsOf(before)
	slices.Reverse(ids)
	w.update(func(tx store.Tx) error {
		return errors.Join(tx.LockUserMappings(w.ctx, ids), tx.TouchUserMappings(w.ctx, ids, *at(9)))
	})
	for i := range before {
		before[i].LastSignInOn = at(9)
	}
	equal(w.t, "touched", w.mappings(), before[:idmap.MaxPageSize])
}

// found returns the ids of the mappings of keys, in their order.
func (w world) found(keys store.UserMappingKeys) []string {
	w.t.Helper()
	return idsOf(read(w, func(r store.Reader) ([]store.UserMapping, error) { return r.UserMappings(w.ctx, keys) }))
}

func idsOf(mappings []store.UserMapping) []string {
	ids := []string{}
	for _, m := range sorted(mappings, func(m store.UserMapping) string { return m.ID }) {
		ids = append(ids, m.ID)
	}
	return ids
}

func testMappingKeys(w world) {
	other := mapping("m3", "a@example.com", "x")
	other.Destination.Connection.ID, other.EmailScope = "app2", "app2"
	w.connections().insert(mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b"), other)
	email := func(scope, key string) store.EmailKey { return store.EmailKey{EmailScope: scope, EmailKey: key} }
	equal(w.t, "by id", w.found(store.UserMappingKeys{IDs: []string{"m2", "none", "m2"}}), []string{"m2"})
	equal(w.t, "by email", w.found(store.UserMappingKeys{Emails: []store.EmailKey{
		email("app2", "a@example.com"), email("app2", "b@example.com"), email("mail", "a@example.com"), email("app", "A@example.com"),
	}}), []string{"m3"})
	equal(w.t, "by both", w.found(store.UserMappingKeys{
		IDs: []string{"m1"}, Emails: []store.EmailKey{email("app", "a@example.com"), email("app", "b@example.com")},
	}), []string{"m1", "m2"})
	equal(w.t, "by nothing", w.found(store.UserMappingKeys{}), []string{})
}

func testMappingsOf(w world) {
	w.connections()
	bound := mapping("m1", "a@example.com", "a")
	bound.Source.Account, bound.Destination.Account = idmap.RefTo("sa"), idmap.RefTo("da")
	// The other way round: an application that is a mail connection of another mapping.
	reverse := mapping("m2", "b@example.com", "b")
	reverse.Source.Connection.ID, reverse.Destination.Connection.ID = "app", "mail"
	reverse.Source.Account, reverse.Destination.Account = idmap.RefTo("da"), idmap.RefTo("sa")
	w.insert(bound, reverse)
	for _, c := range []struct {
		connection string
		keys       store.DirectoryKeys
		want       []string
	}{
		{"mail", store.DirectoryKeys{IDs: []string{"sa"}}, []string{"m1", "m2"}},
		{"mail", store.DirectoryKeys{IDs: []string{"da"}}, []string{}},
		{"app", store.DirectoryKeys{IDs: []string{"da", "da"}}, []string{"m1", "m2"}},
		{"mail", store.DirectoryKeys{AddressKeys: []string{"a@example.com", "b@example.com"}}, []string{"m1"}},
		{"app", store.DirectoryKeys{AddressKeys: []string{"a@example.com", "b@example.com"}}, []string{"m2"}},
		{"mail", store.DirectoryKeys{UserKeys: []string{"a", "b"}}, []string{"m2"}},
		{"app", store.DirectoryKeys{UserKeys: []string{"a", "b"}}, []string{"m1"}},
		{"app", store.DirectoryKeys{UserKeys: []string{"a"}, IDs: []string{"da"}}, []string{"m1", "m2"}},
		{"app2", store.DirectoryKeys{UserKeys: []string{"a"}, IDs: []string{"da", ""}, AddressKeys: []string{"a@example.com"}}, []string{}},
		{"mail", store.DirectoryKeys{}, []string{}},
	} {
		got := read(w, func(r store.Reader) ([]store.UserMapping, error) {
			return r.UserMappingsOf(w.ctx, c.connection, c.keys)
		})
		equal(w.t, "mappings of "+c.connection, idsOf(got), c.want)
	}
}

func testMappingRevision(w world) {
	before := people(3)
	w.connections().insert(before...)
	for _, wrong := range []int64{0, 1, 3} {
		next := people(3)
		for i := range next {
			next[i].Revision, next[i].Email = 2, "New@example.com"
		}
		next[1].Revision = wrong
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, next) })
	}
	missing := mapping("none", "none@example.com", "none")
	missing.Revision = 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{missing}) })
	equal(w.t, "stored", w.mappings(), before)
}

func testMappingTwiceInOneCall(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"))
	m := mapping("m1", "b@example.com", "b")
	m.Revision = 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{m, m}) })
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.InsertUserMappings(w.ctx, []store.UserMapping{mapping("m2", "c@example.com", "c"), mapping("m2", "d@example.com", "d")})
	})
	equal(w.t, "stored", w.mappings(), []store.UserMapping{mapping("m1", "a@example.com", "a")})
}

func testMappingDelete(w world) {
	before := people(3)
	w.connections().insert(before...)
	wrong := plain(people(3))
	wrong[2].Revision = 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.DeleteUserMappings(w.ctx, wrong) })
	equal(w.t, "stored", w.mappings(), before)
	w.update(func(tx store.Tx) error { return tx.DeleteUserMappings(w.ctx, plain(before[:2])) })
	equal(w.t, "left", w.mappings(), before[2:])
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.DeleteUserMappings(w.ctx, plain(before[:1])) })
}

func testMappingBind(w world) {
	half := mapping("m2", "b@example.com", "b")
	half.Source.Account = idmap.RefTo("sb")
	w.connections().insert(mapping("m1", "a@example.com", "a"), half, mapping("m3", "c@example.com", "c"))
	bind := func(id, source, destination string) (m idmap.UserMapping) {
		m.ID, m.Source.Account, m.Destination.Account = id, idmap.RefTo(source), idmap.RefTo(destination)
		return m
	}
	w.update(func(tx store.Tx) error {
		return tx.BindUserMappings(w.ctx, []idmap.UserMapping{bind("m1", "sa", "da"), bind("m2", "other", "db"), bind("m3", "", ""), bind("none", "x", "y")})
	})
	one, two := mapping("m1", "a@example.com", "a"), half
	one.Source.Account, one.Destination.Account, two.Destination.Account = idmap.RefTo("sa"), idmap.RefTo("da"), idmap.RefTo("db")
	equal(w.t, "bound", w.mappings(), []store.UserMapping{one, two, mapping("m3", "c@example.com", "c")})
}

func testMappingBindConflict(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b"))
	bind := []idmap.UserMapping{{ID: "m1"}, {ID: "m2"}}
	bind[0].Destination.Account, bind[1].Destination.Account = idmap.RefTo("da"), idmap.RefTo("da")
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.BindUserMappings(w.ctx, bind) })
}

func testMappingMissingConnection(w world) {
	w.connections()
	for _, set := range []func(*store.UserMapping){
		func(m *store.UserMapping) { m.Source.Connection.ID = "none" },
		func(m *store.UserMapping) { m.Destination.Connection.ID = "none" },
	} {
		m := mapping("m1", "a@example.com", "a")
		set(&m)
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertUserMappings(w.ctx, []store.UserMapping{m}) })
	}
}

func testManyMappings(w world) {
	const n = 1500
	before := people(n)
	w.connections().insert(before...)
	var byID, byEmail store.UserMappingKeys
	var of store.DirectoryKeys
	for _, m := range before {
		byID.IDs = append(byID.IDs, m.ID)
		byEmail.Emails = append(byEmail.Emails, store.EmailKey{EmailScope: "app", EmailKey: m.EmailCanonical})
		of.UserKeys = append(of.UserKeys, m.UserKey())
	}
	equal(w.t, "by id", w.found(byID), byID.IDs)
	equal(w.t, "by email", w.found(byEmail), byID.IDs)
	equal(w.t, "of the connection", idsOf(read(w, func(r store.Reader) ([]store.UserMapping, error) {
		return r.UserMappingsOf(w.ctx, "app", of)
	})), byID.IDs)

	next := people(n)
	for i := range next { // everybody takes the user id of the next one
		next[i].UserID, next[i].Revision = before[(i+1)%n].UserID, 2
	}
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, next) })
	equal(w.t, "updated", w.mappings()[n/2:1000], next[n/2:1000])
	w.update(func(tx store.Tx) error { return tx.DeleteUserMappings(w.ctx, plain(next)) })
	equal(w.t, "left", w.mappings(), nil)
}

func testMappingWithoutKeys(w world) {
	w.connections()
	for _, set := range []func(*store.UserMapping){
		func(m *store.UserMapping) { m.EmailCanonical = "" },
		func(m *store.UserMapping) { m.EmailScope = "" },
		func(m *store.UserMapping) { m.UserID = " " },
	} {
		m := mapping("m1", "a@example.com", "a")
		set(&m)
		if err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.InsertUserMappings(w.ctx, []store.UserMapping{m}) }); err == nil {
			w.t.Fatalf("%+v was stored", m)
		}
	}
	equal(w.t, "stored", w.mappings(), nil)
}

func testMappingNothing(w world) {
	w.update(func(tx store.Tx) error {
		for _, call := range []func() error{
			func() error { return tx.InsertUserMappings(w.ctx, nil) },
			func() error { return tx.UpdateUserMappings(w.ctx, nil) },
			func() error { return tx.BindUserMappings(w.ctx, nil) },
			func() error { return tx.DeleteUserMappings(w.ctx, nil) },
			func() error { return tx.LockUserMappings(w.ctx, nil) },
			func() error { _, err := tx.TryLockUserMappings(w.ctx, nil); return err },
			func() error { return tx.TouchUserMappings(w.ctx, nil, *at(1)) },
			func() error { return tx.InsertSignIns(w.ctx, nil) },
			func() error { _, err := tx.UseSessions(w.ctx, nil); return err },
			func() error { return tx.PutAccounts(w.ctx, "none", nil) },
			func() error { return tx.PutGroups(w.ctx, "none", nil) },
			func() error { return tx.PutMapItems(w.ctx, "none", nil) },
			func() error { return tx.DeleteMapItems(w.ctx, "none", nil) },
			func() error { return tx.AppendAudit(w.ctx, nil) },
			func() error { return tx.ForgetIdempotencyKeys(w.ctx, nil) },
			func() error { _, err := tx.ClaimEmails(w.ctx, nil, *at(1)); return err },
		} {
			if err := call(); err != nil {
				return err
			}
		}
		return nil
	})
}
