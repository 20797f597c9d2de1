package provider

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	moveAddress  = "idmap_account_map.move"
	teamsAddress = "idmap_group_map.teams"
)

// withShares returns two connections, each with accounts and groups that come from files.
func (s scenario) withShares() string {
	s.Helper()
	file := func(name, content string) string { return s.file(name, strings.TrimSuffix(content, "\n")) }
	return shares(file("old.csv", oldAccounts), file("old-groups.csv", oldGroups), file("new.csv", newAccounts), file("new-groups.csv", newGroups))
}

func shares(oldFile, oldGroupsFile, newFile, newGroupsFile string) string {
	return fmt.Sprintf(`
resource "idmap_connection" "old" {
  name          = "Old Files"
  platform      = "network_file_share"
  accounts_file = %q
  groups_file   = %q
}
resource "idmap_connection" "new" {
  name          = "New Files"
  platform      = "sharepoint_online"
  accounts_file = %q
  groups_file   = %q
}
`, oldFile, oldGroupsFile, newFile, newGroupsFile)
}

// accountMap and groupMap are resources of those connections, with these arguments.
func accountMap(name string, lines ...string) string {
	return mapBlock("account", "move", name, lines...)
}

func groupMap(name string, lines ...string) string { return mapBlock("group", "teams", name, lines...) }

func mapBlock(kind, label, name string, lines ...string) string {
	return fmt.Sprintf(`
resource "idmap_%s_map" %q {
  name                      = %q
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  %s
}
`, kind, label, name, strings.Join(lines, "\n  "))
}

const (
	byNames = `match = { names = true }`
	// Jane by email, John by name; the robot is left out.
	fullMap = `match = { names = true, emails = true }
  fuzzy = {}
  external_users = { retain = true, resolve_first = true }
  exceptions = { boss = "BOSS2", "jane@example.com" = "JDOE" }
  source_exclusions = ["bot", "lost"]
  destination_exclusions = ["ROBOT"]
  default_account = "DEFAULT"
  unmapped_policy = "fail"`
)

// theMap returns the one account map that the backend has, with its items.
func (s scenario) theMap() idmap.Map {
	s.Helper()
	all, err := collect(s.server.Client.Maps(s.ctx(), idmap.AccountMap, client.MapFilter{}))
	s.must(err)
	if len(all) != 1 {
		s.Fatalf("the backend has %d account maps", len(all))
	}
	found, err := s.server.Client.Map(s.ctx(), idmap.AccountMap, all[0].ID)
	s.must(err)
	return found
}

// changeMap changes the one account map behind Terraform's back.
func (s scenario) changeMap(change func(*idmap.Map)) {
	s.Helper()
	m := s.theMap()
	change(&m)
	_, _, err := s.server.Client.UpdateMap(s.ctx(), idmap.AccountMap, m)
	s.must(err)
}

// maps holds the number of account maps of the backend.
func (s scenario) maps(want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		all, err := collect(s.server.Client.Maps(s.ctx(), idmap.AccountMap, client.MapFilter{}))
		if err == nil && len(all) != want {
			err = fmt.Errorf("the backend has %d account maps, want %d", len(all), want)
		}
		return err
	}
}

var nothingToDo = planned(plancheck.ExpectEmptyPlan())

func TestAccMapLife(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	attr := resource.TestCheckResourceAttr
	groups := groupMap("Teams", `match = { names = true, captions = true }`, `exceptions = { hidden = "ng-3" }`, `default_group = "sellers"`)
	s.run(
		resource.TestStep{
			Config:           directory + accountMap("Move", fullMap) + groups,
			ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionCreate), action(teamsAddress, plancheck.ResourceActionCreate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				attr(moveAddress, "match.names", "true"), attr(moveAddress, "match.ids", "false"), attr(moveAddress, "fuzzy.threshold", "0.9"),
				attr(moveAddress, "external_users.resolve_first", "true"), attr(moveAddress, "exceptions.boss", "BOSS2"),
				attr(moveAddress, "unmapped_policy", "fail"), attr(moveAddress, "default_account", "DEFAULT"),
				attr(teamsAddress, "match.captions", "true"), attr(teamsAddress, "unmapped_policy", "skip"), attr(teamsAddress, "exceptions.hidden", "ng-3"),
			),
		},
		resource.TestStep{ResourceName: moveAddress, ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: moveAddress, ImportState: true, ImportStateVerify: true, ImportStateId: " MOVE"},
		resource.TestStep{ResourceName: teamsAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "Teams"},
		resource.TestStep{ResourceName: teamsAddress, ImportState: true, ImportStateId: "Move", ExpectError: refusal("Object Not Found", "", `no group map with the id or the name "Move"`)},
		resource.TestStep{ResourceName: moveAddress, ImportState: true, ImportStateId: " ", ExpectError: refusal("Invalid Import ID", "", "blank")},
		resource.TestStep{
			Config:           directory + accountMap("The Move", `match = { ids = true, emails = true }`, `exceptions = { boss = "DEFAULT" }`) + groupMap("Teams", `match = { ids = true }`),
			ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionUpdate), action(teamsAddress, plancheck.ResourceActionUpdate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				attr(moveAddress, "name", "The Move"), attr(moveAddress, "exceptions.%", "1"), attr(moveAddress, "unmapped_policy", "skip"),
				resource.TestCheckNoResourceAttr(moveAddress, "fuzzy"), resource.TestCheckNoResourceAttr(moveAddress, "default_account"),
			),
		},
		resource.TestStep{Config: directory, Check: s.maps(0)},
	)
}

