package storetest

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var directoryTests = map[string]func(world){
	"an account is found as it was put":                    testAccountRoundTrip,
	"accounts are found by id, user id and address":        testAccountKeys,
	"accounts are found by name":                           testAccountNames,
	"groups are found by name and caption":                 testGroupNames,
	"each account is found once":                           testAccountOnce,
	"PutAccounts replaces an account with its addresses":   testAccountReplace,
	"PutAccounts takes the last of two with one id":        testAccountTwice,
	"deleted accounts are found":                           testAccountDeleted,
	"accounts are of one connection":                       testAccountConnection,
	"PutAccounts and PutGroups in a missing connection":    testPutMissingConnection,
	"groups are found by id and address, as they were put": testGroups,
	"thousands are put and found at once":                  testManyAccounts,
}

func fullAccount() idmap.Account {
	return idmap.Account{
		ID: "A-1", Username: "Ålice", Email: "Alice@Example.com", Aliases: []string{"smtp:a.one@example.com", "no address"},
		Name: "Alice Ö", GivenName: "Alice", Surname: "Ö", UserType: idmap.UserTypeNonInteractive,
		Disabled: true, Admin: true, BuiltIn: true, Readonly: true, External: true, SignInPermitted: yes(), DeletedOn: at(7), Revision: 4,
	}
}

func (w world) putAccounts(connectionID string, accounts ...idmap.Account) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.PutAccounts(w.ctx, connectionID, accounts) })
}

// accounts finds accounts, in the order of their ids.
func (w world) accounts(connectionID string, keys store.DirectoryKeys) []idmap.Account {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Account, error) {
		found, err := r.Accounts(w.ctx, connectionID, keys)
		return sorted(found, func(a idmap.Account) string { return a.ID }), err
	})
}

func (w world) groups(connectionID string, keys store.DirectoryKeys) []idmap.Group {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Group, error) {
		found, err := r.Groups(w.ctx, connectionID, keys)
		return sorted(found, func(g idmap.Group) string { return g.ID }), err
	})
}

func testAccountRoundTrip(w world) {
	complete(w.t, fullAccount())
	forbidden := idmap.Account{ID: "forbidden", SignInPermitted: no()} // which is another thing than not to say
	w.connections().putAccounts("mail", fullAccount(), idmap.Account{ID: "bare"}, forbidden)
	keys := store.DirectoryKeys{IDs: []string{"A-1", "bare", "forbidden"}}
	equal(w.t, "put", w.accounts("mail", keys), []idmap.Account{fullAccount(), {ID: "bare"}, forbidden})
}

func testAccountKeys(w world) {
	w.connections().putAccounts("mail", fullAccount(), idmap.Account{ID: "Bare"})
	for name, keys := range map[string]store.DirectoryKeys{
		"id":           {IDs: []string{"A-1"}},
		"user id":      {UserKeys: []string{"ålice"}},
		"primary":      {AddressKeys: []string{"alice@example.com"}},
		"alias":        {AddressKeys: []string{"a.one@example.com"}},
		"one of these": {IDs: []string{"a-1"}, UserKeys: []string{"bob"}, AddressKeys: []string{"x@example.com", "a.one@example.com"}},
	} {
		equal(w.t, "found by "+name, w.accounts("mail", keys), []idmap.Account{fullAccount()})
	}
	equal(w.t, "found by the id of one without username",
		w.accounts("mail", store.DirectoryKeys{UserKeys: []string{"bare"}}), []idmap.Account{{ID: "Bare"}})
	nothing(w.t, "keys of another kind", w.accounts("mail", store.DirectoryKeys{
		IDs: []string{"ålice", "alice@example.com"}, UserKeys: []string{"A-1", "alice"}, AddressKeys: []string{"no address", "A-1"},
	}))
}

func (w world) accountNamed(connectionID string, names ...string) (ids []string) {
	w.t.Helper()
	for _, a := range w.accounts(connectionID, store.DirectoryKeys{NameKeys: names}) {
		ids = append(ids, a.ID)
	}
	return ids
}

