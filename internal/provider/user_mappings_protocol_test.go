package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// bulkStory is a resource of many mappings that lives through walks, which Terraform makes otherwise.
type bulkStory struct {
	wedding
	arguments fields // of the provider
	choices   fields // further arguments of the resource
	between   func() // called once between a plan and its apply
	now       *tfprotov6.DynamicValue
	private   []byte
}

const bulkType = "idmap_user_mappings"

// emails are the entries of a resource; an empty one follows the username.
type emails map[string]string

// newBulkStory has two connections, and a server that sees each request before the backend does.
func newBulkStory(t *testing.T, before func(http.ResponseWriter, *http.Request) bool, arguments fields) *bulkStory {
	t.Helper()
	server := acctest.NewServer(t)
	s := &bulkStory{wedding: wedding{scenario: scenario{T: t, server: server}}, arguments: fields{"endpoint": server.URL, "token": server.Token, "max_retries": 0}}
	if before != nil {
		s.arguments["endpoint"] = s.scenario.behind(before)
	}
	maps.Copy(s.arguments, arguments)
	connection := func(name string) idmap.Connection {
		made, err := server.Client.CreateConnection(t.Context(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: "generic"}, MailDomain: "example.com"})
		s.scenario.must(err)
		return made
	}
	s.mail, s.sales = connection("Mail"), connection("Sales")
	s.nextWalk()
	s.now = s.value(s.objects[bulkType], nil)
	return s
}

func (s *bulkStory) nextWalk() { s.protocol = newProtocolWith(s.scenario.T, s.arguments) }

func (s *bulkStory) configured(entries emails, more fields) *tfprotov6.DynamicValue {
	s.Helper()
	values := map[string]tftypes.Value{}
	for user, email := range entries {
		values[user] = tftypes.NewValue(tftypes.String, nil)
		if email != "" {
			values[user] = tftypes.NewValue(tftypes.String, email)
		}
	}
	all := fields{"source_connection_id": s.mail.ID, "destination_connection_id": s.sales.ID, "mappings": values, "adopt_existing": false, "keep_removed": false}
	maps.Copy(all, more)
	return s.value(s.objects[bulkType], all)
}

func (s *bulkStory) plans(config *tfprotov6.DynamicValue) (*tfprotov6.PlanResourceChangeResponse, string) {
	s.Helper()
	planned, err := s.provider.PlanResourceChange(s.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: bulkType, Config: config, PriorState: s.now, ProposedNewState: config, PriorPrivate: s.private,
	})
	s.scenario.must(err)
	return planned, told(planned.Diagnostics)
}

// reads refreshes the resource in a walk of its own, and returns what is said.
func (s *bulkStory) reads() string {
	s.Helper()
	s.nextWalk()
	read, err := s.provider.ReadResource(s.Context(), &tfprotov6.ReadResourceRequest{TypeName: bulkType, CurrentState: s.now, Private: s.private})
	s.scenario.must(err)
	s.now, s.private = read.NewState, read.Private
	return told(read.Diagnostics)
}

// applies plans the entries, which must be right, applies them in a walk of its own, and returns what that says.
func (s *bulkStory) applies(ctx context.Context, config *tfprotov6.DynamicValue) string {
	s.Helper()
	s.nextWalk()
	planned, said := s.plans(config)
	if strings.Contains(said, "ERROR") {
		s.Fatalf("the plan says %.2000s", said)
	}
	if s.between != nil {
		s.between()
		s.between = nil
	}
	s.nextWalk()
	applied, err := s.provider.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName: bulkType, Config: config, PriorState: s.now, PlannedState: planned.PlannedState, PlannedPrivate: planned.PlannedPrivate,
	})
	s.scenario.must(err)
	s.now, s.private = applied.NewState, applied.Private
	return told(applied.Diagnostics)
}

// is applies entries, which must be right.
func (s *bulkStory) is(entries emails) {
	s.Helper()
	if said := s.applies(s.Context(), s.configured(entries, nil)); strings.Contains(said, "ERROR") {
		s.Fatalf("the apply says %.2000s", said)
	}
}