func TestAccMapSpellingIsNoChange(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	config := func(jane, first, second, otherwise string) string {
		return directory + accountMap("Move", byNames,
			fmt.Sprintf(`exceptions = { boss = "BOSS2", %q = "JDOE" }`, jane), fmt.Sprintf(`source_exclusions = [%q, %q]`, first, second), fmt.Sprintf(`default_account = %q`, otherwise))
	}
	first := config("Jane@Example.com", "bot", "Lost", "Default")
	s.run(
		resource.TestStep{Config: first, Check: resource.TestCheckResourceAttr(moveAddress, "exceptions.Jane@Example.com", "JDOE")},
		resource.TestStep{Config: config("SMTP:jane@EXAMPLE.com", "LOST", " bot", "DEFAULT"), ConfigPlanChecks: nothingToDo},
		resource.TestStep{
			// Changed outside to another order and spelling: no drift either.
			PreConfig: func() {
				s.changeMap(func(m *idmap.Map) {
					m.Exceptions = pairs("JANE@example.com", "jdoe", "Boss", "Boss2")
					(*m.Exclusions)[0], (*m.Exclusions)[1] = (*m.Exclusions)[1], (*m.Exclusions)[0]
				})
			},
			Config: first, ConfigPlanChecks: nothingToDo,
		},
		resource.TestStep{
			Config:           config("jane", "bot", "Lost", "Default"),
			ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionUpdate)),
		},
	)
}

// TestAccMapIDsThatDifferInCase are two accounts, so that the one in the place of the other is a change, here and outside.
func TestAccMapIDsThatDifferInCase(t *testing.T) {
	s := newScenario(t)
	accounts := s.file("cases.csv", "id,username,name", "001A,upper,Upper Case", "001a,lower,Lower Case", "002,boss,The Boss")
	groups := s.file("groups.csv", "id,name", "g-1,engineering")
	config := func(exception, source, destination, otherwise string) string {
		return shares(accounts, groups, accounts, groups) + accountMap("Move", byNames,
			fmt.Sprintf("exceptions = { boss = %q }", exception), fmt.Sprintf("source_exclusions = [%q]", source),
			fmt.Sprintf("destination_exclusions = [%q]", destination), fmt.Sprintf("default_account = %q", otherwise))
	}
	first := config("001A", "001A", "boss", "001A")
	update := planned(action(moveAddress, plancheck.ResourceActionUpdate))
	bound := func(want string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			m := s.theMap()
			ids := map[idmap.ItemRole]string{"default": m.Destination.Default.ID}
			for _, item := range m.Items() {
				ids[item.Role] = cmp.Or(item.Target.ID, item.Subject.ID)
			}
			all := map[idmap.ItemRole]string{"default": want, idmap.RoleException: want, idmap.RoleSourceExclusion: want, idmap.RoleDestinationExclusion: "002"}
			if !maps.Equal(ids, all) {
				return fmt.Errorf("the map has %v, want %v", ids, all)
			}
			return nil
		}
	}
	steps := []resource.TestStep{{Config: first, Check: bound("001A")}, {Config: first, ConfigPlanChecks: nothingToDo}}
	for _, other := range []string{
		config("001a", "001A", "boss", "001A"), config("001A", "001a", "boss", "001A"), config("001A", "001A", "boss", "001a"),
	} {
		steps = append(steps, resource.TestStep{Config: other, ConfigPlanChecks: update}, resource.TestStep{Config: first, ConfigPlanChecks: update})
	}
	steps = append(steps, resource.TestStep{Config: config("001a", "001a", "boss", "001a"), ConfigPlanChecks: update, Check: bound("001a")}, resource.TestStep{
		PreConfig: func() {
			s.changeMap(func(m *idmap.Map) {
				upper := idmap.Principal{Name: "001A"}
				(*m.Exceptions)[0].Destination, m.Destination.Default = upper, &upper
				for i, e := range *m.Exclusions {
					if e.Location == idmap.LocationSource {
						(*m.Exclusions)[i].SID = upper
					}
				}
			})
		},
		Config: config("001a", "001a", "boss", "001a"), ConfigPlanChecks: update, Check: bound("001a"),
	})
	s.run(steps...)
}

