package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// queries calls the provider as terraform query does, which the Terraform of the tests does not have.
type queries struct {
	protocol
	server tfprotov6.ListResourceServer
	lists  map[string]tftypes.Object // by resource type
	// computed are the attributes that a configuration may leave to the provider, by resource type.
	computed map[string][]string
}

// newQueries configures the provider with these arguments.
func newQueries(t *testing.T, arguments fields) queries {
	t.Helper()
	q := queries{protocol: newProtocol(t, &acctest.Server{URL: "http://localhost"}), lists: map[string]tftypes.Object{}, computed: map[string][]string{}}
	var ok bool
	if q.server, ok = q.provider.(tfprotov6.ListResourceServer); !ok {
		t.Fatalf("a %T lists nothing", q.provider)
	}
	schemas, err := q.provider.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	q.fine(err, schemas.Diagnostics)
	for name, schema := range schemas.ListResourceSchemas {
		q.lists[name] = q.objectOf(schema)
		for _, a := range schemas.ResourceSchemas[name].Block.Attributes {
			if a.Computed {
				q.computed[name] = append(q.computed[name], a.Name)
			}
		}
	}
	config := q.value(q.objectOf(schemas.Provider), arguments)
	configured, err := q.provider.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range configured.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			t.Fatalf("%s: %s", d.Summary, d.Detail)
		}
	}
	return q
}

func queriesOf(t *testing.T, server *acctest.Server) queries {
	t.Helper()
	return newQueries(t, fields{"endpoint": server.URL, "token": server.Token})
}

// list lists objects of that type. What the configuration is refused for is the only result.
func (q queries) list(name string, filters fields, include bool, limit int64) []tfprotov6.ListResourceResult {
	q.Helper()
	config := q.value(q.lists[name], filters)
	valid, err := q.server.ValidateListResourceConfig(q.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: name, Config: config})
	if err != nil {
		q.Fatal(err)
	}
	if len(valid.Diagnostics) > 0 {
		return []tfprotov6.ListResourceResult{{Diagnostics: valid.Diagnostics}}
	}
	stream, err := q.server.ListResource(q.Context(), &tfprotov6.ListResourceRequest{TypeName: name, Config: config, IncludeResource: include, Limit: limit})
	if err != nil {
		q.Fatal(err)
	}
	return slices.Collect(stream.Results)
}

// labels are what the results are called, sorted; a result that is an error by its summary.
func labels(results []tfprotov6.ListResourceResult) []string {
	all := []string{}
	for _, r := range results {
		for _, d := range r.Diagnostics {
			all = append(all, d.Summary)
		}
		if r.DisplayName != "" {
			all = append(all, r.DisplayName)
		}
	}
	slices.Sort(all)
	return all
}

func (q queries) wants(name string, filters fields, want ...string) {
	q.Helper()
	if got := labels(q.list(name, filters, false, 0)); !slices.Equal(got, want) {
		q.Errorf("%s with %v lists %q, want %q", name, filters, got, want)
	}
}

func (q queries) idOf(result tfprotov6.ListResourceResult) string {
	q.Helper()
	value, err := result.Identity.IdentityData.Unmarshal(q.identity)
	q.must(err)
	return textOfValue(q.T, attributesOf(q.T, value)["id"])
}

func (q queries) must(err error) {
	q.Helper()
	if err != nil {
		q.Fatal(err)
	}
}

func attributesOf(t *testing.T, value tftypes.Value) map[string]tftypes.Value {
	t.Helper()
	all := map[string]tftypes.Value{}
	if err := value.As(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func textOfValue(t *testing.T, value tftypes.Value) string {
	t.Helper()
	var text string
	if err := value.As(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// stageListed stores two mappings by hand, one of which follows its username, one that a sign-in makes, and two maps.
func (s scenario) stageListed() (signInWorld, stagedMaps) {
	s.Helper()
	w, c := s.stageSignInWorld(), s.server.Client
	mail, err := c.Connection(s.ctx(), w.mail)
	s.must(err)
	mail.MailDomain = "example.com"
	_, err = c.UpdateConnection(s.ctx(), mail)
	s.must(err)
	for userID, email := range map[string]string{"JROE": "John@example.com", "ipetrov": ""} {
		_, _, err := c.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
			Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales}},
			Email: email, UserID: userID,
		})
		s.must(err)
	}
	s.signIn(w, "jane@example.com", "JDOE", "")
	return w, s.stageMaps()
}

