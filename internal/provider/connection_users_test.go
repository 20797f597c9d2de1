package provider

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestConnectionInUseGoes: the plan that deletes or replaces a connection names who uses it that this walk has not seen, and
// refuses nothing.
func TestConnectionInUseGoes(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	prior := fields{"id": rulestest.OldFiles, "name": "Old", "platform": "network_file_share", "authoritative": false}
	config := maps.Clone(prior)
	config["id"], config["platform"] = nil, "generic"
	warned := func(found []*tfprotov6.Diagnostic, words ...string) {
		t.Helper()
		if len(found) != min(len(words), 1) {
			t.Fatalf("%d findings: %+v", len(found), found)
		}
		for _, word := range words {
			if d := found[0]; d.Severity != tfprotov6.DiagnosticSeverityWarning || d.Summary != "Connection Is in Use: Old" || !strings.Contains(d.Detail, word) {
				t.Errorf("%s: %s, want a warning with %q", d.Summary, d.Detail, word)
			}
		}
	}
	goes := func(p protocol) []*tfprotov6.Diagnostic {
		return p.planResource("idmap_connection", nil, prior, nil, nil).Diagnostics
	}
	warned(goes(newProtocol(t, server)))
	warned(newProtocol(t, server).planReplacement("idmap_connection", config, prior))

	var made []idmap.Map
	for i := range 2 {
		m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles, func(m *idmap.Map) { m.Name = fmt.Sprintf("Map %d", i) })
		stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, "", m)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, stored)
	}
	warned(goes(newProtocol(t, server)), `account map "Map 0", account map "Map 1"`, "connection_in_use")
	warned(newProtocol(t, server).planReplacement("idmap_connection", config, prior), `account map "Map 0", account map "Map 1"`)

	p := newProtocol(t, server)
	p.read("idmap_account_map", made[0].ID)
	warned(goes(p), `These use it: account map "Map 1".`)
	gone, _ := mapFields(accountMaps, made[1].WithItems(nil))
	gone["id"] = made[1].ID
	p.fine(nil, p.planDelete(accountMaps, gone))
	warned(goes(p))

	for i := range maxUsersNamed {
		m := rulestest.MapBetween(rulestest.NewFiles, rulestest.OldFiles, func(m *idmap.Map) { m.Name = fmt.Sprintf("Back %d", i) })
		if _, _, err := server.Client.CreateMap(t.Context(), idmap.GroupMap, "", m); err != nil {
			t.Fatal(err)
		}
	}
	warned(goes(newProtocol(t, server)), `group map "Back 2", others. Terraform`)
}
