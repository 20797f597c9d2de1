package provider

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestAccClaimedTwice: two resources of one configuration, of which nothing is stored yet, not even the connections.
func TestAccClaimedTwice(t *testing.T) {
	t.Parallel()
	jane := mapping("jane", "jane@example.com", "JDOE")
	for name, test := range map[string]struct {
		second string
		words  []string
	}{
		"email":               {mapping("joan", "jane@example.com", "JOAN"), []string{`email "`, "JDOE"}},
		"email, folded":       {mapping("joan", "SMTP:JANE@Example.COM", "JOAN"), []string{`email "`}},
		"user":                {mapping("joan", "joan@example.com", "JDOE"), []string{`user "`}},
		"user, folded":        {mapping("joan", "joan@example.com", "ｊｄｏｅ"), []string{`user "`}},
		"both":                {mapping("joan", "jane@example.com", "JDOE"), []string{"is the same as this one: the mapping of jane@example.com to user JDOE."}},
		"email that follows":  {mapping("joan", "", "jane"), []string{"jane@example.com"}},
		"for_each over cases": {mapping("many", "", "${each.key}", `for_each = toset(["Kim", "KIM"])`), []string{"KIM"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			s.run(resource.TestStep{Config: connections + jane + test.second, PlanOnly: true, ExpectError: refusal("Claimed Twice", "", test.words...)})
		})
	}
}

func TestAccClaimedTwiceByRename(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			Config:      connections + mapping("jane", "j.doe@example.com", "JDOE") + mapping("joan", "J.Doe@example.com", "JOAN"),
			PlanOnly:    true,
			ExpectError: refusal("Claimed Twice", ""),
		},
		resource.TestStep{
			Config:      connections + mapping("jane", "jane@example.com", "JDOE") + mapping("joan", "JANE@example.com", "JOAN"),
			PlanOnly:    true,
			ExpectError: refusal("Email Already in Use", idmap.CodeEmailInUse, "import {", "moved block"),
		},
		resource.TestStep{
			Config:      connections + mapping("jane", "jane@example.com", "JDOE") + mapping("twin", "jane@example.com", "JDOE"),
			PlanOnly:    true,
			ExpectError: refusal("Claimed Twice", ""),
		},
	)
}

