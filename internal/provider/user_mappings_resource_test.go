package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const allAddress = "idmap_user_mappings.all"

// bulk is a resource of many mappings. Entries are lines of the map; further lines are arguments.
func bulk(name, entries string, lines ...string) string {
	return fmt.Sprintf(`
resource "idmap_user_mappings" %q {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  mappings = {
    %s
  }
  %s
}
`, name, strings.ReplaceAll(entries, ", ", "\n    "), strings.Join(lines, "\n  "))
}

// ids returns the ids of all mappings of the backend, by user.
func (s scenario) ids() map[string]string {
	s.Helper()
	all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{}))
	s.must(err)
	ids := map[string]string{}
	for _, m := range all {
		ids[m.UserID] = m.ID
	}
	return ids
}

// has holds the entries in the state, and the mappings of the backend, which may be more.
func (s scenario) has(entries map[string]string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		attributes := state.RootModule().Resources[allAddress].Primary.Attributes
		got := map[string]string{}
		for name, value := range attributes {
			if key, of := strings.CutPrefix(name, "mappings."); of && key != "%" {
				got[key] = value
			}
		}
		if !reflect.DeepEqual(got, entries) {
			return fmt.Errorf("the state has %v, want %v", got, entries)
		}
		all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{}))
		if err != nil {
			return err
		}
		stored := map[string]string{}
		for _, m := range all {
			stored[m.UserID] = m.Email
		}
		for user, email := range entries {
			if stored[user] != email && email != "" {
				return fmt.Errorf("the backend has %v, want %v", stored, entries)
			}
		}
		return nil
	}
}

