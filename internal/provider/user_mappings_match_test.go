package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// entriesOf returns the entries of a map as Terraform has it.
func entriesOf(t *testing.T, of emails) []mappingEntry {
	t.Helper()
	values := map[string]tftypes.Value{}
	for user, email := range of {
		values[user] = tftypes.NewValue(tftypes.String, nil)
		if email != "" {
			values[user] = tftypes.NewValue(tftypes.String, email)
		}
	}
	entries, err := entriesFrom(tftypes.NewValue(theMappings, values))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestChangesOf: which mapping each entry is. Names of users are known of those that are listed, by their prior keys.
func TestChangesOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prior, wanted, calls emails
		want                 string // prior key > key of each that is written, -key of each that goes, +key of each that comes
	}{
		"a key that is gone":                          {emails{"A": "a"}, emails{"B": "a"}, nil, "A>B"},
		"another person":                              {emails{"A": "a"}, emails{"B": "b"}, nil, "-A +B"},
		"another email":                               {emails{"A": "a"}, emails{"A": "b"}, nil, "A>A"},
		"a chain of which nothing is known":           {emails{"A": "a", "B": "b"}, emails{"B": "a", "C": "b"}, nil, "-A B>B +C"},
		"a chain of renames":                          {emails{"A": "a", "B": "b"}, emails{"B": "a", "C": "b"}, emails{"A": "B", "B": "C"}, "A>B B>C"},
		"a chain whose end nobody knows":              {emails{"A": "a", "B": "b"}, emails{"B": "a", "C": "b"}, emails{"A": "b"}, "A>B B>C"},
		"a chain whose beginning nobody knows":        {emails{"A": "a", "B": "b"}, emails{"B": "a", "C": "b"}, emails{"B": "c"}, "A>B B>C"},
		"a swap of which nothing is known":            {emails{"A": "a", "B": "b"}, emails{"A": "b", "B": "a"}, nil, "A>A B>B"},
		"a swap of names":                             {emails{"A": "a", "B": "b"}, emails{"A": "b", "B": "a"}, emails{"A": "B", "B": "A"}, "A>B B>A"},
		"a swap that the configuration does not know": {emails{"A": "a", "B": "b"}, emails{"A": "a", "B": "b"}, emails{"A": "B", "B": "A"}, ""},
		"a ring":                                   {emails{"A": "a", "B": "b", "C": "c"}, emails{"A": "c", "B": "a", "C": "b"}, emails{"A": "B", "B": "C", "C": "A"}, "A>B B>C C>A"},
		"an old key for somebody else":             {emails{"A": "a"}, emails{"A": "x", "B": "a"}, emails{"A": "B"}, "A>B +A"},
		"an old key that stays":                    {emails{"A": "a"}, emails{"A": "x", "B": "a"}, nil, "A>A +B"},
		"an old key of one who goes":               {emails{"A": "a", "B": "b"}, emails{"B": "a"}, emails{"A": "B"}, "A>B -B"},
		"emails and names change":                  {emails{"A": "a", "B": "b"}, emails{"B": "x", "C": "y"}, emails{"A": "B", "B": "C"}, "A>B B>C"},
		"emails follow, of which nothing is known": {emails{"A": "", "B": ""}, emails{"B": "", "C": ""}, nil, "-A +C"},
		"emails follow":                            {emails{"A": "", "B": ""}, emails{"B": "", "C": ""}, emails{"A": "B", "B": "C"}, "A>B B>C"},
		"emails follow two":                        {emails{"A": "", "B": "", "C": ""}, emails{"B": "", "C": "", "D": ""}, emails{"A": "B", "B": "C", "C": "D"}, "A>B B>C C>D"},
		"the last of those that follow is unknown": {emails{"A": "", "B": ""}, emails{"B": "", "C": ""}, emails{"B": "C"}, "-A +C"},
		"one more than before":                     {emails{"B": "", "C": ""}, emails{"A": "", "B": "", "C": ""}, emails{"B": "A", "C": "B"}, "+A"},
		"one less than before":                     {emails{"A": "", "B": ""}, emails{"B": ""}, emails{"A": "B", "B": "C"}, "-A"},
		"one follows behind one that does not":     {emails{"A": "a", "B": ""}, emails{"B": "a", "C": ""}, emails{"A": "B", "B": "C"}, "A>B B>C"},
		"one does not follow behind one that does": {emails{"A": "", "B": "b"}, emails{"B": "", "C": "b"}, emails{"A": "B", "B": "C"}, "A>B B>C"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owned := ownedMappings{}
			for key := range c.prior {
				owned[strings.ToLower(key)] = ownedMapping{ID: key}
			}
			got := changesOf(entriesOf(t, c.prior), entriesOf(t, c.wanted), owned, func(e mappingEntry, _ ownedMapping) string { return c.calls[e.key] })
			var all []string
			for _, w := range got.written {
				switch {
				case w.creates():
					all = append(all, "+"+w.to.key)
				case w.owned.ID != w.from.key:
					t.Errorf("%s is taken for the mapping %s", w.from.key, w.owned.ID)
				default:
					all = append(all, w.from.key+">"+w.to.key)
				}
			}
			for _, r := range got.removed {
				all = append(all, "-"+r.from.key)
			}
			want := strings.Fields(c.want)
			slices.Sort(all)
			slices.Sort(want)
			if !slices.Equal(all, want) || len(got.kept) != len(c.wanted)-len(got.written) {
				t.Errorf("got %v and %d that stay, want %v", all, len(got.kept), want)
			}
		})
	}
}

