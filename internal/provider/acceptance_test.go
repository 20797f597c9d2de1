package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// factories run the provider in the test's process, beside the real Terraform.
func factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"idmap": providerserver.NewProtocol6WithError(New("test", acctest.OpenEmbedded)()),
	}
}

// scenario is a configuration that lives through steps, against a real backend of its own.
type scenario struct {
	*testing.T
	server  *acctest.Server
	options *resource.AdditionalCLIOptions
}

func newScenario(t *testing.T) scenario {
	t.Helper()
	t.Parallel()
	return scenario{T: t, server: acctest.NewServer(t)}
}

// run takes the configuration through the steps, and then destroys it.
func (s scenario) run(steps ...resource.TestStep) {
	s.Helper()
	s.runOn(s.server.URL, "", steps...)
}

// runOn does so on another endpoint, with further arguments of the provider.
func (s scenario) runOn(endpoint, arguments string, steps ...resource.TestStep) {
	s.Helper()
	for i := range steps {
		if steps[i].Config != "" {
			steps[i].Config = fmt.Sprintf("provider \"idmap\" {\n  endpoint = %q\n  token = %q\n  max_retries = 0\n%s\n}\n", endpoint, s.server.Token, arguments) + steps[i].Config
		}
	}
	resource.UnitTest(s, resource.TestCase{ProtoV6ProviderFactories: factories(), AdditionalCLIOptions: s.options, Steps: steps})
}

// connections are the two that most mappings of these tests link.
const connections = `
resource "idmap_connection" "mail" {
  name        = "Mail"
  platform    = "microsoft365"
  mail_domain = "example.com"
}
resource "idmap_connection" "sales" {
  name     = "Sales"
  platform = "oracle_sales"
}
`

// mapping is a resource of those connections. Lines are further arguments.
func mapping(name, email, userID string, lines ...string) string {
	if email != "" {
		lines = append(lines, fmt.Sprintf("email = %q", email))
	}
	return fmt.Sprintf(`
resource "idmap_user_mapping" %q {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = %q
  %s
}
`, name, userID, strings.Join(lines, "\n  "))
}

// refusal matches a diagnostic by its summary, its code and further words. Terraform breaks lines where it likes.
func refusal(summary string, code idmap.Code, words ...string) *regexp.Regexp {
	parts := append([]string{summary}, words...)
	if code != "" {
		parts = append(parts, "Code: "+string(code))
	}
	for i := range parts {
		parts[i] = strings.Join(strings.Fields(regexp.QuoteMeta(parts[i])), `[\s│]+`)
	}
	return regexp.MustCompile(`(?s)` + strings.Join(parts, `.*`))
}

// planned are plan checks before the apply of a step.
func planned(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

// action expects what the plan does with a resource.
func action(address string, does plancheck.ResourceActionType) plancheck.PlanCheck {
	return plancheck.ExpectResourceAction(address, does)
}

// sent is a backend that counts what it is asked.
type sent struct {
	handler http.Handler
	before  func(http.ResponseWriter, *http.Request) (handled bool)
}

func (s sent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before == nil || !s.before(w, r) {
		s.handler.ServeHTTP(w, r)
	}
}

// behind returns the URL of a server that sees each request before the backend does, and may answer it itself.
func (s scenario) behind(before func(http.ResponseWriter, *http.Request) bool) string {
	s.Helper()
	web := httptest.NewServer(sent{s.server.Handler, before})
	s.Cleanup(web.Close)
	return web.URL
}

// ctx is the context of direct calls to the backend.
func (s scenario) ctx() context.Context { return context.Background() }

// must ends the test on an error of its own making.
func (s scenario) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// theMapping returns the one mapping that the backend has.
func (s scenario) theMapping() idmap.UserMapping {
	s.Helper()
	all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{}))
	s.must(err)
	if len(all) != 1 {
		s.Fatalf("the backend has %d mappings", len(all))
	}
	return all[0]
}

// count holds the number of mappings of the backend.
func (s scenario) count(want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{}))
		if err == nil && len(all) != want {
			err = fmt.Errorf("the backend has %d mappings, want %d", len(all), want)
		}
		return err
	}
}

// file writes a file and returns its path.
func (s scenario) file(name string, lines ...string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	s.write(path, lines...)
	return path
}

func (s scenario) write(path string, lines ...string) {
	s.Helper()
	s.must(os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (s scenario) remove(path string) {
	s.Helper()
	s.must(os.Remove(path))
}

// Where a plan has the email of a mapping, and the id of an object.
var (
	emailPath = tfjsonpath.New("email")
	idPath    = tfjsonpath.New("id")
)

// exactly is a string value of a plan.
func exactly(text string) knownvalue.Check { return knownvalue.StringExact(text) }
