package match_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// destinations are those that the cases look in.
func destinations() []match.Entry {
	return []match.Entry{
		account(idmap.Account{ID: "1", Username: "JANE", Email: "jane@x.com", Aliases: []string{"jd@x.com"}, Name: "Jane Doe"}),
		account(idmap.Account{ID: "2", Username: "JSMITH", Name: "John Smith"}),
		account(idmap.Account{ID: "3", Username: "JSMITH2", Name: "John Smith"}),
		account(idmap.Account{ID: "4", Username: "mwebb", Email: "michael.webb@new.com", Name: "Michael Webb"}),
		account(idmap.Account{ID: "5", Username: "out", Name: "Oscar Out"}),
		account(idmap.Account{ID: "6", Username: "off", Name: "Oda Off", Disabled: true}),
		gone(account(idmap.Account{ID: "7", Username: "left", Name: "Leo Left"})),
		account(idmap.Account{ID: "8", Username: "stub", Name: "Stub", UserType: idmap.UserTypeStub}),
		account(idmap.Account{ID: "9", Username: "svc01", Name: "Backup Service 01"}),
		account(idmap.Account{ID: "10", Username: "alee", Name: "Anna-Maria Lee"}),
		account(idmap.Account{ID: "11", Username: "alee2", Name: "Anna Maria Lee"}),
	}
}

func to(id string) idmap.Principal { return idmap.Principal{ID: id, Name: "name-" + id} }

// items returns a map with an exception of x to the target, and who is excluded on either side.
func items(target string, sources, others []string) idmap.Map {
	var all []idmap.MapItem
	if target != "" {
		all = append(all, idmap.MapItem{Role: idmap.RoleException, Subject: to("x"), Target: to(target)})
	}
	for _, id := range sources {
		all = append(all, idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: to(id)})
	}
	for _, id := range others {
		all = append(all, idmap.MapItem{Role: idmap.RoleDestinationExclusion, Subject: to(id)})
	}
	return idmap.Map{}.WithItems(all)
}

