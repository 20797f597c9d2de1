package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// stageMap stores a map of two connections and returns its id.
func (s scenario) stageMap(kind idmap.MapKind, from, to string, m idmap.Map) string {
	s.Helper()
	m.Source.Connection.ID, m.Destination.Connection.ID = from, to
	made, _, err := s.server.Client.CreateMap(s.ctx(), kind, "", m)
	s.must(err)
	return made.ID
}

// pairs are exceptions: source, destination, source, destination, and so on.
func pairs(names ...string) *[]idmap.MapException {
	all := []idmap.MapException{}
	for pair := range slices.Chunk(names, 2) {
		all = append(all, idmap.MapException{Source: idmap.Principal{Name: pair[0]}, Destination: idmap.Principal{Name: pair[1]}})
	}
	return &all
}

// stageConnection stores a connection with its directory and returns its id.
func (s scenario) stageConnection(name, accounts, groups string) string {
	s.Helper()
	c := s.server.Client
	made, err := c.CreateConnection(s.ctx(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: "generic"}})
	s.must(err)
	if accounts != "" {
		_, err = c.ImportAccounts(s.ctx(), made.ID, 0, "text/csv", []byte(accounts))
		s.must(err)
	}
	if groups != "" {
		_, err = c.ImportGroups(s.ctx(), made.ID, 0, "text/csv", []byte(groups))
		s.must(err)
	}
	return made.ID
}

// The two directories of these tests: of nine accounts and four groups, to others.
const (
	oldAccounts = `id,username,email,name,external
o-jane,jane,jane@example.com,Jane Doe,
o-john,john,john@example.com,John Roe,
o-twin,twin,,Sam Twin,
o-bot,bot,,Robot,
o-guest,,guest@partner.example,Guest,true
o-lost,lost,,Nobody Knows,
o-boss,boss,,The Boss,
o-same1,same1,,Same Name,
o-same2,same2,,Same Name,
`
	newAccounts = `id,username,email,name,user_type,disabled
n-jane,JDOE,jane@EXAMPLE.com,Jane D,,
n-john,JROE,,john roe,stub,
n-twin1,T1,,Sam Twin,,
n-twin2,T2,,Sam Twin,,
n-boss,BOSS2,,Boss,,true
n-robot,ROBOT,,Robot,,
n-default,DEFAULT,,Takes All,,
`
	oldGroups = `id,name,caption,addresses
og-1,team,The Team,team@example.com
og-2,sales,Sales,
og-3,twins,Twins,
og-4,hidden,Hidden,
`
	newGroups = `id,name,caption
ng-1,TEAM,Team
ng-2,sellers,sales
ng-3,twins,A
ng-4,Twins,B
`
)

// stagedMaps are an account map and a group map between two connections.
type stagedMaps struct{ from, to, accounts, groups string }

func (s scenario) stageMaps() stagedMaps {
	s.Helper()
	staged := stagedMaps{from: s.stageConnection("Old", oldAccounts, oldGroups), to: s.stageConnection("New", newAccounts, newGroups)}
	same := func(id string) idmap.MapException {
		return idmap.MapException{Source: idmap.Principal{ID: id, Name: "Same Name"}, Destination: idmap.Principal{Username: "JDOE"}}
	}
	exceptions := append(*pairs("boss", "BOSS2"), same("o-same1"), same("o-same2"))
	staged.accounts = s.stageMap(idmap.AccountMap, staged.from, staged.to, idmap.Map{
		Name: "People", Exceptions: &exceptions,
		MapBy: idmap.MapBy{Name: true, Email: true, Fuzzy: true, FuzzyThreshold: new(0.95), ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveFirst},
		Exclusions: &[]idmap.MapExclusion{
			{Location: idmap.LocationSource, SID: idmap.Principal{Name: "bot"}},
			{Location: idmap.LocationDestination, SID: idmap.Principal{Name: "ROBOT"}},
		},
	})
	staged.groups = s.stageMap(idmap.GroupMap, staged.from, staged.to, idmap.Map{
		Name: "Teams", MapBy: idmap.MapBy{Default: true}, UnmappedPolicy: idmap.UnmappedFail,
		Destination: idmap.MapEnd{Default: &idmap.Principal{Name: "sellers"}},
		Exclusions:  &[]idmap.MapExclusion{{Location: idmap.LocationSource, SID: idmap.Principal{Name: "hidden"}}},
	})
	return staged
}

