package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Jane Doe marries, and her account JDOE becomes JSMITH in the directory of the application.

// salesCalls imports the directory of Sales outside of Terraform.
func (s scenario) salesCalls(username string) func() {
	return func() {
		s.Helper()
		for c, err := range s.server.Client.Connections(s.ctx(), client.ConnectionFilter{Name: "Sales"}) {
			s.must(err)
			_, err = s.server.Backend.ImportAccounts(s.ctx(), backend.Call{}, c.ID, salesFile(username))
			s.must(err)
		}
	}
}

func salesFile(username string) backend.Import[idmap.Account] {
	return backend.Import[idmap.Account]{SHA256: username, Rows: []idmap.Account{{ID: "u-jane", Username: username, Name: "Jane"}}}
}

// company is the two connections, of which that of the application is authoritative or not.
func company(authoritative bool) string {
	return strings.Replace(connections, `"oracle_sales"`, fmt.Sprintf("\"oracle_sales\"\n  authoritative = %t", authoritative), 1)
}

func is(email, userID string) resource.TestCheckFunc {
	return resource.ComposeAggregateTestCheckFunc(
		resource.TestCheckResourceAttr(janeAddress, "email", email), resource.TestCheckResourceAttr(janeAddress, "user_id", userID))
}

// TestAccRenameIsNoDrift: a rename that the mapping followed is no change for a configuration that knows of it, and one
// that does not is told of it.
func TestAccRenameIsNoDrift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, email, after string
		authoritative      bool
		code               idmap.Code
	}{
		{"the email follows, and the directory knows everybody", "", "JSMITH@example.com", true, idmap.CodeUnknownUserID},
		{"the email follows, and the directory may lack somebody", "", "JSMITH@example.com", false, idmap.CodeAccountRepointed},
		{"an explicit email stays", "jane@example.com", "jane@example.com", true, idmap.CodeUnknownUserID},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScenario(t)
			config := company(c.authoritative)
			s.run(
				resource.TestStep{Config: config},
				resource.TestStep{PreConfig: s.salesCalls("JDOE"), Config: config + mapping("jane", c.email, "JDOE")},
				resource.TestStep{
					PreConfig: s.salesCalls("JSMITH"), Config: config + mapping("jane", c.email, "JDOE"), PlanOnly: true,
					ExpectError: refusal(renamedUser, c.code, `from "JDOE" to "JSMITH"`, `"Sales"`, `set user_id = "JSMITH"`),
				},
				resource.TestStep{
					Config: config + mapping("jane", c.email, "JSMITH"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
					Check: is(c.after, "JSMITH"),
				},
			)
		})
	}
}

// TestAccRenameIsKnownAfterRefreshOnly: what a refresh took into the state still is told of an old configuration.
func TestAccRenameIsKnownAfterRefreshOnly(t *testing.T) {
	s := newScenario(t)
	config := company(true)
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: s.salesCalls("JDOE"), Config: config + mapping("jane", "", "JDOE")},
		resource.TestStep{PreConfig: s.salesCalls("JSMITH"), RefreshState: true, ExpectError: refusal(renamedUser, idmap.CodeUnknownUserID)},
		resource.TestStep{Config: config + mapping("jane", "", "JDOE"), ExpectError: refusal(renamedUser, idmap.CodeUnknownUserID, `set user_id = "JSMITH"`)},
		resource.TestStep{Config: config + mapping("jane", "", "JSMITH"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

// TestAccRenameBack: a directory that may lack somebody does not forbid the old name, which then is the plan's doing.
func TestAccRenameBack(t *testing.T) {
	s := newScenario(t)
	config := company(false)
	old := config + mapping("jane", "jane@example.com", "JDOE")
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: s.salesCalls("JDOE"), Config: old},
		resource.TestStep{
			PreConfig: s.salesCalls("JSMITH"), Config: old,
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)), Check: is("jane@example.com", "JDOE"),
		},
		resource.TestStep{Config: old, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

// TestAccRenameByDataSource: who takes the user id from the directory has nothing to do.
func TestAccRenameByDataSource(t *testing.T) {
	s := newScenario(t)
	config := company(true)
	follows := config + `
data "idmap_account" "jane" {
  connection_id = idmap_connection.sales.id
  id            = "u-jane"
}
` + strings.Replace(mapping("jane", "", "JDOE"), `"JDOE"`, "data.idmap_account.jane.username", 1)
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: s.salesCalls("JDOE"), Config: follows, Check: is("JDOE@example.com", "JDOE")},
		resource.TestStep{
			PreConfig: s.salesCalls("JSMITH"), Config: follows,
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()), Check: is("JSMITH@example.com", "JSMITH"),
		},
	)
}