func TestAccUserMappingsLife(t *testing.T) {
	s := newScenario(t)
	var before map[string]string
	remember := func() { before = s.ids() }
	s.run(
		resource.TestStep{
			Config:           connections + bulk("all", `JDOE = "Jane@Example.com", JROE = "john@example.com", lea = null`),
			ConfigPlanChecks: planned(action(allAddress, plancheck.ResourceActionCreate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				s.count(3), resource.TestCheckResourceAttr(allAddress, "mappings.JDOE", "Jane@Example.com"), resource.TestCheckResourceAttr(allAddress, "keep_removed", "false")),
		},
		resource.TestStep{
			Config:           connections + bulk("all", `jdoe = "SMTP:jane@example.com", JROE = "JOHN@example.com", LEA = null`),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{
			PreConfig:        remember,
			Config:           connections + bulk("all", `JDOE = "jane.doe@example.com", JSMITH = "john@example.com", lea = null, ANNA = "anna@example.com"`),
			ConfigPlanChecks: planned(action(allAddress, plancheck.ResourceActionUpdate)),
			Check: resource.ComposeAggregateTestCheckFunc(s.count(4),
				s.has(map[string]string{"JDOE": "jane.doe@example.com", "JSMITH": "john@example.com", "ANNA": "anna@example.com"}),
				func(*terraform.State) error {
					if now := s.ids(); now["JDOE"] != before["JDOE"] || now["JSMITH"] != before["JROE"] || now["lea"] != before["lea"] {
						return fmt.Errorf("ids were %v, and are %v", before, now)
					}
					return nil
				}),
		},
		resource.TestStep{ResourceName: allAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "Mail/sales"},
		resource.TestStep{Config: connections + bulk("all", `ANNA = "anna@example.com"`), Check: s.count(1)},
		resource.TestStep{Config: connections + bulk("all", ``), Check: s.count(0)},
		resource.TestStep{Config: connections + bulk("all", `ANNA = "anna@example.com"`), Check: s.count(1)},
		resource.TestStep{Config: connections, Check: s.count(0)},
	)
}

// TestAccUserMappingsLeaveOthers: mappings that no entry lists are neither read nor touched.
func TestAccUserMappingsLeaveOthers(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE") + bulk("all", `JROE = "john@example.com"`), Check: s.count(2)},
		resource.TestStep{
			PreConfig:        func() { s.must(s.putMapping("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" })) },
			Config:           connections + mapping("jane", "jane.doe@example.com", "JDOE") + bulk("all", `JROE = "john@example.com"`),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{Config: connections + mapping("jane", "jane.doe@example.com", "JDOE"), Check: s.count(1)},
	)
}

// TestAccUserMappingsBadEntries: what is wrong with an entry is said at its key, and at validate already where it needs no
// backend.
func TestAccUserMappingsBadEntries(t *testing.T) {
	s := newScenario(t)
	directory := s.withDirectories(t)
	refused := func(config string, headline string, code idmap.Code, words ...string) resource.TestStep {
		return resource.TestStep{Config: config, PlanOnly: true, ExpectError: refusal(headline, code, words...)}
	}
	many := make([]string, 30)
	for i := range many {
		many[i] = fmt.Sprintf("U%02d = \"not an address\"", i)
	}
	s.run(
		refused(connections+bulk("all", `JDOE = "jane"`), "Invalid Email", idmap.CodeInvalidEmail),
		refused(connections+bulk("all", `JDOE = ""`), "Invalid Email", idmap.CodeInvalidEmail, "write null"),
		refused(connections+bulk("all", `"" = "jane@example.com"`), "Invalid User ID", idmap.CodeInvalidUserID),
		refused(connections+bulk("all", `JDOE = "jane@example.com", jdoe = "john@example.com"`), "Claimed Twice", idmap.CodeUserAlreadyMapped, `"JDOE" and "jdoe"`),
		refused(connections+bulk("all", `JDOE = "jane@example.com", JROE = "JANE@example.com"`), "Claimed Twice", idmap.CodeEmailInUse, `"JDOE" and "JROE"`),
		refused(connections+bulk("all", strings.Join(many, ", ")), "More Entries Are Refused", "", `10 more`, `"U20"`, `"U29"`),
		resource.TestStep{Config: directory},
		refused(directory+bulk("all", `JDOE = "jane@example.com", NOBODY = "john@example.com"`), "Unknown User ID", idmap.CodeUnknownUserID, "NOBODY"),
		refused(directory+bulk("all", `JDOE = "jane@example.com", JROE = "jane.doe@example.com"`), "", "", "jane.doe@example.com"),
		refused(directory+bulk("all", `STUB = "lea@example.com"`), "User Cannot Sign In", idmap.CodeUserCannotSignIn),
		resource.TestStep{Config: directory + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`), Check: s.count(2)},
		refused(directory+bulk("all", `JDOE = "john@example.com", JROE = "jane@example.com"`), "Mapping Would Be Repointed", idmap.CodeAccountRepointed, "Remove this entry"),
	)
}

// TestAccUserMappingsClaimedTwice: two resources of one configuration that claim one user or one email are found at plan,
// in whatever order they are planned.
func TestAccUserMappingsClaimedTwice(t *testing.T) {
	s := newScenario(t)
	twice := func(config string) resource.TestStep {
		return resource.TestStep{Config: connections + config, PlanOnly: true, ExpectError: refusal("Claimed Twice", "")}
	}
	s.run(
		twice(bulk("all", `JDOE = "jane@example.com"`)+bulk("more", `jdoe = "jane@example.com"`)),
		twice(bulk("all", `JDOE = "jane@example.com"`)+bulk("more", `JROE = "jane@example.com"`)),
		twice(bulk("all", `JDOE = "jane@example.com"`)+mapping("one", "jane@example.com", "JROE")),
		twice(mapping("one", "john@example.com", "JDOE")+bulk("all", `JDOE = "jane@example.com"`)),
		resource.TestStep{Config: connections + bulk("all", `JDOE = "jane@example.com"`)},
		resource.TestStep{
			Config: connections + bulk("all", `JDOE = "jane@example.com"`) + mapping("one", "jane@example.com", "JROE"), PlanOnly: true,
			ExpectError: refusal("Email Already in Use", idmap.CodeEmailInUse),
		},
		resource.TestStep{Config: connections + bulk("all", `JDOE = "jane@example.com"`) + mapping("one", "john@example.com", "JROE")},
		resource.TestStep{
			Config: connections + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`, "adopt_existing = true") + mapping("one", "john@example.com", "JROE"), PlanOnly: true,
			ExpectError: refusal("Claimed Twice", ""),
		},
		resource.TestStep{
			Config: connections + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`, "adopt_existing = true"),
			Check:  resource.ComposeAggregateTestCheckFunc(s.has(map[string]string{"JDOE": "jane@example.com", "JROE": "john@example.com"}), s.count(2)),
		},
	)
}

func TestAccUserMappingsDrift(t *testing.T) {
	s := newScenario(t)
	config := connections + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com", lea = null`)
	nothing := planned(plancheck.ExpectEmptyPlan())
	update := planned(action(allAddress, plancheck.ResourceActionUpdate))
	put := func(letters string, change func(*idmap.UserMapping)) func() {
		return func() { s.must(s.putMapping(letters, change)) }
	}
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: put("jdoe", func(m *idmap.UserMapping) { m.Email, m.UserID = "JANE@example.com", "jdoe" }), Config: config, ConfigPlanChecks: nothing},
		resource.TestStep{PreConfig: put("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" }), Config: config, ConfigPlanChecks: update, Check: s.mails("jdoe", "jane@example.com")},
		resource.TestStep{PreConfig: put("lea", func(m *idmap.UserMapping) { m.EmailSource = idmap.EmailExplicit }), Config: config, ConfigPlanChecks: update, Check: s.mails("lea", "")},
		resource.TestStep{PreConfig: put("jroe", func(m *idmap.UserMapping) { m.EmailSource = idmap.EmailFromUsername }), Config: config, ConfigPlanChecks: update, Check: s.mails("jroe", "john@example.com")},
		resource.TestStep{PreConfig: func() { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.mappingOf("jdoe").ID, 0)) }, Config: config, ConfigPlanChecks: update, Check: s.count(3)},
		resource.TestStep{Config: config, ConfigPlanChecks: nothing},
		resource.TestStep{RefreshState: true},
	)
}