func TestAccRepointIsRefused(t *testing.T) {
	s := newScenario(t)
	directory := s.withDirectories(t)
	s.run(
		resource.TestStep{Config: directory + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			Config:      directory + mapping("jane", "john@example.com", "JDOE"),
			PlanOnly:    true,
			ExpectError: refusal("Mapping Would Be Repointed", idmap.CodeAccountRepointed),
		},
		resource.TestStep{
			Config:      directory + mapping("jane", "jane@example.com", "JROE"),
			PlanOnly:    true,
			ExpectError: refusal("Mapping Would Be Repointed", idmap.CodeAccountRepointed),
		},
		resource.TestStep{
			Config:           directory + mapping("jane", "jane.doe@example.com", "JDOE"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
		},
	)
}

// TestAccFirstPlanSeesTheFiles: the files of connections that do not exist yet count in the very first plan.
func TestAccFirstPlanSeesTheFiles(t *testing.T) {
	s := newScenario(t)
	directory := s.withDirectories(t)
	s.run(
		resource.TestStep{
			Config:   directory + mapping("stub", "jane@example.com", "STUB"),
			PlanOnly: true, ExpectError: refusal("User Cannot Sign In", idmap.CodeUserCannotSignIn, "stub"),
		},
		resource.TestStep{
			Config:   directory + mapping("nobody", "jane@example.com", "NOBODY"),
			PlanOnly: true, ExpectError: refusal("Unknown User ID", idmap.CodeUnknownUserID),
		},
		resource.TestStep{
			Config:   directory + mapping("jane", "jane@example.com", "JDOE", `source_account_id = "m-john"`),
			PlanOnly: true, ExpectError: refusal("Account Does Not Match", idmap.CodeAccountMismatch),
		},
		resource.TestStep{
			Config: directory + mapping("jane", "jane@example.com", "JDOE"),
			Check:  s.count(1),
		},
	)
}

// TestAccFileAndMappingInOneChange: a new colleague comes with a new file, and is mapped in the same apply.
func TestAccFileAndMappingInOneChange(t *testing.T) {
	s := newScenario(t)
	mail := s.file("mail.csv", "id,username,email", "m-jane,jane,jane@example.com")
	sales := s.file("sales.csv", "id,username,user_type", "u-jane,JDOE,full")
	config := directories(mail, sales)
	s.run(
		resource.TestStep{Config: config + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig: func() {
				s.write(mail, "id,username,email", "m-jane,jane,jane@example.com", "m-john,john,john@example.com")
				s.write(sales, "id,username,user_type", "u-jane,JSMITH,full", "u-john,JROE,full")
			},
			// Jane's username changes in the file too, and her mapping follows it.
			Config: config + mapping("jane", "jane@example.com", "JSMITH") + mapping("john", "john@example.com", "JROE"),
			ConfigPlanChecks: planned(
				action("idmap_connection.sales", plancheck.ResourceActionUpdate),
				action(janeAddress, plancheck.ResourceActionUpdate),
				action("idmap_user_mapping.john", plancheck.ResourceActionCreate)),
			Check: s.count(2),
		},
	)
}

// TestAccMarriage: email and user id change in both files and in the configuration, in one apply.
func TestAccMarriage(t *testing.T) {
	s := newScenario(t)
	mail := s.file("mail.csv", "id,username,email,aliases", "m-jane,jane,jane@example.com,")
	sales := s.file("sales.csv", "id,username,user_type", "u-jane,JDOE,full")
	config := directories(mail, sales)
	s.run(
		resource.TestStep{Config: config + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig: func() {
				s.write(mail, "id,username,email,aliases", "m-jane,jane,jane.smith@example.com,jane@example.com")
				s.write(sales, "id,username,user_type", "u-jane,JSMITH,full")
			},
			Config:           config + mapping("jane", "jane.smith@example.com", "JSMITH"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
		},
		resource.TestStep{Config: config + mapping("jane", "jane.smith@example.com", "JSMITH"), PlanOnly: true},
	)
}

// TestAccNamesChangeHands: in one file two users swap their names, and a third one's name goes to a new colleague.
func TestAccNamesChangeHands(t *testing.T) {
	s := newScenario(t)
	mail := s.file("mail.csv", "id,email", "m-a,a@example.com", "m-b,b@example.com", "m-c,c@example.com", "m-d,d@example.com")
	sales := s.file("sales.csv", "id,username,user_type", "u-a,A,full", "u-b,B,full", "u-c,C,full")
	config := directories(mail, sales)
	before := config + mapping("a", "a@example.com", "A") + mapping("b", "b@example.com", "B") + mapping("c", "c@example.com", "C")
	after := config + mapping("a", "a@example.com", "B") + mapping("b", "b@example.com", "A") + mapping("c", "c@example.com", "C2") + mapping("d", "d@example.com", "C")
	s.run(
		resource.TestStep{Config: before},
		resource.TestStep{
			PreConfig: func() {
				s.write(sales, "id,username,user_type", "u-a,B,full", "u-b,A,full", "u-c,C2,full", "u-d,C,full")
			},
			Config: after, Check: s.count(4),
		},
		resource.TestStep{Config: after, PlanOnly: true},
	)
}

func TestAccReplacements(t *testing.T) {
	s := newScenario(t)
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			Taint: []string{janeAddress}, Config: config,
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionReplace)), Check: s.count(1),
		},
		resource.TestStep{
			Config: connections + trigger("1") + mapping("jane", "jane@example.com", "JDOE", replaced),
		},
		resource.TestStep{
			Config:           connections + trigger("2") + mapping("jane", "jane@example.com", "JDOE", replaced),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionReplace)), Check: s.count(1),
		},
		resource.TestStep{
			// Tainted, such as after a provisioner failed, and corrected in one plan: its own predecessor is not in its way.
			Taint: []string{janeAddress}, Config: connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionReplace)), Check: s.count(1),
		},
		resource.TestStep{Config: connections + mapping("jane", "jane.doe@example.com", "JDOE"), PlanOnly: true},
	)
}