// TestAccRenameInTheSameApply: the file brings the new name, and the configuration knows it or learns of it later.
func TestAccRenameInTheSameApply(t *testing.T) {
	t.Parallel()
	rows := func(username string) []string { return []string{"id,username", "u-jane," + username} }
	for _, authoritative := range []bool{true, false} {
		t.Run(fmt.Sprintf("authoritative %t", authoritative), func(t *testing.T) {
			s := newScenario(t)
			file := s.file("sales.csv", rows("JDOE")...)
			config := strings.Replace(company(authoritative), `"oracle_sales"`, fmt.Sprintf("\"oracle_sales\"\n  accounts_file = %q", file), 1)
			s.run(
				resource.TestStep{Config: config + mapping("jane", "", "JDOE")},
				resource.TestStep{
					PreConfig: func() { s.write(file, rows("JSMITH")...) },
					Config:    config + mapping("jane", "", "JSMITH"),
					ConfigPlanChecks: planned(
						plancheck.ExpectKnownValue(janeAddress, emailPath, exactly("JSMITH@example.com")),
						action(janeAddress, plancheck.ResourceActionUpdate)),
					Check: is("JSMITH@example.com", "JSMITH"),
				},
				resource.TestStep{Config: config + mapping("jane", "", "JSMITH"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
				resource.TestStep{
					// The plan warns, the mapping follows, and the next plan says why it is not as configured.
					PreConfig: func() { s.write(file, rows("JROE")...) },
					Config:    config + mapping("jane", "", "JSMITH"),
					ConfigPlanChecks: planned(
						action("idmap_connection.sales", plancheck.ResourceActionUpdate), action(janeAddress, plancheck.ResourceActionNoop)),
					ExpectError: refusal(renamedUser, "", `from "JSMITH" to "JROE"`, `set user_id = "JROE"`),
				},
				resource.TestStep{Config: config + mapping("jane", "", "JROE"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()), Check: is("JROE@example.com", "JROE")},
			)
		})
	}
}

// TestAccRenameThatIsRefused: the mapping stays, and only a plan that asks for the new name is told why.
func TestAccRenameThatIsRefused(t *testing.T) {
	s := newScenario(t)
	config := company(true)
	mail := func() {
		for c, err := range s.server.Client.Connections(s.ctx(), client.ConnectionFilter{Name: "Mail"}) {
			s.must(err)
			_, err = s.server.Backend.ImportAccounts(s.ctx(), backend.Call{}, c.ID, backend.Import[idmap.Account]{
				SHA256: "mail", Rows: []idmap.Account{{ID: "m-jane", Email: "jdoe@example.com"}, {ID: "m-john", Email: "jsmith@example.com"}},
			})
			s.must(err)
		}
		s.salesCalls("JDOE")()
	}
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: mail, Config: config + mapping("jane", "", "JDOE")},
		resource.TestStep{PreConfig: s.salesCalls("JSMITH"), Config: config + mapping("jane", "", "JDOE"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			Config: config + mapping("jane", "", "JSMITH"), PlanOnly: true,
			ExpectError: refusal("Mapping Would Be Repointed", idmap.CodeAccountRepointed, "jsmith@example.com"),
		},
	)
}
