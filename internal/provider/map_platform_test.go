package provider

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestAccMapOnPlatform: against a server that has only the published API, with a username and a password.
func TestAccMapOnPlatform(t *testing.T) {
	t.Parallel()
	platform := acctest.NewPlatform(t)
	s := scenario{T: t, server: platform.Server}
	from, to := s.stageConnection("Old", oldAccounts, oldGroups), s.stageConnection("New", newAccounts, newGroups)
	literal := strings.NewReplacer("idmap_connection.old.id", fmt.Sprintf("%q", from), "idmap_connection.new.id", fmt.Sprintf("%q", to))
	block := providerBlock(fmt.Sprintf("endpoint = %q", platform.URL), fmt.Sprintf("username = %q", platform.Username), fmt.Sprintf("password = %q", platform.Password))
	config := func(resources ...string) string { return block + literal.Replace(strings.Join(resources, "")) }
	var broken atomic.Bool
	platform.FailWhere(func(r *http.Request) int {
		if broken.Load() && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/exceptions") {
			return http.StatusBadRequest
		}
		return 0
	})
	full, teams := accountMap("Move", fullMap), groupMap("Teams", byNames, `exceptions = { hidden = "ng-3" }`, `source_exclusions = ["sales"]`)
	update := planned(action(moveAddress, plancheck.ResourceActionUpdate))
	steps := []resource.TestStep{
		{Config: config(full, teams), Check: s.maps(1)},
		{Config: config(full, teams), ConfigPlanChecks: nothingToDo},
		{ResourceName: teamsAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "teams"},
		{ResourceName: teamsAddress, ImportState: true, ImportStateVerify: true},
		{
			PreConfig: func() {
				s.changeMap(func(m *idmap.Map) { *m.Exceptions = append(*m.Exceptions, (*pairs("twin", "T1"))[0]) })
			},
			Config: config(full, teams), ConfigPlanChecks: update,
		},
		{
			Config:           config(accountMap("The Move", byNames, `exceptions = { boss = "JROE" }`), teams),
			ConfigPlanChecks: update, Check: resource.TestCheckResourceAttr(moveAddress, "exceptions.%", "1"),
		},
		{
			PreConfig: func() {
				s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, s.theMap().ID, 0))
				broken.Store(true)
			},
			Config: config(full, teams), ExpectError: refusal("does not work today", ""),
		},
		{
			// The map was made without its exceptions. It is kept, and replaced.
			PreConfig: func() { s.theMap(); broken.Store(false) },
			Config:    config(full, teams), ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionReplace)), Check: s.maps(1),
		},
		{Config: config(full, teams), ConfigPlanChecks: nothingToDo},
		{Config: config(strings.ReplaceAll(full, `"JDOE"`, `"NOBODY"`), teams), ExpectError: refusal("NOBODY", "")},
		{Config: config(full, teams)},
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: steps})
}

// TestMapOnPlatformWarnsOnce, and says what of the configuration the platform does not have.
func TestMapOnPlatformWarnsOnce(t *testing.T) {
	t.Parallel()
	platform := acctest.NewPlatform(t)
	p := newProtocol(t, &acctest.Server{URL: platform.URL, Token: platform.NewToken()})
	by := idmap.MapBy{Name: true, Fuzzy: true, FuzzyThreshold: new(0.8), ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveFirst}
	config, _ := mapFields(accountMaps, rulestest.MapBetween("a", "b", func(m *idmap.Map) { m.MapBy = by }))
	warned := p.planMap(accountMaps, config, nil, config)
	if len(warned) != 1 || warned[0].Severity != tfprotov6.DiagnosticSeverityWarning || warned[0].Summary != "Server Checks Nothing at Plan" ||
		!strings.Contains(warned[0].Detail, `The map "Staff" sets fuzzy.threshold and external_users.resolve_first.`) {
		t.Errorf("%+v", warned)
	}
	second := maps.Clone(config)
	second["name"] = "Other"
	p.fine(nil, p.planMap(accountMaps, second, nil, second))

	config["fuzzy"], config["external_users"] = map[string]tftypes.Value{"threshold": tftypes.NewValue(tftypes.Number, nil)}, nil
	plain := newProtocol(t, &acctest.Server{URL: platform.URL, Token: platform.NewToken()}).planMap(accountMaps, config, nil, config)
	if len(plain) != 1 || strings.Contains(plain[0].Detail, "sets") {
		t.Errorf("a map without such options: %+v", plain)
	}
}

// TestMapOnPlatformIsMadeOnce: a platform does not say when it made an object, and its create is not repeated whatever it
// answers afterwards. What was made is in the state.
func TestMapOnPlatformIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			platform := acctest.NewPlatform(t)
			stageMapWorld(t, platform.Server)
			var posts atomic.Int32
			platform.FailWhere(func(r *http.Request) int {
				switch {
				case r.Method == http.MethodPost && r.URL.Path == "/v1/account_maps":
					posts.Add(1)
				case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/account_maps/"):
					return status
				}
				return 0
			})
			p := newProtocol(t, &acctest.Server{URL: platform.URL, Token: platform.NewToken()})
			config, _ := mapFields(accountMaps, rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
			config["unmapped_policy"] = "skip"
			p.fine(nil, p.createsMap(accountMaps, config))
			if posts.Load() != 1 {
				t.Errorf("%d maps were made", posts.Load())
			}
		})
	}
}

// TestMapThatCannotBeReadBack: an answer that may be an older one is looked at again. Where that is refused, the map that it
// names is in the state all the same.
func TestMapThatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	wanted.UnmappedPolicy = idmap.UnmappedSkip // as the provider sends it
	_, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, newWalk(nil, true).mapKey(accountMaps, mapWire{Map: wanted}), wanted)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // until it is no map of just now
	front := httptest.NewServer(sent{server.Handler, func(w http.ResponseWriter, r *http.Request) bool {
		refused := r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/account_maps/")
		if refused {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"type":"error","errors":[{"code":"forbidden","description":"No."}]}`))
		}
		return refused
	}})
	t.Cleanup(front.Close)
	p := newProtocol(t, &acctest.Server{URL: front.URL, Token: server.Token})
	config, _ := mapFields(accountMaps, wanted)
	if found := p.createsMap(accountMaps, config); len(found) != 1 || found[0].Summary != "Token Lacks Scope" {
		t.Errorf("%+v", found)
	}
}

// createsMap creates a map, which must be in the state then, and returns what is said about it.
func (p protocol) createsMap(k mapKind, config fields) []*tfprotov6.Diagnostic {
	p.Helper()
	object := p.objects[k.resource()]
	planned := maps.Clone(config)
	planned["id"] = tftypes.UnknownValue
	applied, err := p.provider.ApplyResourceChange(p.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: k.resource(), Config: p.value(object, config), PriorState: p.value(object, nil), PlannedState: p.value(object, planned),
	})
	if err != nil {
		p.Fatal(err)
	}
	state, err := applied.NewState.Unmarshal(object)
	if err != nil {
		p.Fatal(err)
	}
	var attributes map[string]tftypes.Value
	if err := state.As(&attributes); err != nil || attributes["id"].IsNull() || !attributes["id"].IsKnown() {
		p.Errorf("the map is not in the state: %s (%v)", state, err)
	}
	return applied.Diagnostics
}
