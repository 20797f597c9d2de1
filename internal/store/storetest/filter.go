package storetest

import (
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var filterTests = map[string]func(world){
	"accounts":                           testFilterAccounts,
	"groups":                             testFilterGroups,
	"user mappings":                      testFilterMappings,
	"ledger entries":                     testFilterEntries,
	"a query of a megabyte":              testFilterLong,
	"no character of a query is special": testFilterSpecial,
}

func yes() *bool { b := true; return &b }

func no() *bool { b := false; return &b }

func testFilterAccounts(w world) {
	w.connections().putAccounts("mail",
		idmap.Account{ID: "1", Username: "Alice", Email: "alice@example.com", Aliases: []string{"info@MÜLLER.de"}, Name: "Alice Große"},
		idmap.Account{ID: "2", Username: "bob", Email: "bob@example.com", Name: "Bob", DeletedOn: at(1)},
		idmap.Account{ID: "3", Email: "carol@example.com", GivenName: "Zed", Surname: "Zed"})
	w.putAccounts("mail2", idmap.Account{ID: "4", Username: "alice", Email: "alice@example.com"})
	for _, c := range []struct {
		want   string
		filter idmap.DirectoryFilter
	}{
		{"1 2 3", idmap.DirectoryFilter{}},
		{"1 3", idmap.DirectoryFilter{Deleted: no()}},
		{"2", idmap.DirectoryFilter{Deleted: yes()}},
		{"1", idmap.DirectoryFilter{UserKey: "alice"}},
		{"3", idmap.DirectoryFilter{UserKey: "3"}},
		{"", idmap.DirectoryFilter{UserKey: "Alice"}},
		{"1", idmap.DirectoryFilter{AddressKey: "info@xn--mller-kva.de"}},
		{"2", idmap.DirectoryFilter{AddressKey: "bob@example.com"}},
		{"", idmap.DirectoryFilter{AddressKey: "bob@example.com", Deleted: no()}},
		{"1", idmap.DirectoryFilter{Query: "grosse"}},
		{"1", idmap.DirectoryFilter{Query: "müller"}},
		{"1", idmap.DirectoryFilter{Query: "xn--mller"}},
		{"1 2 3", idmap.DirectoryFilter{Query: "example.c"}},
		{"2", idmap.DirectoryFilter{Query: "bob", Deleted: yes()}},
		{"3", idmap.DirectoryFilter{Query: "3"}},
		{"", idmap.DirectoryFilter{Query: "zed"}},
	} {
		checkList(w, c.want, c.filter, func(a idmap.Account) string { return a.ID },
			func(r store.Reader) ([]idmap.Account, error) { return r.ListAccounts(w.ctx, "mail", c.filter, all) },
			func(r store.Reader) (int, error) { return r.CountAccounts(w.ctx, "mail", c.filter) })
	}
}

func testFilterGroups(w world) {
	w.connections()
	w.update(func(tx store.Tx) error {
		return tx.PutGroups(w.ctx, "mail", []idmap.Group{
			{ID: "1", Name: "staff", Caption: "All Staff", Addresses: []string{"Staff@example.com"}},
			{ID: "2", Name: "sales", Caption: "Sales", Addresses: []string{"sales@example.com"}, DeletedOn: at(1)},
		})
	})
	for _, c := range []struct {
		want   string
		filter idmap.DirectoryFilter
	}{
		{"1 2", idmap.DirectoryFilter{}},
		{"1", idmap.DirectoryFilter{Deleted: no()}},
		{"2", idmap.DirectoryFilter{Deleted: yes()}},
		{"1", idmap.DirectoryFilter{AddressKey: "staff@example.com"}},
		{"1 2", idmap.DirectoryFilter{UserKey: "ignored"}},
		{"1", idmap.DirectoryFilter{Query: "all st"}},
		{"2", idmap.DirectoryFilter{Query: "sales@"}},
	} {
		checkList(w, c.want, c.filter, func(g idmap.Group) string { return g.ID },
			func(r store.Reader) ([]idmap.Group, error) { return r.ListGroups(w.ctx, "mail", c.filter, all) },
			func(r store.Reader) (int, error) { return r.CountGroups(w.ctx, "mail", c.filter) })
	}
}

func (w world) checkMappings(want string, f idmap.UserMappingFilter) {
	w.t.Helper()
	checkList(w, want, f, func(m idmap.UserMapping) string { return m.ID },
		func(r store.Reader) ([]idmap.UserMapping, error) { return r.ListUserMappings(w.ctx, f, all) },
		func(r store.Reader) (int, error) { return r.CountUserMappings(w.ctx, f) })
}

func testFilterMappings(w world) {
	one := mapping("m1", "Alice@Example.com", "AL")
	one.Source.Account = idmap.RefTo("x")
	two := mapping("m2", "bob@müller.de", "bob")
	two.Destination.Account, two.Origin = idmap.RefTo("x"), idmap.OriginSignIn
	three := mapping("m3", "carol@mail.example.com", "al")
	three.Source.Connection.ID, three.Destination.Connection.ID, three.EmailScope = "app", "app2", "app2"
	w.connections().insert(one, two, three)
	for _, c := range []struct {
		want   string
		filter idmap.UserMappingFilter
	}{
		{"m1 m2 m3", idmap.UserMappingFilter{}},
		{"m1 m2 m3", idmap.UserMappingFilter{ConnectionID: "app"}},
		{"m1 m2", idmap.UserMappingFilter{ConnectionID: "mail"}},
		{"m3", idmap.UserMappingFilter{SourceConnectionID: "app"}},
		{"m1 m2", idmap.UserMappingFilter{DestinationConnectionID: "app"}},
		{"", idmap.UserMappingFilter{SourceConnectionID: "app", DestinationConnectionID: "app"}},
		{"m1", idmap.UserMappingFilter{EmailKey: "alice@example.com"}},
		{"", idmap.UserMappingFilter{EmailKey: "Alice@Example.com"}},
		{"m1 m3", idmap.UserMappingFilter{UserKey: "al"}},
		{"m1 m2", idmap.UserMappingFilter{AccountID: "x"}},
		{"m2", idmap.UserMappingFilter{Origin: idmap.OriginSignIn}},
		{"m1", idmap.UserMappingFilter{Domain: "example.com"}},
		{"m3", idmap.UserMappingFilter{Domain: "mail.example.com"}},
		{"m2", idmap.UserMappingFilter{Domain: "xn--mller-kva.de"}},
		{"", idmap.UserMappingFilter{Domain: "com"}},
		{"m2", idmap.UserMappingFilter{Query: "müller"}},
		{"m1 m3", idmap.UserMappingFilter{Query: "example"}},
	} {
		w.checkMappings(c.want, c.filter)
	}
}

func testFilterEntries(w world) {
	w.claim(claim("e1", "Alice@Example.com", holder("app", "x", "alice")), claim("e2", "bob@example.com", holder("mail", "m", "")))
	w.release(w.entry("alice@example.com"))
	w.claim(claim("e3", "alice@example.com", holder("app", "y", "ann")))
	other := claim("e4", "zoe@müller.de", holder("app", "x", "alice"))
	other.ConnectionID = "mail2"
	w.claim(other)
	for _, c := range []struct {
		want   string
		filter idmap.EmailAssignmentFilter
	}{
		{"e1 e2 e3 e4", idmap.EmailAssignmentFilter{}},
		{"e1 e2 e3", idmap.EmailAssignmentFilter{ConnectionID: "mail"}},
		{"e1 e3", idmap.EmailAssignmentFilter{AddressKey: "alice@example.com"}},
		{"e3", idmap.EmailAssignmentFilter{AddressKey: "alice@example.com", Released: no()}},
		{"e1", idmap.EmailAssignmentFilter{Released: yes()}},
		{"e1 e4", idmap.EmailAssignmentFilter{Holder: "alice"}},
		{"e1 e4", idmap.EmailAssignmentFilter{Holder: "x"}},
		{"e2", idmap.EmailAssignmentFilter{Holder: "m"}},
		{"", idmap.EmailAssignmentFilter{Holder: "app"}},
		{"e4", idmap.EmailAssignmentFilter{Query: "müller"}},
		{"e1 e2 e3", idmap.EmailAssignmentFilter{Query: "@example"}},
	} {
		checkList(w, c.want, c.filter, func(e idmap.EmailAssignment) string { return e.ID },
			func(r store.Reader) ([]idmap.EmailAssignment, error) {
				return r.ListEmailAssignments(w.ctx, c.filter, all)
			},
			func(r store.Reader) (int, error) { return r.CountEmailAssignments(w.ctx, c.filter) })
	}
}

func testFilterLong(w world) {
	w.connections().insert(people(1)...)
	w.checkMappings("", idmap.UserMappingFilter{Query: strings.Repeat("u", 1<<20)})
	w.checkMappings("", idmap.UserMappingFilter{Query: strings.Repeat("%", 1<<16)})
	w.checkMappings("", idmap.UserMappingFilter{Domain: strings.Repeat("u", 1<<20)})
}

func testFilterSpecial(w world) {
	w.connections()
	texts := []string{"100%", "a_b", `a\b`, "axb", `\%`, "a'b", "a*b", "a?b", "[ab]", "1000"}
	for i, text := range texts {
		w.insert(mapping(string(rune('a'+i)), string(rune('a'+i))+"@example.com", text))
	}
	for query, want := range map[string]string{
		"100%": "a", "a_b": "b", `a\b`: "c", "%": "a e", `\`: "c e", `\%`: "e", "a'b": "f", "a*b": "g", "a?b": "h", "[ab]": "i", "_": "b",
	} {
		w.checkMappings(want, idmap.UserMappingFilter{Query: query})
	}
}