func TestAccMapDataSources(t *testing.T) {
	s := newScenario(t)
	staged := s.stageMaps()
	config := fmt.Sprintf(`
data "idmap_account_map" "by_id" {
  id = %[1]q
}
data "idmap_account_map" "by_name" {
  name = "PEOPLE"
}
data "idmap_group_map" "by_id" {
  id = %[2]q
}
data "idmap_group_map" "by_name" {
  name = "Teams"
}
data "idmap_account_maps" "all" {}
data "idmap_account_maps" "none" {
  query = "teams"
}
data "idmap_account_maps" "ends" {
  query                     = "eop"
  source_connection_id      = %[3]q
  destination_connection_id = %[4]q
}
data "idmap_account_maps" "other_way" {
  source_connection_id = %[4]q
}
data "idmap_group_maps" "all" {}
data "idmap_group_maps" "other_way" {
  destination_connection_id = %[3]q
}
`, staged.accounts, staged.groups, staged.from, staged.to)
	attr, none := resource.TestCheckResourceAttr, resource.TestCheckNoResourceAttr
	people, teams := "data.idmap_account_map.by_id", "data.idmap_group_map.by_id"
	s.run(resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(
		attr(people, "name", "People"), attr("data.idmap_account_map.by_name", "id", staged.accounts),
		attr(people, "source_connection_id", staged.from), attr(people, "destination_connection_id", staged.to),
		attr(people, "match.ids", "false"), attr(people, "match.names", "true"), attr(people, "match.usernames", "false"), attr(people, "match.emails", "true"),
		attr(people, "fuzzy.threshold", "0.95"), attr(people, "external_users.retain", "true"), attr(people, "external_users.resolve_first", "true"),
		attr(people, "exceptions.%", "3"), attr(people, "exceptions.boss", "BOSS2"),
		attr(people, "exceptions.o-same1", "JDOE"), attr(people, "exceptions.o-same2", "JDOE"),
		attr(people, "source_exclusions.#", "1"), attr(people, "source_exclusions.0", "bot"), attr(people, "destination_exclusions.0", "ROBOT"),
		none(people, "default_account"), attr(people, "unmapped_policy", "skip"), attr(people, "revision", "1"),

		attr(teams, "name", "Teams"), attr("data.idmap_group_map.by_name", "id", staged.groups),
		attr(teams, "match.ids", "true"), attr(teams, "match.names", "true"), attr(teams, "match.captions", "true"),
		attr(teams, "exceptions.%", "0"), attr(teams, "source_exclusions.0", "hidden"), attr(teams, "destination_exclusions.#", "0"),
		attr(teams, "default_group", "sellers"), attr(teams, "unmapped_policy", "fail"),

		attr("data.idmap_account_maps.all", "account_maps.#", "1"), attr("data.idmap_account_maps.all", "account_maps.0.id", staged.accounts),
		attr("data.idmap_account_maps.all", "account_maps.0.unmapped_policy", "skip"),
		attr("data.idmap_account_maps.none", "account_maps.#", "0"),
		attr("data.idmap_account_maps.ends", "account_maps.0.name", "People"),
		attr("data.idmap_account_maps.other_way", "account_maps.#", "0"),
		attr("data.idmap_group_maps.all", "group_maps.0.name", "Teams"), attr("data.idmap_group_maps.all", "group_maps.0.revision", "1"),
		attr("data.idmap_group_maps.other_way", "group_maps.#", "0"),
	)})
}