// make creates a mapping behind Terraform's back.
func (s scenario) make(email, user string) idmap.UserMapping {
	s.Helper()
	made, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
		Source:      idmap.MappingEnd{Connection: idmap.Ref{ID: s.connectionNamed("Mail").ID}},
		Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: s.connectionNamed("Sales").ID}}, Email: email, UserID: user,
	})
	s.must(err)
	return made
}

// mails holds the email of the mapping that is found by these letters; "" for one that follows the username.
func (s scenario) mails(letters, email string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		m := s.mappingOf(letters)
		if email == "" && m.EmailSource != idmap.EmailFromUsername || email != "" && m.Email != email {
			return fmt.Errorf("%s has %+v", letters, m)
		}
		return nil
	}
}

// TestAccUserMappingsRename: what the directory renamed is told at the old key.
func TestAccUserMappingsRename(t *testing.T) {
	s := newScenario(t)
	config := company(true)
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: s.salesCalls("JDOE"), Config: config + bulk("all", `JDOE = null`)},
		resource.TestStep{
			PreConfig: s.salesCalls("JSMITH"), Config: config + bulk("all", `JDOE = null`), PlanOnly: true,
			ExpectError: refusal(renamedUser, idmap.CodeUnknownUserID, `from "JDOE" to "JSMITH"`, `write the key "JSMITH"`),
		},
		resource.TestStep{Config: config + bulk("all", `JSMITH = null`), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()), Check: s.count(1)},
	)
}

