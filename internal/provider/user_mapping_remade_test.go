package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// remake deletes the one mapping and makes another one of the same user, with another email or the same.
func (s scenario) remake(email string, signIn bool) func() {
	return func() {
		s.Helper()
		m := s.theMapping()
		s.must(s.server.Client.DeleteUserMapping(s.ctx(), m.ID, 0))
		if signIn {
			s.signIn(signInWorld{m.Source.Connection.ID, m.Destination.Connection.ID}, email, "jdoe", "addin")
			return
		}
		_, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
			Source: m.Source, Destination: m.Destination, Email: email, UserID: "jdoe", EmailSource: idmap.EmailExplicit,
		})
		s.must(err)
	}
}

// TestAccRemade: what came in the place of the resource's own mapping is not simply imported, and the plan says how it is.
func TestAccRemade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		email  string
		signIn bool
		words  []string
		code   idmap.Code
	}{
		"by a sign-in":                    {"jane@example.com", true, []string{"a sign-in made mapping"}, "email_in_use, user_already_mapped"},
		"by a sign-in with another email": {"jane.doe@example.com", true, []string{"a sign-in made mapping", "jane.doe@example.com ↔ jdoe"}, idmap.CodeUserAlreadyMapped},
		"by somebody":                     {"jane@example.com", false, []string{"somebody made mapping"}, "email_in_use, user_already_mapped"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			config := connections + mapping("jane", "jane@example.com", "JDOE")
			words := append([]string{"(jane@example.com ↔ JDOE)"}, append(c.words, "terraform apply -refresh-only", "import {")...)
			told := refusal("Mapping Was Made Anew", c.code, words...)
			s.run(
				resource.TestStep{Config: config},
				resource.TestStep{PreConfig: s.remake(c.email, c.signIn), Config: config, ExpectError: told},
				resource.TestStep{Config: config + importOf("jane"), ExpectError: told}, // Terraform skips the import
				resource.TestStep{
					PreConfig: func() { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.theMapping().ID, 0)) },
					Config:    connections,
				},
			)
		})
	}
}
