package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// readData validates and reads a data source, and returns what the provider says to it.
func (p protocol) readData(name string, config fields) []*tfprotov6.Diagnostic {
	p.Helper()
	schemas, err := p.provider.GetProviderSchema(p.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.Fatal(err)
	}
	value := p.value(p.objectOf(schemas.DataSourceSchemas[name]), config)
	valid, err := p.provider.ValidateDataResourceConfig(p.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: value})
	if err != nil || len(valid.Diagnostics) > 0 {
		p.fine(err, nil)
		return valid.Diagnostics
	}
	read, err := p.provider.ReadDataSource(p.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: value})
	p.fine(err, nil)
	return read.Diagnostics
}

// TestUnknownConnectionIsNoAllClear: that nobody has access, or was denied, is not said of a connection that is not there.
func TestUnknownConnectionIsNoAllClear(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	p := newProtocol(t, s.server)
	for _, attribute := range []string{"connection_id", "source_connection_id", "destination_connection_id"} {
		for name, severity := range map[string]tfprotov6.DiagnosticSeverity{
			"idmap_sessions": tfprotov6.DiagnosticSeverityError, "idmap_sign_ins": tfprotov6.DiagnosticSeverityWarning,
		} {
			found := p.readData(name, fields{attribute: "Sales"})
			if len(found) != 1 || found[0].Severity != severity || found[0].Summary != "Unknown Connection" || !strings.Contains(found[0].Detail, "not its name") ||
				found[0].Attribute.String() != `AttributeName("`+attribute+`")` {
				t.Errorf("%s of a %s that is a name: %+v", name, attribute, found)
			}
			p.fine(nil, p.readData(name, fields{attribute: w.sales}))
		}
	}
	if found := p.readData("idmap_sessions", fields{"source_connection_id": "a", "destination_connection_id": "b"}); len(found) != 2 {
		t.Errorf("two connections that are not there: %+v", found)
	}
}

// TestAccSignInsOfNewConnection: the first plan of a configuration reads the data sources of what it is about to create.
func TestAccSignInsOfNewConnection(t *testing.T) {
	s := newScenario(t)
	config := connections + `
data "idmap_sessions" "sales" {
  connection_id = idmap_connection.sales.id
}
data "idmap_sign_ins" "sales" {
  connection_id = idmap_connection.sales.id
}
`
	s.run(
		resource.TestStep{Config: config, Check: resource.TestCheckResourceAttr("data.idmap_sessions.sales", "sessions.#", "0")},
		resource.TestStep{Config: config, PlanOnly: true},
	)
}

// TestBlankFilterIsOneError, and not a second time in other words.
func TestBlankFilterIsOneError(t *testing.T) {
	s := newScenario(t)
	p := newProtocol(t, s.server)
	for _, name := range []string{"idmap_sessions", "idmap_sign_ins"} {
		for _, attribute := range []string{"connection_id", "email", "user_id", "client"} {
			for _, blank := range []string{"", " "} {
				if found := p.readData(name, fields{attribute: blank}); len(found) != 1 || found[0].Severity != tfprotov6.DiagnosticSeverityError {
					t.Errorf("%s with the %s %q: %+v", name, attribute, blank, found)
				}
			}
		}
	}
}

// TestReasonsAreCodes that exist, each once.
func TestReasonsAreCodes(t *testing.T) {
	t.Parallel()
	seen := map[idmap.Code]bool{}
	for _, info := range idmap.Codes() {
		seen[info.Code] = true
	}
	for _, code := range signInReasons {
		if !seen[code] {
			t.Errorf("%s is no code, or is listed twice", code)
		}
		delete(seen, code)
	}
}
