package provider

import (
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestAccMapClaimedTwice(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	twin := func(name string) string {
		return strings.Replace(accountMap(name, byNames), `"move"`, `"twin"`, 1)
	}
	s.run(
		resource.TestStep{Config: directory + accountMap("Move", byNames) + twin("MOVE "), PlanOnly: true, ExpectError: refusal("Claimed Twice", "", "Two account maps", "MOVE")},
		resource.TestStep{Config: directory + accountMap("Move", byNames) + groupMap("Move", byNames)},
		resource.TestStep{Config: directory + accountMap("Move", byNames) + groupMap("Move", byNames) + twin("move"), PlanOnly: true, ExpectError: refusal("Claimed Twice", "")},
		resource.TestStep{
			PreConfig: func() {
				m := s.theMap()
				s.stageMap(idmap.AccountMap, m.Source.Connection.ID, m.Destination.Connection.ID, idmap.Map{Name: "Other", MapBy: idmap.MapBy{ID: true}})
			},
			Config: directory + accountMap("Move", byNames) + groupMap("Move", byNames) + twin("other"), PlanOnly: true,
			ExpectError: refusal("Name Already in Use", idmap.CodeNameInUse, "import {", "moved block"),
		},
		resource.TestStep{
			Config: directory + accountMap("Other", byNames) + groupMap("Move", byNames), PlanOnly: true,
			ExpectError: refusal("Name Already in Use", idmap.CodeNameInUse),
		},
		resource.TestStep{
			PreConfig: func() {
				for m, err := range s.server.Client.Maps(s.ctx(), idmap.AccountMap, client.MapFilter{Name: "Other"}) {
					s.must(err)
					s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, m.ID, 0))
				}
			},
			Config: directory + accountMap("Other", byNames) + groupMap("Move", byNames),
		},
	)
}

func TestAccMapReplacements(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	config := directory + accountMap("Move", fullMap)
	replaces := planned(action(moveAddress, plancheck.ResourceActionReplace))
	back := strings.NewReplacer("idmap_connection.old", "idmap_connection.new", "idmap_connection.new", "idmap_connection.old").Replace(accountMap("Move", byNames))
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{Taint: []string{moveAddress}, Config: config, ConfigPlanChecks: replaces, Check: s.maps(1)},
		resource.TestStep{
			// Tainted, and changed, in one plan.
			Taint: []string{moveAddress}, Config: directory + accountMap("Move", byNames), ConfigPlanChecks: replaces, Check: s.maps(1),
		},
		resource.TestStep{Config: directory + back, ConfigPlanChecks: replaces, Check: s.maps(1)},
		resource.TestStep{Config: directory + trigger("1") + accountMap("Move", byNames, replaced)},
		resource.TestStep{Config: directory + trigger("2") + accountMap("Move", byNames, replaced), ConfigPlanChecks: replaces, Check: s.maps(1)},
		resource.TestStep{
			// A renamed connection stays what it is, and so does its map.
			Config:           strings.Replace(directory, `"Old Files"`, `"Older Files"`, 1) + trigger("2") + accountMap("Move", byNames, replaced),
			ConfigPlanChecks: planned(action("idmap_connection.old", plancheck.ResourceActionUpdate), action(moveAddress, plancheck.ResourceActionNoop)),
		},
		resource.TestStep{
			// A connection of another platform is another connection, and its map another map.
			Config:           strings.Replace(directory, `"network_file_share"`, `"generic"`, 1) + trigger("2") + accountMap("Move", byNames, replaced),
			ConfigPlanChecks: planned(action("idmap_connection.old", plancheck.ResourceActionReplace), action(moveAddress, plancheck.ResourceActionReplace)),
			Check:            s.maps(1),
		},
	)
}

