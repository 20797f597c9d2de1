package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestMaps(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.MapCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			verdict := rulestest.JudgeMap(c)
			rulestest.CheckMap(t, c, verdict)
			if verdict.Map != nil {
				rulestest.CheckStoredMap(t, c, *verdict.Map)
			}
		})
	}
}

func TestEveryMapCodeHasACase(t *testing.T) {
	t.Parallel()
	seen := map[idmap.Code]bool{
		// Of jobs and of effects: the tests below.
		idmap.CodeConnectionMismatch: true, idmap.CodeMapInUse: true,
		idmap.CodeMapNotRetroactive: true, idmap.CodeMapChangesResults: true, idmap.CodeMapIncomplete: true,
	}
	names := map[string]bool{}
	for _, c := range rulestest.MapCases() {
		for _, code := range append(slices.Clone(c.Refused), c.Warned...) {
			seen[code] = true
		}
		if names[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		names[c.Name] = true
	}
	codes := idmap.Codes()
	first := slices.IndexFunc(codes, func(c idmap.CodeInfo) bool { return c.Code == idmap.CodeNoMatchOption })
	last := slices.IndexFunc(codes, func(c idmap.CodeInfo) bool { return c.Code == idmap.CodeSignInDisabled })
	for _, info := range codes[first:last] {
		if !seen[info.Code] {
			t.Errorf("no case shows %s", info.Code)
		}
	}
}

func TestMapSentences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"account map: an unknown source", `Exception "jane.do@contoso.com": connection "Old Files" has no such account. Did you mean jane.doe@contoso.com (Jane Doe)`},
		{"account map: one of two twins", `Exception "Sam Twin": connection "Old Files" has 2 such accounts: sam.one@contoso.com (Sam Twin, id s-twin-1) and sam.two@contoso.com (Sam Twin, id s-twin-2). Name one by its id.`},
		{"account map: to one of two twins", `Exception "jane.doe": connection "New Files" has 2 accounts "Sam Twin": `},
		{"account map: one source twice, by two of its names", `Exception "jdoe@contoso.com": exception "jane.doe" is about the same account already, jane.doe@contoso.com (Jane Doe, id s-jane). Keep one of the two.`},
		{"group map: to Box, by a name", `Exception "sales": "sales" is not the group's id, and connection "Box Files" is on platform box, which finds groups by id only. Name it "bg-sales".`},
		{"group map: an exception without a source", `Exception 1: nothing names a group here. Give an id, or a name.`},
		{"group map: an unknown source", `Did you mean sg-sales (sales)`},
	} {
		i := slices.IndexFunc(rulestest.MapCases(), func(m rulestest.MapCase) bool { return m.Name == c.name })
		if got := idmap.Sentences(rulestest.JudgeMap(rulestest.MapCases()[i]).Violations); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestCheckMapAlone: what a configuration breaks is said before anything is known of the world, and nothing else is.
func TestCheckMapAlone(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.MapCases() {
		alone := rules.CheckMap(c.Kind, c.Want)
		all := rulestest.JudgeMap(c).Violations
		for _, v := range alone {
			if !slices.ContainsFunc(all, func(x idmap.Violation) bool {
				return x.Code == v.Code && x.Field == v.Field && x.Description == v.Description
			}) {
				t.Errorf("%s: alone it is refused with %v, and in the world with %v", c.Name, v, all)
			}
		}
	}
	m := rulestest.MapBetween("", "")
	if found := rules.CheckMap(idmap.AccountMap, m); len(found) > 0 {
		t.Errorf("a map whose connections are not known yet is refused: %v", found)
	}
	twice := []idmap.MapException{{Source: idmap.Principal{Name: "001a"}, Destination: idmap.Principal{Name: "a"}}, {Source: idmap.Principal{Name: "001a"}, Destination: idmap.Principal{Name: "b"}}}
	m.Exceptions = &twice
	if found := rules.CheckMap(idmap.AccountMap, m); len(found) != 1 || found[0].Code != idmap.CodeDuplicateException || found[0].Field != "exceptions[1].source" {
		t.Errorf("one source twice: got %v, want duplicate_exception at exceptions[1].source", found)
	}
	twice[1].Source.Name = "001A" // which may be another id
	if found := rules.CheckMap(idmap.AccountMap, m); len(found) > 0 {
		t.Errorf("two ids that differ by case are refused: %v", found)
	}
}

func TestItemsKeepTheirIDs(t *testing.T) {
	t.Parallel()
	pair := func(id, source, destination string) idmap.MapException {
		return idmap.MapException{ID: id, Source: idmap.Principal{Name: source}, Destination: idmap.Principal{Name: destination}}
	}
	before := []idmap.MapException{pair("", "jane.doe", "jane.doe"), pair("", "john.roe", "john.roe")}
	for _, c := range []struct {
		name string
		want []idmap.MapException
		ids  []string
	}{
		{"the same", before, []string{"item-0", "item-1"}},
		{"swapped destinations", []idmap.MapException{pair("", "jane.doe", "john.roe"), pair("", "john.roe", "jane.doe")}, []string{"item-0", "item-1"}},
		{"another name of the same", []idmap.MapException{pair("", "jdoe@contoso.com", "jane.doe")}, []string{"item-0"}},
		{"a new one before", []idmap.MapException{pair("", "lea.ver", "lea.ver"), pair("", "john.roe", "john.roe")}, []string{"", "item-1"}},
		{"an item becomes another's", []idmap.MapException{pair("item-0", "lea.ver", "lea.ver")}, []string{"item-0"}},
		{"an id that is taken", []idmap.MapException{pair("item-1", "lea.ver", "lea.ver"), pair("", "john.roe", "john.roe")}, []string{"", "item-1"}},
		{"an id that nobody gave", []idmap.MapException{pair("mine", "lea.ver", "lea.ver")}, []string{""}},
	} {
		stored, want := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles), rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
		stored.Exceptions, want.Exceptions = &before, &c.want
		verdict := rulestest.JudgeMap(rulestest.MapCase{Kind: idmap.AccountMap, Before: &stored, Want: want})
		if verdict.Map == nil {
			t.Fatalf("%s: %v", c.name, verdict.Violations)
		}
		var got []string
		for _, e := range *verdict.Map.Exceptions {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, c.ids) {
			t.Errorf("%s: items have the ids %q, want %q", c.name, got, c.ids)
		}
	}
}