// state returns the entries that the state has.
func (s *bulkStory) stated() emails {
	s.Helper()
	raw, err := s.now.Unmarshal(s.objects[bulkType])
	s.scenario.must(err)
	m, err := userMappingsFrom(raw)
	s.scenario.must(err)
	found := emails{}
	for _, e := range m.entries {
		found[e.key] = e.email
	}
	return found
}

// stored returns what the backend has.
func (s *bulkStory) stored() emails { return s.scenario.emailsOf() }

// agree expects these entries in the state and in the backend, and that a refresh and a plan find nothing to do.
func (s *bulkStory) agree(entries emails) {
	s.Helper()
	if state, stored := s.stated(), s.stored(); !maps.Equal(state, entries) || !maps.Equal(stored, entries) {
		s.Fatalf("the state has %.1000v, and the backend %.1000v, want %.1000v", state, stored, entries)
	}
	if said := s.reads(); said != "" {
		s.Errorf("the refresh says %.2000s", said)
	}
	planned, said := s.plans(s.configured(entries, s.choices))
	after, err := planned.PlannedState.Unmarshal(s.objects[bulkType])
	s.scenario.must(err)
	before, err := s.now.Unmarshal(s.objects[bulkType])
	s.scenario.must(err)
	if said != "" || !after.Equal(before) {
		s.Errorf("the plan has something to do, and says %.2000s", said)
	}
}

// numbered are n entries.
func numbered(n int) emails {
	all := emails{}
	for i := range n {
		all[fmt.Sprintf("U%05d", i)] = fmt.Sprintf("u%05d@example.com", i)
	}
	return all
}

// isSaid expects a finding in words of an entry.
func isSaid(t *testing.T, said, headline, key string, words ...string) {
	t.Helper()
	if !refusal(headline, "", append([]string{fmt.Sprintf("ElementKeyString(%q)", key)}, words...)...).MatchString(said) {
		t.Errorf("%q is not %q at %q with %q", said, headline, key, words)
	}
	for _, wrong := range []string{"import {", "user_id =", "remove this resource", "this resource is", "for_each"} {
		if strings.Contains(said, wrong) {
			t.Errorf("%q is of no use to an entry: %q", wrong, said)
		}
	}
}

// TestUserMappingsForesee: what a new file does to entries that stay, in the words of an entry.
func TestUserMappingsForesee(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file     []string
		headline string
		words    []string
	}{
		"renamed":  {[]string{"id,username", "u-jane,JSMITH"}, "User Is Renamed", []string{`Write the key "JSMITH" in place of "JDOE"`}},
		"lost":     {[]string{"id,username", "u-joe,JOE"}, "Account Is Lost", []string{"take this entry out as well"}},
		"disabled": {[]string{"id,username,disabled", "u-jane,JDOE,true"}, "Account Is Lost", []string{"disables it", "take this entry out as well"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newBulkStory(t, nil, nil)
			s.has(s.sales, []string{"id,username", "u-jane,JDOE"})
			s.is(emails{"JDOE": "jane@example.com"})
			s.reads()
			s.expectsFile(s.sales, c.file...)
			_, said := s.plans(s.configured(emails{"JDOE": "jane@example.com"}, nil))
			isSaid(t, said, "WARNING: "+c.headline, "JDOE", c.words...)
		})
	}
}

// TestUserMappingsForeseeMany: of more losses than are spelt out the directory is listed once.
func TestUserMappingsForeseeMany(t *testing.T) {
	t.Parallel()
	f := &front{}
	s := newBulkStory(t, f.before, nil)
	rows, entries := []string{"id,username"}, numbered(30)
	for user := range entries {
		rows = append(rows, "id-"+user+","+user)
	}
	s.has(s.sales, rows)
	s.is(entries)
	s.reads()
	s.expectsFile(s.sales, "id,username", "id-U00000,U00000")
	before := len(f.asked())
	_, said := s.plans(s.configured(entries, nil))
	if n := len(f.asked()) - before; strings.Count(said, "Account Is Lost") != spelledOut || !strings.Contains(said, "9 more are not") || n > 0 {
		t.Errorf("after %d requests for single accounts the plan says %s", n, said)
	}
}

