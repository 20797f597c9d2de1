// Package server speaks HTTP for the backend: routes, authentication, decoding, encoding, and errors as statuses. It
// decides nothing itself.
package server

import (
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Options are what a server takes besides its backend.
type Options struct {
	Version string
	// Logger gets one line a request, never a body or a secret. nil: nothing is logged.
	Logger *slog.Logger
	// RateLimit is how many requests a second each token may send. 0: there is no limit.
	RateLimit int
}

// maxJSONBody is the most bytes of a JSON request: a batch of idmap.MaxBatch items with long names fits. A larger body, where
// one is allowed, waits for its turn.
const maxJSONBody = 4 << 20

// maxFileBody is the most bytes of a directory file: some million accounts.
const maxFileBody = 256 << 20

type server struct {
	backend *backend.Backend
	opts    Options
	api     huma.API
	metrics *metrics
	large   turns

	rates     *rates
	admission *admission
}

// New returns the handler of the API. It authenticates every request but those for health, metrics and the API's own
// description.
func New(b *backend.Backend, opts Options) http.Handler {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	s := &server{backend: b, opts: opts, metrics: newMetrics(registry), large: newTurns()}
	s.rates = newRates(opts.RateLimit, s.metrics.refused)
	s.admission = newAdmission(serverBounds, s.metrics.refused)
	registry.MustRegister(waitingRequests(s.admission))
	mux := http.NewServeMux()
	s.api = humago.New(mux, config(opts.Version))
	s.api.UseMiddleware(s.authenticate, s.admit, s.refuseNUL)
	s.routes()
	s.observability(mux, registry)
	mux.HandleFunc("/", unknownRoute)
	return s.observe(compressed(mux))
}

func config(version string) huma.Config {
	c := huma.DefaultConfig("idmap mapping backend", version)
	c.Info.Description = "Links between the accounts of systems that know the same people by other names."
	c.Info.License = &huma.License{Name: "Mozilla Public License 2.0", Identifier: "MPL-2.0"}
	c.Servers = []*huma.Server{{URL: "/"}}
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.DefaultFormat = "application/json"
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of the server, with the scopes sign_in, read, write or admin. Write includes read, and admin includes all; sign_in signs users in and out, and gives nothing else."},
	}
	return c
}

func (s *server) routes() {
	s.capabilities()
	s.connections()
	s.accounts()
	s.groups()
	s.userMappings()
	serveMaps[accountMapNoun](s)
	serveMaps[groupMapNoun](s)
	s.jobs()
	s.emailAssignments()
	s.signIns()
	s.sessions()
	s.audit()
	s.tokens()
	completeSchemas(s.api.OpenAPI().Components.Schemas)
}

// operation describes a route. The scope is what its token must allow.
func operation(method, path string, scope idmap.Scope, summary string) huma.Operation {
	return huma.Operation{
		Method: method, Path: path, Summary: summary, OperationID: operationID(method, path),
		Security: securityOf(scope),
		Metadata: map[string]any{scopeKey: []idmap.Scope{scope}},
		Errors:   []int{400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 503},
		// The server's own timeouts bound slow bodies; huma's default of five seconds is too short for a large file.
		BodyReadTimeout: -1,
		MaxBodyBytes:    maxJSONBody,
		// Ours was done when huma gets the body.
		SkipValidateBody: true,
	}
}
