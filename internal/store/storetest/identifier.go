package storetest

import (
	"errors"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var identifierTests = map[string]func(world){
	"ids that differ in a byte are different accounts":       testIdentifierAccounts,
	"ids that differ in a byte are different groups":         testIdentifierGroups,
	"ids that differ in a byte are different connections":    testIdentifierConnections,
	"user ids and emails are told apart by canonical form":   testIdentifierMappings,
	"ledger addresses and idempotency keys differ in a byte": testIdentifierKeys,
	"ids that differ in a byte are different maps and jobs":  testIdentifierMaps,
	"ids that differ in a byte are different map items":      testIdentifierItems,
	"what cannot be text is not found and not stored":        testIdentifierNotText,
	"what cannot be text is not found in or stored of maps":  testIdentifierMapNotText,
	"the longest names are stored":                           testIdentifierLongest,
}

// oddIDs are ids that something would mix up: a collation, a trim, a normalization, a pattern, a format, a quote.
var oddIDs = []string{
	"alice", "Alice", "ALICE", "alice ", " alice", "alice\t", "alice\n", "aliće", "alic\u0301e", "alicé", "alice\u0301",
	"é", "e\u0301", "İ", "i", "I", "ı", "i\u0307", "ß", "ss", "SS", "ẞ", "ſ", "s", "K", "\u212a", "Å", "\u212b", "ﬁ", "fi",
	"😀", "👩\u200d👩\u200d👧", "👩👩👧", "שלום", "\u200fשלום", "مرحبا", "日本語", "\ufeffa", "\U0010ffff", "\uffff",
	"'; DROP TABLE user_mappings; --", `"; DELETE FROM accounts; --`, `\`, `\\`, `'`, `''`, `"`, "%", "_", "a%", "a_", "ab",
	"?", "$1", "$2", ":id", "@id", "{{key}}", "NULL", "null", "0", "00", "0.0", "1e0", "true", "--", "/*", "(*)", "\x01", "\x7f",
	"10", "9", "a-b", "a b", "ab-", "a.b", "a'b",
	strings.Repeat("x", 255), strings.Repeat("x", 254) + "y", strings.Repeat("😀", 60),
}

func oddInOrder() []string {
	ids := slices.Clone(oddIDs)
	slices.Sort(ids) // by bytes
	return ids
}

func testIdentifierAccounts(w world) {
	w.connections()
	accounts := make([]idmap.Account, len(oddIDs))
	for i, id := range oddInOrder() {
		accounts[i] = idmap.Account{ID: id, Username: id, Name: id, Aliases: []string{id}}
	}
	shuffled := slices.Clone(accounts)
	slices.Reverse(shuffled)
	w.putAccounts("mail", shuffled...)
	equal(w.t, "by id", w.accounts("mail", store.DirectoryKeys{IDs: oddIDs}), accounts)
	equal(w.t, "the list", read(w, func(r store.Reader) ([]idmap.Account, error) {
		return r.ListAccounts(w.ctx, "mail", idmap.DirectoryFilter{}, all)
	}), accounts)
	for _, a := range accounts {
		equal(w.t, "one by one", w.accounts("mail", store.DirectoryKeys{IDs: []string{a.ID}}), []idmap.Account{a})
	}
}

func testIdentifierGroups(w world) {
	w.connections()
	groups := make([]idmap.Group, len(oddIDs))
	for i, id := range oddInOrder() {
		groups[i] = idmap.Group{ID: id, Name: id, Caption: id}
	}
	w.update(func(tx store.Tx) error { return tx.PutGroups(w.ctx, "mail", groups) })
	equal(w.t, "by id", w.groups("mail", store.DirectoryKeys{IDs: oddIDs}), groups)
	equal(w.t, "the list", read(w, func(r store.Reader) ([]idmap.Group, error) {
		return r.ListGroups(w.ctx, "mail", idmap.DirectoryFilter{}, all)
	}), groups)
}

func testIdentifierConnections(w world) {
	connections := make([]idmap.Connection, len(oddIDs))
	w.update(func(tx store.Tx) error {
		for i, id := range oddInOrder() {
			connections[i] = connection(id)
			connections[i].Name = "Name " + string(rune('A'+i/26)) + string(rune('A'+i%26))
			connections[i].MailDomain = id
			if err := tx.InsertConnection(w.ctx, connections[i]); err != nil {
				return err
			}
		}
		return nil
	})
	equal(w.t, "the list", read(w, func(r store.Reader) ([]idmap.Connection, error) {
		return r.ListConnections(w.ctx, idmap.ConnectionFilter{}, all)
	}), connections)
	for _, c := range connections {
		w.putAccounts(c.ID, idmap.Account{ID: "a", Name: c.ID})
	}
	for _, c := range connections {
		equal(w.t, "account", w.accounts(c.ID, store.DirectoryKeys{IDs: []string{"a"}}), []idmap.Account{{ID: "a", Name: c.ID}})
	}
}

// testIdentifierMappings stores the canonical user ids of the odd ones, each once, under their own ids and emails.
func testIdentifierMappings(w world) {
	w.connections()
	var mappings []store.UserMapping
	seen := map[string]bool{}
	for i, id := range oddInOrder() {
		key, err := idmap.CanonicalUserID(id)
		if err != nil || seen[key] {
			continue
		}
		seen[key] = true
		m := mapping(id, "a@example.com", id)
		m.Email = id
		m.EmailCanonical = key + "@" + string(rune('a'+i%26)) + ".example.com"
		mappings = append(mappings, m)
	}
	w.insert(mappings...)
	equal(w.t, "stored", w.mappings(), mappings)
	for _, m := range mappings {
		equal(w.t, "by email", w.found(store.UserMappingKeys{
			Emails: []store.EmailKey{{EmailScope: "app", EmailKey: m.EmailCanonical}},
		}), []string{m.ID})
		again := mapping("again", "again@example.com", "  "+strings.ToUpper(m.UserID))
		if again.UserKey() == m.UserKey() {
			w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertUserMappings(w.ctx, []store.UserMapping{again}) })
		}
	}
}