func TestListFilters(t *testing.T) {
	s := newScenario(t)
	w, staged := s.stageListed()
	q := queriesOf(t, s.server)
	const jane, john, ivan = "jane@example.com ↔ JDOE", "John@example.com ↔ JROE", "ipetrov@example.com ↔ ipetrov"

	mapping := "idmap_user_mapping"
	q.wants(mapping, fields{}, john, ivan, jane)
	q.wants(mapping, fields{"source_connection_id": w.mail, "destination_connection_id": w.sales}, john, ivan, jane)
	q.wants(mapping, fields{"source_connection_id": w.sales})
	q.wants(mapping, fields{"destination_connection_id": w.mail})
	q.wants(mapping, fields{"email": "SMTP:JOHN@example.com"}, john)
	q.wants(mapping, fields{"user_id": "jdoe"}, jane)
	q.wants(mapping, fields{"user_id": "jdoe", "email": "john@example.com"})
	q.wants(mapping, fields{"origin": "sign_in"}, jane)
	q.wants(mapping, fields{"origin": "api"}, john, ivan)

	for name, want := range map[string]string{"idmap_account_map": "People", "idmap_group_map": "Teams"} {
		q.wants(name, fields{}, want)
		q.wants(name, fields{"name": strings.ToUpper(want)}, want)
		q.wants(name, fields{"name": want + "s"})
		q.wants(name, fields{"source_connection_id": staged.from, "destination_connection_id": staged.to}, want)
		q.wants(name, fields{"source_connection_id": staged.to})
	}
	for name := range q.lists {
		q.wants(name, fields{"source_connection_id": " "}, "Invalid Value")
		q.wants(name, fields{"source_connection_id": "Mail"}, "Unknown Connection")
		q.wants(name, fields{"destination_connection_id": "Sales"}, "Unknown Connection")
	}
	q.wants(mapping, fields{"email": "jane"}, "Invalid Email")
	q.wants(mapping, fields{"user_id": ""}, "Invalid User ID")
	q.wants(mapping, fields{"origin": "magic"}, "Invalid Attribute Value Match")
}

// TestListPages: pages are followed as far as Terraform wants objects, and not further.
func TestListPages(t *testing.T) {
	s := newScenario(t)
	w, c := s.stageSignInWorld(), s.server.Client
	const count, pageSize = 5, 2
	for i := range count {
		_, _, err := c.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
			Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales}},
			Email: fmt.Sprintf("user%d@example.com", i), UserID: fmt.Sprintf("USER%d", i),
		})
		s.must(err)
	}
	var pages atomic.Int64
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if query := r.URL.Query(); query.Has("limit") {
			pages.Add(1)
			query.Set("limit", fmt.Sprint(pageSize))
			r.URL.RawQuery = query.Encode()
		}
		return false
	})
	q := newQueries(t, fields{"endpoint": endpoint, "token": s.server.Token})
	for limit, want := range map[int64]struct{ results, pages int }{0: {count, 3}, 1: {1, 1}, pageSize: {pageSize, 1}, 3: {3, 2}, count: {count, 3}, 100: {count, 3}} {
		pages.Store(0)
		results := q.list("idmap_user_mapping", fields{}, false, limit)
		ids := map[string]bool{}
		for _, r := range results {
			q.fine(nil, r.Diagnostics)
			ids[q.idOf(r)] = true
		}
		if len(results) != want.results || len(ids) != want.results || pages.Load() != int64(want.pages) {
			t.Errorf("with the limit %d there are %d results, %d of them different, of %d pages, want %+v", limit, len(results), len(ids), pages.Load(), want)
		}
	}
}