// TestUserMappingsBehind: a mapping that could not follow its user is told at its key.
func TestUserMappingsBehind(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	s.authoritative(s.sales.ID, true)
	s.has(s.sales, []string{"id,username", "u-jane,JDOE"})
	s.has(s.mail, []string{"id,email", "m1,jdoe@example.com", "m2,jsmith@example.com"})
	s.is(emails{"JDOE": ""})
	s.has(s.sales, []string{"id,username", "u-jane,JSMITH"})
	isSaid(t, s.reads(), "WARNING: "+renamedUser, "JDOE", "could not follow", `write the key "JSMITH" in place of "JDOE"`)
}

// TestUserMappingsMadeAnew: what came in the place of an entry's mapping is refused, and adopt_existing takes it.
func TestUserMappingsMadeAnew(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	s.is(emails{"JDOE": "jane@example.com"})
	s.scenario.remake("jane.doe@example.com", true)()
	s.reads()
	_, said := s.plans(s.configured(emails{"JDOE": "jane@example.com"}, nil))
	isSaid(t, said, "ERROR: Mapping Was Made Anew", "JDOE", "jane@example.com ↔ JDOE", "a sign-in made mapping", "adopt_existing = true", `"JDOE" = "jane.doe@example.com"`, "Code: user_already_mapped")
	s.reads()
	adopting := s.configured(emails{"JDOE": "jane.doe@example.com"}, fields{"adopt_existing": true})
	if said := s.applies(s.Context(), adopting); said != "" {
		t.Errorf("taken over: %s", said)
	}
	if now := s.stated(); !maps.Equal(now, emails{"JDOE": "jane.doe@example.com"}) {
		t.Errorf("the state has %v", now)
	}
}

// TestUserMappingsWords: what stands at the key of an entry tells what to do with an entry.
func TestUserMappingsWords(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	s.scenario.make("jane@example.com", "JDOE")
	_, said := s.plans(s.configured(emails{"JDOE": "jane@example.com"}, nil))
	isSaid(t, said, "ERROR: Email Already in Use", "JDOE", "adopt_existing = true", "keep_removed = true")

	s.nextWalk()
	one := fields{"source_connection_id": s.mail.ID, "destination_connection_id": s.sales.ID, "email": "anna@example.com", "user_id": "ANNA"}
	s.fine(nil, s.planResource("idmap_user_mapping", one, nil, one, nil).Diagnostics)
	_, said = s.plans(s.configured(emails{"ANNA": "anna@example.com"}, nil))
	isSaid(t, said, "ERROR: Claimed Twice", "ANNA", "take one of the two out", "keep_removed = true")

	s.is(emails{"LEA": "lea@example.com"})
	first, private := s.now, s.private
	s.nextWalk()
	if _, said = s.plans(s.configured(emails{"LEA": "lea@example.com"}, nil)); said != "" {
		t.Errorf("the first says %q", said)
	}
	s.now, s.private = first, private
	_, said = s.plans(s.configured(emails{"LEA": "lea@example.com"}, nil))
	isSaid(t, said, "WARNING: Mapping Already Managed", "LEA", "keep_removed = true")
	s.now, s.private = s.value(s.objects[bulkType], nil), nil
	s.nextWalk()
	_, said = s.plans(s.configured(emails{"LEA": "lea@example.com"}, nil))
	isSaid(t, said, "WARNING: Mapping Exists Already", "LEA", "keep_removed = true", "adopt_existing = true")
}

