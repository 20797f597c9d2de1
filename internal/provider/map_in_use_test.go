package provider

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestAccMapInUse: a map that an unfinished job uses stays, and a connection that a map uses does.
func TestAccMapInUse(t *testing.T) {
	s := newScenario(t)
	directory := s.withShares()
	var job idmap.Job
	s.run(
		resource.TestStep{Config: directory + accountMap("Move", byNames)},
		resource.TestStep{
			PreConfig: func() {
				m := s.theMap()
				var err error
				job, err = s.server.Backend.CreateJob(s.ctx(), backend.Call{}, idmap.Job{
					Name: "Night", Kind: idmap.JobKindTransfer, Transfer: idmap.JobTransfer{
						Source: idmap.JobEnd{Connection: m.Source.Connection}, Destination: idmap.JobEnd{Connection: m.Destination.Connection},
						AccountMap: &idmap.MapUse{ID: m.ID},
					},
				})
				s.must(err)
			},
			Config:      directory,
			ExpectError: refusal("Map Is in Use", idmap.CodeMapInUse, "Night"),
		},
		resource.TestStep{
			PreConfig: func() { s.must(s.server.Backend.DeleteJob(s.ctx(), backend.Call{}, job.ID, 0)) },
			Config:    directory, Check: s.maps(0),
		},
		resource.TestStep{
			PreConfig: func() {
				ids := map[string]string{}
				for c, err := range s.server.Client.Connections(s.ctx(), client.ConnectionFilter{}) {
					s.must(err)
					ids[c.Name] = c.ID
				}
				s.stageMap(idmap.AccountMap, ids["Old Files"], ids["New Files"], idmap.Map{Name: "Elsewhere", MapBy: idmap.MapBy{ID: true}})
			},
			Config: trigger("1"), ExpectError: refusal("Connection Is in Use", idmap.CodeConnectionInUse, "Elsewhere"),
		},
		resource.TestStep{
			PreConfig: func() {
				s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, s.theMap().ID, 0))
			},
			Config: trigger("1"),
		},
	)
}

// TestMapInUseIsReplaced: the plan of a replacement by other connections warns as that of a deletion does, also where the
// successor's connection is not known yet. With -replace, of which only the second plan knows, a warning would be lost.
func TestMapInUseIsReplaced(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	config, _ := mapFields(accountMaps, rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, "", rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Backend.CreateJob(t.Context(), backend.Call{}, idmap.Job{Name: "Night", Kind: idmap.JobKindTransfer, Transfer: idmap.JobTransfer{
		Source: idmap.JobEnd{Connection: stored.Source.Connection}, Destination: idmap.JobEnd{Connection: stored.Destination.Connection},
		AccountMap: &idmap.MapUse{ID: stored.ID},
	}})
	if err != nil {
		t.Fatal(err)
	}
	prior := maps.Clone(config)
	prior["id"], prior["unmapped_policy"] = stored.ID, "skip"
	warning, refusal := tfprotov6.DiagnosticSeverityWarning, tfprotov6.DiagnosticSeverityError
	for name, c := range map[string]struct {
		destination any
		says        string
		severity    tfprotov6.DiagnosticSeverity
	}{
		"the same":           {rulestest.NewFiles, "Map Is in Use", refusal}, // -replace, of which only the second plan knows
		"another connection": {rulestest.BoxFiles, "Map Is in Use: Staff", warning},
		"unknown":            {tftypes.UnknownValue, "Map Is in Use: Staff", warning},
	} {
		successor := maps.Clone(config)
		successor["destination_connection_id"], successor["unmapped_policy"] = c.destination, "skip"
		found := newProtocol(t, server).showReplacement(accountMaps.resource(), successor, prior)
		if i := slices.IndexFunc(found, func(d *tfprotov6.Diagnostic) bool { return d.Summary == c.says }); i < 0 || !strings.Contains(found[i].Detail, "Night") {
			t.Errorf("%s: %+v", name, found)
		}
		for _, d := range found {
			if strings.HasPrefix(d.Summary, "Map Is in Use") && d.Severity != c.severity {
				t.Errorf("%s: %s: %s", name, d.Summary, d.Detail)
			}
		}
	}
	tainted := newProtocol(t, server)
	tainted.read("idmap_account_map", stored.ID)
	if found := tainted.planMap(accountMaps, config, nil, config); !slices.ContainsFunc(found, func(d *tfprotov6.Diagnostic) bool { return d.Summary == "Map Is in Use: Staff" }) {
		t.Errorf("tainted: %+v", found)
	}
}
