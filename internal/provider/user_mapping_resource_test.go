package provider

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const janeAddress = "idmap_user_mapping.jane"

func TestAccUserMappingLife(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{
			Config:           connections + mapping("jane", "jane@example.com", "JDOE"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionCreate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(janeAddress, "email", "jane@example.com"),
				resource.TestCheckResourceAttr(janeAddress, "email_source", "explicit"),
				resource.TestCheckResourceAttr(janeAddress, "origin", "api"),
				resource.TestCheckResourceAttrSet(janeAddress, "id"),
				resource.TestCheckResourceAttrPair(janeAddress, "source_connection_id", "idmap_connection.mail", "id"),
			),
		},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "sales/jdoe"},
		resource.TestStep{
			Config:           connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckResourceAttr(janeAddress, "email", "jane.doe@example.com"),
		},
		resource.TestStep{Config: connections, Check: s.count(0)},
	)
}

func TestAccUserMappingImport(t *testing.T) {
	s := newScenario(t)
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	id := func(text string) resource.ImportStateIdFunc {
		return func(state *terraform.State) (string, error) {
			sales := state.RootModule().Resources["idmap_connection.sales"].Primary.ID
			return fmt.Sprintf(text, sales), nil
		}
	}
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateVerify: true, ImportStateIdFunc: id("%s/JDOE")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: "Sales/NOBODY", ExpectError: refusal("Object Not Found", "", "Sales/NOBODY")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: "Sales/", ExpectError: refusal("Invalid Import ID", "", "blank", "<user id>")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: "Sales/ ", ExpectError: refusal("Invalid Import ID", "")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: "/JDOE", ExpectError: refusal("Invalid Import ID", "")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: " ", ExpectError: refusal("Invalid Import ID", "")},
		resource.TestStep{ResourceName: janeAddress, ImportState: true, ImportStateId: "Nowhere/JDOE", ExpectError: refusal("Object Not Found", "")},
		resource.TestStep{
			PreConfig: func() {
				other, err := s.server.Client.CreateConnection(s.ctx(), "", idmap.Connection{Name: "Other Mail", Platform: idmap.PlatformRef{ID: "generic"}})
				s.must(err)
				first := s.theMapping()
				_, _, err = s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
					Source: idmap.MappingEnd{Connection: idmap.Ref{ID: other.ID}}, Destination: first.Destination, Email: "jane@home.example", UserID: "JDOE",
				})
				s.must(err)
			},
			ResourceName: janeAddress, ImportState: true, ImportStateId: "Sales/JDOE",
			ExpectError: refusal("Import Is Ambiguous", "", "2 mail connections"),
		},
		resource.TestStep{Config: config, PreConfig: func() {
			all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{Domain: "home.example"}))
			s.must(err)
			s.must(s.server.Client.DeleteUserMapping(s.ctx(), all[0].ID, 0))
		}},
	)
}

func TestAccUserMappingSpellingIsNoChange(t *testing.T) {
	s := newScenario(t)
	nothing := planned(plancheck.ExpectEmptyPlan())
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "Jane@Example.com", "JDOE"), Check: resource.TestCheckResourceAttr(janeAddress, "email", "Jane@Example.com")},
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE"), ConfigPlanChecks: nothing},
		resource.TestStep{Config: connections + mapping("jane", "SMTP:JANE@EXAMPLE.COM", "jdoe"), ConfigPlanChecks: nothing},
		resource.TestStep{
			// Changed outside to another spelling: no drift either.
			PreConfig: func() {
				m := s.theMapping()
				m.Email = "JANE@example.com"
				_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
				s.must(err)
			},
			Config: connections + mapping("jane", "Jane@Example.com", "JDOE"), ConfigPlanChecks: nothing,
		},
	)
}

func TestAccUserMappingEmailFollowsUsername(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{
			Config: connections + mapping("jane", "", "jane"),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(janeAddress, "email", "jane@example.com"),
				resource.TestCheckResourceAttr(janeAddress, "email_source", "username"),
			),
		},
		resource.TestStep{
			Config:           connections + mapping("jane", "", "JANE"),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{
			Config:           connections + mapping("jane", "jane@example.com", "jane"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckResourceAttr(janeAddress, "email_source", "explicit"),
		},
		resource.TestStep{
			Config:           connections + mapping("jane", "jane.doe@example.com", "jane"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
		},
		resource.TestStep{
			Config:           connections + mapping("jane", "", "jane"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(janeAddress, "email", "jane@example.com"),
				resource.TestCheckResourceAttr(janeAddress, "email_source", "username"),
			),
		},
	)
}

func TestAccUserMappingDrift(t *testing.T) {
	s := newScenario(t)
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				m := s.theMapping()
				m.Email = "jane.doe@example.com"
				_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
				s.must(err)
			},
			Config:           config,
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckResourceAttr(janeAddress, "email", "jane@example.com"),
		},
		resource.TestStep{
			PreConfig:        func() { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.theMapping().ID, 0)) },
			Config:           config,
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionCreate)),
			Check:            s.count(1),
		},
	)
}

