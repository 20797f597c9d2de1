package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestAccDeletedOutside: what somebody deleted is created again, and nothing else happens.
func TestAccDeletedOutside(t *testing.T) {
	base := newScenario(t)
	s := newStory(base, base.withShares()+accountMap("Move", byNames)+groupMap("Teams", byNames)+
		connections+mapping("jane", "jane@example.com", "JDOE")+mapping("john", "", "JROE")+connection("lone", "Lone", "generic"))
	s.Must(s, "apply", "-auto-approve")
	api := s.server.Client
	for _, gone := range []struct {
		address string
		delete  func() error
	}{
		{janeAddress, func() error { return api.DeleteUserMapping(s.ctx(), s.mappingOf("jdoe").ID, 0) }},
		{"idmap_user_mapping.john", func() error { return api.DeleteUserMapping(s.ctx(), s.mappingOf("jroe").ID, 0) }},
		{moveAddress, func() error { return api.DeleteMap(s.ctx(), idmap.AccountMap, s.theMap().ID, 0) }},
		{teamsAddress, func() error {
			return api.DeleteMap(s.ctx(), idmap.GroupMap, s.mapNamed(idmap.GroupMap, "Teams").ID, 0)
		}},
		{"idmap_connection.lone", func() error { return api.DeleteConnection(s.ctx(), s.connectionNamed("Lone").ID, 0) }},
	} {
		s.must(gone.delete())
		p := s.plan()
		if got, want := touched(p.Changes), (map[string][]string{gone.address: {"create"}}); !reflect.DeepEqual(got, want) {
			s.Errorf("%s was deleted: the plan does %v", gone.address, got)
		}
		if got, want := touched(p.Drift), (map[string][]string{gone.address: {"delete"}}); !reflect.DeepEqual(got, want) {
			s.Errorf("%s was deleted: the plan has noticed %v", gone.address, got)
		}
		s.Must(s, "apply", "tfplan")
		s.nothing()
	}
}

// values returns the attributes in the state, by address.
func (s story) values() map[string]any {
	s.Helper()
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct{ Attributes map[string]any }
		}
	}
	s.must(json.Unmarshal([]byte(s.state()), &state))
	all := map[string]any{}
	for _, r := range state.Resources {
		all[r.Type+"."+r.Name] = r.Instances[0].Attributes
	}
	return all
}

// TestAccStateIsWhatPlansShowed: a plan, made or refused, leaves the state file as it is, byte by byte; an apply writes
// what its plan showed; and another spelling on the backend is nothing that a user gets to see.
func TestAccStateIsWhatPlansShowed(t *testing.T) {
	base := newScenario(t)
	directory := base.withShares()
	fixed := accountMap("Move", `match = { names = true }`, `exceptions = { "Jane@Example.com" = "JDOE" }`, `source_exclusions = ["Bot", "lost"]`, `default_account = "Default"`)
	config := directory + fixed + connections + mapping("jane", "Jane@Example.com", "JDoe")
	s := newStory(base, config)
	s.Must(s, "apply", "-auto-approve")

	// Refused: the email of somebody else.
	written := s.state()
	s.configure(config + mapping("joan", "jane@example.com", "JOAN"))
	for _, args := range [][]string{{"plan"}, {"apply", "-auto-approve"}} {
		if o := s.Run(s, args...); o.Code != 1 || s.state() != written {
			s.Errorf("a refused plan has changed the state file, or is not refused: %v", o)
		}
	}
	s.configure(config)

	// Spelled otherwise: no plan shows it, so no apply may show it either.
	before := s.values()
	s.must(s.putMapping("jdoe", func(m *idmap.UserMapping) { m.Email, m.UserID = "SMTP:JANE@example.com", "ｊｄｏｅ" }))
	s.changeMap(func(m *idmap.Map) {
		m.Exceptions = pairs("JANE@example.com", "jdoe")
		(*m.Exclusions)[0], (*m.Exclusions)[1] = idmap.MapExclusion{Location: idmap.LocationSource, SID: idmap.Principal{Name: "LOST"}}, (*m.Exclusions)[0]
		m.Destination.Default = &idmap.Principal{Name: "DEFAULT"}
	})
	p := s.plan()
	if changes, drift := touched(p.Changes), touched(p.Drift); len(changes)+len(drift) > 0 {
		s.Errorf("another spelling: the plan does %v and has noticed %v", changes, drift)
	}
	s.Must(s, "apply", "tfplan")
	if after := s.values(); !reflect.DeepEqual(before, after) {
		s.Errorf("the state has %v, and had %v", after, before)
	}
}

