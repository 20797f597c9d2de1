package storetest

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var uniquenessTests = map[string]func(world){
	"a duplicate is ErrConflict":                             testDuplicates,
	"what only looks like a duplicate is stored":             testNoDuplicates,
	"values may change hands in one update":                  testSwap,
	"a chain of values moves on in one update":               testChain,
	"uniqueness holds for the outcome of an update":          testUpdateDuplicate,
	"an update does not take the value of a third one":       testUpdateDuplicateOfOther,
	"an id is not taken for a value during an update":        testIdsAreNoValues,
	"a value is free again when its mapping is gone":         testDeleteFrees,
	"the accounts that mappings are bound to may be swapped": testSwapAccounts,
}

func testDuplicates(w world) {
	first := mapping("m1", "a@example.com", "a")
	first.Source.Account, first.Destination.Account = idmap.RefTo("sa"), idmap.RefTo("da")
	w.connections().insert(first)
	for name, set := range map[string]func(*store.UserMapping){
		"id":      func(m *store.UserMapping) { m.ID = "m1" },
		"email":   func(m *store.UserMapping) { m.EmailCanonical = "a@example.com" },
		"user id": func(m *store.UserMapping) { m.UserID = "A" },
		"mailbox": func(m *store.UserMapping) { m.Source.Account = idmap.RefTo("sa") },
		"account": func(m *store.UserMapping) { m.Destination.Account = idmap.RefTo("da") },
		"email in a scope of several connections": func(m *store.UserMapping) {
			m.EmailCanonical, m.Destination.Connection.ID = "a@example.com", "app2"
		},
	} {
		m := mapping("m2", "b@example.com", "b")
		set(&m)
		// In one call with one that could be stored: neither is.
		w.refused(store.ErrConflict, func(tx store.Tx) error {
			return tx.InsertUserMappings(w.ctx, []store.UserMapping{mapping("m3", "c@example.com", "c"), m})
		})
		equal(w.t, "stored after a duplicate "+name, w.mappings(), []store.UserMapping{first})
	}
}

func testNoDuplicates(w world) {
	first := mapping("m1", "a@example.com", "a")
	first.Destination.Account = idmap.RefTo("da")
	otherApp := mapping("m2", "a@example.com", "a")
	otherApp.Destination.Connection.ID, otherApp.EmailScope, otherApp.Destination.Account = "app2", "app2", idmap.RefTo("da")
	otherMail := mapping("m3", "b@example.com", "a")
	otherMail.Source.Connection.ID, otherMail.Destination.Account = "mail2", idmap.RefTo("da")
	unbound, unboundToo := mapping("m4", "c@example.com", "c"), mapping("m5", "d@example.com", "d")
	sameMailbox := mapping("m6", "e@example.com", "e")
	sameMailbox.Destination.Connection.ID, sameMailbox.EmailScope = "app2", "app2"
	sameMailbox.Source.Account, unbound.Source.Account = idmap.RefTo("sa"), idmap.RefTo("sa")
	want := []store.UserMapping{first, otherApp, otherMail, unbound, unboundToo, sameMailbox}
	w.connections().insert(want...)
	equal(w.t, "stored", w.mappings(), want)
}

// updated returns the mapping at revision 2 with other values.
func updated(id, email, userID string) store.UserMapping {
	m := mapping(id, email, userID)
	m.Revision = 2
	return m
}

func testSwap(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b"))
	want := []store.UserMapping{updated("m1", "b@example.com", "b"), updated("m2", "a@example.com", "a")}
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, want) })
	equal(w.t, "swapped", w.mappings(), want)
}

func testSwapAccounts(w world) {
	one, two := mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b")
	one.Destination.Account, two.Destination.Account = idmap.RefTo("d1"), idmap.RefTo("d2")
	one.Source.Account, two.Source.Account = idmap.RefTo("s1"), idmap.RefTo("s2")
	w.connections().insert(one, two)
	one.Source.Account, two.Source.Account = two.Source.Account, one.Source.Account
	one.Destination.Account, two.Destination.Account = two.Destination.Account, one.Destination.Account
	one.Revision, two.Revision = 2, 2
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{one, two}) })
	equal(w.t, "swapped", w.mappings(), []store.UserMapping{one, two})
}

func testChain(w world) {
	w.connections().insert(people(5)...)
	want := people(5)
	for i := range want { // each takes what the next one has; the last takes something new
		want[i].Revision = 2
		if i < 4 {
			want[i].Email, want[i].EmailCanonical, want[i].UserID = want[i+1].Email, want[i+1].EmailCanonical, want[i+1].UserID
		} else {
			want[i] = updated(want[i].ID, "new@example.com", "new")
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}} {
		err := w.s.Update(w.ctx, func(tx store.Tx) error {
			var mappings []store.UserMapping
			for _, i := range order {
				mappings = append(mappings, want[i])
			}
			if err := tx.UpdateUserMappings(w.ctx, mappings); err != nil {
				return err
			}
			return errRollBack
		})
		equal(w.t, "the chain", err, errRollBack)
	}
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, want) })
	equal(w.t, "moved on", w.mappings(), want)
}

func testUpdateDuplicate(w world) {
	before := []store.UserMapping{mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b")}
	w.connections().insert(before...)
	for _, next := range [][]store.UserMapping{
		{updated("m1", "c@example.com", "a"), updated("m2", "c@example.com", "b")},
		{updated("m1", "a@example.com", "c"), updated("m2", "b@example.com", "c")},
	} {
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, next) })
		equal(w.t, "stored", w.mappings(), before)
	}
}

func testUpdateDuplicateOfOther(w world) {
	before := []store.UserMapping{mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b")}
	w.connections().insert(before...)
	for _, next := range []store.UserMapping{updated("m1", "b@example.com", "a"), updated("m1", "a@example.com", "B")} {
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}) })
		equal(w.t, "stored", w.mappings(), before)
	}
}

func testDeleteFrees(w world) {
	first := mapping("m1", "a@example.com", "a")
	w.connections().insert(first)
	again := mapping("m2", "a@example.com", "a")
	w.update(func(tx store.Tx) error {
		if err := tx.DeleteUserMappings(w.ctx, []idmap.UserMapping{first.UserMapping}); err != nil {
			return err
		}
		return tx.InsertUserMappings(w.ctx, []store.UserMapping{again})
	})
	equal(w.t, "stored", w.mappings(), []store.UserMapping{again})
}

// testIdsAreNoValues updates a mapping whose id is what another one has as a value.
func testIdsAreNoValues(w world) {
	other := mapping("m2", "b@example.com", "m1")
	other.Destination.Account = idmap.RefTo("m1")
	email := mapping("m3", "c@example.com", "c")
	email.EmailCanonical = "m1"
	w.connections().insert(mapping("m1", "a@example.com", "a"), other, email)
	next := updated("m1", "a@example.com", "d")
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{next}) })
	equal(w.t, "updated", w.mappings(), []store.UserMapping{next, other, email})
}