func TestAccMapDrift(t *testing.T) {
	s := newScenario(t)
	config := s.withShares() + accountMap("Move", fullMap)
	update := planned(action(moveAddress, plancheck.ResourceActionUpdate))
	steps := []resource.TestStep{{
		PreConfig: func() {
			s.changeMap(func(m *idmap.Map) { m.Source.Default = &idmap.Principal{Name: "jane"} })
		},
		Config: config, ConfigPlanChecks: nothingToDo, // no attribute has it
	}}
	keepsSourceDefault := func(*terraform.State) error {
		if d := s.theMap().Source.Default; d == nil || d.Name != "jane" {
			return fmt.Errorf("the default of the source is %v", d)
		}
		return nil
	}
	for _, change := range []func(*idmap.Map){
		func(m *idmap.Map) { m.Name = "Moved" },
		func(m *idmap.Map) { *m.Exceptions = append(*m.Exceptions, (*pairs("twin", "T1"))[0]) },
		func(m *idmap.Map) { (*m.Exceptions)[0].Destination = idmap.Principal{Name: "T2"} },
		func(m *idmap.Map) { m.Exceptions, m.Exclusions = &[]idmap.MapException{}, &[]idmap.MapExclusion{} },
		func(m *idmap.Map) { m.MapBy = idmap.MapBy{Default: true} },
		func(m *idmap.Map) { m.MapBy.FuzzyThreshold = new(0.7) },
		func(m *idmap.Map) { m.MapBy.ExternalResolve = idmap.ExternalResolveNever },
		func(m *idmap.Map) { m.MapBy.Passthrough, m.UnmappedPolicy = true, "" },
		func(m *idmap.Map) { m.Destination.Default = nil },
	} {
		steps = append(steps, resource.TestStep{
			PreConfig: func() { s.changeMap(change) }, Config: config, ConfigPlanChecks: update, Check: keepsSourceDefault,
		})
	}
	deleted := resource.TestStep{
		PreConfig:        func() { s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, s.theMap().ID, 0)) },
		Config:           config,
		ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionCreate)), Check: s.maps(1),
	}
	s.run(append(append([]resource.TestStep{{Config: config}}, steps...), deleted)...)
}

// TestAccMapFirstPlanSeesTheFiles: the files of connections that do not exist yet count in the very first plan, as do
// those of connections whose files change.
func TestAccMapFirstPlanSeesTheFiles(t *testing.T) {
	s := newScenario(t)
	newFile := s.file("new-people.csv", "id,username,name", "n-jane,jane.doe,Jane Doe")
	oldFile := s.file("old-people.csv", "id,username,name", "o-jane,jane,Jane Doe")
	groups := s.file("groups.csv", "id,name", "g-1,engineering")
	directory := shares(oldFile, groups, newFile, groups)
	refused := func(config string, expect *regexp.Regexp) resource.TestStep {
		return resource.TestStep{Config: directory + config, PlanOnly: true, ExpectError: expect}
	}
	s.run(
		refused(accountMap("Move", byNames, `exceptions = { jane = "jane.do" }`), refusal("Unknown Account", idmap.CodeUnknownAccount, "Did you mean", "jane.doe")),
		refused(groupMap("Teams", byNames, `source_exclusions = ["enginering"]`), refusal("Unknown Group", idmap.CodeUnknownAccount, "Did you mean", "engineering")),
		resource.TestStep{Config: directory + accountMap("Move", byNames, `exceptions = { jane = "jane.doe" }`) + groupMap("Teams", byNames)},
		resource.TestStep{
			PreConfig:        func() { s.write(newFile, "id,username,name", "n-jane,jane.doe,Jane Doe", "n-john,john.roe,John Roe") },
			Config:           directory + accountMap("Move", byNames, `exceptions = { jane = "john.roe" }`) + groupMap("Teams", byNames),
			ConfigPlanChecks: planned(action("idmap_connection.new", plancheck.ResourceActionUpdate), action(moveAddress, plancheck.ResourceActionUpdate)),
		},
	)
}

