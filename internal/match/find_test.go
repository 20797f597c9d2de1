package match_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

func account(a idmap.Account) match.Entry { return match.AccountEntry(a) }

// gone returns the entry as one that has left the directory.
func gone(e match.Entry) match.Entry {
	e.Deleted = true
	return e
}

func ids(entries []match.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Principal.ID)
	}
	return strings.Join(all, " ")
}

func TestFindAccounts(t *testing.T) {
	t.Parallel()
	index := match.NewIndex(idmap.AccountMap, []match.Entry{
		account(idmap.Account{ID: "4", Username: "twin2", Name: "Tom Twin"}),
		account(idmap.Account{ID: "1", Username: "JANE", Email: "jane@x.com", Aliases: []string{"j@x.com"}, Name: "Jane Doe"}),
		account(idmap.Account{ID: "2", Username: "bob", Email: "bob@x.com", Name: "Bob Roe"}),
		account(idmap.Account{ID: "3", Username: "twin1", Name: "Tom Twin"}),
		gone(account(idmap.Account{ID: "0", Username: "jane", Name: "Jane Doe"})),
		gone(account(idmap.Account{ID: "9", Username: "old", Name: "Olga Old"})),
		account(idmap.Account{ID: "ann@x.com", Username: "ann", Name: "Ann"}),
		account(idmap.Account{ID: "7", Username: "other", Email: "ann@x.com"}),
	})
	for _, c := range []struct {
		name     string
		of       idmap.Principal
		want     string
		mismatch bool
	}{
		{name: "id", of: idmap.Principal{ID: "1"}, want: "1"},
		{name: "username, without regard to case", of: idmap.Principal{Username: " jane "}, want: "1"},
		{name: "email", of: idmap.Principal{Email: "SMTP:Jane@X.com"}, want: "1"},
		{name: "alias", of: idmap.Principal{Email: "j@x.com"}, want: "1"},
		{name: "name is a username", of: idmap.Principal{Name: "Bob"}, want: "2"},
		{name: "name is an address", of: idmap.Principal{Name: "bob@x.com"}, want: "2"},
		{name: "name is an id", of: idmap.Principal{Name: "2"}, want: "2"},
		{name: "name is an id and another's address", of: idmap.Principal{Name: "ann@x.com"}, want: "7 ann@x.com"},
		{name: "name is a display name", of: idmap.Principal{Name: "jane  DOE"}, want: "1"},
		{name: "caption is a display name", of: idmap.Principal{Caption: "Bob Roe"}, want: "2"},
		{name: "twins", of: idmap.Principal{Name: "Tom Twin"}, want: "3 4"},
		{name: "all parts name one", of: idmap.Principal{ID: "2", Username: "bob", Email: "bob@x.com", Name: "bob"}, want: "2"},
		{name: "a name that nobody has describes", of: idmap.Principal{Username: "bob", Name: "Bobby Roe"}, want: "2"},
		{name: "a display name contradicts a key", of: idmap.Principal{Username: "bob", Name: "Jane Doe"}, want: "1 2", mismatch: true},
		{name: "so does a caption", of: idmap.Principal{ID: "2", Caption: "Jane Doe"}, want: "1 2", mismatch: true},
		{name: "that of a twin does not", of: idmap.Principal{ID: "3", Caption: "Tom Twin"}, want: "3"},
		{name: "an id that nobody has never describes", of: idmap.Principal{ID: "77", Username: "bob"}},
		{name: "an id that is the name once more is none", of: idmap.Principal{ID: "bob", Name: "bob"}, want: "2"},
		{name: "so it is with a display name", of: idmap.Principal{ID: "Bob Roe", Name: "Bob Roe"}, want: "2"},
		{name: "no display name stands in for a username", of: idmap.Principal{Username: "nobody", Caption: "Bob Roe"}},
		{name: "nor for an address", of: idmap.Principal{Name: "bob.rowe@x.com", Caption: "Bob Roe"}},
		{name: "nor does a caption for a name", of: idmap.Principal{Name: "Nobody", Caption: "Bob Roe"}},
		{name: "an address of nobody describes", of: idmap.Principal{Username: "bob", Email: "nobody@x.com"}, want: "2"},
		{name: "the parts name two", of: idmap.Principal{ID: "1", Username: "bob"}, want: "1 2", mismatch: true},
		{name: "one part tells twins apart", of: idmap.Principal{Name: "ann@x.com", Username: "other"}, want: "7"},
		{name: "who left, by username", of: idmap.Principal{Username: "old"}, want: "9"},
		{name: "who left, by display name", of: idmap.Principal{Name: "Olga Old"}, want: "9"},
		{name: "who left, by id", of: idmap.Principal{ID: "0"}, want: "0"},
		{name: "who left, by id and a name that another has now", of: idmap.Principal{ID: "0", Username: "jane"}, want: "0"},
		{name: "who left is hidden by who is there", of: idmap.Principal{Name: "jane"}, want: "1"},
		{name: "nobody", of: idmap.Principal{Name: "nobody"}},
		{name: "nothing", of: idmap.Principal{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := index.Find(c.of)
			if ids(found.Entries) != c.want || found.Mismatch != c.mismatch || found.Count != len(found.Entries) {
				t.Errorf("got %q of %d, mismatch %v; want %q, %v", ids(found.Entries), found.Count, found.Mismatch, c.want, c.mismatch)
			}
		})
	}
}

