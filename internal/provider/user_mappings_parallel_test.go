package provider

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/server"
)

// emailsOf returns the mappings of the backend: emails by user.
func (s scenario) emailsOf() map[string]string {
	s.Helper()
	all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{}))
	s.must(err)
	found := map[string]string{}
	for _, m := range all {
		found[m.UserID] = m.Email
	}
	return found
}

// entriesInState returns the entries of all resources, and those that two of them have.
func (s story) entriesInState() (entries map[string]string, twice []string) {
	s.Helper()
	entries = map[string]string{}
	add := func(user, email any) {
		name := fmt.Sprint(user)
		if _, has := entries[name]; has {
			twice = append(twice, name)
		}
		entries[name] = fmt.Sprint(email)
	}
	for address, value := range s.values() {
		of, _ := value.(map[string]any)
		switch kind, _, _ := strings.Cut(address, "."); kind {
		case "idmap_user_mapping":
			add(of["user_id"], of["email"])
		case "idmap_user_mappings":
			all, _ := of["mappings"].(map[string]any)
			for user, email := range all {
				add(user, email)
			}
		}
	}
	return entries, twice
}

// TestAccUserMappingsPassBetween: entries pass from one resource to another in one apply, in whatever order Terraform comes
// to them. It is made or refused at the entry; nothing is lost, and the state is true afterwards.
func TestAccUserMappingsPassBetween(t *testing.T) {
	t.Parallel()
	const a, b, c = `A = "a@example.com"`, `B = "b@example.com"`, `C = "c@example.com"`
	list := func(entries ...string) string { return strings.Join(entries, ", ") }
	one, two := func(entries ...string) string { return bulk("one", list(entries...)) }, func(entries ...string) string { return bulk("two", list(entries...)) }
	single := func(user string) string {
		return mapping(strings.ToLower(user), strings.ToLower(user)+"@example.com", user)
	}
	for name, p := range map[string]struct {
		before, after string
		refused       string // what the refusal names, if it is refused
		want          map[string]string
	}{
		"an entry":                   {one(a, b) + two(c), one(b) + two(c, a), "", map[string]string{"A": "a", "B": "b", "C": "c"}},
		"two change places":          {one(a) + two(b), one(b) + two(a), "", map[string]string{"A": "a", "B": "b"}},
		"a key for another email":    {one(a, b) + two(c), one(a) + two(c, `B = "x@example.com"`), "B", nil},
		"an email for another key":   {one(a, b) + two(c), one(a) + two(c, `D = "b@example.com"`), "b@example.com", nil},
		"into a resource of its own": {one(a, b), one(a) + single("B"), "", map[string]string{"A": "a", "B": "b"}},
		"out of one of its own":      {one(a) + single("B"), one(a, b), "", map[string]string{"A": "a", "B": "b"}},
		"both want a new one":        {one(a) + two(b), one(a, c) + two(b, c), "C", nil},
		"one of its own wants it":    {one(a) + single("B"), one(a, c) + single("B") + single("C"), "C", nil},
		"an email twice":             {one(a) + single("B"), one(a, c) + single("B") + mapping("d", "c@example.com", "D"), "c@example.com", nil},
	} {
		for _, parallelism := range []int{1, 10} {
			t.Run(fmt.Sprintf("%s, parallelism %d", name, parallelism), func(t *testing.T) {
				s := newStory(newScenario(t), connections+p.before)
				at := fmt.Sprintf("-parallelism=%d", parallelism)
				s.Must(s, "apply", "-auto-approve", at)
				before, ids := s.emailsOf(), s.ids()
				s.configure(connections + p.after)
				o := s.Run(s, "apply", "-auto-approve", at)
				now := s.emailsOf()
				if state, twice := s.entriesInState(); !maps.Equal(state, now) || len(twice) > 0 {
					t.Errorf("the state has %v, %v twice, and the backend %v", state, twice, now)
				}
				if o.Code != 0 {
					if p.want != nil || !strings.Contains(o.String(), p.refused) || !maps.Equal(now, before) || !maps.Equal(s.ids(), ids) {
						t.Errorf("there were %v, and are %v: %v", before, now, o)
					}
					return
				}
				want := map[string]string{}
				for user, letter := range p.want {
					want[user] = letter + "@example.com"
				}
				if !maps.Equal(now, want) {
					t.Errorf("there were %v, and are %v: %v", before, now, o)
				}
				s.nothing(at)
			})
		}
	}
}

// renamedMeet has a mapping in a resource that got another name without a moved block, so that it is created and deleted at
// the same time. The delete comes while the create looks whether the mapping that its key was answered with, or that stands in
// its way, still is as wanted.
type renamedMeet struct {
	*testing.T
	client  *client.Client
	on      idmap.UserMapping // the connections
	onceMet func()
}

// newRenamedMeet has a backend whose clock is behind, so that no answer looks as if it was made just now.
func newRenamedMeet(t *testing.T) *renamedMeet {
	t.Helper()
	m := &renamedMeet{T: t}
	b := backend.New(acctest.OpenSQLite(t), backend.Options{BootstrapToken: acctest.Token, Clock: func() time.Time { return time.Now().Add(-time.Hour) }})
	handler := server.New(b, server.Options{Version: "test"})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if met := m.onceMet; met != nil && strings.HasSuffix(r.URL.Path, "/lookup") {
			m.onceMet = nil
			met() // before the answer arrives
		}
	}))
	t.Cleanup(web.Close)
	m.client = acctest.NewClient(t, web.URL)
	for name, end := range map[string]*idmap.MappingEnd{"Mail": &m.on.Source, "Sales": &m.on.Destination} {
		made, err := m.client.CreateConnection(t.Context(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: "generic"}})
		if err != nil {
			t.Fatal(err)
		}
		end.Connection.ID = made.ID
	}
	return m
}

