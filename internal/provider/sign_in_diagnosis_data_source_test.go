package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestAccSignInDiagnosis(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	jane := s.signIn(w, "jane@example.com", "JDOE", "")
	var config strings.Builder
	for name, who := range map[string]string{
		"by_email": `email = "JANE@example.com"`, "by_user_id": `user_id = "jdoe"`,
		"first": "email = \"john@example.com\"\n user_id = \"JROE\"", "lea": "email = \"lea@example.com\"\n user_id = \"LVER\"",
		"nobody": `email = "nobody@example.com"`, "swapped": "email = \"JROE\"\n user_id = \"john@example.com\"",
	} {
		fmt.Fprintf(&config, "data \"idmap_sign_in_diagnosis\" %q {\n source_connection_id = %q\n destination_connection_id = %q\n %s\n}\n", name, w.mail, w.sales, who)
	}
	of := func(name, attribute, value string) resource.TestCheckFunc {
		return resource.TestCheckResourceAttr("data.idmap_sign_in_diagnosis."+name, attribute, value)
	}
	none := func(name, attribute string) resource.TestCheckFunc {
		return resource.TestCheckNoResourceAttr("data.idmap_sign_in_diagnosis."+name, attribute)
	}
	checks := []resource.TestCheckFunc{
		of("by_email", "outcome", "allowed"), of("by_email", "email", "JANE@example.com"), of("by_email", "user_id", "JDOE"),
		of("by_email", "user_mapping_id", jane.UserMapping.ID), of("by_email", "checks.#", "8"),
		resource.TestCheckResourceAttrSet("data.idmap_sign_in_diagnosis.by_email", "summary"),
		of("by_user_id", "email", "jane@example.com"), of("by_user_id", "user_id", "jdoe"), of("by_user_id", "user_mapping_id", jane.UserMapping.ID),
		of("first", "outcome", "allowed"), none("first", "user_mapping_id"), of("first", "checks.6.status", "unknown"), of("first", "checks.6.codes.#", "0"),
		of("lea", "outcome", "denied"),
		of("lea", "checks.2.status", "failed"), of("lea", "checks.2.codes.0", "mailbox_disabled"),
		of("lea", "checks.6.codes.0", "permission_missing"),
		resource.TestCheckResourceAttrSet("data.idmap_sign_in_diagnosis.lea", "checks.6.cure"),
		resource.TestCheckResourceAttrSet("data.idmap_sign_in_diagnosis.lea", "checks.6.finding"),
		of("nobody", "outcome", "unknown"), none("nobody", "user_id"), none("nobody", "user_mapping_id"),
		of("swapped", "outcome", "denied"),
		s.count(1), s.signInsAre(1), // a diagnosis leaves no trace
	}
	for i, name := range idmap.CheckNames() {
		checks = append(checks, of("lea", fmt.Sprintf("checks.%d.name", i), string(name)))
	}
	s.run(resource.TestStep{Config: config.String(), Check: resource.ComposeAggregateTestCheckFunc(checks...)})
}

// signInsAre holds the length of the sign-in history.
func (s scenario) signInsAre(want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		all, err := collect(s.server.Client.SignIns(s.ctx(), idmap.SignInFilter{}))
		if err == nil && len(all) != want {
			err = fmt.Errorf("the history has %d entries, want %d", len(all), want)
		}
		return err
	}
}

// TestAccSignInDiagnosisInCheck: with connections that the same apply makes, a check block tells once they are there
// whether somebody can sign in, and again when that changes.
func TestAccSignInDiagnosisInCheck(t *testing.T) {
	s := newScenario(t)
	config := func(lines ...string) string {
		return connection("mail", "Mail", "microsoft365") + connection("sales", "Sales", "oracle_sales", lines...) + mapping("jane", "jane@example.com", "JDOE") + `
data "idmap_sign_in_diagnosis" "jane" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = "JDOE"
  depends_on                = [idmap_user_mapping.jane]
}
check "jane" {
  assert {
    condition     = data.idmap_sign_in_diagnosis.jane.outcome == "allowed"
    error_message = data.idmap_sign_in_diagnosis.jane.summary
  }
}
`
	}
	outcome := func(want string) resource.TestCheckFunc {
		return resource.TestCheckResourceAttr("data.idmap_sign_in_diagnosis.jane", "outcome", want)
	}
	s.run(
		resource.TestStep{Config: config(), ConfigPlanChecks: planned(checked{"jane": "unknown"}), Check: outcome("allowed")},
		resource.TestStep{Config: config(), ConfigPlanChecks: planned(checked{"jane": "pass"}, plancheck.ExpectEmptyPlan())},
		resource.TestStep{Config: config(`sign_in_disabled = true`), Check: outcome("denied")},
		resource.TestStep{Config: config(`sign_in_disabled = true`), ConfigPlanChecks: planned(checked{"jane": "fail"}, plancheck.ExpectEmptyPlan())},
	)
}