func TestMapClaimsItsName(t *testing.T) {
	t.Parallel()
	one, two := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles), rulestest.MapBetween(rulestest.OldFiles, rulestest.BoxFiles)
	two.Name = " STAFF"
	first := rulestest.JudgeMap(rulestest.MapCase{Kind: idmap.AccountMap, Want: one})
	second := rulestest.JudgeMap(rulestest.MapCase{Kind: idmap.AccountMap, Want: two})
	if len(first.Claims) != 1 || !slices.Equal(first.Claims, second.Claims) {
		t.Errorf("the claims are %q and %q, want one that is the same", first.Claims, second.Claims)
	}
}

// largeChange is a map of so many exceptions, and a fifth as many exclusions, none of which is stored.
func largeChange(exceptions int) rules.MapChange {
	entries := map[string][]match.Entry{}
	m := rulestest.MapBetween("s", "d")
	for i := range exceptions * 2 {
		for _, side := range []string{"s", "d"} {
			entries[side] = append(entries[side], match.AccountEntry(idmap.Account{
				ID: fmt.Sprintf("%s-%d", side, i), Username: fmt.Sprintf("user%d", i), Name: fmt.Sprintf("User Number %d", i),
				Email: fmt.Sprintf("user%d@%s.example", i, side),
			}))
		}
	}
	for i := range exceptions {
		*m.Exceptions = append(*m.Exceptions, idmap.MapException{
			Source: idmap.Principal{Name: fmt.Sprintf("user%d@s.example", i)}, Destination: idmap.Principal{Name: fmt.Sprintf("user%d", i)},
		})
	}
	for i := range exceptions / 5 {
		*m.Exclusions = append(*m.Exclusions, idmap.MapExclusion{
			Location: idmap.LocationDestination, SID: idmap.Principal{Name: fmt.Sprintf("d-%d", exceptions+i)},
		})
	}
	return rules.MapChange{
		Kind: idmap.AccountMap, After: m,
		Source:      &idmap.Connection{ID: "s", Name: "S", Platform: idmap.PlatformRef{ID: "generic"}},
		Destination: &idmap.Connection{ID: "d", Name: "D", Platform: idmap.PlatformRef{ID: "generic"}},
		Sources:     match.NewIndex(idmap.AccountMap, entries["s"]), Destinations: match.NewIndex(idmap.AccountMap, entries["d"]),
	}
}

