package storetest

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var connectionTests = map[string]func(world){
	"what was inserted is found":                          testConnectionRoundTrip,
	"a missing one is left out":                           testConnectionMissing,
	"a duplicate id or folded name is ErrConflict":        testConnectionDuplicate,
	"UpdateConnection wants the stored revision":          testConnectionRevision,
	"DeleteConnection removes accounts and groups":        testConnectionDelete,
	"DeleteConnection fails while a mapping uses it":      testConnectionInUse,
	"DeleteConnection leaves the ledger":                  testConnectionDeleteKeepsLedger,
	"LockConnection answers NotFound if there is none":    testLockMissing,
	"LockConnection changes nothing about a connection":   testLockChangesNothing,
	"lists are in byte order, filtered, counted":          testConnectionList,
	"an update to the name of another one is ErrConflict": testConnectionRenameConflict,
}

func fullConnection() idmap.Connection {
	c := connection("c1")
	c.Name, c.Authoritative, c.MailDomain = "Straße 1", true, "example.com"
	c.SignInDisabled, c.SignInMapping, c.OnSignOut, c.SignInHistoryDays = true, idmap.SignInRequires, idmap.OnSignOutRemove, 3650
	c.Directory = &idmap.Directory{
		Accounts: &idmap.Import{SHA256: "ab", Count: 3, ImportedOn: *at(5)},
		Groups:   &idmap.Import{SHA256: "cd", Count: 4, ImportedOn: *at(6)},
	}
	return c
}

func (w world) connection(id string) []idmap.Connection {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Connection, error) { return r.Connections(w.ctx, []string{id}) })
}

func testConnectionRoundTrip(w world) {
	c := fullConnection()
	complete(w.t, c, "Features")
	w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, c) })
	equal(w.t, "inserted", w.connection("c1"), []idmap.Connection{c})

	c.Name, c.Authoritative, c.MailDomain, c.Directory = "STRASSE 1", false, "", nil
	c.SignInDisabled, c.SignInMapping, c.OnSignOut, c.SignInHistoryDays = false, "", "", 0
	c.Revision, c.ModifiedOn = 2, at(9)
	w.update(func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, c) })
	equal(w.t, "updated", w.connection("c1"), []idmap.Connection{c})
}

func testConnectionMissing(w world) {
	w.connections()
	found := read(w, func(r store.Reader) ([]idmap.Connection, error) {
		return r.Connections(w.ctx, []string{"none", "app", "app", "MAIL"})
	})
	equal(w.t, "found", found, []idmap.Connection{connection("app")})
	nothing(w.t, "no keys", read(w, func(r store.Reader) ([]idmap.Connection, error) { return r.Connections(w.ctx, nil) }))
}

func testConnectionDuplicate(w world) {
	w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, fullConnection()) })
	sameID := connection("c1")
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertConnection(w.ctx, sameID) })
	sameName := connection("c2")
	sameName.Name = " STRASSE 1"
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertConnection(w.ctx, sameName) })
	equal(w.t, "stored", w.connection("c1"), []idmap.Connection{fullConnection()})
}

func testConnectionRenameConflict(w world) {
	w.connections()
	c := connection("app")
	c.Name, c.Revision = "CONNECTION MAIL", 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, c) })
	equal(w.t, "stored", w.connection("app"), []idmap.Connection{connection("app")})
}

func testConnectionRevision(w world) {
	w.connections()
	for _, revision := range []int64{0, 1, 3} {
		c := connection("app")
		c.Name, c.Revision = "Other", revision
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, c) })
	}
	missing := connection("none")
	missing.Revision = 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, missing) })
	equal(w.t, "stored", w.connection("app"), []idmap.Connection{connection("app")})
}

func testConnectionDelete(w world) {
	w.connections()
	w.update(func(tx store.Tx) error {
		if err := tx.PutAccounts(w.ctx, "app", []idmap.Account{{ID: "a", Email: "a@example.com"}}); err != nil {
			return err
		}
		return tx.PutGroups(w.ctx, "app", []idmap.Group{{ID: "g", Addresses: []string{"g@example.com"}}})
	})
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "app") })
	nothing(w.t, "connection", w.connection("app"))
	// The same id again begins with an empty directory.
	w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, connection("app")) })
	keys := store.DirectoryKeys{IDs: []string{"a", "g"}, AddressKeys: []string{"a@example.com", "g@example.com"}}
	nothing(w.t, "accounts", w.accounts("app", keys))
	nothing(w.t, "groups", w.groups("app", keys))
}

func testConnectionInUse(w world) {
	w.connections().insert(mapping("m1", "a@example.com", "a"))
	for _, id := range []string{"mail", "app"} {
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, id) })
		equal(w.t, "stored", len(w.connection(id)), 1)
	}
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "app2") })
	w.update(func(tx store.Tx) error {
		return tx.DeleteUserMappings(w.ctx, plain([]store.UserMapping{mapping("m1", "a@example.com", "a")}))
	})
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "app") })
}

func testConnectionDeleteKeepsLedger(w world) {
	w.connections().claim(claim("e1", "a@example.com", holder("app", "", "alice")))
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "app") })
	w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "mail") })
	equal(w.t, "holders", w.entry("a@example.com").Holders, []idmap.EmailHolder{holder("app", "", "alice")})
}

func testLockMissing(w world) {
	w.connections()
	w.update(func(tx store.Tx) error {
		notFound(w.t, tx.LockConnection(w.ctx, "none"))
		notFound(w.t, tx.LockConnection(w.ctx, "\x00"))
		return tx.LockConnection(w.ctx, "app") // not found is an answer, and the transaction goes on
	})
}

func testLockChangesNothing(w world) {
	w.connections()
	w.update(func(tx store.Tx) error { return tx.LockConnection(w.ctx, "app") })
	equal(w.t, "stored", w.connection("app"), []idmap.Connection{connection("app")})
}

func testConnectionList(w world) {
	w.connections()
	other := connection("B")
	other.Name, other.Platform.ID = "Grüße 100%", "salesforce"
	w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, other) })
	for _, c := range []struct {
		want   string
		filter idmap.ConnectionFilter
	}{
		{"B app app2 mail mail2", idmap.ConnectionFilter{}},
		{"B", idmap.ConnectionFilter{PlatformID: "salesforce"}},
		{"app app2 mail mail2", idmap.ConnectionFilter{PlatformID: "generic"}},
		{"mail", idmap.ConnectionFilter{Key: "connection mail"}},
		{"", idmap.ConnectionFilter{Key: "Connection mail"}}, // not folded
		{"mail mail2", idmap.ConnectionFilter{Query: "on mail"}},
		{"B", idmap.ConnectionFilter{Query: "grüsse"}},
		{"B", idmap.ConnectionFilter{Query: "0%"}},
		{"", idmap.ConnectionFilter{Query: "%app"}},
		{"", idmap.ConnectionFilter{Query: "on mail", PlatformID: "salesforce"}},
	} {
		checkList(w, c.want, c.filter, func(c idmap.Connection) string { return c.ID },
			func(r store.Reader) ([]idmap.Connection, error) { return r.ListConnections(w.ctx, c.filter, all) },
			func(r store.Reader) (int, error) { return r.CountConnections(w.ctx, c.filter) })
	}
}