func TestAccMapBadInput(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	same := strings.ReplaceAll(accountMap("Move", byNames), "idmap_connection.new.id", "idmap_connection.old.id")
	literal := strings.NewReplacer("idmap_connection.new.id", `"here"`, "idmap_connection.old.id", `"here"`).Replace(accountMap("Move", byNames))
	var steps []resource.TestStep
	for _, test := range []struct {
		config, summary string
		code            idmap.Code
		words           []string
	}{
		{accountMap("Move"), "No Match Option", idmap.CodeNoMatchOption, []string{"match.ids, match.names, match.usernames, match.emails, external_users.retain"}},
		{accountMap("Move", `unmapped_policy = "passthrough"`), "No Match Option", idmap.CodeNoMatchOption, nil},
		{accountMap("Move", `match = { email = true }`), "No Match Option", idmap.CodeNoMatchOption, []string{"Terraform drops"}},
		{groupMap("Teams", `match = { ids = false }`), "No Match Option", idmap.CodeNoMatchOption, []string{"match.ids, match.names, match.captions must"}},
		{accountMap("Move", byNames, `external_users = { resolve_first = true }`), "Unsupported Option", idmap.CodeUnsupportedOption, []string{"Set external_users.retain"}},
		{accountMap("Move", `match = { ids = true }`, `fuzzy = {}`), "Unsupported Option", idmap.CodeUnsupportedOption, []string{"match.names, match.usernames and match.emails"}},
		{accountMap("Move", byNames, `fuzzy = { threshold = 0 }`), "Invalid Value", idmap.CodeInvalid, []string{"threshold is 0"}},
		{accountMap("Move", byNames, `fuzzy = { threshold = 2 }`), "Invalid Value", idmap.CodeInvalid, []string{"fuzzy.threshold is 2"}},
		{accountMap("Move", byNames, `fuzzy = { threshold = 1e400 }`), "Invalid Value", idmap.CodeInvalid, []string{"fuzzy.threshold is +Inf"}},
		{accountMap("Move", byNames, `unmapped_policy = ""`), "Invalid Value", idmap.CodeInvalid, []string{"empty", "skip, fail, passthrough"}},
		{accountMap("Move", byNames, `unmapped_policy = "drop"`), "Invalid Value", idmap.CodeInvalid, []string{"drop"}},
		{accountMap(strings.Repeat("x", 300), byNames), "Invalid Value", idmap.CodeInvalid, []string{"200"}},
		{accountMap("Move", byNames, `default_account = ""`), "Invalid Value", idmap.CodeInvalid, nil},
		{accountMap("Move", byNames, `exceptions = { jane = "" }`), "Invalid Value", idmap.CodeInvalid, nil},
		{accountMap("Move", byNames, `exceptions = { jane = null }`), "Invalid Value", idmap.CodeInvalid, nil},
		{accountMap("Move", byNames, `exceptions = { nobody = "JDOE" }`), "Unknown Account", idmap.CodeUnknownAccount, nil},
		{accountMap("Move", byNames, `exceptions = { jane = "Sam Twin" }`), "Ambiguous Account", idmap.CodeAmbiguousAccount, nil},
		{groupMap("Teams", byNames, `source_exclusions = ["nowhere"]`), "Unknown Group", idmap.CodeUnknownAccount, nil},
		{accountMap("Move", byNames, `exceptions = { jane = "JDOE", "jane@example.com" = "JROE" }`), "Duplicate Exception", idmap.CodeDuplicateException, nil},
		{accountMap("Move", byNames, `source_exclusions = ["jane", "JANE"]`), "Duplicate Exception", idmap.CodeDuplicateException, nil},
		{accountMap("Move", byNames, `default_account = "jane"`), "Unknown Account", idmap.CodeUnknownAccount, nil},
		{accountMap("Move", byNames, `default_account = "JDOE"`, `destination_exclusions = ["JDOE"]`), "Invalid Value", idmap.CodeInvalid, nil},
		{same, "Invalid Value", idmap.CodeInvalid, nil},
		{literal, "Invalid Value", idmap.CodeInvalid, []string{"both source and destination"}},
		{strings.ReplaceAll(accountMap("Move", byNames), "idmap_connection.new.id", `"nowhere"`), "Unknown Connection", idmap.CodeUnknownConnection, nil},
		{groupMap("Teams", byNames, `fuzzy = {}`), "Unsupported argument", "", nil},
	} {
		steps = append(steps, resource.TestStep{Config: directory + test.config, PlanOnly: true, ExpectError: refusal(test.summary, test.code, test.words...)})
	}
	s.run(steps...)
}

