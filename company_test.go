package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// beforeRun is a copy of the state, as people make them.
const beforeRun = "before.tfstate"

// A company is a server, a front before it, and a configuration that has one mapping for each of its people.
type company struct {
	testenv.Workspace
	server *runningServer
	front  *front

	configuration string
	people        int
	gathers       bool // the provider's calls share requests
}

// ways are the two ways in which a provider asks: calls share requests, or each is one.
var ways = map[string]bool{"gathered": true, "separate": false}

// asking returns the company with a provider that gathers, or does not.
func (c company) asking(gathers bool) company {
	c.gathers = gathers
	c.Env = append(slices.Clone(c.Env), fmt.Sprintf("IDMAP_SEPARATE_REQUESTS=%t", !gathers))
	return c
}

// hostCompany returns a company with the database in the folder, and no state.
func hostCompany(t *testing.T, folder, configuration string, people int) company {
	t.Helper()
	server := startServer(t, filepath.Join(folder, "idmap.db"))
	c := company{server: &server, configuration: configuration, people: people}
	c.front = newFront(t, c.server.url)
	c.Workspace = newWorkspace(t, c.front.url, "IDMAP_MAX_RETRIES=1")
	c.Write(t, "main.tf", configuration)
	return c
}

// newCompany returns a company that was applied, and that is at rest. The files, by name, are besides those of the people.
func newCompany(t *testing.T, configuration string, people int, files map[string]string) company {
	t.Helper()
	c := hostCompany(t, t.TempDir(), configuration, people)
	for name, text := range files {
		c.Write(t, name, text)
	}
	writeJSON(t, c.Workspace, "mappings.json", c.users(false))
	c.Write(t, "mail.csv", c.accounts())
	c.Must(t, "apply", "-auto-approve")
	c.server.end(syscall.SIGTERM)
	return c
}