func TestAccUserMappingPins(t *testing.T) {
	s := newScenario(t)
	directory := s.withDirectories(t)
	const pin = `destination_account_id = "u-jane"`
	s.run(
		resource.TestStep{Config: directory + mapping("jane", "jane@example.com", "JDOE", pin), Check: resource.TestCheckResourceAttr(janeAddress, "destination_account_id", "u-jane")},
		resource.TestStep{
			Config:           directory + mapping("jane", "jane@example.com", "JDOE"),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
		},
		resource.TestStep{
			Config:           directory + mapping("jane", "jane@example.com", "JDOE", pin, `source_account_id = "m-jane"`),
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionUpdate)),
		},
		resource.TestStep{
			Config:      directory + mapping("jane", "jane@example.com", "JDOE", `destination_account_id = "u-john"`),
			ExpectError: refusal("Mapping Would Be Repointed", idmap.CodeAccountRepointed, "u-jane", "u-john"),
		},
	)
}

// TestAccUserMappingChangedSincePlan: what somebody else did between plan and apply is not overwritten.
func TestAccUserMappingChangedSincePlan(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && armed.CompareAndSwap(true, false) {
			m := s.theMapping()
			m.Email = "jane.roe@example.com"
			_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
			s.must(err)
		}
		return false
	})
	s.runOn(endpoint, "",
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig:   func() { armed.Store(true) },
			Config:      connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			ExpectError: refusal("Object Changed Since Plan", idmap.CodeRevisionConflict, "plan again"),
		},
		resource.TestStep{
			Config: connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			Check:  resource.TestCheckResourceAttr(janeAddress, "email", "jane.doe@example.com"),
		},
	)
}

// TestAccUserMappingLostAnswer: the write happened, but its answer was lost. The next apply takes up what is there.
func TestAccUserMappingLostAnswer(t *testing.T) {
	s := newScenario(t)
	var cut atomic.Bool // as long as it takes: Go repeats a request with an Idempotency-Key by itself
	cut.Store(true)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/user_mappings" || !cut.Load() {
			return false
		}
		s.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, ExpectError: refusal("Mapping Backend Unreachable", "")},
		resource.TestStep{
			PreConfig:        func() { s.theMapping(); cut.Store(false) },
			Config:           config,
			ConfigPlanChecks: planned(action(janeAddress, plancheck.ResourceActionCreate)),
			Check:            s.count(1),
		},
		resource.TestStep{
			// Now the mapping is that resource's: another one cannot take it up as well.
			Config:      config + mapping("twin", "jane@example.com", "JDOE"),
			ExpectError: refusal("Claimed Twice", ""),
		},
	)
}

// lostWriter is an answer that nobody gets.
type lostWriter struct{ header http.Header }

func (w *lostWriter) Header() http.Header         { return w.header }
func (w *lostWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *lostWriter) WriteHeader(int)             {}

// TestAccUserMappingWithoutPlanChecks: the backend alone decides, at apply, in the same words.
func TestAccUserMappingWithoutPlanChecks(t *testing.T) {
	s := newScenario(t)
	s.runOn(s.server.URL, "  plan_checks = false",
		resource.TestStep{
			Config:      connections + mapping("jane", "jane@example.com", "JDOE") + mapping("joan", "JANE@example.com", "JOAN"),
			ExpectError: regexp.MustCompile(`(?s)Error running apply.*Email Already in Use.*Code: email_in_use`),
		},
	)
}

// TestAccUserMappingCreatedTwice: without plan checks, two resources of the same content must not share one mapping.
func TestAccUserMappingCreatedTwice(t *testing.T) {
	s := newScenario(t)
	s.runOn(s.server.URL, "  plan_checks = false",
		resource.TestStep{
			Config:      connections + mapping("jane", "jane@example.com", "JDOE") + mapping("twin", "jane@example.com", "JDOE"),
			ExpectError: refusal("Claimed Twice", "", "just created"),
		},
	)
}

