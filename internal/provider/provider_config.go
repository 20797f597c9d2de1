package provider

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

// The bounds of numbers in the configuration. They only catch slips.
const (
	maxRetriesLimit     = 100
	maxConcurrencyLimit = 1000
)

// configModel is the provider block.
type configModel struct {
	Endpoint              types.String `tfsdk:"endpoint"`
	Token                 types.String `tfsdk:"token"`
	Username              types.String `tfsdk:"username"`
	Password              types.String `tfsdk:"password"`
	EmbeddedDatabase      types.String `tfsdk:"embedded_database"`
	CACertFile            types.String `tfsdk:"ca_cert_file"`
	MaxRetries            types.Int64  `tfsdk:"max_retries"`
	RequestTimeout        types.String `tfsdk:"request_timeout"`
	MaxConcurrentRequests types.Int64  `tfsdk:"max_concurrent_requests"`
	PlanChecks            types.Bool   `tfsdk:"plan_checks"`
}

// settings are what the provider block and the environment come to.
type settings struct {
	client           client.Config
	embeddedDatabase string // "": a server
	planChecks       bool
}

// unknown returns the first argument whose value is not known yet, or "". Such a value must never be replaced by a
// default or by the environment: the provider would talk to another server than the one that is meant.
func (c configModel) unknown() string {
	for _, argument := range []struct {
		name  string
		value attr.Value
	}{
		{"endpoint", c.Endpoint},
		{"token", c.Token},
		{"username", c.Username},
		{"password", c.Password},
		{"embedded_database", c.EmbeddedDatabase},
		{"ca_cert_file", c.CACertFile},
		{"max_retries", c.MaxRetries},
		{"request_timeout", c.RequestTimeout},
		{"max_concurrent_requests", c.MaxConcurrentRequests},
		{"plan_checks", c.PlanChecks},
	} {
		if argument.value.IsUnknown() {
			return argument.name
		}
	}
	return ""
}

// settings reads the arguments, and the environment for those that are left out.
func (c configModel) settings(getenv func(string) string, diags *diag.Diagnostics) settings {
	env := environment{getenv: getenv, diags: diags}
	s := settings{
		client: client.Config{
			CACertFile:            env.text(c.CACertFile, "IDMAP_CA_CERT_FILE"),
			MaxConcurrentRequests: env.number(c.MaxConcurrentRequests, "max_concurrent_requests", "IDMAP_MAX_CONCURRENT_REQUESTS", 1, maxConcurrencyLimit, 0),
			MaxRetries:            env.number(c.MaxRetries, "max_retries", "IDMAP_MAX_RETRIES", 0, maxRetriesLimit, client.DefaultMaxRetries),
			RequestTimeout:        env.duration(c.RequestTimeout, "request_timeout", "IDMAP_REQUEST_TIMEOUT"),
			Gather:                !env.separateRequests(),
		},
		planChecks: env.flag(c.PlanChecks, "plan_checks", "IDMAP_PLAN_CHECKS", true),
	}
	if s.client.MaxRetries == 0 {
		s.client.MaxRetries = -1 // the client reads 0 as its default
	}
	s.client.Endpoint, s.embeddedDatabase = c.backend(env, diags)
	s.client.Token, s.client.Username, s.client.Password = c.signIn(env, diags)
	if s.embeddedDatabase != "" {
		s.client.Username, s.client.Password = "", "" // the environment's, and a platform's
	}
	return s
}

// signIn says how to sign in. An argument wins over the environment variables of the other way.
func (c configModel) signIn(env environment, diags *diag.Diagnostics) (token, username, password string) {
	byToken, byPassword := !c.Token.IsNull(), !c.Username.IsNull() || !c.Password.IsNull()
	if byToken || !byPassword {
		token = env.text(c.Token, "IDMAP_TOKEN")
	}
	if byPassword || !byToken {
		username, password = env.text(c.Username, "IDMAP_USERNAME"), env.text(c.Password, "IDMAP_PASSWORD")
	}
	switch {
	case token != "" && (username != "" || password != ""):
		diags.AddAttributeError(path.Root("username"), "Two Ways to Sign In",
			"Both token and username with password are given, and one way to sign in is required. "+
				"Remove token (or IDMAP_TOKEN) to sign in with the password, or username and password (or IDMAP_USERNAME and IDMAP_PASSWORD) to use the token.")
	case username == "" && password != "":
		diags.AddAttributeError(path.Root("username"), "Incomplete Sign-In",
			"There is a password without a username. Set username (or IDMAP_USERNAME) as well, or use a token.")
	case username != "" && password == "":
		diags.AddAttributeError(path.Root("password"), "Incomplete Sign-In",
			"There is a username without a password. Set password (or IDMAP_PASSWORD) as well, or use a token.")
	}
	return token, username, password
}