// TestAccCreateBeforeDestroy: the successor of the same content is the same mapping, and must survive.
func TestAccCreateBeforeDestroy(t *testing.T) {
	s := newScenario(t)
	config := func(version string) string {
		return connections + trigger(version) + mapping("jane", "jane@example.com", "JDOE",
			"lifecycle {\n    create_before_destroy = true\n    replace_triggered_by = [terraform_data.trigger]\n  }")
	}
	s.run(
		resource.TestStep{Config: config("1")},
		resource.TestStep{
			Config:           config("2"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionCreateBeforeDestroy)),
			Check:            s.count(1),
		},
		resource.TestStep{Config: config("2"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

const replaced = "lifecycle {\n    replace_triggered_by = [terraform_data.trigger]\n  }"

func trigger(version string) string {
	return "resource \"terraform_data\" \"trigger\" {\n  input = \"" + version + "\"\n}\n"
}

func TestAccRename(t *testing.T) {
	s := newScenario(t)
	moved := func(from, to string) string {
		return "moved {\n  from = idmap_user_mapping." + from + "\n  to = idmap_user_mapping." + to + "\n}\n"
	}
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			Config:           connections + mapping("joan", "jane@example.com", "JDOE") + moved("jane", "joan"),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{
			// Without moved the delete and the create meet in one apply. The mapping is there afterwards.
			Config: connections + mapping("jane", "jane@example.com", "JDOE"),
			Check:  s.count(1),
		},
	)
}

// TestAccHolderGoesMeanwhile: what stood in the way is deleted between two questions of one plan, as the delete of a
// renamed resource may be in an apply.
func TestAccHolderGoesMeanwhile(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/user_mappings/") && armed.CompareAndSwap(true, false) {
			s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.theMapping().ID, 0))
		}
		return false
	})
	s.runOn(endpoint, "",
		resource.TestStep{Config: connections},
		resource.TestStep{
			PreConfig: func() {
				all, err := collect(s.server.Client.Connections(s.ctx(), client.ConnectionFilter{}))
				s.must(err)
				ends := map[string]idmap.MappingEnd{}
				for _, c := range all {
					ends[c.Name] = idmap.MappingEnd{Connection: idmap.Ref{ID: c.ID}}
				}
				_, _, err = s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
					Source: ends["Mail"], Destination: ends["Sales"], Email: "jane@example.com", UserID: "JDOE",
				})
				s.must(err)
				armed.Store(true)
			},
			Config: connections + mapping("jane", "jane@example.com", "JDOE"),
			Check:  s.count(1),
		},
	)
}

// TestAccUnknownUntilApply: a value that the plan cannot know is checked at apply, in the same words.
func TestAccUnknownUntilApply(t *testing.T) {
	s := newScenario(t)
	config := func(email string) string {
		return connections + "resource \"terraform_data\" \"email\" {\n  input = \"" + email + "\"\n}\n" +
			mapping("jane", "jane@example.com", "JDOE") + mapping("joan", "${terraform_data.email.output}", "JOAN")
	}
	s.run(
		resource.TestStep{
			Config:           config("joan@example.com"),
			ConfigPlanChecks: planned(plancheck.ExpectUnknownValue("idmap_user_mapping.joan", emailPath)),
			Check:            resource.TestCheckResourceAttr("idmap_user_mapping.joan", "email", "joan@example.com"),
		},
		resource.TestStep{
			Config:      config("jane@example.com"),
			ExpectError: refusal("Email Already in Use", idmap.CodeEmailInUse),
		},
		resource.TestStep{Config: config("joan@example.com")},
	)
}

// TestAccPlanShowsTheEmail that follows the username, not only that it will be known.
func TestAccPlanShowsTheEmail(t *testing.T) {
	s := newScenario(t)
	mail := s.file("mail.csv", "id,email,aliases", "m-jane,jane@example.com,jsmith@example.com")
	config := func(userID string) string {
		return fmt.Sprintf(`
resource "idmap_connection" "mail" {
  name          = "Mail"
  platform      = "microsoft365"
  mail_domain   = "example.com"
  accounts_file = %q
}
resource "idmap_connection" "sales" {
  name     = "Sales"
  platform = "oracle_sales"
}
`, mail) + mapping("jane", "", userID)
	}
	s.run(
		resource.TestStep{
			Config:           config("jane"),
			ConfigPlanChecks: planned(plancheck.ExpectKnownValue(janeAddress, emailPath, exactly("jane@example.com"))),
		},
		resource.TestStep{
			Config:           config("jsmith"),
			ConfigPlanChecks: planned(plancheck.ExpectKnownValue(janeAddress, emailPath, exactly("jsmith@example.com"))),
			Check:            resource.TestCheckResourceAttr(janeAddress, "email", "jsmith@example.com"),
		},
	)
}