func TestManyItemsAtFault(t *testing.T) {
	t.Parallel()
	c := largeChange(1500)
	c.Sources = match.NewIndex(idmap.AccountMap, nil)
	found := rules.CheckMapChange(c).Violations
	if len(found) != 1001 {
		t.Fatalf("%d violations, want 1000 and one that counts the rest", len(found))
	}
	if last := found[1000]; last.Code != idmap.CodeUnknownAccount || last.Field != "exceptions" || !strings.Contains(last.Description, "(500)") {
		t.Errorf("the last violation is %v, want unknown_account of 500 more", last)
	}
}

func TestTooManyItems(t *testing.T) {
	t.Parallel()
	m := rulestest.MapBetween("", "")
	exclusions := slices.Repeat([]idmap.MapExclusion{{Location: idmap.LocationSource}}, idmap.MaxMapItems+1)
	m.Exclusions = &exclusions
	found := rules.CheckMap(idmap.AccountMap, m)
	if len(found) != 1 || found[0].Code != idmap.CodeInvalid || found[0].Field != "exclusions" {
		t.Errorf("got %d violations, the first of which is %v, want one at exclusions", len(found), found[:1])
	}
}

func BenchmarkCheckMapChange(b *testing.B) {
	for _, items := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("exceptions=%d", items), func(b *testing.B) {
			create := largeChange(items)
			update := create
			verdict := rules.CheckMapChange(create)
			if update.Before = verdict.Map; update.Before == nil {
				b.Fatal(idmap.Sentences(verdict.Violations))
			}
			for name, change := range map[string]rules.MapChange{"create": create, "update": update} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						rules.CheckMapChange(change)
					}
				})
			}
		})
	}
}

func TestEffect(t *testing.T) {
	t.Parallel()
	totals := idmap.MapTotals{
		Sources: 20, ByResolution: map[idmap.Resolved]int{idmap.ResolvedEmail: 17, idmap.Unresolved: 3}, ByReason: map[idmap.Reason]int{idmap.ReasonAmbiguous: 1},
	}
	m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	for _, c := range []struct {
		name   string
		effect idmap.MapEffect
		create bool
		want   []idmap.Code
	}{
		{"a create that resolves all", idmap.MapEffect{Totals: idmap.MapTotals{Sources: 20}}, true, nil},
		{"a create that does not", idmap.MapEffect{Totals: totals}, true, []idmap.Code{idmap.CodeMapIncomplete}},
		{"an update that changes nothing", idmap.MapEffect{Totals: totals}, false, nil},
		{"an update that changes some", idmap.MapEffect{Totals: totals, Changed: 2}, false, []idmap.Code{idmap.CodeMapChangesResults}},
		{"an update of what jobs used", idmap.MapEffect{Totals: totals, Changed: 2, Jobs: 3}, false, []idmap.Code{idmap.CodeMapChangesResults, idmap.CodeMapNotRetroactive}},
	} {
		got := rules.WarnOfEffect(idmap.AccountMap, m, c.effect, c.create)
		if !slices.Equal(rulestest.CodesOf(got), c.want) {
			t.Errorf("%s: warned of %v, want %v", c.name, got, c.want)
		}
	}
	const want = `Of 20 accounts of the source, account map "Staff" leaves 3 unresolved. 1 account matched several, which decides nothing. What they own is left out of a transfer. See its report, and add exceptions, match options or a default.`
	if got := idmap.Sentences(rules.WarnOfEffect(idmap.AccountMap, m, idmap.MapEffect{Totals: totals}, true)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGuestsAreKnownByTheirUsernames(t *testing.T) {
	t.Parallel()
	for username, want := range map[string]bool{
		"gus_partner.example#EXT#@contoso.onmicrosoft.com": true, "gus_partner.example#ext#@contoso.onmicrosoft.com": true, "gus#ext": false, "": false,
	} {
		if got := rules.CompleteAccount(idmap.Connection{}, idmap.Account{ID: "x", Username: username}).External; got != want {
			t.Errorf("username %q: external is %v, want %v", username, got, want)
		}
	}
	if !rules.CompleteAccount(idmap.Connection{}, idmap.Account{ID: "x", External: true}).External {
		t.Error("an account that is said to be a guest is none any more")
	}
}