// TestAccUserMappingsRenameInTheSameApply: the file brings the new name, and the configuration has it.
func TestAccUserMappingsRenameInTheSameApply(t *testing.T) {
	s := newScenario(t)
	rows := func(username string) []string { return []string{"id,username", "u-jane," + username} }
	file := s.file("sales.csv", rows("JDOE")...)
	config := strings.Replace(company(true), `"oracle_sales"`, fmt.Sprintf("\"oracle_sales\"\n  accounts_file = %q", file), 1)
	var before map[string]string
	s.run(
		resource.TestStep{Config: config + bulk("all", `JDOE = null`)},
		resource.TestStep{
			PreConfig: func() { before = s.ids(); s.write(file, rows("JSMITH")...) },
			Config:    config + bulk("all", `JSMITH = null`),
			Check: func(*terraform.State) error {
				if now := s.ids(); len(now) != 1 || now["JSMITH"] != before["JDOE"] {
					return fmt.Errorf("ids were %v, and are %v", before, now)
				}
				return nil
			},
		},
		resource.TestStep{Config: config + bulk("all", `JSMITH = null`), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

// TestAccUserMappingsMove: entries move between one resource of many and many of one, and no mapping is made or deleted.
func TestAccUserMappingsMove(t *testing.T) {
	base := newScenario(t)
	s := newStory(base, connections+mapping("jane", "jane@example.com", "JDOE")+bulk("all", `JROE = "john@example.com"`))
	s.Must(s, "apply", "-auto-approve")
	before := s.ids()
	same := func(when string) {
		s.Helper()
		if now := s.ids(); !maps.Equal(before, now) {
			s.Errorf("%s: ids were %v, and are %v", when, before, now)
		}
		s.nothing()
	}
	into := bulk("all", `JROE = "john@example.com", JDOE = "jane@example.com"`, "adopt_existing = true")
	s.configure(connections + into + `
removed {
  from = idmap_user_mapping.jane
  lifecycle { destroy = false }
}
`)
	s.Must(s, "apply", "-auto-approve")
	same("into it")
	s.configure(connections + bulk("all", `JDOE = "jane@example.com"`, "keep_removed = true") + mapping("john", "john@example.com", "JROE") + fmt.Sprintf(`
import {
  to = idmap_user_mapping.john
  id = %q
}
`, before["JROE"]))
	s.Must(s, "apply", "-auto-approve")
	same("out of it")
	s.configure(connections + mapping("john", "john@example.com", "JROE"))
	s.Must(s, "apply", "-auto-approve")
	same("keep_removed at its end")
	s.configure(connections + mapping("john", "john@example.com", "JROE") + bulk("all", `JDOE = "jane.doe@example.com"`, "adopt_existing = true"))
	if o := s.Run(s, "plan"); o.Code != 1 || !strings.Contains(o.String(), "User Already Mapped") {
		s.Errorf("a mapping of another email is taken over: %v", o)
	}
}

// TestAccUserMappingsPartialFailure: what somebody else wrote between plan and apply stops its entry alone, and the state
// has what there is.
func TestAccUserMappingsPartialFailure(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/batch") && armed.CompareAndSwap(true, false) {
			s.make("other@example.com", "TAKEN")
		}
		return false
	})
	arm := func() { armed.Store(true) }
	free := func() { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.mappingOf("taken").ID, 0)) }
	s.runOn(endpoint, "",
		resource.TestStep{Config: connections + bulk("all", `JDOE = "jane@example.com"`)},
		resource.TestStep{
			PreConfig: arm, Config: connections + bulk("all", `JDOE = "jane.doe@example.com", JROE = "john@example.com", TAKEN = "anna@example.com"`),
			ExpectError: refusal("User Already Mapped", idmap.CodeUserAlreadyMapped),
		},
		resource.TestStep{
			Config:           connections + bulk("all", `JDOE = "jane.doe@example.com", JROE = "john@example.com"`),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()), Check: s.count(3),
		},
		resource.TestStep{
			PreConfig: free, Config: connections + bulk("all", `JDOE = "jane.doe@example.com", JROE = "john@example.com", TAKEN = "anna@example.com"`), Check: s.count(3),
		},
	)
}

