package provider

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// toWriteState is the variable that lets these tests write what they are held against: the schemas of this release, and a
// state of it where there is none.
const toWriteState = "IDMAP_TEST_WRITE_STATE"

func writesState() bool { return os.Getenv(toWriteState) != "" }

// howToWrite is what the message of a failed test ends with.
const howToWrite = toWriteState + "=1 make test PKG=./internal/provider TESTARGS='-run TestState'"

// The folders with what releases wrote. That of a release is named after the sum of the versions of its schemas, which
// grows with each of them; in it lie a configuration, the state of its apply, and the database of the backend.
const statesFolder = "testdata/state"

// stateSchema is what of a schema a state depends on.
type stateSchema struct {
	Version         int64             `json:"version"`
	Attributes      map[string]string `json:"attributes"` // types, by path
	IdentityVersion int64             `json:"identity_version"`
	Identity        map[string]string `json:"identity"`
}

// stateSchemas are those of all resources.
func stateSchemas(t *testing.T) map[string]stateSchema {
	t.Helper()
	server := providerserver.NewProtocol6(New("test", nil)())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]stateSchema{}
	for name, s := range schemas.ResourceSchemas {
		of := stateSchema{Version: s.Version, Attributes: map[string]string{}, Identity: map[string]string{}}
		typesOf("", s.Block.Attributes, of.Attributes)
		if identity := identities.IdentitySchemas[name]; identity != nil {
			of.IdentityVersion = identity.Version
			for _, a := range identity.IdentityAttributes {
				of.Identity[a.Name] = nameOfType(a.Type)
			}
		}
		all[name] = of
	}
	return all
}

func typesOf(at string, attributes []*tfprotov6.SchemaAttribute, all map[string]string) {
	for _, a := range attributes {
		if a.NestedType == nil {
			all[at+a.Name] = nameOfType(a.Type)
			continue
		}
		all[at+a.Name] = strings.ToLower(a.NestedType.Nesting.String())
		typesOf(at+a.Name+".", a.NestedType.Attributes, all)
	}
}

func nameOfType(typ tftypes.Type) string {
	return strings.ToLower(strings.ReplaceAll(typ.String(), "tftypes.", ""))
}

// lost returns what the later schema does to states of the earlier one that they do not survive.
func (s stateSchema) lost(later stateSchema) []string {
	var found []string
	for what, pair := range map[string][2]map[string]string{"attribute": {s.Attributes, later.Attributes}, "identity attribute": {s.Identity, later.Identity}} {
		for name, typ := range pair[0] {
			switch now, has := pair[1][name]; {
			case !has:
				found = append(found, fmt.Sprintf("the %s %s is gone", what, name))
			case now != typ:
				found = append(found, fmt.Sprintf("the %s %s was %s, and is %s", what, name, typ, now))
			}
		}
	}
	slices.Sort(found)
	return found
}

// TestStateSchemas: a version of a schema is for ever what the first release with it has written into states.
func TestStateSchemas(t *testing.T) {
	t.Parallel()
	for name, now := range stateSchemas(t) {
		path := filepath.Join(statesFolder, "schemas", fmt.Sprintf("%s.v%d.json", name, now.Version))
		text, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		var stored stateSchema
		switch was, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist) && !writesState():
			t.Errorf("%s has no schema of version %d on record. If that version is meant, write it: %s", name, now.Version, howToWrite)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			t.Fatal(err)
		case err == nil:
			if err := json.Unmarshal(was, &stored); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		if lost := stored.lost(now); len(lost) > 0 {
			t.Errorf("%s: states of version %d that users have would lose what they hold: %s. Undo that, or do what state_version.go says.", name, now.Version, strings.Join(lost, "; "))
			continue
		}
		if writesState() {
			writeFile(t, path, append(text, '\n'))
		} else if stored.Version == now.Version && stored.Attributes != nil && !reflect.DeepEqual(stored, now) {
			t.Errorf("%s has attributes that are not on record. States of version %d survive them, so write them: %s", name, now.Version, howToWrite)
		}
	}
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestStateSchemasThatLose: what the record of a version is for.
func TestStateSchemasThatLose(t *testing.T) {
	t.Parallel()
	was := stateSchema{Attributes: map[string]string{"id": "string", "match": "single", "match.ids": "bool"}, Identity: map[string]string{"id": "string"}}
	for name, c := range map[string]struct {
		change func(*stateSchema)
		lost   string
	}{
		"nothing":            {func(*stateSchema) {}, ""},
		"one more":           {func(s *stateSchema) { s.Attributes["name"] = "string" }, ""},
		"removed":            {func(s *stateSchema) { delete(s.Attributes, "id") }, "the attribute id is gone"},
		"renamed":            {func(s *stateSchema) { delete(s.Attributes, "match.ids"); s.Attributes["match.id"] = "bool" }, "the attribute match.ids is gone"},
		"retyped":            {func(s *stateSchema) { s.Attributes["match.ids"] = "string" }, "match.ids was bool, and is string"},
		"nested otherwise":   {func(s *stateSchema) { s.Attributes["match"] = "list" }, "match was single, and is list"},
		"another identity":   {func(s *stateSchema) { s.Identity = map[string]string{"key": "string"} }, "the identity attribute id is gone"},
		"identity with more": {func(s *stateSchema) { s.Identity["key"] = "string" }, ""},
	} {
		later := stateSchema{Attributes: maps.Clone(was.Attributes), Identity: maps.Clone(was.Identity)}
		c.change(&later)
		if lost := strings.Join(was.lost(later), "; "); (lost == "") != (c.lost == "") || !strings.Contains(lost, c.lost) {
			t.Errorf("%s: %q, want %q", name, lost, c.lost)
		}
	}
}