// TestAccMapImportIsAmbiguous where a server lets maps share a name.
func TestAccMapImportIsAmbiguous(t *testing.T) {
	s := newScenario(t)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.URL.Path != "/v1/account_maps" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"type":"account_maps","account_maps":[{"id":"first","name":"Move"},{"id":"other","name":"Moves"},{"id":"second","name":"MOVE"}],` +
			`"meta":{"offset":0,"limit":3,"total_count":3,"has_more":false}}`))
		return true
	})
	s.runOn(endpoint, "",
		resource.TestStep{Config: s.withShares() + accountMap("Move", byNames)},
		resource.TestStep{
			ResourceName: moveAddress, ImportState: true, ImportStateId: "move",
			ExpectError: refusal("Import Is Ambiguous", "", "2 account maps", "first", "second"),
		},
	)
}

// TestAccMapOnBox: a destination on Box is named by the group's id.
func TestAccMapOnBox(t *testing.T) {
	s := newScenario(t)
	directory := strings.Replace(s.withShares(), `"sharepoint_online"`, `"box"`, 1)
	s.run(
		resource.TestStep{
			Config: directory + groupMap("Teams", byNames, `exceptions = { team = "sellers" }`), PlanOnly: true,
			ExpectError: refusal("Group ID Required", idmap.CodeGroupIDRequired, "ng-2"),
		},
		resource.TestStep{Config: directory + groupMap("Teams", byNames, `exceptions = { team = "ng-2" }`)},
	)
}

// TestAccMapUnknownUntilApply: what the plan cannot know is checked at apply, in the same words.
func TestAccMapUnknownUntilApply(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	config := func(user string) string {
		return directory + fmt.Sprintf("resource \"terraform_data\" \"late\" {\n  input = { user = %q, on = true, list = [\"bot\"] }\n}\n", user) +
			accountMap("Move", `match = { names = true, emails = terraform_data.late.output.on }`,
				`exceptions = { boss = terraform_data.late.output.user }`, `source_exclusions = terraform_data.late.output.list`,
				`external_users = { retain = terraform_data.late.output.on, resolve_first = true }`) +
			groupMap("Teams", `match = terraform_data.late.output.on ? { ids = true } : null`)
	}
	s.run(
		resource.TestStep{
			Config:           config("BOSS2"),
			ConfigPlanChecks: planned(plancheck.ExpectUnknownValue(moveAddress, tfjsonpath.New("exceptions").AtMapKey("boss"))),
			Check:            resource.TestCheckResourceAttr(moveAddress, "match.emails", "true"),
		},
		resource.TestStep{Config: config("NOBODY"), ExpectError: refusal("Unknown Account", idmap.CodeUnknownAccount, "NOBODY")},
		resource.TestStep{Config: config("BOSS2")},
	)
}

// TestAccMapChangedSincePlan: what somebody else did between plan and apply is not overwritten.
func TestAccMapChangedSincePlan(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && armed.CompareAndSwap(true, false) {
			s.changeMap(func(m *idmap.Map) { m.Exceptions = pairs("twin", "T1") })
		}
		return false
	})
	directory := s.withShares()
	s.runOn(endpoint, "",
		resource.TestStep{Config: directory + accountMap("Move", byNames)},
		resource.TestStep{
			PreConfig: func() { armed.Store(true) }, Config: directory + accountMap("Move", byNames, `default_account = "DEFAULT"`),
			ExpectError: refusal("Object Changed Since Plan", idmap.CodeRevisionConflict, "plan again"),
		},
		resource.TestStep{Config: directory + accountMap("Move", byNames, `default_account = "DEFAULT"`), Check: resource.TestCheckNoResourceAttr(moveAddress, "exceptions.%")},
	)
}

// TestAccMapEmbedded: all of it in the provider's own process, on a file.
func TestAccMapEmbedded(t *testing.T) {
	s := newScenario(t)
	config := providerBlock(fmt.Sprintf("embedded_database = %q", filepath.Join(t.TempDir(), "idmap.db"))) + s.withShares() +
		accountMap("Move", fullMap) + groupMap("Teams", byNames)
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: []resource.TestStep{
		{Config: config},
		{Config: config, ConfigPlanChecks: nothingToDo},
		{ResourceName: moveAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "move"},
	}})
}