// TestAccUserMappingsPartlyCreated: a create that fails in part taints the resource, and the message says how to keep what
// there is.
func TestAccUserMappingsPartlyCreated(t *testing.T) {
	base := newScenario(t)
	var armed atomic.Bool
	var other idmap.UserMapping
	server := *base.server
	server.URL = base.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/batch") && armed.CompareAndSwap(true, false) {
			other = base.make("x@example.com", "JROE")
		}
		return false
	})
	base.server = &server
	s := newStory(base, connections)
	s.Must(s, "apply", "-auto-approve")
	s.configure(connections + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`))
	armed.Store(true)
	o := s.Run(s, "apply", "-auto-approve")
	if o.Code != 1 || !strings.Contains(o.String(), "Mappings Partly Created") || !strings.Contains(o.String(), "terraform untaint") || !strings.Contains(o.String(), "1 of 2") {
		s.Fatalf("a create that fails in part: %v", o)
	}
	s.must(s.server.Client.DeleteUserMapping(s.ctx(), other.ID, 0))
	before := s.ids()
	if p := s.plan(); len(touched(p.Changes)[allAddress]) == 0 {
		s.Errorf("a tainted resource is not replaced: %v", touched(p.Changes))
	}
	s.Must(s, "untaint", allAddress)
	s.Must(s, "apply", "-auto-approve")
	if now := s.ids(); now["JDOE"] != before["JDOE"] || len(now) != 2 {
		s.Errorf("ids were %v, and are %v", before, now)
	}
	s.Must(s, "taint", allAddress)
	s.Must(s, "apply", "-auto-approve")
	if now := s.ids(); now["JDOE"] == before["JDOE"] || len(now) != 2 {
		s.Errorf("after a taint the ids were %v, and are %v", before, now)
	}
	s.nothing()
	s.Must(s, "apply", "-auto-approve", "-replace="+allAddress)
	s.nothing()
	s.Must(s, "destroy", "-auto-approve")
	if left := s.ids(); len(left) > 0 {
		s.Errorf("a destroy left %v", left)
	}
}

// TestAccUserMappingsLostAnswer: the writes were made, and their answer was lost. The next apply takes up what is there.
func TestAccUserMappingsLostAnswer(t *testing.T) {
	s := newScenario(t)
	var cut atomic.Bool
	cut.Store(true)
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/batch") || !cut.Load() {
			return false
		}
		s.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
	config := connections + bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`)
	var before map[string]string
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, ExpectError: refusal("Mapping Backend Unreachable", "")},
		resource.TestStep{
			PreConfig: func() { before = s.ids(); cut.Store(false) },
			Config:    config,
			Check: func(*terraform.State) error {
				if now := s.ids(); len(now) != 2 || !maps.Equal(before, now) {
					return fmt.Errorf("ids were %v, and are %v", before, now)
				}
				return nil
			},
		},
		resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

// TestAccUserMappingsReplaced: other connections are other mappings; the old ones give way first.
func TestAccUserMappingsReplaced(t *testing.T) {
	s := newScenario(t)
	other := `
resource "idmap_connection" "other" {
  name     = "Other"
  platform = "oracle_sales"
}
`
	entries := `JDOE = "jane@example.com", JROE = "john@example.com"`
	moved := strings.Replace(bulk("all", entries), "idmap_connection.sales", "idmap_connection.other", 1)
	s.run(
		resource.TestStep{Config: connections + other + bulk("all", entries)},
		resource.TestStep{
			Config: connections + other + moved, Check: s.count(2),
			ConfigPlanChecks: planned(action(allAddress, plancheck.ResourceActionDestroyBeforeCreate)),
		},
	)
}

// TestAccUserMappingsUnknown: what is known only after apply is checked then.
func TestAccUserMappingsUnknown(t *testing.T) {
	s := newScenario(t)
	unknown := `
resource "terraform_data" "jane" {
  input = "jane@example.com"
}
`
	s.run(
		resource.TestStep{
			Config: connections + unknown + bulk("all", `JDOE = terraform_data.jane.output, JROE = "john@example.com"`),
			Check:  s.has(map[string]string{"JDOE": "jane@example.com", "JROE": "john@example.com"}),
		},
		resource.TestStep{
			Config: connections + `
resource "terraform_data" "all" {
  input = { JDOE = "jane@example.com", ANNA = "anna@example.com" }
}
resource "idmap_user_mappings" "all" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  mappings                  = terraform_data.all.output
}
`,
			ConfigPlanChecks: planned(plancheck.ExpectUnknownValue(allAddress, tfjsonpath.New("mappings"))),
			Check:            resource.ComposeAggregateTestCheckFunc(s.has(map[string]string{"JDOE": "jane@example.com", "ANNA": "anna@example.com"}), s.count(2)),
		},
		resource.TestStep{
			Config: connections + `
resource "terraform_data" "all" {
  input            = { JDOE = "jane@example.com" }
  triggers_replace = "anew"
}
resource "idmap_user_mappings" "all" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  mappings                  = { JDOE = terraform_data.all.output.JDOE, jdoe2 = terraform_data.all.output.JDOE }
}
`,
			ExpectError: refusal("", "", "jane@example.com"),
		},
	)
}

