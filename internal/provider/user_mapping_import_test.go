package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func importOf(name string) string {
	return "import {\n  to = idmap_user_mapping." + name + "\n  id = \"Sales/JDOE\"\n}\n"
}

func forgotten(name string) string {
	return "removed {\n  from = idmap_user_mapping." + name + "\n  lifecycle {\n    destroy = false\n  }\n}\n"
}

// TestAccManagedTwice: a mapping is one resource's, whatever the plan does with the other one; and both ways that the
// refusal names lead on.
func TestAccManagedTwice(t *testing.T) {
	t.Parallel()
	jane, twin := mapping("jane", "jane@example.com", "JDOE"), mapping("twin", "jane@example.com", "JDOE")
	managed := refusal("Mapping Already Managed", "", "(jane@example.com ↔ JDOE)", "moved block", "idmap_user_mapping.<name>", "destroy = false")
	for name, options := range map[string]*resource.AdditionalCLIOptions{
		"with a refresh": nil, "without": {Plan: resource.PlanOptions{NoRefresh: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			s.options = options
			nothing := planned(plancheck.ExpectEmptyPlan())
			s.run(
				resource.TestStep{Config: connections + jane},
				resource.TestStep{Config: connections + jane + twin + importOf("twin"), ExpectError: managed},
				resource.TestStep{Config: connections + twin + importOf("twin"), ExpectError: managed},
				resource.TestStep{
					Config: connections + twin + importOf("twin") + "moved {\n  from = idmap_user_mapping.jane\n  to = idmap_user_mapping.twin\n}\n",
					Check:  s.count(1), ConfigPlanChecks: nothing,
				},
				resource.TestStep{Config: connections + jane + importOf("jane") + forgotten("twin"), Check: s.count(1)},
				resource.TestStep{Config: connections + jane, ConfigPlanChecks: nothing},
				resource.TestStep{Config: connections + forgotten("jane"), Check: s.count(1)},
				resource.TestStep{Config: connections + jane + twin + importOf("jane") + importOf("twin"), ExpectError: managed},
				resource.TestStep{Config: connections + jane + importOf("jane"), Check: s.count(1)},
			)
		})
	}
}

// TestManagedTwiceInTheState: terraform import brings a mapping in a second time. The plans that follow tell of it, and
// only one that deletes what another resource keeps is refused, in whichever order Terraform plans the two.
func TestManagedTwiceInTheState(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	stored, _, err := server.Client.CreateUserMapping(t.Context(), "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	if err != nil {
		t.Fatal(err)
	}
	config := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	prior := mappingFields(stored)
	prior["source_account_id"], prior["destination_account_id"] = nil, nil
	prior["id"], prior["email_source"], prior["origin"] = stored.ID, string(stored.EmailSource), string(stored.Origin)
	warning, refusal, nothing := tfprotov6.DiagnosticSeverityWarning, tfprotov6.DiagnosticSeverityError, tfprotov6.DiagnosticSeverityInvalid
	for name, c := range map[string]struct {
		keeps [2]bool
		want  tfprotov6.DiagnosticSeverity
	}{
		"both stay": {[2]bool{true, true}, warning}, "both go": {[2]bool{false, false}, nothing},
		"the first goes": {[2]bool{false, true}, refusal}, "the second goes": {[2]bool{true, false}, refusal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t, server)
			var found []*tfprotov6.Diagnostic
			for _, keeps := range c.keeps {
				p.fine(nil, found)
				if keeps {
					found = p.change(config, prior, prior)
				} else {
					found = p.change(nil, prior, nil)
				}
			}
			if c.want == nothing {
				p.fine(nil, found)
			} else if len(found) != 1 || found[0].Severity != c.want || found[0].Summary != "Mapping Already Managed" {
				t.Errorf("%+v", found)
			}
		})
	}
}
