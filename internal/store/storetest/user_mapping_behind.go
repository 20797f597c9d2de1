package storetest

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// behind returns the mappings that are behind, each as "id > what the user is called".
func (w world) behind(connectionID string, accountIDs []string) []string {
	w.t.Helper()
	found := sorted(read(w, func(r store.Reader) ([]idmap.UserMapping, error) {
		return r.UserMappingsBehind(w.ctx, connectionID, accountIDs)
	}), func(m idmap.UserMapping) string { return m.ID })
	names := []string{}
	for _, m := range found {
		names = append(names, m.ID+" > "+m.RenamedTo)
	}
	return names
}

// authoritative makes an application say who everybody is.
func (w world) authoritative(id string) {
	w.t.Helper()
	c := connection(id)
	c.Authoritative, c.Revision = true, 2
	w.update(func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, c) })
}

func testMappingsBehind(w world) {
	w.connections()
	w.authoritative("app")
	bound := func(id, userID, source, destination string) store.UserMapping {
		m := mapping(id, id+"@example.com", userID)
		m.Source.Account, m.Destination.Account = idmap.RefTo(source), idmap.RefTo(destination)
		return m
	}
	ahead := bound("m6", "old6", "s6", "d1") // of an application that may lack somebody
	ahead.Destination.Connection.ID, ahead.EmailScope = "app2", "app2"
	accounts := []idmap.Account{
		{ID: "d1", Username: "New1"}, {ID: "d2", Username: "OLD2"}, {ID: "d3", Username: "new3", DeletedOn: at(1)}, {ID: "d5"}, {ID: "d7", Username: "new7"},
	}
	w.putAccounts("app", accounts...)
	w.putAccounts("app2", accounts...)
	w.putAccounts("mail", accounts...)
	w.insert(bound("m1", "old1", "s1", "d1"), bound("m2", "old2", "s2", "d2"), bound("m3", "old3", "s3", "d3"),
		bound("m4", "old4", "s4", "d4"), bound("m5", "old5", "s5", "d5"), ahead, bound("m7", "old7", "", ""))
	for _, c := range []struct {
		connection string
		accounts   []string
		want       []string
	}{
		{"app", nil, []string{"m1 > New1", "m5 > d5"}},
		{"mail", nil, []string{"m1 > New1", "m5 > d5"}},
		{"app2", nil, []string{}},
		{"mail2", nil, []string{}},
		{"\x00", nil, []string{}},
		{"app", []string{"d1", "d2", "d1", "\x00"}, []string{"m1 > New1"}},
		{"mail", []string{"s5", "s2"}, []string{"m5 > d5"}},
		{"mail", []string{"d1", "d5"}, []string{}},
		{"app", []string{}, []string{}},
		{"\xff", []string{"d1"}, []string{}},
	} {
		equal(w.t, fmt.Sprintf("behind in %q of %v", c.connection, c.accounts), w.behind(c.connection, c.accounts), c.want)
	}
	found := read(w, func(r store.Reader) ([]idmap.UserMapping, error) {
		return r.UserMappingsBehind(w.ctx, "app", []string{"d1"})
	})
	found[0].RenamedTo = ""
	equal(w.t, "a mapping that is behind", found[0], bound("m1", "old1", "s1", "d1").UserMapping)
	for _, m := range w.mappings() {
		equal(w.t, "what others answer", m.RenamedTo, "")
	}
	w.toldRenamed("m1 > New1", "m2 > ", "m3 > ", "m4 > ", "m5 > d5", "m6 > ", "m7 > ")
}

// toldRenamed holds what a list of all mappings, and a look-up of all by id and by email, tell against what is wanted.
func (w world) toldRenamed(want ...string) {
	w.t.Helper()
	told := func(m idmap.UserMapping) string { return m.ID + " > " + m.RenamedTo }
	keys := store.UserMappingKeys{RenamedTo: true}
	var listed []string
	for _, m := range read(w, func(r store.Reader) ([]idmap.UserMapping, error) {
		return r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, all)
	}) {
		listed, keys.IDs = append(listed, told(m)), append(keys.IDs, m.ID)
	}
	equal(w.t, "what a list tells", listed, want)
	for _, m := range w.mappings() {
		keys.Emails = append(keys.Emails, store.EmailKey{EmailScope: m.EmailScope, EmailKey: m.EmailCanonical})
	}
	for _, keys := range []store.UserMappingKeys{{IDs: keys.IDs, RenamedTo: true}, {Emails: keys.Emails, RenamedTo: true}} {
		var found []string
		for _, m := range read(w, func(r store.Reader) ([]store.UserMapping, error) { return r.UserMappings(w.ctx, keys) }) {
			found = append(found, told(m.UserMapping))
		}
		slices.Sort(found)
		equal(w.t, "what a look-up tells", found, want)
	}
}

func testManyMappingsBehind(w world) {
	const n = 3000
	w.connections()
	w.authoritative("app")
	mappings, accounts, ids := people(n), make([]idmap.Account, n), make([]string, n)
	for i := range mappings {
		ids[i] = fmt.Sprintf("d%04d", i)
		accounts[i] = idmap.Account{ID: ids[i], Username: "new " + mappings[i].UserID}
		mappings[i].Destination.Account = idmap.RefTo(ids[i])
	}
	w.putAccounts("app", accounts...)
	w.insert(mappings...)
	equal(w.t, "all", len(w.behind("app", nil)), n)
	equal(w.t, "from the other side", len(w.behind("mail", nil)), n)
	equal(w.t, "by account", len(w.behind("app", ids)), n)
}