func testIdentifierKeys(w world) {
	var claims []store.EmailClaim
	for _, id := range oddIDs {
		claims = append(claims, store.EmailClaim{
			ID: "e" + id, ConnectionID: "mail", AddressKey: id, Address: id, SeenBy: idmap.SeenByDirectory,
			Holders: []idmap.EmailHolder{holder(id, id, id)},
		})
		w.request(record(id, id), "o"+id)
	}
	w.claim(claims...)
	for _, id := range oddIDs {
		e := w.entry(id)
		equal(w.t, "entry", e.ID, "e"+id)
		equal(w.t, "holders", e.Holders, []idmap.EmailHolder{holder(id, id, id)})
		equal(w.t, "records", w.records(id, oddIDs...), []store.IdempotencyRecord{answered(record(id, id), "o"+id)})
	}
}

func testIdentifierNotText(w world) {
	w.connections()
	for _, bad := range []string{"a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80"} {
		keys := store.DirectoryKeys{IDs: []string{bad}, UserKeys: []string{bad}, AddressKeys: []string{bad}, NameKeys: []string{bad}}
		nothing(w.t, "accounts", w.accounts("mail", keys))
		nothing(w.t, "accounts", w.accounts(bad, store.DirectoryKeys{IDs: []string{"a"}}))
		nothing(w.t, "connections", w.connection(bad))
		equal(w.t, "mappings", w.found(store.UserMappingKeys{IDs: []string{bad}, Emails: []store.EmailKey{{EmailScope: bad, EmailKey: bad}}}), []string{})
		nothing(w.t, "entries", w.entries(bad))
		nothing(w.t, "records", w.records(bad, bad))
		for _, f := range []idmap.UserMappingFilter{{Query: bad}, {Domain: bad}, {ConnectionID: bad}, {UserKey: bad}} {
			checkList(w, "", f, func(m idmap.UserMapping) string { return m.ID },
				func(r store.Reader) ([]idmap.UserMapping, error) { return r.ListUserMappings(w.ctx, f, all) },
				func(r store.Reader) (int, error) { return r.CountUserMappings(w.ctx, f) })
		}
		nothing(w.t, "page after it", read(w, func(r store.Reader) ([]idmap.Connection, error) {
			return r.ListConnections(w.ctx, idmap.ConnectionFilter{}, idmap.Page{After: bad, Limit: 9})
		}))
		err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.PutAccounts(w.ctx, "mail", []idmap.Account{{ID: "a", Name: bad}}) })
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
			w.t.Errorf("storing %q answers %v, want an error that no repetition cures", bad, err)
		}
		nothing(w.t, "stored", w.accounts("mail", store.DirectoryKeys{IDs: []string{"a"}}))
	}
}

// testIdentifierLongest stores the longest texts that the rules let through, of four bytes a character.
func testIdentifierLongest(w world) {
	long := func(n int) string { // no two neighbours alike, so that nothing compresses it
		runes := make([]rune, n)
		for i := range runes {
			runes[i] = rune(0x20000 + i*2654435761%40000)
		}
		return string(runes)
	}
	c := connection("long")
	c.Name = long(idmap.MaxNameLength)
	w.connections()
	w.update(func(tx store.Tx) error { return tx.InsertConnection(w.ctx, c) })
	equal(w.t, "connection", w.connection("long"), []idmap.Connection{c})
	c.ID = "longer"
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertConnection(w.ctx, c) })

	m := mapping("m", "a@example.com", long(idmap.MaxUserIDLength))
	m.Email = long(idmap.MaxEmailLength-len("@example.com")) + "@example.com"
	m.EmailCanonical, _ = idmap.CanonicalEmail(m.Email)
	w.insert(m)
	equal(w.t, "mapping", w.mappings(), []store.UserMapping{m})

	a := idmap.Account{ID: long(idmap.MaxUserIDLength), Username: m.UserID, Email: m.Email, Name: c.Name}
	w.putAccounts("mail", a)
	equal(w.t, "account", w.accounts("mail", store.DirectoryKeys{AddressKeys: []string{m.EmailCanonical}}), []idmap.Account{a})
	equal(w.t, "account by name", w.accounts("mail", store.DirectoryKeys{NameKeys: []string{idmap.NameKey(c.Name)}}), []idmap.Account{a})
	g := idmap.Group{ID: a.ID, Name: c.Name, Caption: long(idmap.MaxNameLength - 1)}
	w.update(func(tx store.Tx) error { return tx.PutGroups(w.ctx, "mail", []idmap.Group{g}) })
	equal(w.t, "group by caption", w.groups("mail", store.DirectoryKeys{NameKeys: []string{idmap.NameKey(g.Caption)}}), []idmap.Group{g})
	w.claim(claim("e", m.Email, holder("app", a.ID, m.UserID)))
	equal(w.t, "holders", w.entry(m.EmailCanonical).Holders, []idmap.EmailHolder{holder("app", a.ID, m.UserID)})
	longest := someMap("m")
	longest.Name = c.Name
	item := idmap.MapItem{ID: "i", Role: idmap.RoleException, Subject: *principal(a.ID, c.Name), Target: *principal(a.ID, c.Name)}
	w.insertMaps(idmap.AccountMap, longest).putItems("m", item)
	equal(w.t, "map", w.maps(idmap.AccountMap, "m"), []idmap.Map{longest})
	equal(w.t, "items", w.items("m"), []idmap.MapItem{item})
}