// copied returns another company that is where this one is at rest.
func (c company) copied(t *testing.T) company {
	t.Helper()
	folder := t.TempDir()
	copyFile(t, c.server.database, filepath.Join(folder, "idmap.db"))
	twin := hostCompany(t, folder, c.configuration, c.people)
	if err := errors.Join(os.RemoveAll(twin.Folder), os.CopyFS(twin.Folder, os.DirFS(c.Folder))); err != nil {
		t.Fatal(err)
	}
	return twin
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err = errors.Join(err, os.WriteFile(to, content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// accounts is the directory: everybody has an alias.
func (c company) accounts() string {
	var text strings.Builder
	text.WriteString("id,email,aliases\n")
	for i := range c.people {
		fmt.Fprintf(&text, "m%d,user%03d@example.com,u%03d@example.com\n", i, i, i)
	}
	return text.String()
}

// users are the mappings. Of every four people one stays, one takes the other address, one leaves, and one comes.
func (c company) users(changed bool) map[string]string {
	users := map[string]string{}
	for i := range c.people {
		name, email := fmt.Sprintf("user%03d", i), fmt.Sprintf("user%03d@example.com", i)
		switch kind := i % 4; {
		case kind == 1 && changed:
			email = fmt.Sprintf("u%03d@example.com", i)
		case kind == 2 && changed, kind == 3 && !changed:
			continue
		}
		users[name] = email
	}
	return users
}

// mustHaveLostNothing looks at the backend and at the state after an interruption: who stays or changes is there, with the
// mapping that they had, and nothing is tainted.
func (c company) mustHaveLostNothing(t *testing.T) {
	t.Helper()
	stored, state := storedMappings(t, c.front.url), c.mappingsInState(t)
	for user := range c.users(true) {
		if _, before := c.users(false)[user]; !before {
			continue
		}
		if stored[user].ID == "" || state[user] != stored[user].ID {
			t.Errorf("%s has %q in the backend, and %q in the state", user, stored[user].ID, state[user])
		}
	}
}

// mustReachTheEnd applies again, and finds all that is wanted in the backend as in the state, and nothing else.
func (c company) mustReachTheEnd(t *testing.T) {
	t.Helper()
	c.Must(t, "apply", "-auto-approve")
	c.mustBeAtTheEnd(t)
}

// mustBeAtTheEnd finds in the backend what mappings.json says, and in the state all that is in the backend.
func (c company) mustBeAtTheEnd(t *testing.T) {
	t.Helper()
	var wanted map[string]string
	text, err := os.ReadFile(filepath.Join(c.Folder, "mappings.json"))
	if err = errors.Join(err, json.Unmarshal(text, &wanted)); err != nil {
		t.Fatal(err)
	}
	stored, state := storedMappings(t, c.front.url), c.mappingsInState(t)
	for user, email := range wanted {
		if m := stored[user]; m.Email != email || m.ID != state[user] {
			t.Errorf("%s has %q with %q in the backend, and %q in the state", user, m.ID, m.Email, state[user])
		}
	}
	if len(stored) != len(wanted) || len(state) != len(wanted) {
		t.Errorf("%d mappings in the backend and %d in the state, want %d", len(stored), len(state), len(wanted))
	}
	if here, there := c.idsInState(t), c.idsInBackend(t); !slices.Equal(here, there) {
		t.Errorf("the state has   %q\nthe backend has %q", here, there)
	}
	mustPlanNothing(t, c.Workspace)
}

// idsInBackend returns the ids of all that a configuration can make, in order.
func (c company) idsInBackend(t *testing.T) []string {
	t.Helper()
	var ids []string
	add := func(id string, err error) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	ask := askServer(t, c.front.url)
	for m, err := range ask.UserMappings(t.Context(), idmap.UserMappingFilter{}) {
		add(m.ID, err)
	}
	for connection, err := range ask.Connections(t.Context(), client.ConnectionFilter{}) {
		add(connection.ID, err)
	}
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		for m, err := range ask.Maps(t.Context(), kind, client.MapFilter{}) {
			add(m.ID, err)
		}
	}
	slices.Sort(ids)
	return ids
}

// idsInState returns the ids of what Terraform remembers, in order.
func (c company) idsInState(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, instance := range c.state(t) {
		ids = append(ids, instance.Attributes.ID)
	}
	slices.Sort(ids)
	return ids
}

// mappingsInState returns the ids of the mappings that Terraform remembers, by user id.
func (c company) mappingsInState(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, instance := range c.state(t) {
		if instance.kind == "idmap_user_mapping" {
			all[instance.Key] = instance.Attributes.ID
		}
	}
	return all
}

// stateInstance is an object in a state.
type stateInstance struct {
	kind       string // the resource type
	Key        string `json:"index_key"`
	Status     string `json:"status"`
	Attributes struct {
		ID string `json:"id"`
	} `json:"attributes"`
}

// state returns what Terraform remembers, of which nothing may be tainted. Terraform writes a local state in place: killed
// at that moment, or told twice to stop, it leaves none, and people take the copy from before the run.
func (c company) state(t *testing.T) []stateInstance {
	t.Helper()
	file := filepath.Join(c.Folder, "terraform.tfstate")
	text, err := os.ReadFile(file)
	if !json.Valid(text) {
		copyFile(t, filepath.Join(c.Folder, beforeRun), file)
		text, err = os.ReadFile(file)
	}
	var state struct {
		Resources []struct {
			Type      string
			Instances []stateInstance
		}
	}
	if err = errors.Join(err, json.Unmarshal(text, &state)); err != nil {
		t.Fatal(err)
	}
	var all []stateInstance
	for _, resource := range state.Resources {
		for _, instance := range resource.Instances {
			if instance.Status != "" {
				t.Errorf("%s %s is %s", resource.Type, instance.Key, instance.Status)
			}
			instance.kind = resource.Type
			all = append(all, instance)
		}
	}
	return all
}