func testAccountNames(w world) {
	w.connections().putAccounts("mail", idmap.Account{ID: "1", Name: " Zoë   GROßE "}, idmap.Account{ID: "2", Name: "zoe\u0308 Grosse", DeletedOn: at(1)},
		idmap.Account{ID: "3", Username: "zoë große", GivenName: "Zoë", Surname: "Große"}, idmap.Account{ID: "4", Name: "  "}, idmap.Account{ID: "5", Name: "zoë"})
	w.putAccounts("mail2", idmap.Account{ID: "1", Name: "Zoë Große"})
	equal(w.t, "by name", w.accountNamed("mail", idmap.NameKey("Zoë Große"), "zoë grosse", "nobody"), []string{"1", "2"})
	equal(w.t, "by two names", w.accountNamed("mail", "zoë", "zoë grosse"), []string{"1", "2", "5"})
	nothing(w.t, "by what is no key", w.accountNamed("mail", "Zoë Große", "zoë  grosse", "zoë große", "1", "\x00", "\xff"))
	nothing(w.t, "by an empty name", w.accountNamed("mail", ""))
	nothing(w.t, "by name in another connection", w.accountNamed("app", "zoë grosse"))
	w.putAccounts("mail", idmap.Account{ID: "1", Name: "Ann"})
	equal(w.t, "by the new name", w.accountNamed("mail", "ann"), []string{"1"})
	equal(w.t, "by the old name", w.accountNamed("mail", "zoë grosse"), []string{"2"})
}

func testGroupNames(w world) {
	w.connections()
	put := func(groups ...idmap.Group) {
		w.update(func(tx store.Tx) error { return tx.PutGroups(w.ctx, "mail", groups) })
	}
	named := func(names ...string) (ids []string) {
		for _, g := range w.groups("mail", store.DirectoryKeys{NameKeys: names}) {
			ids = append(ids, g.ID)
		}
		return ids
	}
	put(idmap.Group{ID: "1", Name: "Staff", Caption: "All  STAFF"}, idmap.Group{ID: "2", Name: "all staff", Caption: "staff", DeletedOn: at(1)},
		idmap.Group{ID: "3", Name: "sales"}, idmap.Group{ID: "4", Caption: "Sales"})
	w.putAccounts("mail", idmap.Account{ID: "5", Name: "staff"})
	equal(w.t, "by either", named("staff"), []string{"1", "2"})
	equal(w.t, "by either", named("sales"), []string{"3", "4"})
	equal(w.t, "by both, each once", named("staff", "all staff"), []string{"1", "2"})
	nothing(w.t, "by an empty name", named(""))
	put(idmap.Group{ID: "1", Name: "other"})
	equal(w.t, "by the old name", named("staff", "all staff"), []string{"2"})
}

func testAccountOnce(w world) {
	w.connections().putAccounts("mail", fullAccount())
	found := w.accounts("mail", store.DirectoryKeys{
		IDs: []string{"A-1", "A-1"}, UserKeys: []string{"ålice"}, AddressKeys: []string{"alice@example.com", "a.one@example.com"},
	})
	equal(w.t, "found", found, []idmap.Account{fullAccount()})
}

func testAccountReplace(w world) {
	w.connections().putAccounts("mail", fullAccount())
	next := idmap.Account{ID: "A-1", Username: "bob", Email: "b@example.com"}
	w.putAccounts("mail", next)
	equal(w.t, "by id", w.accounts("mail", store.DirectoryKeys{IDs: []string{"A-1"}}), []idmap.Account{next})
	equal(w.t, "by its address", w.accounts("mail", store.DirectoryKeys{AddressKeys: []string{"b@example.com"}}), []idmap.Account{next})
	nothing(w.t, "by what it was", w.accounts("mail", store.DirectoryKeys{
		UserKeys: []string{"ålice"}, AddressKeys: []string{"alice@example.com", "a.one@example.com"},
	}))
}

func testAccountTwice(w world) {
	w.connections().putAccounts("mail", idmap.Account{ID: "a", Name: "First", Email: "1@example.com"}, idmap.Account{ID: "b"},
		idmap.Account{ID: "a", Name: "Last", Email: "2@example.com"})
	want := []idmap.Account{{ID: "a", Name: "Last", Email: "2@example.com"}}
	equal(w.t, "stored", w.accounts("mail", store.DirectoryKeys{IDs: []string{"a"}}), want)
	nothing(w.t, "the first address", w.accounts("mail", store.DirectoryKeys{AddressKeys: []string{"1@example.com"}}))
}

