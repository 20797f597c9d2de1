package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// needsTerraform114 runs steps only where there is a Terraform that knows what they are about. Nothing is left untested by
// the older one: TestList… and TestRelease…, TestRevoke… call the provider as the newer one does.
func (s scenario) needsTerraform114(steps ...resource.TestStep) {
	s.Helper()
	resource.UnitTest(s, resource.TestCase{
		ProtoV6ProviderFactories: factories(), Steps: steps,
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
	})
}

// block is the provider block of the scenario's server.
func (s scenario) block() string {
	return providerBlock(fmt.Sprintf("endpoint = %q", s.server.URL), fmt.Sprintf("token = %q", s.server.Token))
}

// TestAccQuery: terraform query finds what the filters select, and what the examples of the documentation select.
func TestAccQuery(t *testing.T) {
	s := newScenario(t)
	s.stageQueried()
	config := s.block() + `
data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}
data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}
`
	jane := knownvalue.StringExact("jane.doe@example.com ↔ JDOE")
	s.needsTerraform114(
		resource.TestStep{Config: config},
		resource.TestStep{
			Query: true,
			Config: `
list "idmap_user_mapping" "all" {
  provider = idmap
}
list "idmap_user_mapping" "first" {
  provider         = idmap
  limit            = 1
  include_resource = true
}
list "idmap_user_mapping" "jane" {
  provider = idmap
  config {
    email = "SMTP:Jane.Doe@Example.com"
  }
}
`,
			QueryResultChecks: []querycheck.QueryResultCheck{
				querycheck.ExpectLength("idmap_user_mapping.all", 2),
				querycheck.ExpectLength("idmap_user_mapping.first", 1),
				querycheck.ExpectResourceDisplayName("idmap_user_mapping.jane", queryfilter.ByDisplayName(jane), jane),
			},
		},
		resource.TestStep{
			Query:  true,
			Config: example(t, "list-resources", "idmap_user_mapping", "list-resource.tfquery.hcl"),
			QueryResultChecks: []querycheck.QueryResultCheck{
				querycheck.ExpectLength("idmap_user_mapping.by_sign_in", 1), querycheck.ExpectLength("idmap_user_mapping.sales", 2),
			},
		},
		resource.TestStep{
			Query:  true,
			Config: example(t, "list-resources", "idmap_account_map", "list-resource.tfquery.hcl"),
			QueryResultChecks: []querycheck.QueryResultCheck{
				querycheck.ExpectLength("idmap_account_map.all", 1), querycheck.ExpectLength("idmap_account_map.to_sales", 1),
			},
		},
		resource.TestStep{
			Query:             true,
			Config:            example(t, "list-resources", "idmap_group_map", "list-resource.tfquery.hcl"),
			QueryResultChecks: []querycheck.QueryResultCheck{querycheck.ExpectLength("idmap_group_map.teams", 1)},
		},
		resource.TestStep{
			Query: true, Config: "list \"idmap_user_mapping\" \"x\" {\n  provider = idmap\n  config {\n    source_connection_id = \"Mail\"\n  }\n}\n",
			ExpectError: refusal("", idmap.CodeUnknownConnection),
		},
	)
}

// TestAccActions: the examples of the documentation, run by changes.
func TestAccActions(t *testing.T) {
	s := newScenario(t)
	s.stageExamples()
	ids := s.stagedConnections()
	revoke := s.block() + example(t, "actions", "idmap_revoke_sessions", "action.tf")
	release := s.block() + example(t, "actions", "idmap_release_email", "action.tf") + `
resource "terraform_data" "leaver" {
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.idmap_release_email.jane_doe]
    }
  }
}
`
	s.needsTerraform114(
		resource.TestStep{Config: revoke},
		resource.TestStep{
			PreConfig: func() {
				s.signIn(signInWorld{ids["mail"], ids["sales"]}, "ivan.petrov@example.com", "IPETROV", "teams")
			},
			Config: revoke, Check: s.signedIn("IPETROV"),
		},
		resource.TestStep{Config: strings.Replace(revoke, "ivan.petrov@", "ivan@", 1), Check: s.signedIn()},
		resource.TestStep{Config: strings.Replace(release, `"JDOE"`, `"IPETROV"`, 1), ExpectError: refusal("Address Held by Another", "", "(JDOE)")},
		resource.TestStep{Config: release, Check: func(*terraform.State) error {
			if e := s.ledger("jane.doe@example.com")[0]; e.Released == nil || !strings.Contains(e.Released.Reason, "ticket 4711") {
				return fmt.Errorf("the ledger has %+v", e)
			}
			return nil
		}},
	)
}

// TestAccActionNullAtApply: a user id that is unknown in the plan, and null once the action is run by a change, signs nobody
// out.
func TestAccActionNullAtApply(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	s.signIn(w, "jane@example.com", "JDOE", "teams")
	s.signIn(w, "john@example.com", "JROE", "teams")
	config := s.block() + fmt.Sprintf(`
resource "terraform_data" "person" {
  input = "nobody"
}
resource "terraform_data" "leaver" {
  input = terraform_data.person.output
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.idmap_revoke_sessions.leaver]
    }
  }
}
action "idmap_revoke_sessions" "leaver" {
  config {
    connection_id = %q
    user_id       = terraform_data.person.output == "nobody" ? null : "JDOE"
  }
}
`, w.sales)
	s.needsTerraform114(resource.TestStep{Config: config, ExpectError: refusal("Missing Attribute Configuration", "", "leaver", "user_id")})
	if err := s.signedIn("JDOE", "JROE")(nil); err != nil {
		t.Error(err)
	}
}

// signedIn holds the users who have a live session.
func (s scenario) signedIn(want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		sessions, err := collect(s.server.Client.Sessions(s.ctx(), idmap.SessionFilter{}))
		var users []string
		for _, session := range sessions {
			users = append(users, session.UserID)
		}
		slices.Sort(users)
		if err == nil && !slices.Equal(users, want) {
			err = fmt.Errorf("signed in are %q, want %q", users, want)
		}
		return err
	}
}
