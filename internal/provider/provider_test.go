package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// provide runs the steps with whole configurations, and with no argument of the provider in the environment.
func provide(t *testing.T, environment map[string]string, steps ...resource.TestStep) {
	t.Helper()
	for _, name := range []string{"ENDPOINT", "TOKEN", "EMBEDDED_DATABASE", "CA_CERT_FILE", "MAX_RETRIES", "REQUEST_TIMEOUT", "MAX_CONCURRENT_REQUESTS", "PLAN_CHECKS"} {
		t.Setenv("IDMAP_"+name, environment["IDMAP_"+name])
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: steps})
}

func providerBlock(arguments ...string) string {
	return "provider \"idmap\" {\n  max_retries = 0\n  " + strings.Join(arguments, "\n  ") + "\n}\n"
}

func TestAccProviderEmbedded(t *testing.T) {
	database := filepath.Join(t.TempDir(), "idmap.db")
	// A variable of the other backend does not count beside an argument.
	environment := map[string]string{"IDMAP_ENDPOINT": "https://elsewhere.example"}
	config := providerBlock(fmt.Sprintf("embedded_database = %q", database)) + connections + mapping("jane", "jane@example.com", "JDOE")
	provide(t, environment,
		resource.TestStep{Config: config, Check: resource.TestCheckResourceAttrSet(janeAddress, "id")},
		resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
	)
}

func TestAccProviderByEnvironment(t *testing.T) {
	server := acctest.NewServer(t)
	environment := map[string]string{"IDMAP_ENDPOINT": server.URL, "IDMAP_TOKEN": server.Token}
	provide(t, environment, resource.TestStep{Config: connections})
}

func TestAccProviderBadConfiguration(t *testing.T) {
	server := acctest.NewServer(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Welcome</html>"))
	}))
	t.Cleanup(page.Close)
	missingFolder := filepath.Join(t.TempDir(), "missing", "idmap.db")
	config := connection("mail", "Mail", "generic")
	var steps []resource.TestStep
	for _, test := range []struct {
		provider string
		expect   *regexp.Regexp
	}{
		{providerBlock(`endpoint = "https://a.example"`, `embedded_database = "a.db"`), refusal("Two Mapping Backends", "", "embedded_database")},
		{providerBlock(), refusal("Missing Mapping Backend", "", "IDMAP_ENDPOINT")},
		{providerBlock(`endpoint = "idmap.example.com"`), refusal("Invalid Provider Configuration", "", "https://")},
		{providerBlock(`endpoint = "https://a.example"`, `request_timeout = "soon"`), refusal("Invalid Provider Configuration", "", "request_timeout")},
		{providerBlock(`endpoint = "https://a.example"`, `ca_cert_file = "missing.pem"`), refusal("Invalid Provider Configuration", "", "missing.pem")},
		{providerBlock(fmt.Sprintf("embedded_database = %q", missingFolder)), refusal("Embedded Database Unusable", "")},
		{providerBlock(fmt.Sprintf("endpoint = %q", server.URL), `token = "wrong"`), refusal("Token Not Accepted", idmap.CodeUnauthorized, "IDMAP_TOKEN")},
		{providerBlock(fmt.Sprintf("endpoint = %q", server.URL)), refusal("Token Not Accepted", idmap.CodeUnauthorized)},
		{providerBlock(fmt.Sprintf("endpoint = %q", page.URL), `token = "x"`), refusal("Not a Mapping Backend", "", "text/html")},
	} {
		steps = append(steps, resource.TestStep{Config: test.provider + config, PlanOnly: true, ExpectError: test.expect})
	}
	provide(t, nil, steps...)
}

// TestAccProviderUnreachable: a plan is made, with a warning; the apply fails. (Terraform itself prints the warning;
// TestUnreachableIsOneWarning counts it.)
func TestAccProviderUnreachable(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	config := providerBlock(fmt.Sprintf("endpoint = %q", dead.URL), `token = "x"`) + connections + mapping("jane", "jane@example.com", "JDOE")
	provide(t, nil,
		resource.TestStep{Config: config, PlanOnly: true, ExpectNonEmptyPlan: true},
		resource.TestStep{Config: config, ExpectError: regexp.MustCompile(`(?s)Error running apply.*Mapping Backend Unreachable`)},
	)
}

// TestAccProviderUnreachableLater: with objects in the state a plan is made from the state, again with a warning.
func TestAccProviderUnreachableLater(t *testing.T) {
	s := newScenario(t)
	var down atomic.Bool
	endpoint := s.behind(func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	})
	config := connections + mapping("jane", "jane@example.com", "JDOE")
	s.runOn(endpoint, "",
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: func() { down.Store(true) }, Config: config, PlanOnly: true},
		resource.TestStep{Config: config + mapping("john", "john@example.com", "JROE"), PlanOnly: true, ExpectNonEmptyPlan: true},
		resource.TestStep{PreConfig: func() { down.Store(false) }, Config: config, PlanOnly: true},
	)
}

// TestAccProviderUnknown: an endpoint that is known only after apply is never replaced by the environment's.
func TestAccProviderUnknown(t *testing.T) {
	server, other := acctest.NewServer(t), acctest.NewServer(t)
	config := fmt.Sprintf("resource \"terraform_data\" \"endpoint\" {\n  input = %q\n}\n", server.URL) +
		providerBlock("endpoint = terraform_data.endpoint.output", fmt.Sprintf("token = %q", server.Token)) +
		connections + mapping("jane", "jane@example.com", "JDOE")
	provide(t, map[string]string{"IDMAP_ENDPOINT": other.URL},
		resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ExpectUnknownValue(mailAddress, idPath))},
		resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			// The endpoint changes, so it is unknown again, now with objects in the state.
			Config: strings.Replace(config, "input = ", "triggers_replace = 1\n  input = ", 1),
		},
	)
}

func TestAccMappingBadInput(t *testing.T) {
	s := newScenario(t)
	unknown := strings.ReplaceAll(mapping("jane", "jane@example.com", "JDOE"), "idmap_connection.sales.id", `"nowhere"`)
	var steps []resource.TestStep
	for _, test := range []struct {
		config  string
		summary string
		code    idmap.Code
	}{
		{mapping("jane", "jane.doe", "JDOE"), "Invalid Email", idmap.CodeInvalidEmail},
		{mapping("jane", "jane@example.com", ""), "Invalid User ID", idmap.CodeInvalidUserID},
		{mapping("jane", "jane@example.com", "jane\u200f"), "Invalid User ID", idmap.CodeInvalidUserID},
		{mapping("jane", strings.Repeat("a", 250)+"@example.com", "JDOE"), "Invalid Email", idmap.CodeInvalidEmail},
		{unknown, "Unknown Connection", idmap.CodeUnknownConnection},
		{mapping("jane", "jane@example.com", "JDOE", `source_account_id = ""`), "Invalid Attribute Value Length", ""},
	} {
		steps = append(steps, resource.TestStep{Config: connections + test.config, PlanOnly: true, ExpectError: refusal(test.summary, test.code)})
	}
	s.run(steps...)
}
