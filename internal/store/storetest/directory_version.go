package storetest

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var directoryVersionTests = map[string]func(world){
	"DirectoryVersion changes with every write of an account or a group": testVersionChanges,
	"DirectoryVersion changes with nothing else":                         testVersionStays,
	"DirectoryVersion of a connection that came again is a new one":      testVersionAgain,
	"DirectoryVersion goes with its transaction":                         testVersionTransaction,
	"ConnectionVersions changes with the connection and its directory":   testConnectionVersions,
}

func (w world) version(connectionID string) string {
	w.t.Helper()
	return read(w, func(r store.Reader) (string, error) { return r.DirectoryVersion(w.ctx, connectionID) })
}

func testVersionChanges(w world) {
	w.connections()
	gone := fullAccount()
	gone.DeletedOn = at(9)
	group := idmap.Group{ID: "g", Name: "g", Revision: 1}
	renamed, removed := group, group
	renamed.Name, removed.DeletedOn = "h", at(9)
	accounts := func(list ...idmap.Account) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.PutAccounts(w.ctx, "mail", list) }
	}
	groups := func(list ...idmap.Group) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.PutGroups(w.ctx, "mail", list) }
	}
	seen := map[string]bool{w.version("mail"): true}
	for _, write := range []func(store.Tx) error{
		accounts(fullAccount()), accounts(idmap.Account{ID: "b"}), accounts(gone), accounts(fullAccount()), // at one revision all
		accounts(idmap.Account{ID: "b", Revision: 1}, idmap.Account{ID: "c"}),
		groups(group), groups(renamed), groups(removed), groups(group),
	} {
		w.update(write)
		version := w.version("mail")
		if version == "" || seen[version] {
			w.t.Errorf("the version %q is empty or was seen before", version)
		}
		seen[version] = true
	}
}

func testConnectionVersions(w world) {
	w.connections().putAccounts("mail", fullAccount())
	versions := func() map[string]string {
		return read(w, func(r store.Reader) (map[string]string, error) {
			return r.ConnectionVersions(w.ctx, []string{"mail", "app", "none", "\x00", "mail"})
		})
	}
	first := versions()
	w.update(func(tx store.Tx) error {
		return tx.InsertUserMappings(w.ctx, []store.UserMapping{mapping("m", "a@example.com", "a")})
	})
	equal(w.t, "after a mapping", versions(), first)
	if len(first) != 2 || first["mail"] == first["app"] {
		w.t.Errorf("the versions are %v, want one of each connection that exists", first)
	}

	c := connection("mail")
	c.Revision = 2
	w.update(func(tx store.Tx) error { return tx.UpdateConnection(w.ctx, c) })
	second := versions()
	w.putAccounts("mail", idmap.Account{ID: "b"})
	third := versions()
	if first["mail"] == second["mail"] || second["mail"] == third["mail"] || first["app"] != third["app"] {
		w.t.Errorf("the versions are %v, after a write of mail %v, and of its directory %v", first, second, third)
	}
}

func testVersionStays(w world) {
	w.connections().putAccounts("mail", fullAccount())
	before := w.version("mail")
	c := connection("mail")
	c.Revision, c.Directory = 2, fullConnection().Directory
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.UpdateConnection(w.ctx, c) },
			func() error { return tx.LockConnection(w.ctx, "mail") },
			func() error { return tx.ShareConnections(w.ctx, []string{"mail"}) },
			func() error { return tx.PutAccounts(w.ctx, "mail", nil) },
			func() error { return tx.PutGroups(w.ctx, "mail", nil) },
			func() error { return tx.PutAccounts(w.ctx, "app", []idmap.Account{fullAccount()}) },
			func() error { return tx.PutGroups(w.ctx, "app", []idmap.Group{{ID: "g"}}) },
			func() error {
				return tx.InsertUserMappings(w.ctx, []store.UserMapping{mapping("m", "a@example.com", "a")})
			},
			func() error { return tx.InsertMap(w.ctx, idmap.AccountMap, someMap("m")) },
			func() error { return tx.PutMapItems(w.ctx, "m", []idmap.MapItem{exception("i", "A-1", "A-1")}) },
		)
	})
	equal(w.t, "version", w.version("mail"), before)
	equal(w.t, "version of none", w.version("none"), "")
	equal(w.t, "version of what is no text", w.version("\x00"), "")
}

// testVersionAgain makes two directories by the same writes, one after the other, under one id.
func testVersionAgain(w world) {
	seen := map[string]bool{}
	for range 3 {
		w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, connection("mail")) })
		for _, name := range []string{"a", "b"} {
			seen[w.version("mail")] = true
			w.putAccounts("mail", idmap.Account{ID: name, Revision: 1})
		}
		seen[w.version("mail")] = true
		w.update(func(tx store.Tx) error { return tx.DeleteConnection(w.ctx, "mail") })
	}
	equal(w.t, "versions", len(seen), 9)
}

func testVersionTransaction(w world) {
	w.connections()
	before := w.version("mail")
	w.refused(errRollBack, func(tx store.Tx) error {
		if err := tx.PutAccounts(w.ctx, "mail", []idmap.Account{fullAccount()}); err != nil {
			return err
		}
		own, err := tx.DirectoryVersion(w.ctx, "mail")
		if err == nil && own == before {
			w.t.Error("the transaction does not see its own version")
		}
		equal(w.t, "what others see", w.version("mail"), before)
		return errRollBack
	})
	equal(w.t, "version", w.version("mail"), before)
}