// TestAccUnchangedAsksNothing: a plan without changes makes its refresh and no check, so that it cannot fail on one.
func TestAccUnchangedAsksNothing(t *testing.T) {
	s := newScenario(t)
	var checks, reads atomic.Int32
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/validate") {
			checks.Add(1)
		} else {
			reads.Add(1)
		}
		return false
	})
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	s.runOn(endpoint, "",
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() { checks.Store(0); reads.Store(0) },
			Config:    config, PlanOnly: true,
		},
		resource.TestStep{
			PreConfig: func() {
				if checks.Load() != 0 || reads.Load() == 0 {
					t.Errorf("%d checks and %d reads of a plan without changes", checks.Load(), reads.Load())
				}
			},
			Config: config, PlanOnly: true,
		},
	)
}

// TestAccDestroyWhateverIsWrong: the mapped user was disabled, and a file is gone. Nothing of it stands in the way.
func TestAccDestroyWhateverIsWrong(t *testing.T) {
	s := newScenario(t)
	mail := s.file("mail.csv", "id,username,email", "m-jane,jane,jane@example.com")
	sales := s.file("sales.csv", "id,username,user_type", "u-jane,JDOE,full")
	config := directories(mail, sales) + mapping("jane", "jane@example.com", "JDOE")
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				m := s.theMapping()
				_, _, err := s.server.Client.PutAccount(s.ctx(), m.Destination.Connection.ID, idmap.Account{ID: "u-jane", Username: "JDOE", UserType: idmap.UserTypeFull, Disabled: true})
				s.must(err)
				s.remove(mail)
				s.remove(sales)
			},
			Config: config, Destroy: true,
		},
	)
}

// TestAccTakenSincePlan: a plan that was right when it was made is refused at apply in the words of a plan.
func TestAccTakenSincePlan(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/user_mappings" && armed.CompareAndSwap(true, false) {
			between := s.theMapping()
			_, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
				Source: between.Source, Destination: between.Destination, Email: "JOAN@example.com", UserID: "SOMEBODY",
			})
			s.must(err)
		}
		return false
	})
	s.runOn(endpoint, "",
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig:   func() { armed.Store(true) },
			Config:      connections + mapping("jane", "jane@example.com", "JDOE") + mapping("joan", "joan@example.com", "JOAN"),
			ExpectError: refusal("Email Already in Use", idmap.CodeEmailInUse, "import {"),
		},
		resource.TestStep{
			PreConfig: func() {
				all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{Query: "joan"}))
				s.must(err)
				s.must(s.server.Client.DeleteUserMapping(s.ctx(), all[0].ID, 0))
			},
			Config: connections,
		},
	)
}

// TestAccWithoutRefresh: a plan that has not looked does not overwrite what it has not seen.
func TestAccWithoutRefresh(t *testing.T) {
	s := newScenario(t)
	s.options = &resource.AdditionalCLIOptions{Plan: resource.PlanOptions{NoRefresh: true}}
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig: func() {
				m := s.theMapping()
				m.Email = "jane.roe@example.com"
				_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
				s.must(err)
			},
			Config:      connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			ExpectError: refusal("Object Changed Since Plan", idmap.CodeRevisionConflict),
		},
		resource.TestStep{RefreshState: true, ExpectNonEmptyPlan: true},
	)
}

// TestAccEmailPreviouslyAssigned: a leaver's address is nobody else's, until it is released.
func TestAccEmailPreviouslyAssigned(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{Config: connections},
		resource.TestStep{
			Config:   connections + mapping("joan", "jane@example.com", "JOAN"),
			PlanOnly: true,
			ExpectError: refusal("Email Previously Assigned", "", "/v1/email_assignments/", "/release",
				"Code: "+string(idmap.CodeEmailPreviouslyAssigned)),
		},
		resource.TestStep{
			PreConfig: func() {
				all, err := collect(s.server.Client.EmailAssignments(s.ctx(), idmap.EmailAssignmentFilter{}))
				s.must(err)
				_, err = s.server.Client.ReleaseEmail(s.ctx(), "release", all[0].ID, "Jane has left")
				s.must(err)
			},
			Config: connections + mapping("joan", "jane@example.com", "JOAN"),
			Check:  s.count(1),
		},
	)
}