// renames is a file of the application that knows these people, each by an id, under their names.
func (s scenario) renames(file string, names map[string]string) {
	s.Helper()
	rows := []string{"id,username"}
	for _, id := range slices.Sorted(maps.Keys(names)) {
		rows = append(rows, id+","+names[id])
	}
	s.write(file, rows...)
}

// TestAccUserMappingsNamesPass: names pass from one user to another, as the file of the same apply says. Each mapping keeps
// its account, and none is made or deleted but where somebody comes or goes.
func TestAccUserMappingsNamesPass(t *testing.T) {
	t.Parallel()
	before, named := `A = "a@example.com", B = "b@example.com", C = "c@example.com"`, map[string]string{"a-1": "A", "a-2": "B", "a-3": "C"}
	for name, c := range map[string]struct {
		after string
		named map[string]string
		ids   map[string]string // key before of each key after that is the same mapping
	}{
		"chain": {`B = "a@example.com", C = "b@example.com", D = "c@example.com"`, map[string]string{"a-1": "B", "a-2": "C", "a-3": "D"}, map[string]string{"B": "A", "C": "B", "D": "C"}},
		"ring":  {`B = "a@example.com", C = "b@example.com", A = "c@example.com"`, map[string]string{"a-1": "B", "a-2": "C", "a-3": "A"}, map[string]string{"B": "A", "C": "B", "A": "C"}},
		"swap":  {`B = "a@example.com", A = "b@example.com", C = "c@example.com"`, map[string]string{"a-1": "B", "a-2": "A", "a-3": "C"}, map[string]string{"B": "A", "A": "B", "C": "C"}},
		"successor": {
			`B = "x@example.com", D = "b@example.com", A = "a@example.com", C = "c@example.com"`,
			map[string]string{"a-1": "A", "a-2": "D", "a-3": "C", "a-9": "B"},
			map[string]string{"A": "A", "D": "B", "C": "C"},
		},
		"one leaves": {`B = "a@example.com", C = "c@example.com"`, map[string]string{"a-1": "B", "a-3": "C"}, map[string]string{"B": "A", "C": "C"}},
	} {
		for _, authoritative := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, authoritative %t", name, authoritative), func(t *testing.T) {
				s := newScenario(t)
				file := s.file("sales.csv")
				s.renames(file, named)
				config := strings.Replace(company(authoritative), `"oracle_sales"`, fmt.Sprintf("\"oracle_sales\"\n  accounts_file = %q", file), 1)
				var had map[string]string
				s.run(
					resource.TestStep{Config: config + bulk("all", before)},
					resource.TestStep{
						PreConfig: func() { had = s.ids(); s.renames(file, c.named) },
						Config:    config + bulk("all", c.after),
						Check: func(*terraform.State) error {
							now := s.ids()
							for key, old := range c.ids {
								if now[key] != had[old] {
									return fmt.Errorf("ids were %v, and are %v", had, now)
								}
							}
							if want := strings.Count(c.after, "="); len(now) != want {
								return fmt.Errorf("there are %v, want %d", now, want)
							}
							return nil
						},
					},
					resource.TestStep{Config: config + bulk("all", c.after), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
				)
			})
		}
	}
}

// TestAccUserMappingsNamesPassUnproven: where nobody knows who is called what, names do not pass at once, and the refusal
// says how they do.
func TestAccUserMappingsNamesPassUnproven(t *testing.T) {
	s := newScenario(t)
	var had map[string]string
	after := func(entries string) resource.TestStep {
		return resource.TestStep{Config: connections + bulk("all", entries), Check: s.count(2)}
	}
	refused := func(entries, key, from string) resource.TestStep {
		return resource.TestStep{
			Config: connections + bulk("all", entries), PlanOnly: true,
			ExpectError: refusal("", "", `So far this is the email of the entry "`+from+`"`, `called "`+key+`" now`, "accounts_file", "rename one with each apply", "Code:"),
		}
	}
	s.run(
		after(`A = "a@example.com", B = "b@example.com"`),
		refused(`B = "a@example.com", C = "b@example.com"`, "B", "A"),
		refused(`B = "a@example.com", A = "b@example.com"`, "A", "B"),
		resource.TestStep{PreConfig: func() { had = s.ids() }, Config: connections + bulk("all", `A = "a@example.com", C = "b@example.com"`)},
		after(`B = "a@example.com", C = "b@example.com"`),
		resource.TestStep{
			Config: connections + bulk("all", `B = "a@example.com", C = "b@example.com"`), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
			Check: func(*terraform.State) error {
				if now := s.ids(); now["B"] != had["A"] || now["C"] != had["B"] {
					return fmt.Errorf("ids were %v, and are %v", had, now)
				}
				return nil
			},
		},
	)
}

// TestUserMappingsRefusedLosesNothing: an apply that nothing has checked before deletes no mapping whose email another entry
// was to get, and did not.
func TestUserMappingsRefusedLosesNothing(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, fields{"plan_checks": false})
	before := emails{"A": "a@example.com", "B": "b@example.com"}
	s.is(before)
	said := s.applies(t.Context(), s.configured(emails{"B": "a@example.com", "C": "b@example.com"}, nil))
	isSaid(t, said, "ERROR: Email Already in Use", "B", `email of the entry "A"`)
	s.agree(before)
}