func TestAccMapRenamedResource(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	other := strings.Replace(accountMap("Move", fullMap), `"move"`, `"other"`, 1)
	s.run(
		resource.TestStep{Config: directory + accountMap("Move", fullMap)},
		resource.TestStep{
			Config:           directory + other + "moved {\n  from = idmap_account_map.move\n  to = idmap_account_map.other\n}\n",
			ConfigPlanChecks: nothingToDo,
		},
		// Without moved the delete and the create meet in one apply. The map is there afterwards.
		resource.TestStep{Config: directory + accountMap("Move", fullMap), Check: s.maps(1)},
		resource.TestStep{Config: directory + accountMap("Move", fullMap), ConfigPlanChecks: nothingToDo},
	)
}

// TestAccMapCreateBeforeDestroy: the successor of the same content is the same map, and must survive.
func TestAccMapCreateBeforeDestroy(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	config := func(version string) string {
		return directory + trigger(version) + accountMap("Move", fullMap,
			"lifecycle {\n    create_before_destroy = true\n    replace_triggered_by = [terraform_data.trigger]\n  }")
	}
	s.run(
		resource.TestStep{Config: config("1")},
		resource.TestStep{
			Config: config("2"), ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionCreateBeforeDestroy)), Check: s.maps(1),
		},
		resource.TestStep{Config: config("2"), ConfigPlanChecks: nothingToDo},
	)
}

// TestAccMapUnreachable: without its backend a plan is made from the state, and does not fail on what it cannot check.
func TestAccMapUnreachable(t *testing.T) {
	s := newScenario(t)
	var down atomic.Bool
	endpoint := s.behind(func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	})
	directory := s.withShares()
	s.runOn(endpoint, "",
		resource.TestStep{Config: directory + accountMap("Move", fullMap)},
		resource.TestStep{PreConfig: func() { down.Store(true) }, Config: directory + accountMap("Move", fullMap), PlanOnly: true},
		resource.TestStep{Config: directory + accountMap("Move", byNames) + groupMap("Teams", byNames), PlanOnly: true, ExpectNonEmptyPlan: true},
		resource.TestStep{PreConfig: func() { down.Store(false) }, Config: directory + accountMap("Move", fullMap), PlanOnly: true},
	)
}

// TestAccMapExceptionsOfOthers: a configuration can leave the exceptions to somebody else.
func TestAccMapExceptionsOfOthers(t *testing.T) {
	s := newScenario(t)
	config := s.withShares() + accountMap("Move", byNames, "lifecycle {\n    ignore_changes = [exceptions]\n  }")
	add := func() { s.changeMap(func(m *idmap.Map) { m.Exceptions = pairs("twin", "T1", "boss", "BOSS2") }) }
	s.run(
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: add, Config: config, ConfigPlanChecks: nothingToDo},
		resource.TestStep{
			Config:           strings.Replace(config, "names = true", "emails = true", 1),
			ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckResourceAttr(moveAddress, "exceptions.%", "2"),
		},
	)
}

// TestAccMapLostAnswer: the write happened, but its answer was lost. The next apply takes up what is there.
func TestAccMapLostAnswer(t *testing.T) {
	s := newScenario(t)
	var cut atomic.Bool
	cut.Store(true)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/account_maps" || !cut.Load() {
			return false
		}
		s.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
	config := s.withShares() + accountMap("Move", fullMap)
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, ExpectError: refusal("Mapping Backend Unreachable", "")},
		resource.TestStep{
			PreConfig:        func() { s.theMap(); cut.Store(false) },
			Config:           config,
			ConfigPlanChecks: planned(action(moveAddress, plancheck.ResourceActionCreate)),
			Check:            s.maps(1),
		},
	)
}

// TestAccMapWithoutPlanChecks: the backend alone decides, at apply, in the same words.
func TestAccMapWithoutPlanChecks(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	s.runOn(s.server.URL, "  plan_checks = false",
		resource.TestStep{Config: directory},
		resource.TestStep{
			Config:      directory + accountMap("Move", byNames, `exceptions = { jane = "JDO" }`),
			ExpectError: refusal("Error running apply", "", "Unknown Account", "Code: unknown_account"),
		},
		resource.TestStep{Config: directory + accountMap("Move", byNames)},
	)
}