// TestUserMappingsImportByIdentity: the identity names the connections, and the read takes all of their mappings.
func TestUserMappingsImportByIdentity(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	s.scenario.make("jane@example.com", "JDOE")
	named, err := tfprotov6.NewDynamicValue(s.pair, tftypes.NewValue(s.pair, map[string]tftypes.Value{
		"source_connection_id": tftypes.NewValue(tftypes.String, s.mail.ID), "destination_connection_id": tftypes.NewValue(tftypes.String, s.sales.ID),
	}))
	s.scenario.must(err)
	imported, err := s.provider.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
		TypeName: bulkType, Identity: &tfprotov6.ResourceIdentityData{IdentityData: &named},
	})
	s.fine(err, imported.Diagnostics)
	s.now, s.private = imported.ImportedResources[0].State, imported.ImportedResources[0].Private
	if said := s.reads(); said != "" {
		t.Errorf("the read says %s", said)
	}
	s.agree(emails{"JDOE": "jane@example.com"})
}

// TestUserMappingsWithoutPlanChecks: a plan asks nothing, and the apply is refused in the same words.
func TestUserMappingsWithoutPlanChecks(t *testing.T) {
	t.Parallel()
	f := &front{}
	s := newBulkStory(t, f.before, fields{"plan_checks": false})
	s.scenario.make("jane@example.com", "JDOE")
	said := s.applies(t.Context(), s.configured(emails{"JDOE": "jane@example.com", "JROE": "john@example.com"}, nil))
	isSaid(t, said, "ERROR: Email Already in Use", "JDOE", "adopt_existing = true")
	if len(f.asked()) > 0 || !maps.Equal(s.stated(), emails{"JROE": "john@example.com"}) {
		t.Errorf("the plan asked %q, and the state has %v", f.asked(), s.stated())
	}
}

// TestUserMappingsUnreachable: a plan has one warning, and the state stays.
func TestUserMappingsUnreachable(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	s := newBulkStory(t, func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	}, nil)
	had := emails{"JDOE": "jane@example.com"}
	s.is(had)
	down.Store(true)
	read := s.reads()
	_, planned := s.plans(s.configured(emails{"JDOE": "jane.doe@example.com", "JROE": "john@example.com"}, nil))
	if strings.Count(read+planned, "Mapping Backend Unreachable") != 1 || strings.Contains(read+planned, "ERROR") || !maps.Equal(s.stated(), had) {
		t.Errorf("the state has %v; the refresh says %q, the plan %q", s.stated(), read, planned)
	}
	down.Store(false)
	s.agree(had)
}

// isBatch reports whether a request writes mappings.
func isBatch(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/batch") }

// TestUserMappingsTakenOverWarn: an entry that takes over a mapping warns at apply as one that makes it.
func TestUserMappingsTakenOverWarn(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	s.has(s.sales, []string{"id,username,user_type", "u-jane,JDOE,non_interactive"})
	s.scenario.make("jane@example.com", "JDOE")
	isSaid(t, s.applies(t.Context(), s.configured(emails{"JDOE": "jane@example.com"}, fields{"adopt_existing": true})), "WARNING: ", "JDOE", "Code: non_interactive_user")
}

// TestUserMappingsRenamedAfterUpdate: what was changed since it was created is not deleted under one name and created under
// another in an order that nobody knows. Whichever Terraform plans first, the plan says how it is done.
func TestUserMappingsRenamedAfterUpdate(t *testing.T) {
	t.Parallel()
	for _, deletedFirst := range []bool{true, false} {
		t.Run(fmt.Sprint(deletedFirst), func(t *testing.T) {
			t.Parallel()
			s := newBulkStory(t, nil, nil)
			s.is(emails{"JDOE": "jdoe@example.com"})
			s.is(emails{"JDOE": "jane@example.com"})
			s.reads()
			var said [2]string
			old, private, none := s.now, s.private, s.value(s.objects[bulkType], nil)
			for i := range said {
				if (i == 0) == deletedFirst {
					s.now, s.private = old, private
					_, said[i] = s.plans(none)
				} else {
					s.now, s.private = none, nil
					_, said[i] = s.plans(s.configured(emails{"JDOE": "jane@example.com"}, nil))
				}
			}
			if said[0] != "" || !refusal("ERROR: Email Already in Use", "", `ElementKeyString("JDOE")`, "write a moved block", "adopt_existing = true", "on its own").MatchString(said[1]) {
				t.Errorf("the first plan says %q, the second %q", said[0], said[1])
			}
		})
	}
}

// TestUserMappingsInParts: of entries that take several calls one is refused, and all others are made.
func TestUserMappingsInParts(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	entries := numbered(2500)
	s.between = func() { s.scenario.make("other@example.com", "U01700") }
	isSaid(t, s.applies(t.Context(), s.configured(entries, nil)), "ERROR: User Already Mapped", "U01700")
	delete(entries, "U01700")
	if state := s.stated(); !maps.Equal(state, entries) {
		t.Fatalf("the state has %d entries", len(state))
	}
	entries["U01700"] = "other@example.com"
	s.choices = fields{"adopt_existing": true}
	if said := s.applies(t.Context(), s.configured(entries, s.choices)); said != "" {
		t.Errorf("the next apply says %.2000s", said)
	}
	s.agree(entries)
	s.choices = nil
	s.is(emails{})
	s.agree(emails{})
}

// TestUserMappingsInTheirTime: while one call is answered late, what another has made gets older, and yet is not looked at again.
func TestUserMappingsInTheirTime(t *testing.T) {
	t.Parallel()
	var asked, made, after atomic.Int32
	s := newBulkStory(t, func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case !isBatch(r) && made.Load() > 0:
			after.Add(1)
		case isBatch(r) && asked.Add(1) == 2:
			time.Sleep(2500 * time.Millisecond)
			made.Add(1)
		}
		return false
	}, nil)
	s.is(numbered(2 * idmap.MaxBatch))
	if asked.Load() != 2 || after.Load() > 0 {
		t.Errorf("%d batches, and %d requests after them", asked.Load(), after.Load())
	}
}