// storedState is a state file.
type storedState struct {
	Resources []struct {
		Type, Name string
		Instances  []storedInstance
	}
}

type storedInstance struct {
	SchemaVersion         int64           `json:"schema_version"`
	Attributes            json.RawMessage `json:"attributes"`
	Private               []byte          `json:"private"` // base64 in the file
	IdentitySchemaVersion int64           `json:"identity_schema_version"`
}

// release is the story of a folder with what a release wrote, on the database that it wrote.
type release struct {
	story
	database string
	close    func()
}

func openRelease(t *testing.T, folder string) release {
	t.Helper()
	s := scenario{T: t}
	r := release{database: filepath.Join(t.TempDir(), "idmap.db")}
	if content, found := unpacked(t, filepath.Join(folder, "idmap.db.gz")); found {
		s.must(os.WriteFile(r.database, content, 0o600))
	}
	opened, err := sqlite.Open(t.Context(), r.database)
	s.must(err)
	r.close = sync.OnceFunc(func() { s.must(opened.Close()) })
	t.Cleanup(r.close)
	s.server = acctest.NewServerOn(t, opened)
	r.story = newStory(s, "")
	s.must(os.Remove(filepath.Join(r.Folder, "main.tf")))
	s.must(os.CopyFS(r.Folder, os.DirFS(folder)))
	if state, err := os.ReadFile(filepath.Join(folder, "state.json")); !errors.Is(err, fs.ErrNotExist) {
		s.must(err)
		r.Write(t, "terraform.tfstate", string(state))
	}
	return r
}

// unpacked returns the content of a compressed file, if there is one.
func unpacked(t *testing.T, path string) ([]byte, bool) {
	t.Helper()
	packed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return content, true
}

// write applies the configuration of the folder, and stores there what then is: the state, and the database.
func (r release) write(folder string) {
	r.Helper()
	r.Must(r, "apply", "-auto-approve")
	full := r.mapNamed(idmap.AccountMap, "Full")
	full.Source.Default = &idmap.Principal{Name: "jane"} // which no attribute has, and private state does
	_, _, err := r.server.Client.UpdateMap(r.ctx(), idmap.AccountMap, full)
	r.must(err)
	r.plan()
	r.Must(r, "apply", "tfplan")
	writeFile(r.T, filepath.Join(folder, "state.json"), []byte(r.state()))
	r.close()
	content, err := os.ReadFile(r.database)
	r.must(err)
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err = writer.Write(content)
	r.must(errors.Join(err, writer.Close()))
	writeFile(r.T, filepath.Join(folder, "idmap.db.gz"), packed.Bytes())
}