func TestAccMapDataSourcesRefuse(t *testing.T) {
	s := newScenario(t)
	staged := s.stageMaps()
	report := func(lines ...string) string {
		return fmt.Sprintf("data \"idmap_account_map_report\" \"x\" {\n  map_id = %q\n  %s\n}\n", staged.accounts, strings.Join(lines, "\n  "))
	}
	var steps []resource.TestStep
	for _, test := range []struct{ config, summary, words string }{
		{`data "idmap_account_map" "x" {}`, "Missing Attribute Configuration", ""},
		{"data \"idmap_account_map\" \"x\" {\n id = \"a\"\n name = \"b\"\n}", "Invalid Attribute Combination", ""},
		{`data "idmap_account_map" "x" { name = " " }`, "Invalid Value", "blank"},
		{`data "idmap_account_map" "x" { name = "Teams" }`, "Object Not Found", `account map called "Teams"`},
		{fmt.Sprintf(`data "idmap_group_map" "x" { id = %q }`, staged.accounts), "Object Not Found", "group map with the id"},
		{`data "idmap_account_map_report" "x" { map_id = "nothing" }`, "Object Not Found", `account map with the id "nothing"`},
		{fmt.Sprintf(`data "idmap_group_map_report" "x" { map_id = %q }`, staged.accounts), "Object Not Found", "group map with the id"},
		{report(`query = "jane"`), "Invalid Attribute Combination", "include_rows"},
		{report(`resolutions = ["Magic"]`, `include_rows = true`), "Invalid Attribute Value Match", "Magic"},
		{report(`reason = "magic"`, `include_rows = true`), "Invalid Attribute Value Match", "no_candidate"},
	} {
		steps = append(steps, resource.TestStep{Config: test.config, PlanOnly: true, ExpectError: refusal(test.summary, "", test.words)})
	}
	s.run(steps...)
}

// TestAccMapDataSourcesOnPlatform: a DryvIQ platform, which is what has no capabilities, shows its maps. It has no report,
// and the reader is told so.
func TestAccMapDataSourcesOnPlatform(t *testing.T) {
	s := newScenario(t)
	staged := s.stageMaps()
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		ours := strings.HasSuffix(r.URL.Path, "/capabilities") || strings.HasSuffix(r.URL.Path, "/report")
		if ours {
			w.WriteHeader(http.StatusNotFound)
		}
		return ours
	})
	config := `
data "idmap_account_map" "people" {
  name = "people"
}
data "idmap_group_maps" "all" {
  query = "team"
}
`
	attr, none := resource.TestCheckResourceAttr, resource.TestCheckNoResourceAttr
	people := "data.idmap_account_map.people"
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(
			attr(people, "id", staged.accounts), attr(people, "match.emails", "true"), attr(people, "match.ids", "false"),
			attr(people, "exceptions.%", "3"), attr(people, "exceptions.boss", "BOSS2"), attr(people, "source_exclusions.0", "bot"),
			attr(people, "external_users.retain", "true"), none(people, "fuzzy.threshold"), none(people, "revision"),
			attr("data.idmap_group_maps.all", "group_maps.0.id", staged.groups),
		)},
		resource.TestStep{
			Config: fmt.Sprintf("data \"idmap_account_map_report\" \"x\" {\n  map_id = %q\n}\n", staged.accounts), PlanOnly: true,
			ExpectError: refusal("Server Has No Reports", "", "DryvIQ platform", "Remove the data source"),
		},
	)
}

func TestSubjectTexts(t *testing.T) {
	t.Parallel()
	item := func(id, name string) idmap.MapItem {
		return idmap.MapItem{Subject: idmap.Principal{ID: id, Name: name}}
	}
	for _, test := range []struct {
		items []idmap.MapItem
		want  []string
	}{
		{nil, []string{}},
		{[]idmap.MapItem{item("1", "a"), item("2", "b"), item("c", "c"), item("4", "")}, []string{"a", "b", "c", "4"}},
		{[]idmap.MapItem{item("1", "a"), item("2", "a"), item("3", "b")}, []string{"1", "2", "b"}},
		{[]idmap.MapItem{item("1", "a"), item("2", "a"), item("3", "1")}, []string{"1", "2", "3"}}, // the id of one is the name of another
		{[]idmap.MapItem{item("", "a"), item("", "b")}, []string{"a", "b"}},
	} {
		if got := subjectTexts(test.items); !slices.Equal(got, test.want) {
			t.Errorf("%v: %q, want %q", test.items, got, test.want)
		}
	}
}
