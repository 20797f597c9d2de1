package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	text := types.StringValue
	for name, test := range map[string]struct {
		config             configModel
		environment        map[string]string
		endpoint, embedded string
		problem            string
	}{
		"endpoint":                       {config: configModel{Endpoint: text("https://a")}, endpoint: "https://a"},
		"endpoint by environment":        {environment: map[string]string{"IDMAP_ENDPOINT": "https://a"}, endpoint: "https://a"},
		"argument before its variable":   {config: configModel{Endpoint: text("https://a")}, environment: map[string]string{"IDMAP_ENDPOINT": "https://b"}, endpoint: "https://a"},
		"file before the other variable": {config: configModel{EmbeddedDatabase: text("a.db")}, environment: map[string]string{"IDMAP_ENDPOINT": "https://b"}, embedded: "a.db"},
		"server before the other variable": {
			config: configModel{Endpoint: text("https://a")}, environment: map[string]string{"IDMAP_EMBEDDED_DATABASE": "a.db"}, endpoint: "https://a",
		},
		"both":                  {config: configModel{Endpoint: text("https://a"), EmbeddedDatabase: text("a.db")}, problem: "Two Mapping Backends"},
		"both by environment":   {environment: map[string]string{"IDMAP_ENDPOINT": "https://a", "IDMAP_EMBEDDED_DATABASE": "a.db"}, problem: "Two Mapping Backends"},
		"neither":               {problem: "Missing Mapping Backend"},
		"empty is left out":     {config: configModel{Endpoint: text(""), EmbeddedDatabase: text("a.db")}, embedded: "a.db"},
		"timeout":               {config: configModel{EmbeddedDatabase: text("a.db"), RequestTimeout: text("soon")}, problem: `request_timeout is "soon". It must be a duration`},
		"negative timeout":      {config: configModel{EmbeddedDatabase: text("a.db"), RequestTimeout: text("-1s")}, problem: "It must be a duration"},
		"number by environment": {config: configModel{EmbeddedDatabase: text("a.db")}, environment: map[string]string{"IDMAP_MAX_RETRIES": "lots"}, problem: `max_retries is "lots" (from the environment variable IDMAP_MAX_RETRIES). It must be a number from 0 to 100`},
		"flag by environment":   {config: configModel{EmbeddedDatabase: text("a.db")}, environment: map[string]string{"IDMAP_PLAN_CHECKS": "maybe"}, problem: "It must be true or false"},
	} {
		var diags diag.Diagnostics
		got := test.config.settings(func(name string) string { return test.environment[name] }, &diags)
		if test.problem == "" && diags.HasError() || test.problem != "" && !contains(diags, test.problem) {
			t.Errorf("%s: %v, want %q", name, diags, test.problem)
		}
		if test.problem == "" && (got.client.Endpoint != test.endpoint || got.embeddedDatabase != test.embedded) {
			t.Errorf("%s: endpoint %q, embedded %q", name, got.client.Endpoint, got.embeddedDatabase)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	text := types.StringValue
	embedded := configModel{EmbeddedDatabase: text("a.db")}
	server := func(c configModel) configModel { c.Endpoint = text("https://a"); return c }
	for name, test := range map[string]struct {
		config                    configModel
		environment               map[string]string
		token, username, password string
		problem                   string
	}{
		"nothing":               {config: server(configModel{})},
		"token":                 {config: server(configModel{Token: text("t")}), token: "t"},
		"password":              {config: server(configModel{Username: text("u"), Password: text("p")}), username: "u", password: "p"},
		"by environment":        {config: server(configModel{}), environment: map[string]string{"IDMAP_USERNAME": "u", "IDMAP_PASSWORD": "p"}, username: "u", password: "p"},
		"half by environment":   {config: server(configModel{Username: text("u")}), environment: map[string]string{"IDMAP_TOKEN": "t", "IDMAP_PASSWORD": "p"}, username: "u", password: "p"},
		"token before password": {config: server(configModel{Token: text("t")}), environment: map[string]string{"IDMAP_USERNAME": "u", "IDMAP_PASSWORD": "p"}, token: "t"},
		"both":                  {config: server(configModel{Token: text("t"), Username: text("u"), Password: text("p")}), problem: "Two Ways to Sign In"},
		"both by environment":   {config: server(configModel{}), environment: map[string]string{"IDMAP_TOKEN": "t", "IDMAP_USERNAME": "u", "IDMAP_PASSWORD": "p"}, problem: "Two Ways to Sign In"},
		"no password":           {config: server(configModel{Username: text("u")}), problem: "Set password (or IDMAP_PASSWORD)"},
		"no username":           {config: server(configModel{Password: text("p")}), problem: "Set username (or IDMAP_USERNAME)"},
		"embedded":              {config: embedded, environment: map[string]string{"IDMAP_USERNAME": "u", "IDMAP_PASSWORD": "p"}},
	} {
		var diags diag.Diagnostics
		got := test.config.settings(func(name string) string { return test.environment[name] }, &diags).client
		if test.problem == "" && diags.HasError() || test.problem != "" && !contains(diags, test.problem) {
			t.Errorf("%s: %v, want %q", name, diags, test.problem)
		}
		if test.problem == "" && (got.Token != test.token || got.Username != test.username || got.Password != test.password) {
			t.Errorf("%s: token %q, username %q, password %q", name, got.Token, got.Username, got.Password)
		}
	}
}

func TestSettingsValues(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"IDMAP_ENDPOINT": "https://a", "IDMAP_TOKEN": "secret", "IDMAP_CA_CERT_FILE": "ca.pem", "IDMAP_MAX_RETRIES": "0",
		"IDMAP_REQUEST_TIMEOUT": "5s", "IDMAP_MAX_CONCURRENT_REQUESTS": "3", "IDMAP_PLAN_CHECKS": "false",
	}
	var diags diag.Diagnostics
	s := configModel{}.settings(func(name string) string { return variables[name] }, &diags)
	if diags.HasError() {
		t.Fatal(diags)
	}
	c := s.client
	if c.Token != "secret" || c.CACertFile != "ca.pem" || c.MaxRetries >= 0 || c.RequestTimeout != 5*time.Second || c.MaxConcurrentRequests != 3 || s.planChecks {
		t.Errorf("%+v", s)
	}
}