// backend says which mapping backend is meant. An argument wins over the other one's environment variable.
func (c configModel) backend(env environment, diags *diag.Diagnostics) (endpoint, embedded string) {
	endpoint, embedded = c.Endpoint.ValueString(), c.EmbeddedDatabase.ValueString()
	if endpoint == "" && embedded == "" {
		endpoint, embedded = env.getenv("IDMAP_ENDPOINT"), env.getenv("IDMAP_EMBEDDED_DATABASE")
	}
	switch {
	case endpoint != "" && embedded != "":
		diags.AddAttributeError(path.Root("embedded_database"), "Two Mapping Backends",
			"Both endpoint and embedded_database are given, and a provider talks to one mapping backend. "+
				"Remove endpoint (or IDMAP_ENDPOINT) to use the database file, or embedded_database (or IDMAP_EMBEDDED_DATABASE) to use the server. "+
				"For both at once, write two provider blocks, one with an alias.")
	case endpoint == "" && embedded == "":
		diags.AddAttributeError(path.Root("endpoint"), "Missing Mapping Backend",
			"Nothing says where the mappings live. Set endpoint (or the environment variable IDMAP_ENDPOINT) to the URL of a server, "+
				"or embedded_database (or IDMAP_EMBEDDED_DATABASE) to the path of a file, to work without a server.")
	}
	return endpoint, embedded
}

// environment stands in for arguments that are left out.
type environment struct {
	getenv func(string) string
	diags  *diag.Diagnostics
}

func (e environment) text(argument types.String, variable string) string {
	if !argument.IsNull() {
		return argument.ValueString()
	}
	return e.getenv(variable)
}

func (e environment) number(argument types.Int64, name, variable string, least, most, otherwise int) int {
	text := e.getenv(variable)
	switch {
	case !argument.IsNull():
		return int(argument.ValueInt64())
	case text == "":
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		e.refuse(name, variable, text, fmt.Sprintf("a number from %d to %d", least, most))
	}
	return n
}

func (e environment) duration(argument types.String, name, variable string) time.Duration {
	text := e.text(argument, variable)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		if !argument.IsNull() {
			variable = ""
		}
		e.refuse(name, variable, text, "a duration such as 30s or 2m")
	}
	return d
}

func (e environment) flag(argument types.Bool, name, variable string, otherwise bool) bool {
	text := e.getenv(variable)
	switch {
	case !argument.IsNull():
		return argument.ValueBool()
	case text == "":
		return otherwise
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		e.refuse(name, variable, text, "true or false")
	}
	return b
}

// separateRequests reads whether each call is a request of its own. It is for who looks into the provider, and no argument.
func (e environment) separateRequests() bool {
	const variable = "IDMAP_SEPARATE_REQUESTS"
	text := e.getenv(variable)
	separate, err := strconv.ParseBool(text)
	if text != "" && err != nil {
		e.diags.AddError("Invalid Provider Configuration", fmt.Sprintf("The environment variable %s is %q. It must be true or false.", variable, text))
	}
	return separate
}

// refuse names the environment variable where the value comes from one, since the reader looks for it in the block.
func (e environment) refuse(name, variable, value, wanted string) {
	from := ""
	if variable != "" {
		from = " (from the environment variable " + variable + ")"
	}
	e.diags.AddAttributeError(path.Root(name), "Invalid Provider Configuration",
		fmt.Sprintf("%s is %q%s. It must be %s.", name, value, from, wanted))
}
