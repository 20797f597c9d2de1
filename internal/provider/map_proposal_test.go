package provider

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestDirectoryOfAnUnchangedMap: what a new directory does to a map is told with the map, and refuses nothing, whatever the
// backend has to say.
func TestDirectoryOfAnUnchangedMap(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	wanted.Exceptions, wanted.UnmappedPolicy = pairs("jane.doe", "lea.ver"), idmap.UnmappedSkip
	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, "", wanted)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := mapFields(accountMaps, wanted)
	prior := maps.Clone(config)
	prior["id"] = stored.ID
	file := filepath.Join(t.TempDir(), "new.csv")
	if err := os.WriteFile(file, []byte("id,username,name\nx-1,somebody,Some Body\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	connection := fields{"id": rulestest.NewFiles, "name": "New", "platform": "sharepoint_online", "authoritative": false}
	renamed, changed := maps.Clone(connection), maps.Clone(connection)
	renamed["name"], changed["accounts_file"] = "Newer", file
	var asked []string
	answer := `{"type":"account_map_verdicts","account_map_verdicts":[{"violations":[{"code":"unknown_account","field":"exceptions[0].destination","description":"Gone."}],` +
		`"warnings":[{"code":"map_changes_results","description":"2 resolve otherwise."}]}]}`
	front := httptest.NewServer(sent{server.Handler, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/validate") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, string(body))
		w.Header().Set("Content-Type", "application/json")
		if answer == "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(cmp.Or(answer, `{"type":"error","errors":[{"code":"malformed","description":"No."}]}`)))
		return true
	}})
	t.Cleanup(front.Close)
	p := newProtocol(t, &acctest.Server{URL: front.URL, Token: server.Token})

	p.fine(nil, p.planResource("idmap_connection", renamed, connection, renamed, nil).Diagnostics)
	p.fine(nil, p.planMap(accountMaps, config, prior, prior))
	if len(asked) != 0 {
		t.Errorf("a connection without a new directory: %s", asked)
	}
	p.fine(nil, p.planResource("idmap_connection", changed, connection, changed, nil).Diagnostics)
	warned := func(summaries ...string) {
		t.Helper()
		found := p.planMap(accountMaps, config, prior, prior)
		if len(found) != len(summaries) {
			t.Fatalf("%+v", found)
		}
		for i, d := range found {
			if d.Severity != tfprotov6.DiagnosticSeverityWarning || d.Summary != summaries[i] {
				t.Errorf("%s: %s, want a warning %q", d.Summary, d.Detail, summaries[i])
			}
		}
	}
	warned("Unknown Account: Staff", "Map Changes Results: Staff")
	if len(asked) != 1 || !strings.Contains(asked[0], `"operation":"update"`) || !strings.Contains(asked[0], `"x-1"`) {
		t.Errorf("asked: %s", asked)
	}
	answer = ""
	warned("Map Not Checked at Plan: Staff")
}