// TestAccRefreshModes: a refresh takes what it shows into the state and writes nothing; a plan without a refresh shows
// nothing that happened outside.
func TestAccRefreshModes(t *testing.T) {
	base := newScenario(t)
	config := connections + mapping("jane", "jane@example.com", "JDOE") + mapping("john", "", "JROE")
	s := newStory(base, config)
	s.Must(s, "apply", "-auto-approve")
	s.must(s.putMapping("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" }))
	revision := s.mappingOf("jdoe").Revision

	s.nothing("-refresh=false")
	p := s.plan("-refresh-only")
	if len(touched(p.Changes)) > 0 || !reflect.DeepEqual(touched(p.Drift), map[string][]string{janeAddress: {"update", "email"}}) {
		s.Errorf("a refresh does %v and has noticed %v", touched(p.Changes), touched(p.Drift))
	}
	before := s.values()
	s.Must(s, "apply", "tfplan")
	after := s.values()
	if jane, _ := after[janeAddress].(map[string]any); jane["email"] != "jane.doe@example.com" {
		s.Errorf("the refresh has taken over %v", jane)
	}
	delete(before, janeAddress)
	delete(after, janeAddress)
	if !reflect.DeepEqual(before, after) || s.mappingOf("jdoe").Revision != revision {
		s.Errorf("the refresh has changed more than it showed: %v, before %v", after, before)
	}
	if p := s.plan(); !reflect.DeepEqual(touched(p.Changes), map[string][]string{janeAddress: {"update", "email"}}) || len(touched(p.Drift)) > 0 {
		s.Errorf("then the plan does %v and has noticed %v", touched(p.Changes), touched(p.Drift))
	}
	// Not by the exit code: Terraform before 1.12 takes the identity, which it does not store, for a change.
	if p := s.plan("-refresh-only"); len(touched(p.Drift)) > 0 {
		s.Errorf("a second refresh has noticed %v", touched(p.Drift))
	}
}

// TestAccDirectoryThatStays: what does not change a directory, and what changes one that no file brings, is no drift.
func TestAccDirectoryThatStays(t *testing.T) {
	base := newScenario(t)
	accounts := base.file("accounts.csv", "id,username,email", "1,jane,jane@example.com")
	s := newStory(base, connection("full", "Full", "generic", fmt.Sprintf("accounts_file = %q", accounts))+connection("bare", "Bare", "generic"))
	s.Must(s, "apply", "-auto-approve")
	jane := idmap.Account{ID: "1", Username: "jane", Email: "jane@example.com"}
	for _, of := range []string{"Full", "Bare"} {
		_, _, err := s.server.Client.PutAccount(s.ctx(), s.connectionNamed(of).ID, jane)
		s.must(err)
	}
	s.nothing()
	s.imports("Full", "id,username,email\n1,jane,jane@example.com\n") // the very file
	s.imports("Bare", "id,username\n2,john\n")
	s.nothing()
}