// TestAccMapUnchangedAsksNothing: a plan without changes makes its refresh and no check. One that changes a directory asks
// what that does to the map, and cannot fail on the answer: here an account that the map names is gone.
func TestAccMapUnchangedAsksNothing(t *testing.T) {
	s := newScenario(t)
	var checks, reads atomic.Int32
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/validate"):
			checks.Add(1)
		case strings.HasPrefix(r.URL.Path, "/v1/account_maps/"):
			reads.Add(1)
		}
		return false
	})
	config := s.withShares() + accountMap("Move", fullMap)
	s.runOn(endpoint, "",
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: func() { checks.Store(0); reads.Store(0) }, Config: config, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				if checks.Load() != 0 || reads.Load() == 0 {
					t.Errorf("%d checks and %d reads of plans that change nothing", checks.Load(), reads.Load())
				}
				s.must(s.server.Client.DeleteAccount(s.ctx(), s.theMap().Destination.Connection.ID, "n-boss", 0))
			},
			Config: config, PlanOnly: true, ExpectNonEmptyPlan: true, // the directory's file is to be uploaded again
		},
		resource.TestStep{
			PreConfig: func() {
				if checks.Load() == 0 {
					t.Error("no plan asks what the directory does to the map")
				}
			},
			Config: config, Destroy: true,
		},
	)
}

// TestMapWarnings: what a map would do is told in the plan. Terraform prints warnings, which the test library does not
// show, so this is a call of the plan.
func TestMapWarnings(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	config, _ := mapFields(accountMaps, rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	warned := func(found []*tfprotov6.Diagnostic, summaries ...string) {
		t.Helper()
		if len(found) != len(summaries) {
			t.Errorf("%d findings, want %d: %+v", len(found), len(summaries), found)
			return
		}
		for i, d := range found {
			if d.Severity != tfprotov6.DiagnosticSeverityWarning || d.Summary != summaries[i] {
				t.Errorf("%s: %s, want a warning %q", d.Summary, d.Detail, summaries[i])
			}
		}
	}
	warned(newProtocol(t, server).planMap(accountMaps, config, nil, config), "Map Is Incomplete: Staff")

	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, "", rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	if err != nil {
		t.Fatal(err)
	}
	prior := maps.Clone(config)
	prior["id"], prior["unmapped_policy"] = stored.ID, "skip"
	names := maps.Clone(config)
	match := map[string]tftypes.Value{}
	for _, option := range accountMaps.match {
		match[option.name] = tftypes.NewValue(tftypes.Bool, option.name == "usernames")
	}
	names["match"] = match
	proposed := maps.Clone(names)
	proposed["id"] = stored.ID
	warned(newProtocol(t, server).planMap(accountMaps, names, prior, proposed), "Map Changes Results: Staff")

	warned(newProtocol(t, server).planDelete(accountMaps, prior))
	_, err = server.Backend.CreateJob(t.Context(), backend.Call{}, idmap.Job{Kind: idmap.JobKindTransfer, Transfer: idmap.JobTransfer{
		Source: idmap.JobEnd{Connection: stored.Source.Connection}, Destination: idmap.JobEnd{Connection: stored.Destination.Connection},
		AccountMap: &idmap.MapUse{ID: stored.ID},
	}})
	if err != nil {
		t.Fatal(err)
	}
	warned(newProtocol(t, server).planDelete(accountMaps, prior), "Map Is in Use: Staff")
}

// TestMapImportByIdentity needs Terraform 1.12, which the tests cannot count on.
func TestMapImportByIdentity(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	p := newProtocol(t, server)
	for _, k := range []mapKind{accountMaps, groupMaps} {
		stored, _, err := server.Client.CreateMap(t.Context(), k.kind, "", rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
		if err != nil {
			t.Fatal(err)
		}
		imported, err := p.provider.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: k.resource(), Identity: &tfprotov6.ResourceIdentityData{IdentityData: p.value(p.identity, fields{"id": stored.ID})},
		})
		p.fine(err, imported.Diagnostics)
		object := imported.ImportedResources[0]
		read, err := p.provider.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: k.resource(), CurrentState: object.State, Private: object.Private, CurrentIdentity: object.Identity,
		})
		p.fine(err, read.Diagnostics)
		state, err := read.NewState.Unmarshal(p.objects[k.resource()])
		if err != nil || state.IsNull() || read.NewIdentity == nil {
			t.Errorf("%s is imported as %s (%v)", k.resource(), state, err)
		}
	}
}

