package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.RemoveProvider()
	os.Exit(code)
}

// story is a configuration in a folder in which the real Terraform runs the real program, command by command: for tests
// that look at each plan, and at the state file after each command.
type story struct {
	scenario
	testenv.Workspace
}

// newStory begins one with this configuration, of which nothing is applied.
func newStory(s scenario, config string) story {
	s.Helper()
	cli, err := testenv.Terraform(s.Context())
	s.must(err)
	told := story{s, testenv.NewWorkspace(s, cli, testenv.Provider(s))}
	told.Write(s, "provider.tf", fmt.Sprintf(`
terraform {
  required_providers {
    idmap = {
      source = "idmap/idmap"
    }
  }
}
provider "idmap" {
  endpoint    = %q
  token       = %q
  max_retries = 0
}
`, s.server.URL, s.server.Token))
	told.configure(config)
	return told
}

// configure replaces the configuration.
func (s story) configure(config string) {
	s.Helper()
	s.Write(s, "main.tf", config)
}

// state returns the state file, byte by byte.
func (s story) state() string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.Folder, "terraform.tfstate"))
	s.must(err)
	return string(text)
}

// planned is what a saved plan shows.
type shownPlan struct {
	Changes []resourceChange `json:"resource_changes"`
	Drift   []resourceChange `json:"resource_drift"`
}

// resourceChange is what becomes of a resource.
type resourceChange struct {
	Address string `json:"address"`
	Type    string `json:"type"`
	Change  struct {
		Actions []string       `json:"actions"`
		Before  map[string]any `json:"before"`
		After   map[string]any `json:"after"`
		Unknown map[string]any `json:"after_unknown"`
	} `json:"change"`
}

// plan plans with these arguments into the file tfplan, which changes no state.
func (s story) plan(args ...string) shownPlan {
	s.Helper()
	before := s.state()
	s.Must(s, append([]string{"plan", "-out=tfplan"}, args...)...)
	if s.state() != before {
		s.Error("the plan has changed the state file")
	}
	var shown shownPlan
	s.must(json.Unmarshal([]byte(s.Must(s, "show", "-json", "tfplan").Stdout), &shown))
	return shown
}

// nothing expects that nothing is to be done.
func (s story) nothing(args ...string) {
	s.Helper()
	if o := s.Run(s, append([]string{"plan", "-detailed-exitcode"}, args...)...); o.Code != 0 {
		s.Error(o)
	}
}

// touched returns what becomes of each resource that is changed, as its action and its attributes.
func touched(all []resourceChange) map[string][]string {
	found := map[string][]string{}
	for _, r := range all {
		if action := strings.Join(r.Change.Actions, ", "); action != "no-op" && action != "read" {
			found[r.Address] = append([]string{action}, r.attributes()...)
		}
	}
	return found
}

// attributes returns the paths of the attributes that change, sorted. Nothing is said of an object that comes or goes.
func (r resourceChange) attributes() []string {
	if r.Change.Before == nil || r.Change.After == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(differences("", resourceAttributes()[r.Type], r.Change.Before, r.Change.After, r.Change.Unknown)))
}

// differences compares objects. What is nested in a schema is compared attribute by attribute.
func differences(at string, known map[string]bool, before, after, unknown map[string]any) map[string]bool {
	found := map[string]bool{}
	names := maps.Clone(before)
	maps.Copy(names, after)
	maps.Copy(names, unknown)
	for name := range names {
		path := at + name
		was, isObject := before[name].(map[string]any)
		is, stays := after[name].(map[string]any)
		if known[path] && isObject && stays {
			inner, _ := unknown[name].(map[string]any)
			maps.Copy(found, differences(path+".", known, was, is, inner))
		} else if !reflect.DeepEqual(before[name], after[name]) || unknown[name] == true {
			found[path] = true
		}
	}
	return found
}

// resourceAttributes are the paths of all attributes of all resources, as the schemas have them, and whether one has
// attributes in it.
var resourceAttributes = sync.OnceValue(func() map[string]map[string]bool {
	schemas, err := providerserver.NewProtocol6(New("test", nil)())().GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		panic(err) // it makes its answer of nothing but the code
	}
	all := map[string]map[string]bool{}
	for name, schema := range schemas.ResourceSchemas {
		all[name] = map[string]bool{}
		collectAttributes("", schema.Block.Attributes, all[name])
	}
	return all
})

func collectAttributes(at string, attributes []*tfprotov6.SchemaAttribute, all map[string]bool) {
	for _, a := range attributes {
		all[at+a.Name] = a.NestedType != nil
		if a.NestedType != nil {
			collectAttributes(at+a.Name+".", a.NestedType.Attributes, all)
		}
	}
}

// drift is one attribute that changes behind Terraform's back.
type drift struct {
	attribute string
	of        string       // name of the resource
	behind    func(*story) // what changes it; nil where nothing can
	also      []string     // attributes that change with it, in the nature of things
	never     string       // why nothing can change it
	refused   func(*story) error
	code      idmap.Code // with which the backend refuses an attempt
}

// check lets the attribute change, and expects that the plan shows that and nothing else, that the apply puts it back,
// and that then there is nothing to do.
func (d drift) check(s *story, resource string) {
	s.Helper()
	if d.behind == nil {
		if d.refused != nil {
			err := d.refused(s)
			if !slices.ContainsFunc(idmap.ViolationsOf(err), func(v idmap.Violation) bool { return v.Code == d.code }) {
				s.Errorf("%s.%s: an attempt is answered with %v, want %s", resource, d.attribute, err, d.code)
			}
		}
		return
	}
	d.behind(s)
	want := map[string][]string{resource + "." + d.of: append([]string{"update"}, slices.Sorted(slices.Values(append(d.also, d.attribute)))...)}
	p := s.plan()
	if got := touched(p.Changes); !reflect.DeepEqual(got, want) {
		s.Errorf("%s.%s was changed: the plan does %v, want %v", resource, d.attribute, got, want)
	}
	if got := touched(p.Drift); !reflect.DeepEqual(got, want) {
		s.Errorf("%s.%s was changed: the plan has noticed %v, want %v", resource, d.attribute, got, want)
	}
	s.Must(s, "apply", "tfplan")
	s.nothing()
}

// checkDrifts checks a table, which must have every attribute of the resource.
func checkDrifts(s *story, resource string, table []drift) {
	s.Helper()
	s.Must(s, "apply", "-auto-approve")
	attributes := resourceAttributes()[resource]
	missing := maps.Clone(attributes)
	for _, d := range table {
		if _, known := attributes[d.attribute]; !known {
			s.Errorf("%s has no %s", resource, d.attribute)
		}
		if (d.behind == nil) != (d.never != "") {
			s.Errorf("%s.%s needs a way in which it changes, or the reason why it cannot", resource, d.attribute)
		}
		delete(missing, d.attribute)
		d.check(s, resource)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		s.Errorf("%s.%s is in no line of the table: say what changes it behind Terraform's back, or why nothing can", resource, name)
	}
}