// TestStateOfReleases: what a release has written, the state and the database, is what this one writes. It reads every
// object of the state, finds it in the database as it is, and has nothing to plan.
func TestStateOfReleases(t *testing.T) {
	t.Parallel()
	current, sum := stateSchemas(t), int64(0)
	for _, s := range current {
		sum += s.Version + s.IdentityVersion
	}
	newest := filepath.Join(statesFolder, fmt.Sprintf("v%d", sum))
	if _, err := os.Stat(filepath.Join(newest, "state.json")); err != nil {
		if writesState() {
			openRelease(t, newest).write(newest)
		} else {
			t.Errorf("There is no state with the present schemas on record. Put a configuration of all resources, as that of the version before, into %s, and run: %s", newest, howToWrite)
		}
	}
	folders, err := filepath.Glob(filepath.Join(statesFolder, "v*"))
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			r := openRelease(t, folder)
			missing := stateSchemas(t)
			var stored storedState
			r.must(json.Unmarshal([]byte(r.state()), &stored))
			p := newProtocol(t, r.server)
			for _, of := range stored.Resources {
				delete(missing, of.Type)
				for _, i := range of.Instances {
					p.readsStored(of.Type, of.Name, current[of.Type], i)
				}
			}
			if folder == newest && len(missing) > 0 {
				t.Errorf("%s has nothing of %v", folder, slices.Sorted(maps.Keys(missing)))
			}
			before := r.values()
			r.nothing()
			r.Must(r, "apply", "-auto-approve")
			if after := r.values(); folder == newest && !reflect.DeepEqual(before, after) {
				t.Errorf("an apply that changes nothing has made %v of %v", after, before)
			}
		})
	}
}

// readsStored upgrades an object as Terraform does that reads its state, and then refreshes it: the backend has what the
// state has, and private state is what it was.
func (p protocol) readsStored(resource, name string, current stateSchema, i storedInstance) {
	p.Helper()
	upgraded, err := p.provider.UpgradeResourceState(p.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: resource, Version: i.SchemaVersion, RawState: &tfprotov6.RawState{JSON: i.Attributes},
	})
	p.fine(err, upgraded.Diagnostics)
	state, err := upgraded.UpgradedState.Unmarshal(p.objects[resource])
	if err != nil {
		p.Fatal(err)
	}
	if i.SchemaVersion == current.Version {
		stored, err := (&tfprotov6.RawState{JSON: i.Attributes}).UnmarshalWithOpts(p.objects[resource], tfprotov6.UnmarshalOpts{
			ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
		})
		if err != nil || !state.Equal(stored) {
			p.Errorf("%s.%s is read as %s, and is %s (%v)", resource, name, state, stored, err)
		}
	}
	var known struct{ ID string }
	if err := json.Unmarshal(i.Attributes, &known); err != nil || known.ID == "" {
		p.Fatalf("%s.%s has no id (%v)", resource, name, err)
	}
	identity := &tfprotov6.ResourceIdentityData{IdentityData: p.value(p.identity, fields{"id": known.ID})}
	if resource == userMappingsNoun.resource {
		var pair fields
		if err := json.Unmarshal(i.Attributes, &pair); err != nil {
			p.Fatal(err)
		}
		identity.IdentityData = p.value(p.pair, pair)
	}
	if i.IdentitySchemaVersion != current.IdentityVersion { // else Terraform does not ask
		other, err := p.provider.UpgradeResourceIdentity(p.Context(), &tfprotov6.UpgradeResourceIdentityRequest{
			TypeName: resource, Version: i.IdentitySchemaVersion, RawIdentity: &tfprotov6.RawState{JSON: fmt.Appendf(nil, `{"id":%q}`, known.ID)},
		})
		p.fine(err, other.Diagnostics)
		identity = other.UpgradedIdentity
	}
	read, err := p.provider.ReadResource(p.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: resource, CurrentState: upgraded.UpgradedState, Private: i.Private, CurrentIdentity: identity,
	})
	p.fine(err, read.Diagnostics)
	if found, err := read.NewState.Unmarshal(p.objects[resource]); err != nil || !found.Equal(state) {
		p.Errorf("%s.%s is %s, and the backend has %s (%v)", resource, name, state, found, err)
	}
	if !sameJSON(p.T, read.Private, i.Private) {
		p.Errorf("private state of %s.%s was %s, and is %s", resource, name, i.Private, read.Private)
	}
}

// sameJSON compares two documents.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var one, other any
	if err := errors.Join(json.Unmarshal(a, &one), json.Unmarshal(b, &other)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(one, other)
}