// TestAccMapKeepsWhomItNamed: the accounts that a map names are renamed and deleted outside. The map stays with them,
// and so does its configuration.
func TestAccMapKeepsWhomItNamed(t *testing.T) {
	base := newScenario(t)
	from, to := base.stageConnection("Old", oldAccounts, ""), base.stageConnection("New", newAccounts, "")
	config := strings.NewReplacer("idmap_connection.old.id", fmt.Sprintf("%q", from), "idmap_connection.new.id", fmt.Sprintf("%q", to)).
		Replace(accountMap("Move", byNames, `exceptions = { boss = "BOSS2", john = "JROE" }`, `source_exclusions = ["bot"]`, `default_account = "DEFAULT"`))
	s := newStory(base, config)
	s.Must(s, "apply", "-auto-approve")
	for connection, accounts := range map[string][]idmap.Account{
		from: {{ID: "o-boss", Username: "chief"}, {ID: "o-bot", Username: "machine"}},
		to:   {{ID: "n-boss", Username: "CHIEF"}, {ID: "n-default", Username: "ALL"}},
	} {
		for _, a := range accounts {
			_, _, err := s.server.Client.PutAccount(s.ctx(), connection, a)
			s.must(err)
		}
	}
	s.nothing()
	s.must(s.server.Client.DeleteAccount(s.ctx(), from, "o-john", 0))
	s.must(s.server.Client.DeleteAccount(s.ctx(), to, "n-default", 0))
	s.nothing()
}

// TestNothingRepoints: whatever the backend is asked, a mapping keeps the accounts that it is bound to. So a state that
// knows its id knows whose it is.
func TestNothingRepoints(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	ends := [2]idmap.MappingEnd{{Connection: idmap.Ref{ID: w.mail}}, {Connection: idmap.Ref{ID: w.sales}}}
	api := s.server.Client
	jane, _, err := api.CreateUserMapping(s.ctx(), "", idmap.UserMapping{Source: ends[0], Destination: ends[1], Email: "jane@example.com", UserID: "JDOE"})
	s.must(err)
	put := func(change func(*idmap.UserMapping)) func() error {
		return func() error {
			m := jane
			m.Revision = 0
			change(&m)
			_, _, err := api.UpdateUserMapping(s.ctx(), m)
			return err
		}
	}
	batch := func(intents ...idmap.UserMappingIntent) func() error {
		return func() error {
			_, err := api.ApplyUserMappings(s.ctx(), "", intents)
			return err
		}
	}
	signIn := func(email, user string) func() error {
		return func() error {
			s.signIn(w, email, user, "addin")
			return nil
		}
	}
	imports := func(connection, rows string) func() error {
		return func() error {
			_, err := api.ImportAccounts(s.ctx(), connection, 0, "text/csv", []byte(rows))
			return err
		}
	}
	account := func(connection string, a idmap.Account) func() error {
		return func() error {
			_, _, err := api.PutAccount(s.ctx(), connection, a)
			return err
		}
	}
	johns := jane
	johns.Email, johns.UserID = "john@example.com", "JROE"
	johns.Source.Account, johns.Destination.Account = nil, nil
	for _, attempt := range []struct {
		name    string
		refused bool
		do      func() error
	}{
		{"PUT of another's email", true, put(func(m *idmap.UserMapping) { m.Email = johns.Email })},
		{"PUT of another's user", true, put(func(m *idmap.UserMapping) { m.UserID = johns.UserID })},
		{"PUT of another's email, not bound", true, put(func(m *idmap.UserMapping) { m.Email, m.Source.Account = johns.Email, nil })},
		{"PUT of another's user, not bound", true, put(func(m *idmap.UserMapping) { m.UserID, m.Destination.Account = johns.UserID, nil })},
		{"PUT of another person", true, put(func(m *idmap.UserMapping) { *m = johns })},
		{"PUT of two names that nobody knows", true, put(func(m *idmap.UserMapping) { m.Email, m.UserID = "x@example.com", "X" })},
		{"PUT of another account of the mailbox", true, put(func(m *idmap.UserMapping) { m.Source.Account = idmap.RefTo("m-john") })},
		{"PUT of another account of the user", true, put(func(m *idmap.UserMapping) { m.Destination.Account = idmap.RefTo("u-john") })},
		{"PUT of a mailbox elsewhere", true, put(func(m *idmap.UserMapping) { m.Source = ends[1] })},
		{"PUT of a user elsewhere", true, put(func(m *idmap.UserMapping) { m.Destination = ends[0] })},
		{"PUT of no account", false, put(func(m *idmap.UserMapping) { m.Source.Account, m.Destination.Account = nil, nil })},
		{"a batch of another person", true, batch(idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: jane.ID, UserMapping: &johns})},
		{"PATCH of another account", true, func() error { return s.patch(jane.ID, `{"destination":{"account":{"id":"u-john"}}}`) }},
		{"PATCH to no account", false, func() error { return s.patch(jane.ID, `{"source":{"account":null},"destination":{"account":null}}`) }},
		{"a sign-in with another's mailbox", false, signIn(johns.Email, jane.UserID)},
		{"a sign-in as another user", false, signIn(jane.Email, johns.UserID)},
		{"an account with the user's name", true, account(w.sales, idmap.Account{ID: "u-john", Username: "JDOE"})},
		{"the user's account with another's name", true, account(w.sales, idmap.Account{ID: "u-jane", Username: "JROE"})},
		{"a directory in which mailboxes change hands", false, imports(w.mail, "id,username,email\nm-jane,jane,john@example.com\nm-john,john,jane@example.com\n")},
		{"a directory in which users change hands", false, imports(w.sales, "id,username\nu-jane,JROE\nu-john,JDOE\n")},
		{"a directory in which the user has another id", false, imports(w.sales, "id,username\nu-other,JDOE\nu-john,JROE\n")},
		{"a directory in which the mailbox has another id", false, imports(w.mail, "id,username,email\nm-other,jane,jane@example.com\n")},
		{"PUT as the mailbox's new owner", true, put(func(m *idmap.UserMapping) { m.Source.Account = idmap.RefTo("m-other") })},
		{"PUT of a spelling then", false, put(func(m *idmap.UserMapping) {
			now, err := api.UserMapping(s.ctx(), jane.ID)
			s.must(err)
			*m = now
			m.Email, m.Source.Account, m.Destination.Account = strings.ToUpper(m.Email), nil, nil
		})},
	} {
		err := attempt.do()
		if (err != nil) != attempt.refused {
			s.Errorf("%s: refused %t (%v)", attempt.name, !attempt.refused, err)
		}
		now, err := api.UserMapping(s.ctx(), jane.ID)
		s.must(err)
		if now.Source.Connection.ID != w.mail || now.Source.AccountID() != "m-jane" || now.Destination.Connection.ID != w.sales || now.Destination.AccountID() != "u-jane" {
			s.Fatalf("%s: the mapping is bound to %+v and %+v", attempt.name, now.Source, now.Destination)
		}
	}
}