// TestAccUserMappingsUnknownChoice: a choice that is known only after apply stays unknown in the plan, and counts at apply.
func TestAccUserMappingsUnknownChoice(t *testing.T) {
	t.Parallel()
	const jane, john = `JDOE = "jane@example.com"`, `JROE = "john@example.com"`
	for _, is := range []bool{true, false} {
		t.Run(fmt.Sprint(is), func(t *testing.T) {
			s := newStory(newScenario(t), connections)
			s.Must(s, "apply", "-auto-approve")
			choices := func(adopt, keep, entries string) {
				s.configure(connections + fmt.Sprintf("resource \"terraform_data\" \"choice\" {\n  input            = %t\n  triggers_replace = %q\n}\n", is, entries) +
					bulk("all", entries, "adopt_existing = "+adopt, "keep_removed = "+keep))
			}
			unknown := func() {
				s.Helper()
				for _, r := range s.plan().Changes {
					if r.Address == allAddress && r.Change.Unknown["adopt_existing"] != true && r.Change.Unknown["keep_removed"] != true {
						t.Errorf("the plan knows both: %v", r)
					}
				}
			}
			const output = "terraform_data.choice.output"

			choices(output, "false", john) // nothing is there yet
			unknown()
			s.Must(s, "apply", "-auto-approve")
			s.make("jane@example.com", "JDOE")
			choices(output, "false", jane+", "+john)
			unknown()
			o := s.Run(s, "apply", "-auto-approve")
			if taken := o.Code == 0; taken != is || !refusal("Mapping Exists Already", "", "known only at apply").MatchString(o.String()) {
				t.Errorf("taken over: %v", o)
			}
			choices("true", "false", jane+", "+john)
			s.Must(s, "apply", "-auto-approve")
			choices("false", output, john)
			unknown()
			s.Must(s, "apply", "-auto-approve")
			want := map[string]string{"JROE": "john@example.com"}
			if state, _ := s.entriesInState(); !maps.Equal(state, want) {
				t.Errorf("the state has %v", state)
			}
			if is {
				want["JDOE"] = "jane@example.com"
			}
			if now := s.emailsOf(); !maps.Equal(now, want) {
				t.Errorf("the backend has %v", now)
			}
			s.nothing()
		})
	}
}

// TestAccUserMappingsAsksLittle: a plan without changes asks once for the connections and once for all mappings; destroy
// and a refresh work whatever the rules would say.
func TestAccUserMappingsAsksLittle(t *testing.T) {
	base := newScenario(t)
	s := newStory(base, connections+bulk("all", `JDOE = "jane@example.com", JROE = "john@example.com"`))
	s.Must(s, "apply", "-auto-approve")
	s.must(s.putMapping("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" }))
	s.nothing("-refresh=false")
	s.Must(s, "apply", "-refresh-only", "-auto-approve")
	if all, _ := s.values()[allAddress].(map[string]any); fmt.Sprint(all["mappings"]) != "map[JDOE:jane.doe@example.com JROE:john@example.com]" {
		s.Errorf("a refresh has taken over %v", all)
	}
	s.Must(s, "destroy", "-auto-approve")
	if left := slices.Collect(maps.Keys(s.ids())); len(left) > 0 {
		s.Errorf("a destroy left %v", left)
	}
}

// TestOwnedMappings: private state stays small, and is read as it was written.
func TestOwnedMappings(t *testing.T) {
	t.Parallel()
	owned := ownedMappings{"jdoe": {ID: "a", Revision: 3}, "jroe": {ID: "b", Revision: 1, Former: "J"}}
	text, err := json.Marshal(owned)
	if want := `{"jdoe":["a",3],"jroe":["b",1,"J"]}`; err != nil || string(text) != want {
		t.Errorf("%s (%v), want %s", text, err, want)
	}
	var read ownedMappings
	if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, owned) {
		t.Errorf("read %v (%v), want %v", read, err, owned)
	}
}
