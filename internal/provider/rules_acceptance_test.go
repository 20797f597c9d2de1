package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestAccEveryRule shows for each code, with the real Terraform, that the plan refuses, and with a call of the client
// that a write refuses the same in the same words. TestSpecification has all the cases, without Terraform.
func TestAccEveryRule(t *testing.T) {
	t.Parallel()
	for code, c := range casePerCode() {
		t.Run(string(code), func(t *testing.T) {
			s := newScenario(t)
			call := backend.Call{Token: idmap.Token{ID: "t", Name: "test"}}
			acctest.Stage(t, s.server.Backend, call)
			for _, m := range c.Gone {
				made, _, err := s.server.Client.CreateUserMapping(s.ctx(), client.NewKey(), m)
				s.must(err)
				s.must(s.server.Client.DeleteUserMapping(s.ctx(), made.ID, 0))
			}
			for _, m := range c.Live {
				_, _, err := s.server.Client.CreateUserMapping(s.ctx(), client.NewKey(), m)
				s.must(err)
			}
			var steps []resource.TestStep
			if c.Update != nil {
				steps = append(steps, resource.TestStep{Config: literally(*c.Update), Check: func(*terraform.State) error {
					return refusedAlike(s, c, s.theMapping().ID)
				}})
			} else {
				s.must(refusedAlike(s, c, ""))
			}
			s.run(append(steps, resource.TestStep{Config: literally(c.Want), PlanOnly: true, ExpectError: refusal(summaryOf(code), code)})...)
		})
	}
}

// casePerCode returns for each code that a rule refuses with the first case that shows it, updates where only they do.
func casePerCode() map[idmap.Code]rulestest.Case {
	found := map[idmap.Code]rulestest.Case{}
	for _, c := range rulestest.Cases() {
		for _, code := range c.Refused {
			if _, has := found[code]; !has && code != idmap.CodeInvalidEmail && code != idmap.CodeInvalidUserID { // these never reach the plan: TestAccMappingBadInput
				found[code] = c
			}
		}
	}
	return found
}

// literally is the mapping as a resource that names connections by their ids.
func literally(m idmap.UserMapping) string {
	lines := []string{fmt.Sprintf("source_connection_id = %q", m.Source.Connection.ID), fmt.Sprintf("destination_connection_id = %q", m.Destination.Connection.ID), fmt.Sprintf("user_id = %q", m.UserID)}
	for name, value := range map[string]string{"email": m.Email, "source_account_id": m.Source.AccountID(), "destination_account_id": m.Destination.AccountID()} {
		if value != "" {
			lines = append(lines, fmt.Sprintf("%s = %q", name, value))
		}
	}
	return "resource \"idmap_user_mapping\" \"case\" {\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}

// refusedAlike makes the write directly: id is that of the mapping to update, "" for a create.
func refusedAlike(s scenario, c rulestest.Case, id string) error {
	want := c.Want
	var err error
	if want.ID = id; id == "" {
		_, _, err = s.server.Client.CreateUserMapping(s.ctx(), client.NewKey(), want)
	} else {
		_, _, err = s.server.Client.UpdateUserMapping(s.ctx(), want)
	}
	if got := rulestest.CodesOf(idmap.ViolationsOf(err)); !slices.Equal(got, c.Refused) {
		return errors.Join(fmt.Errorf("the write was refused with %v, want %v", got, c.Refused), err)
	}
	return nil
}
