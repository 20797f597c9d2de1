package examples

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// needed is what an example on a page of the documentation leaves out.
const needed = `terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}
`

const embedded = `
provider "idmap" {
  embedded_database = "idmap.db"
}
`

// elsewhere are examples that TestOpenTofuTakesEveryExample leaves out: those that TestResources applies, and those of
// what OpenTofu does not have, nor Terraform before 1.14. Their pages say so.
var elsewhere = []string{"resources", "actions", "list-resources"}

// TestOpenTofuTakesEveryExample validates each folder of examples that has a configuration.
func TestOpenTofuTakesEveryExample(t *testing.T) {
	t.Parallel()
	folders := configurations(t)
	for _, some := range []string{"quickstart", "data-sources/idmap_account", "functions/exceptions_from_csv", "provider"} {
		if !slices.Contains(folders, some) {
			t.Errorf("examples/%s was not found", some)
		}
	}
	tofu := commandLines(t)["tofu"]
	for _, name := range folders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, tofu, name)
			if !slices.ContainsFunc(texts(t, w.Folder), func(text string) bool { return strings.Contains(text, "required_providers") }) {
				w.Write(t, "needed.tf", needed)
			}
			w.Must(t, "validate")
		})
	}
}

// TestOpenTofuLacks fails when OpenTofu learns what the pages say that it does not have.
func TestOpenTofuLacks(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, commandLines(t)["tofu"], "actions/idmap_release_email")
	w.Write(t, "needed.tf", needed)
	if o := w.Run(t, "validate"); o.Code == 0 || !strings.Contains(o.Stderr, "Blocks of type \"action\" are not expected here") {
		t.Errorf("actions: %v", o)
	}
	if o := w.Run(t, "query"); o.Code == 0 || !strings.Contains(o.Stderr, "no command named \"query\"") {
		t.Errorf("query: %v", o)
	}
}

// configurations returns the folders with configurations, relative to that of the examples.
func configurations(t *testing.T) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(folder), "*/*.tf")
	deeper, err2 := fs.Glob(os.DirFS(folder), "*/*/*.tf")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var all []string
	for _, file := range append(found, deeper...) {
		if top, _, _ := strings.Cut(file, "/"); !slices.Contains(elsewhere, top) {
			all = append(all, filepath.Dir(file))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// newWorkspace makes a workspace with a copy of an example.
func newWorkspace(t *testing.T, cli, example string, env ...string) testenv.Workspace {
	t.Helper()
	w := testenv.NewWorkspace(t, cli, testenv.Provider(t), env...)
	if err := os.CopyFS(w.Folder, os.DirFS(filepath.Join(folder, example))); err != nil {
		t.Fatal(err)
	}
	return w
}

// texts returns what the configuration files of a folder say.
func texts(t *testing.T, of string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(of, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(names))
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(text)
	}
	return all
}

// TestResources applies the example of each resource. Then, for each of its import examples, it forgets what that imports,
// and imports it: the plan has the import and changes nothing. Only the files of a connection cannot come with an import:
// no backend knows their paths.
func TestResources(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join(folder, "resources"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d resources: %v", len(entries), err)
	}
	for name, cli := range commandLines(t) {
		for _, entry := range entries {
			t.Run(name+"/"+entry.Name(), func(t *testing.T) {
				t.Parallel()
				tryResource(t, newWorkspace(t, cli, "resources/"+entry.Name()))
			})
		}
	}
}

func tryResource(t *testing.T, w testenv.Workspace) {
	byString, byIdentity := takeAway(t, w, "import-by-string-id.tf"), takeAway(t, w, "import-by-identity.tf")
	w.Write(t, "provider.tf", needed+embedded)
	w.Must(t, "apply", "-auto-approve")
	isEmpty(t, w)
	imports(t, w, byString)
	if takesIdentity(t, w) {
		imports(t, w, byIdentity)
	}
	w.Must(t, "destroy", "-auto-approve")
}

// takeAway removes a file and returns what it says.
func takeAway(t *testing.T, w testenv.Workspace, name string) string {
	t.Helper()
	path := filepath.Join(w.Folder, name)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// isEmpty fails the test unless the plan is empty.
func isEmpty(t *testing.T, w testenv.Workspace) {
	t.Helper()
	if o := w.Run(t, "plan", "-detailed-exitcode"); o.Code != 0 {
		t.Errorf("the plan is not empty: %v", o)
	}
}

var (
	importTarget = regexp.MustCompile(`(?m)^  to += (\S+)$`)
	anIDOf       = regexp.MustCompile(`(?m)^ *(\S+) += ".*[0-9a-f]{8}-.*$`)
	anID         = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// imports forgets an object and imports it by an import block, in which the id of an object is only one like it.
func imports(t *testing.T, w testenv.Workspace, block string) {
	t.Helper()
	target := importTarget.FindStringSubmatch(block)[1]
	block = anIDOf.ReplaceAllStringFunc(block, func(line string) string {
		name := anIDOf.FindStringSubmatch(line)[1]
		return anID.ReplaceAllLiteralString(line, valueOf(t, w, target, name))
	})
	w.Must(t, "state", "rm", target)
	w.Write(t, "import.tf", block)
	changed := 0
	if strings.HasPrefix(target, "idmap_connection.") {
		changed = 1
	}
	if o := w.Must(t, "plan"); !strings.Contains(o.Stdout, fmt.Sprintf("Plan: 1 to import, 0 to add, %d to change, 0 to destroy.", changed)) {
		t.Errorf("with\n%s\n%v", block, o)
	}
	w.Must(t, "apply", "-auto-approve")
	isEmpty(t, w)
}

// takesIdentity reports whether import blocks may have an identity: from version 1.12 on, both of Terraform and of
// OpenTofu.
func takesIdentity(t *testing.T, w testenv.Workspace) bool {
	t.Helper()
	var version struct {
		Terraform string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(w.Must(t, "version", "-json").Stdout), &version); err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`^1\.(\d\d?)\.`).FindStringSubmatch(version.Terraform)
	return minor == nil || len(minor[1]) == 2 && minor[1] >= "12"
}

// valueOf returns an attribute of an object in the state.
func valueOf(t *testing.T, w testenv.Workspace, target, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^ +` + name + ` += "(.+)"$`).FindStringSubmatch(w.Must(t, "state", "show", target).Stdout)
	if found == nil {
		t.Fatalf("%s has no %s", target, name)
	}
	return found[1]
}

// TestOpenTofuPlaysTheCompanies applies the examples that make demo and make demo-migration play with Terraform.
func TestOpenTofuPlaysTheCompanies(t *testing.T) {
	t.Parallel()
	tofu := commandLines(t)["tofu"]
	for _, name := range []string{"quickstart", "migration"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, tofu, name)
			w.Must(t, "apply", "-auto-approve")
			isEmpty(t, w)
			w.Must(t, "destroy", "-auto-approve")
		})
	}
}