// TestListIncludes: objects come only where they are asked for; the items of maps, too, are asked for only then.
func TestListIncludes(t *testing.T) {
	s := newScenario(t)
	s.stageListed()
	var whole atomic.Int64
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("include") {
			whole.Add(1)
		}
		return false
	})
	q := newQueries(t, fields{"endpoint": endpoint, "token": s.server.Token})
	for name := range q.lists {
		for _, include := range []bool{false, true} {
			for _, r := range q.list(name, fields{}, include, 0) {
				q.fine(nil, r.Diagnostics)
				if included := r.Resource != nil && !isNull(q, q.objects[name], r.Resource); included != include {
					t.Errorf("%s of %s comes with its object: %t", r.DisplayName, name, included)
				}
			}
		}
	}
	if whole.Load() != 2 {
		t.Errorf("%d maps were read, want 2", whole.Load())
	}
}

// TestListWhileDeleted: a map that is deleted between the page that has it and its own read is left out, and no more.
func TestListWhileDeleted(t *testing.T) {
	s := newScenario(t)
	staged := s.stageMaps()
	s.stageMap(idmap.AccountMap, staged.from, staged.to, idmap.Map{Name: "More", MapBy: idmap.MapBy{ID: true}})
	var deleted atomic.Int64
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("include") && deleted.Add(1) == 1 {
			s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, path.Base(r.URL.Path), 0))
		}
		return false
	})
	q := newQueries(t, fields{"endpoint": endpoint, "token": s.server.Token})
	results := q.list("idmap_account_map", fields{}, true, 0)
	for _, r := range results {
		q.fine(nil, r.Diagnostics)
	}
	left := []string{}
	for m, err := range s.server.Client.Maps(s.ctx(), idmap.AccountMap, client.MapFilter{}) {
		s.must(err)
		left = append(left, m.Name)
	}
	if got := labels(results); len(got) != 1 || !slices.Equal(got, left) {
		t.Errorf("%q are listed, %q are there, want the one that was not deleted", got, left)
	}
}

func isNull(q queries, object tftypes.Object, value *tfprotov6.DynamicValue) bool {
	q.Helper()
	v, err := value.Unmarshal(object)
	q.must(err)
	return v.IsNull()
}

// TestListedConfigurationPlansNothing: what Terraform makes of a listed object, and imports, is no change.
func TestListedConfigurationPlansNothing(t *testing.T) {
	s := newScenario(t)
	w, staged := s.stageListed()
	_, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales}},
		Email: "SMTP:Odd.${x}@bücher.example", UserID: "12 %{y} Ω",
	})
	s.must(err)
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		s.stageMap(kind, staged.from, staged.to, idmap.Map{Name: "Bare \"" + string(kind) + "\"", MapBy: idmap.MapBy{ID: true}})
	}
	s.stageMap(idmap.AccountMap, staged.from, staged.to, idmap.Map{
		Name: "Passed", MapBy: idmap.MapBy{Passthrough: true, Username: true, Fuzzy: true, ExternalPassthrough: true},
		Destination: idmap.MapEnd{Default: &idmap.Principal{Name: "default"}},
		Exceptions:  pairs("JANE@example.com", "n-jane", "o-lost", "takes all"),
	})
	q := queriesOf(t, s.server)
	for name, want := range map[string]int{"idmap_user_mapping": 4, "idmap_account_map": 3, "idmap_group_map": 2} {
		results := q.list(name, fields{}, true, 0)
		if len(results) != want {
			t.Errorf("%s lists %q, want %d of them", name, labels(results), want)
		}
		for _, r := range results {
			q.fine(nil, r.Diagnostics)
			q.plansNothing(name, r)
		}
	}
}