// TestAccUserMappingRevisionAlone: a new revision between plan and apply that changes nothing which the plan showed, as
// an upload of the directory makes, does not stop the apply.
func TestAccUserMappingRevisionAlone(t *testing.T) {
	s := newScenario(t)
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v1/user_mappings/") && (r.Method == http.MethodPut || r.Method == http.MethodDelete) && armed.CompareAndSwap(true, false) {
			m := s.theMapping()
			m.Email = strings.ToUpper(m.Email)
			_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
			s.must(err)
		}
		return false
	})
	arm := func() { armed.Store(true) }
	s.runOn(endpoint, "",
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{
			PreConfig: arm, Config: connections + mapping("jane", "jane.doe@example.com", "JDOE"),
			Check: resource.TestCheckResourceAttr(janeAddress, "email", "jane.doe@example.com"),
		},
		resource.TestStep{PreConfig: arm, Config: connections, Check: s.count(0)},
	)
}

// TestAccUserMappingContentOfBefore: a create with the content that another mapping had once is a create, although the
// backend remembers the answer to the first one.
func TestAccUserMappingContentOfBefore(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connections + mapping("jane", "jane@example.com", "JDOE")},
		resource.TestStep{Config: connections + mapping("jane", "jane.doe@example.com", "JDOE")},
		resource.TestStep{Config: connections + mapping("jane", "jane.doe@example.com", "JSMITH")},
		resource.TestStep{
			PreConfig: func() {
				for e, err := range s.server.Client.EmailAssignments(s.ctx(), idmap.EmailAssignmentFilter{AddressKey: "jane@example.com"}) {
					s.must(err)
					_, err = s.server.Client.ReleaseEmail(s.ctx(), "", e.ID, "else it stays with who had it")
					s.must(err)
				}
				time.Sleep(time.Second) // an older answer is one that is not just given
			},
			Config: connections + mapping("jane", "jane.doe@example.com", "JSMITH") + mapping("again", "jane@example.com", "JDOE"),
			Check:  s.count(2),
		},
	)
}

// TestAccUserMappingServerFault: a backend that fails is an error of the plan, not an outage that a plan can do without.
func TestAccUserMappingServerFault(t *testing.T) {
	s := newScenario(t)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/validate") {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"title":"Internal Server Error","errors":[{"code":"internal","description":"The server failed."}]}`))
		return true
	})
	s.runOn(endpoint, "", resource.TestStep{
		Config: connections + mapping("jane", "jane@example.com", "JDOE"), PlanOnly: true,
		ExpectError: refusal("Mapping Backend Failed", idmap.CodeInternal, "The server failed."),
	})
}

// TestAccUserMappingForeignAnswer: a plan check that something else answers is an error, not an outage.
func TestAccUserMappingForeignAnswer(t *testing.T) {
	s := newScenario(t)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/validate") {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Sign in</html>"))
		return true
	})
	s.runOn(endpoint, "", resource.TestStep{
		Config: connections + mapping("jane", "jane@example.com", "JDOE"), PlanOnly: true, ExpectError: refusal("Not a Mapping Backend", ""),
	})
}

// withDirectories returns the connections with a directory each.
func (s scenario) withDirectories(t *testing.T) string {
	t.Helper()
	mail := s.file("mail.csv",
		"id,username,email,aliases,name",
		"m-jane,jane,jane@example.com,jane.doe@example.com,Jane Doe",
		"m-john,john,john@example.com,,John Roe",
		"m-lea,lea,lea@example.com,,Lea Vér")
	sales := s.file("sales.csv",
		"id,username,name,user_type",
		"u-jane,JDOE,Jane Doe,full",
		"u-john,JROE,John Roe,full",
		"u-lea,LVER,Lea Vér,full",
		"u-stub,STUB,Imported Owner,stub")
	return directories(mail, sales)
}

func directories(mailFile, salesFile string) string {
	return fmt.Sprintf(`
resource "idmap_connection" "mail" {
  name          = "Mail"
  platform      = "microsoft365"
  mail_domain   = "example.com"
  accounts_file = %q
}
resource "idmap_connection" "sales" {
  name          = "Sales"
  platform      = "oracle_sales"
  authoritative = true
  accounts_file = %q
}
`, mailFile, salesFile)
}