func testAccountDeleted(w world) {
	gone := idmap.Account{ID: "gone", Email: "gone@example.com", DeletedOn: at(3)}
	w.connections().putAccounts("mail", gone)
	equal(w.t, "found", w.accounts("mail", store.DirectoryKeys{AddressKeys: []string{"gone@example.com"}}), []idmap.Account{gone})
	gone.DeletedOn = nil
	w.putAccounts("mail", gone)
	equal(w.t, "back again", w.accounts("mail", store.DirectoryKeys{IDs: []string{"gone"}}), []idmap.Account{gone})
}

func testAccountConnection(w world) {
	w.connections().putAccounts("mail", fullAccount())
	w.putAccounts("mail2", idmap.Account{ID: "A-1", Name: "another"})
	keys := store.DirectoryKeys{IDs: []string{"A-1"}, UserKeys: []string{"ålice"}, AddressKeys: []string{"alice@example.com"}}
	equal(w.t, "mail2", w.accounts("mail2", keys), []idmap.Account{{ID: "A-1", Name: "another"}})
	nothing(w.t, "app", w.accounts("app", keys))
}

func testPutMissingConnection(w world) {
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.PutAccounts(w.ctx, "none", []idmap.Account{fullAccount()})
	})
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.PutGroups(w.ctx, "none", []idmap.Group{{ID: "g"}})
	})
}

func testGroups(w world) {
	full := idmap.Group{
		ID: "G", Name: "staff", Caption: "Staff", Addresses: []string{"Staff@Example.com", "all@example.com"},
		BuiltIn: true, Disabled: true, Readonly: true, DeletedOn: at(2), Revision: 3,
	}
	complete(w.t, full)
	account := idmap.Account{ID: "G", Username: "staff", Email: "person@example.com"}
	w.connections().putAccounts("mail", account) // accounts and groups do not mix
	put := func(g idmap.Group) {
		w.update(func(tx store.Tx) error { return tx.PutGroups(w.ctx, "mail", []idmap.Group{g}) })
	}
	put(full)
	for _, keys := range []store.DirectoryKeys{
		{IDs: []string{"G"}}, {AddressKeys: []string{"staff@example.com"}}, {AddressKeys: []string{"all@example.com", "all@example.com"}},
	} {
		equal(w.t, "found", w.groups("mail", keys), []idmap.Group{full})
	}
	nothing(w.t, "an account's", w.groups("mail", store.DirectoryKeys{
		UserKeys: []string{"staff", "g"}, AddressKeys: []string{"person@example.com"},
	}))
	nothing(w.t, "a group's", w.accounts("mail", store.DirectoryKeys{AddressKeys: []string{"all@example.com"}}))
	put(idmap.Group{ID: "G", Name: "staff"})
	equal(w.t, "replaced", w.groups("mail", store.DirectoryKeys{IDs: []string{"G"}}), []idmap.Group{{ID: "G", Name: "staff"}})
	nothing(w.t, "old address", w.groups("mail", store.DirectoryKeys{AddressKeys: []string{"all@example.com"}}))
}

func testManyAccounts(w world) {
	const n = 2500 // more than any engine takes in one statement
	accounts := make([]idmap.Account, n)
	var keys, byID, byName store.DirectoryKeys
	for i := range accounts {
		name := fmt.Sprintf("u%05d", i)
		accounts[i] = idmap.Account{ID: name, Username: "X" + name, Email: name + "@example.com", Aliases: []string{name + "@example.org"}, Name: "Name of " + name}
		keys.AddressKeys = append(keys.AddressKeys, name+"@example.org")
		keys.UserKeys = append(keys.UserKeys, "x"+name)
		byName.NameKeys = append(byName.NameKeys, "name of "+name)
		byID.IDs = append(byID.IDs, name)
	}
	w.connections().putAccounts("mail", accounts...)
	w.putAccounts("mail", accounts...) // again, over what is there
	equal(w.t, "by address and user id", w.accounts("mail", keys), accounts)
	equal(w.t, "by id", w.accounts("mail", byID), accounts)
	equal(w.t, "by name", w.accounts("mail", byName), accounts)
	equal(w.t, "count", read(w, func(r store.Reader) (int, error) {
		return r.CountAccounts(w.ctx, "mail", idmap.DirectoryFilter{})
	}), n)
}