// plansNothing generates the configuration of a listed object, imports the object, and plans.
func (q queries) plansNothing(name string, listed tfprotov6.ListResourceResult) {
	q.Helper()
	object := q.objects[name]
	generated, err := q.provider.GenerateResourceConfig(q.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: name, State: listed.Resource})
	q.fine(err, generated.Diagnostics)
	valid, err := q.provider.ValidateResourceConfig(q.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: name, Config: generated.Config})
	q.fine(err, valid.Diagnostics)

	imported, err := q.provider.ImportResourceState(q.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, Identity: listed.Identity})
	q.fine(err, imported.Diagnostics)
	one := imported.ImportedResources[0]
	read, err := q.provider.ReadResource(q.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: one.State, Private: one.Private, CurrentIdentity: one.Identity})
	q.fine(err, read.Diagnostics)

	state, err := read.NewState.Unmarshal(object)
	q.must(err)
	config, err := generated.Config.Unmarshal(object)
	q.must(err)
	proposed := attributesOf(q.T, config)
	for _, attribute := range q.computed[name] {
		if proposed[attribute].IsNull() {
			proposed[attribute] = attributesOf(q.T, state)[attribute]
		}
	}
	wanted, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, proposed))
	q.must(err)
	plan, err := q.provider.PlanResourceChange(q.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: name, Config: generated.Config, PriorState: read.NewState, ProposedNewState: &wanted, PriorPrivate: read.Private, PriorIdentity: read.NewIdentity,
	})
	q.fine(err, plan.Diagnostics)
	planned, err := plan.PlannedState.Unmarshal(object)
	q.must(err)
	if changes, err := state.Diff(planned); err != nil || len(changes) > 0 {
		q.Errorf("%s %s would change: %v (%v)", name, listed.DisplayName, changes, err)
	}
}

// TestListFails: whatever stops a list is its last result, and says what the reason is.
func TestListFails(t *testing.T) {
	s := newScenario(t)
	s.stageListed()
	answering := func(answer http.HandlerFunc) string {
		web := httptest.NewServer(answer)
		t.Cleanup(web.Close)
		return web.URL
	}
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	var lists atomic.Int64
	brokenLater := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		if !query.Has("limit") {
			return false
		}
		query.Set("limit", "1")
		r.URL.RawQuery = query.Encode()
		if lists.Add(1) > 1 {
			http.Error(w, "not today", http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	token, unreachable, foreign := s.server.Token, "Mapping Backend Unreachable", "Not a Mapping Backend"
	for name, test := range map[string]struct {
		arguments fields
		want      string
	}{
		"an endpoint that is known after apply": {fields{"endpoint": tftypes.UnknownValue}, "Provider Not Configured"},
		"nobody there":                          {fields{"endpoint": dead.URL, "max_retries": 0}, unreachable},
		"another server's 404":                  {fields{"endpoint": answering(http.NotFound), "token": token}, foreign},
		"a sign-in page":                        {fields{"endpoint": answering(signInPage), "token": token}, foreign},
		"a wrong token":                         {fields{"endpoint": s.server.URL, "token": "wrong"}, "Token Not Accepted"},
	} {
		q := newQueries(t, test.arguments)
		for of := range q.lists {
			if got := labels(q.list(of, fields{}, true, 0)); !slices.Equal(got, []string{test.want}) {
				t.Errorf("%s: %s lists %q, want %q", name, of, got, test.want)
			}
		}
	}
	results := newQueries(t, fields{"endpoint": brokenLater, "token": token, "max_retries": 0}).list("idmap_user_mapping", fields{}, true, 0)
	if len(results) != 2 || len(results[0].Diagnostics) > 0 || !slices.Equal(labels(results[1:]), []string{unreachable}) {
		t.Errorf("with a second page that fails there are %q", labels(results))
	}
}

func signInPage(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("<html>Sign in</html>"))
}

// TestListOnPlatform: maps of a server that has only the published API.
func TestListOnPlatform(t *testing.T) {
	t.Parallel()
	platform := acctest.NewPlatform(t)
	s := scenario{T: t, server: platform.Server}
	staged := s.stageMaps()
	q := newQueries(t, fields{"endpoint": platform.URL, "username": platform.Username, "password": platform.Password})
	for name, want := range map[string]string{"idmap_account_map": "People", "idmap_group_map": "Teams"} {
		q.wants(name, fields{"name": want, "source_connection_id": staged.from}, want)
		q.wants(name, fields{"source_connection_id": staged.to})
		q.wants(name, fields{"source_connection_id": "0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1"}) // the platform's connections are its own
		for _, r := range q.list(name, fields{}, true, 0) {
			q.fine(nil, r.Diagnostics)
			q.plansNothing(name, r)
		}
	}
}