// patch changes some fields of a mapping, as another client of the API does.
func (s scenario) patch(id, body string) error {
	s.Helper()
	r, err := http.NewRequestWithContext(s.ctx(), http.MethodPatch, s.server.URL+"/v1/user_mappings/"+id, strings.NewReader(body))
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+s.server.Token)
	r.Header.Set("Content-Type", "application/merge-patch+json")
	answer, err := http.DefaultClient.Do(r)
	s.must(err)
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// TestAccUnchangedAsksOnlyWhatItHas: a plan without changes reads each object once, whatever its kind, and asks nothing
// else of the backend but what it is.
func TestAccUnchangedAsksOnlyWhatItHas(t *testing.T) {
	s := newScenario(t)
	var mu sync.Mutex
	asked := map[string]int{}
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Method+" "+r.URL.Path]++
		return false
	})
	config := s.withShares() + accountMap("Move", fullMap) + groupMap("Teams", byNames) + s.withDirectories(t) + mapping("jane", "JANE@example.com", "jdoe")
	reset := func() { mu.Lock(); defer mu.Unlock(); clear(asked) }
	s.runOn(endpoint, "",
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: reset, Config: config, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				mu.Lock()
				defer mu.Unlock()
				if len(asked) != 8 { // what the server is, four connections, two maps and a mapping
					s.Errorf("asked for %v", asked)
				}
				for what, times := range asked {
					if times != 1 || !strings.HasPrefix(what, "GET ") {
						s.Errorf("%s was asked %d times", what, times)
					}
				}
			},
			Config: config, PlanOnly: true,
		},
	)
}