// TestUserMappingsCancelled: after an interrupt the state has nothing that is not there, and the next apply takes up
// what was made.
func TestUserMappingsCancelled(t *testing.T) {
	t.Parallel()
	var stop atomic.Pointer[context.CancelFunc]
	var s *bulkStory
	s = newBulkStory(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if cancel := stop.Load(); cancel != nil && isBatch(r) {
			s.scenario.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
			(*cancel)()
			panic(http.ErrAbortHandler)
		}
		return false
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	stop.Store(&cancel)
	entries := numbered(6000)
	if said := s.applies(ctx, s.configured(entries, nil)); !strings.Contains(said, "Call Interrupted") && !strings.Contains(said, "Mapping Backend Unreachable") {
		t.Errorf("interrupted: %.2000s", said)
	}
	made := len(s.stored())
	if made == 0 || made == len(entries) || len(s.stated()) > made {
		t.Errorf("%d were made, and the state has %d", made, len(s.stated()))
	}
	stop.Store(nil)
	s.is(entries)
	s.agree(entries)
}

// TestUserMappingsLostUpdate: the answer to updates and deletes is lost; the next walk takes up what is there.
func TestUserMappingsLostUpdate(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]emails{
		"updates": {"JDOE": "jane.doe@example.com", "JROE": "john@example.com", "LEA": "lea@example.com"},
		"deletes": {"JROE": "john@example.com", "LEA": "lea@example.com"},
		"both":    {"JROE": "john.roe@example.com", "LEA": "lea@example.com"},
	} {
		for _, refreshed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, refreshed %t", name, refreshed), func(t *testing.T) {
				t.Parallel()
				var cut atomic.Bool
				var s *bulkStory
				s = newBulkStory(t, func(_ http.ResponseWriter, r *http.Request) bool {
					if !isBatch(r) || !cut.Load() {
						return false
					}
					s.scenario.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
					panic(http.ErrAbortHandler)
				}, nil)
				before := emails{"JDOE": "jane@example.com", "JROE": "john@example.com", "LEA": "lea@example.com"}
				s.is(before)
				cut.Store(true)
				if said := s.applies(t.Context(), s.configured(after, nil)); !strings.Contains(said, "Mapping Backend Unreachable") || !maps.Equal(s.stated(), before) {
					t.Errorf("without an answer the state has %v: %s", s.stated(), said)
				}
				cut.Store(false)
				if refreshed {
					s.reads()
				}
				s.is(after)
				s.agree(after)
			})
		}
	}
}