func TestResolveAccounts(t *testing.T) {
	t.Parallel()
	all := idmap.MapBy{Default: true}
	jane := idmap.Account{ID: "x", Username: "jane", Email: "jane@x.com", Name: "Jane Doe"}
	smith := idmap.Account{ID: "x", Name: "John Smith"}
	nobody := idmap.Account{ID: "x", Name: "Zoe Zebra"}
	guest := idmap.Account{ID: "x", Email: "jane@x.com", External: true}
	fuzzy := idmap.MapBy{Name: true, Fuzzy: true}
	for _, c := range []struct {
		name    string
		of      idmap.Account
		m       idmap.Map
		by      idmap.MapBy
		policy  idmap.UnmappedPolicy
		standIn string // the default
		want    string // resolution, destination, reason
		message string
	}{
		{name: "source exclusion wins over all", of: jane, m: items("2", []string{"x"}, nil), by: all, want: "Excluded", message: "The map excludes it."},
		{name: "exception wins over rules", of: jane, m: items("2", nil, nil), by: all, want: "Exception 2", message: "An exception maps it to JSMITH."},
		{name: "exception to a disabled account", of: jane, m: items("6", nil, nil), by: all, want: "Exception 6 disabled", message: "An exception maps it to off."},
		{name: "exception to one that left", of: jane, m: items("7", nil, nil), by: all, standIn: "1", want: "Unresolved destination_deleted", message: "An exception maps it to name-7, which has left the directory; it is left out."},
		{name: "exception to one that was never there", of: jane, m: items("70", nil, nil), by: all, want: "Unresolved destination_deleted", message: "An exception maps it to name-70, which has left the directory; it is left out."},
		{name: "id before email", of: idmap.Account{ID: "2", Email: "jane@x.com"}, by: all, want: "ID 2", message: "Same id 2."},
		{name: "email", of: idmap.Account{ID: "x", Username: "jsmith", Email: "JANE@x.com"}, by: all, want: "Email 1", message: "Same email jane@x.com."},
		{name: "alias against alias", of: idmap.Account{ID: "x", Email: "other@y.com", Aliases: []string{"jd@x.com"}}, by: all, want: "Email 1", message: "Same email jd@x.com."},
		{name: "emails of two", of: idmap.Account{ID: "x", Email: "jane@x.com", Aliases: []string{"michael.webb@new.com"}}, by: all, want: "Unresolved ambiguous", message: "Its emails are those of different accounts: JANE and mwebb; it is left out."},
		{name: "username", of: idmap.Account{ID: "x", Username: "jsmith", Name: "Jane Doe"}, by: all, want: "Username 2", message: "Same username jsmith."},
		{name: "name", of: idmap.Account{ID: "x", Name: "jane  doe"}, by: all, want: "Name 1", message: `Same name "jane  doe".`},
		{name: "a stub", of: idmap.Account{ID: "x", Name: "Stub"}, by: all, want: "Name 8 stub", message: `Same name "Stub".`},
		{name: "only what is selected", of: jane, by: idmap.MapBy{Name: true}, want: "Name 1", message: `Same name "Jane Doe".`},
		{name: "two of one name decide nothing", of: smith, by: all, want: "Unresolved ambiguous", message: `Two accounts have the name "John Smith": JSMITH and JSMITH2; it is left out.`},
		{name: "a weaker rule decides where a stronger one cannot", of: idmap.Account{ID: "x", Email: "jane@x.com", Aliases: []string{"michael.webb@new.com"}, Username: "mwebb"}, by: all, want: "Username 4", message: "Same username mwebb."},
		{name: "disabled ones are no candidates", of: idmap.Account{ID: "x", Username: "off"}, by: all, want: "Unresolved destination_disabled", message: "It would be off (Username), which is disabled; it is left out."},
		{name: "nor are those that left", of: idmap.Account{ID: "x", Username: "left"}, by: all, want: "Unresolved destination_deleted", message: "It would be left (Username), which has left the directory; it is left out."},
		{name: "an empty account", of: idmap.Account{ID: "x"}, by: all, want: "Unresolved no_candidate", message: "No account matches; it is left out."},
		{name: "a destination exclusion ends the search", of: idmap.Account{ID: "x", Username: "jane", Name: "Michael Webb"}, m: items("", nil, []string{"1"}), by: all, want: "Unresolved destination_excluded", message: "It would be JANE (Username), which the map excludes; it is left out."},
		{name: "an excluded twin is still a twin", of: smith, m: items("", nil, []string{"3"}), by: all, want: "Unresolved ambiguous", message: `Two accounts have the name "John Smith": JSMITH and JSMITH2; it is left out.`},
		{name: "fail", of: nobody, by: all, policy: idmap.UnmappedFail, want: "Unresolved no_candidate", message: "No account matches; the transfer of what it owns fails."},
		{name: "passthrough", of: nobody, by: all, policy: idmap.UnmappedPassthrough, want: "Passthrough no_candidate", message: "No account matches; its name is handed over as it is."},
		{name: "passthrough as an option", of: smith, by: idmap.MapBy{Name: true, Passthrough: true}, want: "Passthrough ambiguous", message: `Two accounts have the name "John Smith": JSMITH and JSMITH2; its name is handed over as it is.`},
		{name: "the default comes first", of: nobody, by: all, policy: idmap.UnmappedFail, standIn: "2", want: "Default 2 no_candidate", message: "No account matches; the default takes its place: JSMITH."},
		{name: "the default left", of: nobody, by: all, policy: idmap.UnmappedPassthrough, standIn: "7", want: "Unresolved destination_deleted", message: "No account matches; the default takes its place: name-7, which has left the directory; it is left out."},
		{name: "a guest, never looked for", of: guest, by: idmap.MapBy{Email: true, ExternalPassthrough: true}, want: "External", message: "It is a guest and is kept as it is."},
		{name: "a guest, looked for first", of: guest, by: idmap.MapBy{Email: true, ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveFirst}, want: "Email 1", message: "Same email jane@x.com."},
		{name: "a guest, looked for in vain", of: guest, by: idmap.MapBy{Name: true, ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveFirst}, standIn: "2", want: "External no_candidate", message: "No account matches; it is a guest and is kept as it is."},
		{name: "a guest that is not retained", of: guest, by: all, want: "Email 1", message: "Same email jane@x.com."},
		{name: "fuzzy: a slip", of: idmap.Account{ID: "x", Name: "Micheal Webb"}, by: fuzzy, want: "Fuzzy 4", message: `The only account like it is "Michael Webb" (mwebb), with a score of 0.976.`},
		{name: "fuzzy: the order of words", of: idmap.Account{ID: "x", Name: "Webb, Michael"}, by: fuzzy, want: "Fuzzy 4", message: `The only account like it is "Michael Webb" (mwebb), with a score of 1.000.`},
		{name: "fuzzy: a twin", of: idmap.Account{ID: "x", Name: "Smith, John"}, by: fuzzy, want: "Unresolved ambiguous", message: `Two accounts are almost equally like it: "John Smith" (JSMITH) and "John Smith" (JSMITH2), with scores of 1.000 and 1.000; it is left out.`},
		{name: "fuzzy: another given name", of: idmap.Account{ID: "x", Name: "Rachel Webb"}, by: fuzzy, want: "Unresolved below_threshold", message: `The likest account is "Michael Webb" (mwebb), with a score of 0.757, and 0.9 is required; it is left out.`},
		{name: "fuzzy: another number is another account", of: idmap.Account{ID: "x", Name: "Backup Service 02"}, by: fuzzy, want: "Unresolved no_candidate", message: "No account matches; it is left out."},
		{name: "fuzzy: an address that contradicts", of: idmap.Account{ID: "x", Name: "Micheal Webb", Email: "peter.parker@old.com"}, by: idmap.MapBy{Name: true, Email: true, Fuzzy: true}, want: "Unresolved below_threshold", message: `The likest account is "Michael Webb" (mwebb), with a score of 0.578, and 0.9 is required; it is left out.`},
		{name: "fuzzy: an address of another domain", of: idmap.Account{ID: "x", Name: "Micheal Webb", Email: "micheal.webb@old.com"}, by: idmap.MapBy{Name: true, Email: true, Fuzzy: true}, want: "Fuzzy 4", message: `The only account like it is "Michael Webb" (mwebb), with a score of 0.976.`},
		{name: "fuzzy: two mailboxes of one domain", of: idmap.Account{ID: "x", Name: "Micheal Webb", Email: "micheal.webb@new.com"}, by: idmap.MapBy{Name: true, Email: true, Fuzzy: true}, want: "Unresolved below_threshold", message: `The likest account is "Michael Webb" (mwebb), with a score of 0.769, and 0.9 is required; it is left out.`},
		{name: "fuzzy: an excluded candidate", of: idmap.Account{ID: "x", Name: "Micheal Webb"}, m: items("", nil, []string{"4"}), by: fuzzy, want: "Unresolved destination_excluded", message: "It would be mwebb (Fuzzy), which the map excludes; it is left out."},
		{name: "fuzzy: a lower threshold", of: idmap.Account{ID: "x", Name: "M Webb"}, by: idmap.MapBy{Name: true, Fuzzy: true, FuzzyThreshold: new(0.8)}, want: "Fuzzy 4", message: `The only account like it is "Michael Webb" (mwebb), with a score of 0.850.`},
		{name: "fuzzy: no margin", of: idmap.Account{ID: "x", Name: "Annna Maria Lee"}, by: fuzzy, want: "Unresolved ambiguous", message: `Two accounts are almost equally like it: "Anna-Maria Lee" (alee) and "Anna Maria Lee" (alee2), with scores of 0.968 and 0.968; it is left out.`},
		{name: "fuzzy keeps the reason of a stronger rule", of: smith, by: fuzzy, want: "Unresolved ambiguous", message: `Two accounts have the name "John Smith": JSMITH and JSMITH2; it is left out.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.m.MapBy, c.m.UnmappedPolicy = c.by, c.policy
			if c.standIn != "" {
				standIn := to(c.standIn)
				c.m.Destination.Default = &standIn
			}
			r := match.NewResolver(c.m, match.NewIndex(idmap.AccountMap, destinations())).Resolve(account(c.of))
			if got := brief(r); got != c.want || r.Message != c.message {
				t.Errorf("got  %s: %s\nwant %s: %s", got, r.Message, c.want, c.message)
			}
			if (r.Score != 0) != (r.Resolution == idmap.ResolvedFuzzy) {
				t.Errorf("%s has the score %v", r.Resolution, r.Score)
			}
		})
	}
}

func brief(r idmap.Resolution) string {
	parts := []string{string(r.Resolution)}
	if r.Destination != nil {
		parts = append(parts, r.Destination.ID)
	}
	if r.Reason != "" {
		parts = append(parts, string(r.Reason))
	}
	if r.Disabled {
		parts = append(parts, "disabled")
	}
	if r.Stub {
		parts = append(parts, "stub")
	}
	return strings.Join(parts, " ")
}

func TestResolveGroups(t *testing.T) {
	t.Parallel()
	index := match.NewIndex(idmap.GroupMap, []match.Entry{
		match.GroupEntry(idmap.Group{ID: "g1", Name: "sales", Caption: "Sales Team"}),
		match.GroupEntry(idmap.Group{ID: "g2", Name: "ops", Caption: "Everybody"}),
		match.GroupEntry(idmap.Group{ID: "g3", Name: "all", Caption: "Everybody"}),
	})
	for _, c := range []struct {
		of   idmap.Group
		by   idmap.MapBy
		want string
	}{
		{idmap.Group{ID: "g1", Name: "ops"}, idmap.MapBy{Default: true}, "ID g1: Same id g1."},
		{idmap.Group{ID: "x", Name: "SALES"}, idmap.MapBy{Default: true}, `Name g1: Same name "SALES".`},
		{idmap.Group{ID: "x", Caption: "sales team"}, idmap.MapBy{Default: true}, `Caption g1: Same caption "sales team".`},
		{idmap.Group{ID: "x", Caption: "Everybody"}, idmap.MapBy{Caption: true}, `Unresolved ambiguous: Two groups have the caption "Everybody": ops and all; it is left out.`},
		{idmap.Group{ID: "x", Name: "sale"}, idmap.MapBy{Name: true, Fuzzy: true}, "Unresolved no_candidate: No group matches; it is left out."},
	} {
		r := match.NewResolver(idmap.Map{MapBy: c.by}, index).Resolve(match.GroupEntry(c.of))
		if got := brief(r) + ": " + r.Message; got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}

func TestMessagesStayShort(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("ü", 300)
	var entries []match.Entry
	for i := range 50 {
		entries = append(entries, account(idmap.Account{ID: fmt.Sprint(i), Username: fmt.Sprintf("%02d\u202e%s", i, name), Name: name}))
	}
	r := match.NewResolver(idmap.Map{MapBy: idmap.MapBy{Name: true}}, match.NewIndex(idmap.AccountMap, entries))
	message := r.Resolve(account(idmap.Account{ID: "x", Name: name})).Message
	if n := utf8.RuneCountInString(message); n > 300 || !strings.HasPrefix(message, "50 accounts have the name") {
		t.Errorf("%d characters: %s", n, message)
	}
	if strings.Contains(message, "\u202e") {
		t.Errorf("the message has what cannot be seen: %q", message)
	}
}

func TestFuzzyKnowsNames(t *testing.T) {
	t.Parallel()
	by := idmap.MapBy{Name: true, Fuzzy: true}
	directory := func(names ...string) *match.Index {
		var entries []match.Entry
		for i, name := range names {
			entries = append(entries, account(idmap.Account{ID: fmt.Sprint(i), Name: name}))
		}
		return match.NewIndex(idmap.AccountMap, entries)
	}
	var common []string
	for i := range 2000 {
		common = append(common, fmt.Sprintf("John Surname%c%c", 'a'+i%26, 'a'+i/26), fmt.Sprintf("Given%c%c Smith", 'a'+i%26, 'a'+i/26))
	}
	for _, c := range []struct {
		name  string
		index *match.Index
		of    string
		want  string
	}{
		{"a slip", directory("Christina Poe"), "Chritsina Poe", "Fuzzy 0"},
		{"a man and a woman", directory("Christina Poe"), "Christian Poe", "Unresolved below_threshold"},
		{"relatives", directory("Ольга Иванова"), "Ольгаа Иванов", "Unresolved below_threshold"},
		{"perhaps a slip", directory("Kyle Webb"), "Kylie Webb", "Fuzzy 0"},
		{"two names", directory("Kyle Webb", "Kyle Roe", "Kylie Doe"), "Kylie Webb", "Unresolved below_threshold"},
		{"another ending is no slip", directory("Jessica Thomison"), "Jessica Thomas", "Unresolved below_threshold"},
		{"a single word is nobody's name", directory("Michael"), "Micheal", "Unresolved below_threshold"},
		{"a rare name in a large directory", directory(append(common, "Leopold Bloom")...), "Leopold Blooom", "Fuzzy 4000"},
		{"a common name in a large directory", directory(append(common, "John Smith")...), "John Smiht", "Unresolved below_threshold"},
		{"accents", directory("José Núñez"), "Nunez, Jose", "Fuzzy 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := match.NewResolver(idmap.Map{MapBy: by}, c.index).Resolve(account(idmap.Account{ID: "x", Name: c.of}))
			if got := brief(r); got != c.want {
				t.Errorf("%s: got %s, want %s: %s", c.of, got, c.want, r.Message)
			}
		})
	}
}

func TestSameResult(t *testing.T) {
	t.Parallel()
	to := func(id string, by idmap.Resolved) idmap.Resolution {
		return idmap.Resolution{ID: "s", Resolution: by, Destination: &idmap.Principal{ID: id}, Message: string(by)}
	}
	none := func(by idmap.Resolved) idmap.Resolution {
		return idmap.Resolution{ID: "s", Resolution: by, Message: string(by)}
	}
	for _, c := range []struct {
		a, b idmap.Resolution
		want bool
	}{
		{to("1", idmap.ResolvedID), to("1", idmap.ResolvedException), true},
		{to("1", idmap.ResolvedID), to("2", idmap.ResolvedID), false},
		{to("1", idmap.ResolvedID), none(idmap.Unresolved), false},
		{none(idmap.ResolvedExcluded), none(idmap.Unresolved), true},
		{none(idmap.ResolvedExternal), none(idmap.ResolvedPassthrough), true},
		{none(idmap.ResolvedExternal), none(idmap.Unresolved), false},
	} {
		if match.SameResult(c.a, c.b) != c.want || match.SameResult(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %v", brief(c.a), brief(c.b), c.want)
		}
	}
}