func TestFindGroups(t *testing.T) {
	t.Parallel()
	index := match.NewIndex(idmap.GroupMap, []match.Entry{
		match.GroupEntry(idmap.Group{ID: "g1", Name: "sales", Caption: "The Sales Team", Addresses: []string{"sales@x.com"}}),
		match.GroupEntry(idmap.Group{ID: "g2", Name: "sales emea", Caption: "Sales"}),
		match.GroupEntry(idmap.Group{ID: "g3", Name: "ops", Caption: "Sales"}),
	})
	for _, c := range []struct {
		of   idmap.Principal
		want string
	}{
		{idmap.Principal{Name: "SALES  emea"}, "g2"},
		{idmap.Principal{Name: "sales"}, "g1"},
		{idmap.Principal{Name: "g3"}, "g3"},
		{idmap.Principal{Name: "sales@x.com"}, "g1"},
		{idmap.Principal{Name: "the sales team"}, "g1"},
		{idmap.Principal{Caption: "sales"}, "g1 g2 g3"},
		{idmap.Principal{Caption: "sales", Name: "ops"}, "g3"},
	} {
		if found := index.Find(c.of); ids(found.Entries) != c.want || found.Mismatch {
			t.Errorf("%+v: got %q, want %q", c.of, ids(found.Entries), c.want)
		}
	}
}

func TestFindBoundsWhatItHandsOut(t *testing.T) {
	t.Parallel()
	var entries []match.Entry
	for i := range 3 * match.MaxNamed {
		entries = append(entries, account(idmap.Account{ID: strings.Repeat("i", i+1), Name: "Service Account"}))
	}
	found := match.NewIndex(idmap.AccountMap, entries).Find(idmap.Principal{Name: "service account"})
	if found.Count != 3*match.MaxNamed || len(found.Entries) != match.MaxNamed {
		t.Errorf("got %d of %d, want %d of %d", len(found.Entries), found.Count, match.MaxNamed, 3*match.MaxNamed)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	entries := []match.Entry{
		account(idmap.Account{ID: "1", Username: "JSMITH", Email: "john.smith@x.com", Name: "John Smith"}),
		account(idmap.Account{ID: "2", Username: "jsmith2", Email: "jon.smith@x.com", Name: "Jon Smith"}),
		account(idmap.Account{ID: "3", Username: "mmiller", Email: "mary.miller@x.com", Name: "Mary Miller"}),
		gone(account(idmap.Account{ID: "4", Username: "mmuller", Name: "Mary Muller"})),
		account(idmap.Account{ID: "5", Username: `EX\\jdoe`, Email: "jane.doe@contoso.com", Name: "Jane Doe"}),
		account(idmap.Account{ID: "6", Username: `EX\\ivan`, Email: "ivan@contoso.com", Name: "Ivan Rossi"}),
		account(idmap.Account{ID: "7", Username: "svc-backup", Name: "Backup"}),
	}
	for _, c := range []struct{ text, want string }{
		{"jsmit", "1 2"},
		{"Mary Millar", "3"},
		{"Miller, Mary", "3"},
		{"mary.miler@x.com", "3"},
		{"mary.miller@y.com", "3"},
		{"John Smith", "1 2"},
		{"jdo", "5"},
		{`EX\jdo`, "5"},
		{"janedoe", "5"},
		{"jane.deo@contoso.com", "5"},
		{"Rossi", "6"},
		{"svc-backup1", "7"},
		{`EX\jan`, ""},
		{"archive@contoso.com", ""},
		{"zebra", ""},
		{"", ""},
	} {
		for range 2 {
			if got := ids(match.NewIndex(idmap.AccountMap, entries).Suggest(c.text, 2)); got != c.want {
				t.Errorf("%q: got %q, want %q", c.text, got, c.want)
			}
			slices.Reverse(entries)
		}
	}
	if got := match.NewIndex(idmap.AccountMap, entries).Suggest("john smith", 0); len(got) > 0 {
		t.Errorf("asked for none: got %q", ids(got))
	}
}