func TestGathering(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"": true, "false": true, "true": false} {
		var diags diag.Diagnostics
		environment := func(name string) string {
			return map[string]string{"IDMAP_ENDPOINT": "https://a", "IDMAP_SEPARATE_REQUESTS": value}[name]
		}
		if got := (configModel{}).settings(environment, &diags).client.Gather; diags.HasError() || got != want {
			t.Errorf("IDMAP_SEPARATE_REQUESTS=%s: gathers is %t, %v", value, got, diags)
		}
	}
	var diags diag.Diagnostics
	(configModel{}).settings(func(name string) string {
		return map[string]string{"IDMAP_ENDPOINT": "https://a", "IDMAP_SEPARATE_REQUESTS": "perhaps"}[name]
	}, &diags)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail(), "IDMAP_SEPARATE_REQUESTS") || !strings.Contains(diags[0].Detail(), "true or false") {
		t.Errorf("of a value that is neither: %v", diags)
	}
}

func TestUnknownConfigurationIsNeverReplaced(t *testing.T) {
	t.Parallel()
	if got := (configModel{Endpoint: types.StringUnknown()}).unknown(); got != "endpoint" {
		t.Errorf("unknown argument %q", got)
	}
	if got := (configModel{Endpoint: types.StringValue("https://a"), Token: types.StringUnknown()}).unknown(); got != "token" {
		t.Errorf("unknown argument %q", got)
	}
	if got := (configModel{}).unknown(); got != "" {
		t.Errorf("unknown argument %q", got)
	}
}

func contains(diags diag.Diagnostics, text string) bool {
	for _, d := range diags {
		if strings.Contains(d.Summary()+": "+d.Detail(), text) {
			return true
		}
	}
	return false
}