// TestUserMappingsChangedIntoThePlan: somebody else has made the very change between the plan and the apply.
func TestUserMappingsChangedIntoThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		email string
		fails bool
	}{"what the plan shows": {"jane.doe@example.com", false}, "something else": {"j@example.com", true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newBulkStory(t, nil, nil)
			s.is(emails{"JDOE": "jane@example.com"})
			s.between = func() {
				s.scenario.must(s.scenario.putMapping("jdoe", func(m *idmap.UserMapping) { m.Email = c.email }))
			}
			said := s.applies(t.Context(), s.configured(emails{"JDOE": "jane.doe@example.com"}, nil))
			if c.fails {
				isSaid(t, said, "ERROR: Object Changed Since Plan", "JDOE")
				return
			}
			if strings.Contains(said, "ERROR") {
				t.Errorf("the apply says %s", said)
			}
			s.agree(emails{"JDOE": "jane.doe@example.com"})
		})
	}
}

// directory gives the mail connection an account for each of the entries, which has the email of the entry, and an
// administrator releases the emails that others had: so they pass from one person to another.
func (s *bulkStory) directory(entries emails) {
	s.Helper()
	rows := []string{"id,username,email"}
	for _, user := range slices.Sorted(maps.Keys(entries)) {
		rows = append(rows, fmt.Sprintf("m-%s,,%s", user, entries[user]))
	}
	s.has(s.mail, rows)
	held, err := collect(s.scenario.server.Client.EmailAssignments(s.Context(), idmap.EmailAssignmentFilter{}))
	s.scenario.must(err)
	for _, e := range held {
		if e.Released != nil {
			continue
		}
		if _, err := s.scenario.server.Client.ReleaseEmail(s.Context(), "", e.ID, "The people agreed on it."); err != nil {
			s.Fatal(err)
		}
	}
}

// TestUserMappingsPassOn: emails pass from one entry to the next, in chains and in rings, and one that cannot hinders no
// other.
func TestUserMappingsPassOn(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	before := numbered(10)
	s.directory(before)
	s.is(before)
	after := maps.Clone(before)
	swap := func(a, b string) { after[a], after[b] = before[b], before[a] }
	swap("U00000", "U00001")
	swap("U00002", "U00003")
	after["U00004"], after["U00005"], after["U00006"] = before["U00005"], before["U00006"], before["U00004"]
	after["U00007"], after["U00008"] = before["U00008"], "new@example.com"
	s.directory(after)
	s.reads()
	s.between = func() {
		s.scenario.must(s.scenario.putMapping("u00002", func(m *idmap.UserMapping) { m.UserID = "OUTSIDE" }))
	}
	said := s.applies(t.Context(), s.configured(after, nil))
	isSaid(t, said, "ERROR: Object Changed Since Plan", "U00002")
	if state := s.stated(); state["U00000"] != after["U00000"] || state["U00001"] != after["U00001"] || state["U00006"] != after["U00006"] || state["U00007"] != after["U00007"] {
		t.Errorf("the others were not made: %v", state)
	}
	if state := s.stated(); state["U00003"] != before["U00003"] || !strings.Contains(said, `ElementKeyString("U00003")`) {
		t.Errorf("what depends on the refused one has %q: %s", state["U00003"], said)
	}
}

// TestUserMappingsTooManyDependent: a ring of more entries than are written at once is refused by the plan, in one text.
func TestUserMappingsTooManyDependent(t *testing.T) {
	t.Parallel()
	s := newBulkStory(t, nil, nil)
	before, after := numbered(idmap.MaxBatch+1), emails{}
	s.is(before)
	keys := slices.Sorted(maps.Keys(before))
	for i, key := range keys {
		after[key] = before[keys[(i+1)%len(keys)]]
	}
	s.reads()
	_, said := s.plans(s.configured(after, nil))
	if strings.Count(said, "ERROR") != 1 || !refusal("Too Many Dependent Entries", "", `"U00000"`, `"U01000"`).MatchString(said) {
		t.Errorf("the plan says %.3000s", said)
	}
}