// TestMapExistsAlready: two configurations in containers of their own, in the same folder, have the same
// Idempotency-Keys. The second one is warned at plan that it would take over what the first one has.
func TestMapExistsAlready(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	wanted.UnmappedPolicy = idmap.UnmappedSkip // as the provider sends it
	config, _ := mapFields(accountMaps, wanted)
	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, newWalk(nil, true).mapKey(accountMaps, mapWire{Map: wanted}), wanted)
	if err != nil {
		t.Fatal(err)
	}
	existing := func(found []*tfprotov6.Diagnostic) *tfprotov6.Diagnostic {
		for _, d := range found {
			if d.Summary == "Map Exists Already" && d.Severity == tfprotov6.DiagnosticSeverityWarning && d.Attribute.String() == `AttributeName("name")` {
				return d
			}
		}
		return nil
	}
	found := existing(newProtocol(t, server).planMap(accountMaps, config, nil, config))
	if found == nil {
		t.Fatal("the plan of another configuration does not say that the map exists")
	}
	for _, words := range []string{"interrupted", "do not apply", "import {", stored.ID} {
		if !strings.Contains(found.Detail, words) {
			t.Errorf("%q lacks %q", found.Detail, words)
		}
	}
	tainted := newProtocol(t, server)
	tainted.read("idmap_account_map", stored.ID)
	if found := existing(tainted.planMap(accountMaps, config, nil, config)); found != nil {
		t.Errorf("its own tainted map: %+v", found)
	}
	other := maps.Clone(config)
	other["unmapped_policy"] = "fail"
	if found := newProtocol(t, server).planMap(accountMaps, other, nil, other); len(found) == 0 || found[0].Summary != "Name Already in Use" {
		t.Errorf("another map of the name: %+v", found)
	}
}

// TestMapOfManyNewRows: a plan does not send any number of accounts.
func TestMapOfManyNewRows(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	p := &mapPlan{walk: newWalk(server.Client, true), kind: accountMaps, diags: new(diag.Diagnostics)}
	p.plan = accountMapOf(nil)
	for _, rows := range []int{maxProposedRows / 2, maxProposedRows/2 + 1} {
		accounts := make([]idmap.Account, rows)
		for i := range accounts {
			accounts[i].ID = strings.Repeat("a", 1+i%7) + string(rune('0'+i%10)) + strings.Repeat("b", i%13)
		}
		index := indexDirectory(accounts, func(a idmap.Account) []string { return []string{idKey(a.ID)} })
		p.walk.expect(&pendingDirectory{connection: idmap.Connection{ID: "old"}, accounts: index})
		p.walk.expect(&pendingDirectory{connection: idmap.Connection{ID: "new"}, accounts: index})
		proposed, ok := p.directories()
		if few := rows*2 <= maxProposedRows; ok != few || few && len(*proposed[0].Accounts) != rows || (len(*p.diags) == 0) != few {
			t.Errorf("%d rows each: sent is %v, with %v", rows, ok, p.diags)
		}
	}
}
