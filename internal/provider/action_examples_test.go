package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

// configBlock is a block with a config block in it, as an example has it.
type configBlock struct {
	typ, name string
	config    fields
}

// configBlocks reads the blocks of that kind out of an example. Expressions may name the connections of the examples.
func configBlocks(t *testing.T, kind, text string, connections map[string]string) []configBlock {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "example", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("an example is a %T", file.Body)
	}
	ids := map[string]cty.Value{}
	for name, id := range connections {
		ids[name] = cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(id)})
	}
	scope := &hcl.EvalContext{Variables: map[string]cty.Value{
		"data": cty.ObjectVal(map[string]cty.Value{"idmap_connection": cty.ObjectVal(ids)}),
	}}
	var found []configBlock
	for _, block := range body.Blocks {
		if block.Type != kind {
			continue
		}
		one := configBlock{typ: block.Labels[0], name: block.Labels[1], config: fields{}}
		for _, inner := range block.Body.Blocks {
			for name, attribute := range inner.Body.Attributes {
				value, diags := attribute.Expr.Value(scope)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				one.config[name] = value.AsString()
			}
		}
		found = append(found, one)
	}
	return found
}

// stagedConnections are the ids of the connections that the examples look for.
func (s scenario) stagedConnections() map[string]string {
	s.Helper()
	ids := map[string]string{}
	for name, called := range map[string]string{"mail": "Example Microsoft 365", "sales": "Sales Pod 1"} {
		for c, err := range s.server.Client.Connections(s.ctx(), client.ConnectionFilter{Name: called}) {
			s.must(err)
			ids[name] = c.ID
		}
	}
	return ids
}

// stageQueried stores what the examples of list resources and of actions look for: what those of data sources do, and a user
// who came by himself.
func (s scenario) stageQueried() map[string]string {
	s.Helper()
	s.stageExamples()
	ids := s.stagedConnections()
	s.signIn(signInWorld{ids["mail"], ids["sales"]}, "ivan.petrov@example.com", "IPETROV", "outlook-addin")
	return ids
}

// TestListExamples lists what the documentation shows: each finds something.
func TestListExamples(t *testing.T) {
	s := newScenario(t)
	ids := s.stageQueried()
	q := queriesOf(t, s.server)
	for _, name := range folders(t, "list-resources") {
		blocks := configBlocks(t, "list", example(t, "list-resources", name, "list-resource.tfquery.hcl"), ids)
		if len(blocks) == 0 {
			t.Errorf("the example of %s lists nothing", name)
		}
		for _, block := range blocks {
			results := q.list(block.typ, block.config, true, 0)
			for _, r := range results {
				q.fine(nil, r.Diagnostics)
			}
			if block.typ != name || len(results) == 0 {
				t.Errorf("%s.%s of the example of %s has %d results", block.typ, block.name, name, len(results))
			}
		}
	}
}

// TestActionExamples plans and runs what the documentation shows.
func TestActionExamples(t *testing.T) {
	s := newScenario(t)
	ids := s.stageQueried()
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	entry := s.ledger("ivan.petrov@example.com")[0].ID
	for _, name := range folders(t, "actions") {
		text := strings.ReplaceAll(example(t, "actions", name, "action.tf"), "0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1", entry)
		blocks := configBlocks(t, "action", text, ids)
		if len(blocks) == 0 {
			t.Errorf("the example of %s has no action", name)
		}
		for _, block := range blocks {
			planned := a.plan(block.typ, block.config)
			if slices.ContainsFunc(planned, func(d *tfprotov6.Diagnostic) bool {
				return d.Severity == refuses || strings.HasPrefix(d.Summary, "Nothing")
			}) {
				t.Errorf("%s.%s plans %s", block.typ, block.name, textsOf(planned))
			}
			a.tells(block.typ, block.config, map[string]string{releaseEmail: "Released ", revokeSessions: "Revoked 1 session"}[name])
		}
	}
}