// model is the resource with one entry.
func (m *renamedMeet) model(user string, adopt bool) userMappingsModel {
	all := userMappingsModel{
		Source: stringOf(m.on.Source.Connection.ID), Destination: stringOf(m.on.Destination.Connection.ID), Adopt: types.BoolValue(adopt), Keep: types.BoolValue(false),
	}
	all.setEntries([]mappingEntry{{key: user, user: idmap.Fold(user), email: "jane@example.com", mail: "jane@example.com"}})
	return all
}

// TestUserMappingsRenamedMeet: the delete does not take away what the create then has.
func TestUserMappingsRenamedMeet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		adopt bool
		had   string // as what the old name has the user
	}{"made by both": {false, "JDOE"}, "taken over": {true, "JDOE"}, "taken over in another spelling": {true, "jdoe"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, diags := newRenamedMeet(t), diag.Diagnostics{}
			before, after := m.model(c.had, c.adopt), m.model("JDOE", c.adopt)
			old := newMappingsWrite(newWalk(m.client, true), before, nil, nil, &diags)
			old.make(t.Context())
			w, gone := newWalk(m.client, true), before
			gone.entries = nil
			created, deleted := newMappingsWrite(w, after, nil, nil, &diags), newMappingsWrite(w, gone, old.entries(), old.owned, &diags)
			var running sync.WaitGroup
			met := false
			m.onceMet = func() {
				met = true
				if lock := w.writes.locks[after.one(after.entries[0]).user().lock()]; lock == nil || lock.TryLock() {
					if lock != nil {
						lock.Unlock()
					}
					deleted.make(t.Context()) // nothing holds it back
				} else {
					running.Go(func() { deleted.make(t.Context()) })
				}
			}
			created.make(t.Context())
			running.Wait()
			stored, err := collect(m.client.UserMappings(t.Context(), idmap.UserMappingFilter{}))
			if err != nil || len(stored) != 1 || created.owned["jdoe"].ID != stored[0].ID || !met || len(diags) > 0 {
				t.Errorf("met %t; the new name has %v, and the backend %v (%v): %v", met, created.owned, stored, err, diags)
			}
		})
	}
}

// TestAccUserMappingsTakenOverInOneApply: what adopt_existing takes over is what another resource, or the same one, deletes in
// the same apply. Whatever comes first, the mapping is there in the end, in one resource.
func TestAccUserMappingsTakenOverInOneApply(t *testing.T) {
	t.Parallel()
	const jane, adopts = `JDOE = "jane@example.com"`, "adopt_existing = true"
	one := bulk("one", jane, adopts)
	for name, p := range map[string]struct {
		before, after string
		options       []string
	}{
		"renamed":                         {one, bulk("two", jane, adopts), nil},
		"renamed, in another spelling":    {one, bulk("two", `jdoe = "Jane@example.com"`, adopts), nil},
		"renamed, and adopts only now":    {bulk("one", jane), bulk("two", jane, adopts), nil},
		"count to for_each":               {bulk("one", jane, adopts, "count = 1"), bulk("one", jane, adopts, `for_each = toset(["a"])`), nil},
		"out of a resource of its own":    {mapping("one", "jane@example.com", "JDOE"), bulk("two", jane, adopts), nil},
		"from an entry that is removed":   {one, bulk("one", "", adopts) + bulk("two", jane, adopts), nil},
		"replaced":                        {one, one, []string{"-replace=idmap_user_mappings.one"}},
		"replaced, and created first":     {one, bulk("one", jane, adopts, "lifecycle {\n    create_before_destroy = true\n  }"), []string{"-replace=idmap_user_mappings.one"}},
		"created first, never taken over": {bulk("one", jane), bulk("one", jane, "lifecycle {\n    create_before_destroy = true\n  }"), []string{"-replace=idmap_user_mappings.one"}},
	} {
		for _, foreign := range []bool{false, true} {
			for _, parallelism := range []string{"-parallelism=1", "-parallelism=10"} {
				if foreign && (!strings.Contains(p.before, adopts) || parallelism == "-parallelism=10") {
					continue
				}
				t.Run(fmt.Sprintf("%s, made by others %t, %s", name, foreign, parallelism), func(t *testing.T) {
					s := newStory(newScenario(t), connections)
					s.Must(s, "apply", "-auto-approve")
					if foreign {
						s.make("jane@example.com", "JDOE")
					}
					s.configure(connections + p.before)
					s.Must(s, "apply", "-auto-approve", parallelism)
					s.configure(connections + p.after)
					s.Must(s, append([]string{"apply", "-auto-approve", parallelism}, p.options...)...)
					state, twice := s.entriesInState()
					if now := s.emailsOf(); len(now) != 1 || len(state) != 1 || len(twice) > 0 {
						t.Errorf("the state has %v, %v twice, and the backend %v", state, twice, now)
					}
					s.nothing(parallelism)
				})
			}
		}
	}
}
