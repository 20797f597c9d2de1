package provider

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// actions calls the provider as Terraform does with an action, which the Terraform of the tests does not know.
type actions struct {
	queries
	server  tfprotov6.ActionServer
	configs map[string]tftypes.Object
}

// newActions configures the provider with these arguments.
func newActions(t *testing.T, arguments fields) actions {
	t.Helper()
	a := actions{queries: newQueries(t, arguments), configs: map[string]tftypes.Object{}}
	var ok bool
	if a.server, ok = a.provider.(tfprotov6.ActionServer); !ok {
		t.Fatalf("a %T has no actions", a.provider)
	}
	schemas, err := a.provider.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	a.must(err)
	for name, schema := range schemas.ActionSchemas {
		a.configs[name] = a.objectOf(schema.Schema)
	}
	return a
}

// plan validates and plans an action, and returns what the provider says to it.
func (a actions) plan(name string, config fields) []*tfprotov6.Diagnostic {
	a.Helper()
	given := a.value(a.configs[name], config)
	valid, err := a.server.ValidateActionConfig(a.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: name, Config: given})
	a.must(err)
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	return a.planUnchecked(name, config)
}

// planUnchecked plans an action whose configuration was validated before these values were known.
func (a actions) planUnchecked(name string, config fields) []*tfprotov6.Diagnostic {
	a.Helper()
	planned, err := a.server.PlanAction(a.Context(), &tfprotov6.PlanActionRequest{ActionType: name, Config: a.value(a.configs[name], config)})
	a.must(err)
	return planned.Diagnostics
}

// invoke returns what the provider reports while it runs an action, and then what it says to it.
func (a actions) invoke(name string, config fields) (string, []*tfprotov6.Diagnostic) {
	a.Helper()
	stream, err := a.server.InvokeAction(a.Context(), &tfprotov6.InvokeActionRequest{ActionType: name, Config: a.value(a.configs[name], config)})
	a.must(err)
	told := ""
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			told += event.Message + "\n"
		case tfprotov6.CompletedInvokeActionEventType:
			return told, event.Diagnostics
		}
	}
	a.Fatal("the action never ends")
	return "", nil
}

// says holds diagnostics: the summaries in their order, each with words of its detail.
func (a actions) says(what string, got []*tfprotov6.Diagnostic, severity tfprotov6.DiagnosticSeverity, want ...string) {
	a.Helper()
	if len(got) != 1 || got[0].Severity != severity || got[0].Summary != want[0] {
		a.Errorf("%s: %s, want %s %q", what, textsOf(got), severity, want[0])
		return
	}
	for _, words := range want[1:] {
		if !strings.Contains(got[0].Detail, words) {
			a.Errorf("%s: %q lacks %q", what, got[0].Detail, words)
		}
	}
}

// refused holds that an action is refused with a summary and words, whenever its values become known: by the validation, by
// the plan, and by the action itself, in the same words.
func (a actions) refused(what, name string, config fields, want ...string) {
	a.Helper()
	told, invoked := a.invoke(name, config)
	if told != "" {
		a.Errorf("%s: it told %q", what, told)
	}
	said := textsOf(invoked)
	for _, words := range append([]string{"ERROR " + want[0] + ": "}, want[1:]...) {
		if !strings.Contains(said, words) {
			a.Errorf("%s: %s lacks %q", what, said, words)
		}
	}
	for when, planned := range map[string][]*tfprotov6.Diagnostic{"validated": a.plan(name, config), "planned": a.planUnchecked(name, config)} {
		if got := textsOf(planned); got != said {
			a.Errorf("%s: %s it is %s, invoked %s", what, when, got, said)
		}
	}
}

func textsOf(diagnostics []*tfprotov6.Diagnostic) string {
	all := make([]string, len(diagnostics))
	for i, d := range diagnostics {
		all[i] = d.Severity.String() + " " + d.Summary + ": " + d.Detail
	}
	slices.Sort(all)
	return "[" + strings.Join(all, "; ") + "]"
}

const (
	refuses = tfprotov6.DiagnosticSeverityError
	warns   = tfprotov6.DiagnosticSeverityWarning
)

// tells runs an action that succeeds, and holds what it reports.
func (a actions) tells(name string, config fields, want ...string) {
	a.Helper()
	told, failed := a.invoke(name, config)
	a.fine(nil, failed)
	for _, words := range want {
		if !strings.Contains(told, words) {
			a.Errorf("%s with %v told %q, which lacks %q", name, config, told, words)
		}
	}
}

const releaseEmail, revokeSessions = "idmap_release_email", "idmap_revoke_sessions"

// ledger returns the entries of an address, the one that is not released last.
func (s scenario) ledger(address string) []idmap.EmailAssignment {
	s.Helper()
	all, err := collect(s.server.Client.EmailAssignments(s.ctx(), idmap.EmailAssignmentFilter{AddressKey: address}))
	s.must(err)
	slices.SortFunc(all, func(a, b idmap.EmailAssignment) int {
		if (a.Released == nil) != (b.Released == nil) && a.Released != nil {
			return -1
		}
		return 1
	})
	return all
}

// TestReleaseEmail: by the holder or by the id, the address is released once, and the action may be repeated, also when
// somebody else has the address.
func TestReleaseEmail(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	const address = "sales@example.com"
	give := func(userID string) {
		made, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
			Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales}},
			Email: address, UserID: userID,
		})
		s.must(err)
		s.must(s.server.Client.DeleteUserMapping(s.ctx(), made.ID, 0))
	}
	released := func(want ...bool) {
		t.Helper()
		got := []bool{}
		for _, e := range s.ledger(address) {
			got = append(got, e.Released != nil)
		}
		if !slices.Equal(got, want) {
			t.Errorf("released are %v, want %v", got, want)
		}
	}
	byHolder := fields{"connection_id": w.mail, "email": "SMTP:Sales@example.com", "holder": "jroe", "reason": "HR 4711"}

	a.says("nobody had it", a.plan(releaseEmail, byHolder), warns, "Nothing to Release", "Nobody holds")
	a.tells(releaseEmail, byHolder, "Nobody holds SMTP:Sales@example.com")
	give("JROE")
	a.says("before", a.plan(releaseEmail, byHolder), warns, "Address Will Be Released", address, `"JROE"`, "not taken back")
	released(false)
	a.tells(releaseEmail, byHolder, "Released "+address)
	released(true)
	if r := s.ledger(address)[0].Released; r.Reason != "HR 4711" {
		t.Errorf("the ledger keeps the reason %q", r.Reason)
	}
	a.says("after", a.plan(releaseEmail, byHolder), warns, "Nothing to Release", "was released by", "already")
	a.tells(releaseEmail, byHolder, "was released by", "already")

	give("JDOE")
	released(true, false)
	a.says("the next holder has it", a.plan(releaseEmail, byHolder), warns, "Nothing to Release", "already")
	a.tells(releaseEmail, byHolder, "already")
	released(true, false)

	ofNobody := fields{"connection_id": w.mail, "email": address, "holder": "LVER", "reason": "HR 4711"}
	entry := s.ledger(address)[1].ID
	a.says("another holder", a.plan(releaseEmail, ofNobody), refuses, "Address Held by Another", `"JDOE"`, `"LVER" is none`, entry)
	_, failed := a.invoke(releaseEmail, ofNobody)
	a.says("another holder", failed, refuses, "Address Held by Another")
	released(true, false)

	byID := fields{"email_assignment_id": entry, "reason": "HR 4712"}
	a.says("by id", a.plan(releaseEmail, byID), warns, "Address Will Be Released", `"JDOE"`)
	a.tells(releaseEmail, byID, "Released "+address, entry)
	a.tells(releaseEmail, byID, "already")
	a.says("released by all", a.plan(releaseEmail, ofNobody), warns, "Nothing to Release", "already")
	a.tells(releaseEmail, ofNobody, "already")
	give("JROE")
	a.tells(releaseEmail, byID, "already")
	released(true, true, false)
	a.tells(releaseEmail, byHolder, "Released "+address)
	released(true, true, true)
}

// TestReleaseEmailChooses: the entry of the holder that is not released, else the one that was released last, in whatever
// order the entries come.
func TestReleaseEmailChooses(t *testing.T) {
	t.Parallel()
	entry := func(holder string, released int) idmap.EmailAssignment {
		e := idmap.EmailAssignment{ID: fmt.Sprint(holder, released), Address: "a@example.com", Holders: []idmap.EmailHolder{{UserID: holder}}}
		if released > 0 {
			e.Released = &idmap.Release{By: fmt.Sprint("admin ", released), On: time.Date(2026, time.January, released, 0, 0, 0, 0, time.UTC)}
		}
		return e
	}
	entries := func(all ...idmap.EmailAssignment) []idmap.EmailAssignment { return all }
	for name, test := range map[string]struct {
		all             []idmap.EmailAssignment
		id, told, fails string
	}{
		"had it before, has it":    {entries(entry("JDOE", 1), entry("JDOE", 0)), "JDOE0", `that of "JDOE"`, ""},
		"had it twice":             {entries(entry("JDOE", 1), entry("JDOE", 2)), "", "by admin 2", ""},
		"had it, another has":      {entries(entry("JDOE", 1), entry("JROE", 0)), "", "by admin 1", ""},
		"had it, and another then": {entries(entry("JDOE", 1), entry("JROE", 2)), "", "by admin 1", ""},
		"others had it":            {entries(entry("JROE", 1), entry("LVER", 2)), "", "by admin 2", ""},
		"another has it":           {entries(entry("LVER", 1), entry("JROE", 0)), "", "", `that of "JROE"`},
	} {
		for range 2 {
			slices.Reverse(test.all)
			chosen, told, err := releaseEmailData{Holder: types.StringValue("jdoe")}.choose(test.all)
			id, fails := "", ""
			if chosen != nil {
				id = chosen.ID
			}
			if err != nil {
				fails = err.Error()
			}
			if id != test.id || !strings.Contains(told, test.told) || (fails == "") != (test.fails == "") || !strings.Contains(fails, test.fails) {
				t.Errorf("%s: %q is chosen, told is %q, error %q, want %+v", name, id, told, fails, test)
			}
		}
	}
}

// TestReleaseEmailHolder: what is not said means nobody, although a holder may lack what could be said.
func TestReleaseEmailHolder(t *testing.T) {
	t.Parallel()
	for _, named := range []types.String{types.StringNull(), types.StringValue(""), types.StringValue(" ")} {
		if (releaseEmailData{Holder: named}).isHolder(idmap.EmailHolder{}) {
			t.Errorf("the holder %s is one without a user id, a name and an account", named)
		}
	}
}

// TestReleaseEmailAtOnce: another administrator is faster, by a moment.
func TestReleaseEmailAtOnce(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	entry := s.ledger("lea@example.com")[0]
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			_, err := s.server.Client.ReleaseEmail(s.ctx(), "", entry.ID, "faster")
			s.must(err)
		}
		return false
	})
	a := newActions(t, fields{"endpoint": endpoint, "token": s.server.Token})
	a.tells(releaseEmail, fields{"connection_id": w.mail, "email": "lea@example.com", "holder": "m-lea", "reason": "HR 4711"}, "already")
	if r := s.ledger("lea@example.com")[0].Released; r == nil || r.Reason != "faster" {
		t.Errorf("the ledger has the release %+v", r)
	}
}

// TestReleaseEmailOfMailbox: the refusal calls a mailbox by the name of its account; its id does as well.
func TestReleaseEmailOfMailbox(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	entry := s.ledger("lea@example.com")[0]
	for _, holder := range []string{entry.Holders[0].AccountID(), entry.Holders[0].Label()} {
		config := fields{"connection_id": w.mail, "email": "lea@example.com", "holder": holder, "reason": "HR 4711"}
		a.says(holder, a.plan(releaseEmail, config), warns, "Address Will Be Released", entry.Holders[0].Label())
	}
}

// TestReleaseEmailRefuses: whatever does not name one entry releases none, also where it was not known before the action
// is invoked.
func TestReleaseEmailRefuses(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	const lea = "lea@example.com"
	entry := s.ledger(lea)[0].ID
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	with := func(more fields) fields {
		config := fields{"reason": "HR 4711"}
		maps.Copy(config, more)
		return config
	}
	for name, test := range map[string]struct {
		config fields
		want   []string
	}{
		"nothing":             {with(nil), []string{"Missing Attribute Configuration"}},
		"both":                {with(fields{"email_assignment_id": entry, "connection_id": w.mail, "email": lea, "holder": "m-lea"}), []string{"Invalid Attribute Combination"}},
		"no holder":           {with(fields{"connection_id": w.mail, "email": lea}), []string{"Invalid Attribute Combination", "holder"}},
		"no email":            {with(fields{"connection_id": w.mail, "holder": "m-lea"}), []string{"Invalid Attribute Combination", "email", "Missing Attribute Configuration"}},
		"no connection":       {with(fields{"email": lea, "holder": "m-lea"}), []string{"Invalid Attribute Combination", "connection_id"}},
		"a holder alone":      {with(fields{"email_assignment_id": entry, "holder": "m-lea"}), []string{"Invalid Attribute Combination", "holder"}},
		"no address":          {with(fields{"connection_id": w.mail, "email": "a", "holder": "A"}), []string{"Invalid Email"}},
		"a blank entry":       {with(fields{"email_assignment_id": ""}), []string{"Invalid Value", "blank"}},
		"a blank connection":  {with(fields{"connection_id": "", "email": lea, "holder": "m-lea"}), []string{"Invalid Value", "blank"}},
		"a blank email":       {with(fields{"connection_id": w.mail, "email": "", "holder": "m-lea"}), []string{"Invalid Email"}},
		"a blank holder":      {with(fields{"connection_id": w.mail, "email": lea, "holder": " "}), []string{"Invalid Value", "blank"}},
		"no reason":           {fields{"email_assignment_id": entry}, []string{"Missing Configuration for Required Attribute", "reason"}},
		"a blank reason":      {fields{"email_assignment_id": entry, "reason": " "}, []string{"Invalid Value", "Say who asked for it"}},
		"a long reason":       {fields{"email_assignment_id": entry, "reason": strings.Repeat("x", 1001)}, []string{"Invalid Value", "1001 characters"}},
		"an unknown entry":    {with(fields{"email_assignment_id": "x"}), []string{"Object Not Found", `"x"`}},
		"a connection's name": {with(fields{"connection_id": "Mail", "email": "a@example.com", "holder": "A"}), []string{"Unknown Connection", "not its name"}},
	} {
		a.refused(name, releaseEmail, test.config, test.want...)
		for e, err := range s.server.Client.EmailAssignments(s.ctx(), idmap.EmailAssignmentFilter{}) {
			if s.must(err); e.Released != nil {
				t.Fatalf("%s: %s was released", name, e.Address)
			}
		}
	}
	another := with(fields{"connection_id": w.sales, "email": "lea@example.com", "holder": "A"})
	a.says("another's connection", a.plan(releaseEmail, another), warns, "Nothing to Release")
	a.tells(releaseEmail, another, "Nobody holds")
	unknown := with(fields{"connection_id": tftypes.UnknownValue, "email": "lea@example.com", "holder": "LVER"})
	a.fine(nil, a.plan(releaseEmail, unknown))
}

// TestRevokeSessions ends the sessions of one user and of nobody else, as often as it is run.
func TestRevokeSessions(t *testing.T) {
	s := newScenario(t)
	w, _ := s.stageListed()
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	live := func(want ...string) {
		t.Helper()
		if err := s.signedIn(want...)(nil); err != nil {
			t.Error(err)
		}
	}
	jane := s.signIn(w, "jane@example.com", "JDOE", "teams").UserMapping.ID
	s.signIn(w, "john@example.com", "JROE", "teams")
	live("JDOE", "JDOE", "JROE")

	byUser := fields{"connection_id": w.sales, "user_id": "jdoe"}
	a.fine(nil, a.plan(revokeSessions, byUser))
	live("JDOE", "JDOE", "JROE")
	a.tells(revokeSessions, byUser, `Revoked 2 sessions of user "jdoe".`)
	live("JROE")
	a.tells(revokeSessions, byUser, `no live session of user "jdoe"`, "idmap_sessions")

	both := fields{"connection_id": w.mail, "user_id": "JROE", "email": "jane@example.com"}
	a.tells(revokeSessions, both, `no live session of user "JROE", email "jane@example.com"`)
	live("JROE")
	a.tells(revokeSessions, fields{"connection_id": w.mail, "email": "smtp:john@example.com"}, "Revoked 1 session of email")
	live()

	s.signIn(w, "jane@example.com", "JDOE", "teams")
	s.signIn(w, "john@example.com", "JROE", "teams")
	byMapping := fields{"user_mapping_id": jane}
	a.fine(nil, a.plan(revokeSessions, byMapping))
	a.tells(revokeSessions, byMapping, "Revoked 1 session of the mapping", jane)
	live("JROE")
	s.must(s.server.Client.DeleteUserMapping(s.ctx(), jane, 0))
	a.says("a mapping that is gone", a.plan(revokeSessions, byMapping), warns, "Nothing to Revoke", jane, "end with it")
	a.tells(revokeSessions, byMapping, "There is no user mapping", jane)
	live("JROE")
}

// TestRevokeSessionsRefuses: whatever does not name one user ends no session, also where it was not known before the action
// is invoked.
func TestRevokeSessionsRefuses(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	a := newActions(t, fields{"endpoint": s.server.URL, "token": s.server.Token})
	jane := s.signIn(w, "jane@example.com", "JDOE", "teams").UserMapping.ID
	s.signIn(w, "john@example.com", "JROE", "teams")
	for name, test := range map[string]struct {
		config fields
		want   []string
	}{
		"nothing":             {fields{}, []string{"Missing Attribute Configuration"}},
		"everybody":           {fields{"connection_id": w.sales}, []string{"Missing Attribute Configuration"}},
		"no connection":       {fields{"user_id": "JDOE"}, []string{"Invalid Attribute Combination", "connection_id"}},
		"an email alone":      {fields{"email": "jane@example.com"}, []string{"Invalid Attribute Combination", "connection_id"}},
		"two ways":            {fields{"connection_id": w.sales, "user_mapping_id": jane}, []string{"Invalid Attribute Combination"}},
		"a mapping's user":    {fields{"user_id": "JROE", "user_mapping_id": jane}, []string{"Invalid Attribute Combination"}},
		"a blank mapping":     {fields{"user_mapping_id": ""}, []string{"Invalid Value", "blank"}},
		"a blank connection":  {fields{"connection_id": " ", "user_id": "JDOE"}, []string{"Invalid Value", "blank"}},
		"a blank user":        {fields{"connection_id": w.sales, "user_id": ""}, []string{"Invalid User ID"}},
		"a blank email":       {fields{"connection_id": w.sales, "email": " "}, []string{"Invalid Email"}},
		"no address":          {fields{"connection_id": w.sales, "email": "jane"}, []string{"Invalid Email"}},
		"a connection's name": {fields{"connection_id": "Sales", "user_id": "JDOE"}, []string{"Unknown Connection", "not its name"}},
	} {
		a.refused(name, revokeSessions, test.config, test.want...)
		if err := s.signedIn("JDOE", "JROE")(nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	a.fine(nil, a.plan(revokeSessions, fields{"user_mapping_id": tftypes.UnknownValue}))
	a.fine(nil, a.plan(revokeSessions, fields{"connection_id": tftypes.UnknownValue, "user_id": "JDOE"}))
}

// TestActionsFail: out of reach, a plan is made, with one warning; all else fails in the words of everything else.
func TestActionsFail(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	page := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	configs := map[string]fields{
		releaseEmail:   {"connection_id": w.mail, "email": "lea@example.com", "holder": "m-lea", "reason": "HR 4711"},
		revokeSessions: {"connection_id": w.sales, "user_id": "LVER"},
	}
	const unreachable, foreign, token, unknown = "Mapping Backend Unreachable", "Not a Mapping Backend", "Token Not Accepted", "Provider Not Configured"
	for name, test := range map[string]struct {
		arguments fields
		planned   *tfprotov6.Diagnostic
		invoked   string
	}{
		"nobody there":         {fields{"endpoint": dead.URL, "max_retries": 0}, &tfprotov6.Diagnostic{Severity: warns, Summary: unreachable}, unreachable},
		"another server's 404": {fields{"endpoint": page.URL}, &tfprotov6.Diagnostic{Severity: refuses, Summary: foreign}, foreign},
		"a wrong token":        {fields{"endpoint": s.server.URL, "token": "wrong"}, &tfprotov6.Diagnostic{Severity: refuses, Summary: token}, token},
		"no plan checks":       {fields{"endpoint": dead.URL, "max_retries": 0, "plan_checks": false}, nil, unreachable},
		"unknown endpoint":     {fields{"endpoint": tftypes.UnknownValue}, nil, unknown},
	} {
		for of, config := range configs {
			a := newActions(t, test.arguments)
			if planned := a.plan(of, config); test.planned == nil {
				a.fine(nil, planned)
			} else {
				a.says(name+", "+of, planned, test.planned.Severity, test.planned.Summary)
			}
			told, failed := a.invoke(of, config)
			a.says(name+", "+of, failed, refuses, test.invoked)
			if told != "" {
				t.Errorf("%s, %s: it told %q", name, of, told)
			}
		}
	}
	if entry := s.ledger("lea@example.com")[0]; entry.Released != nil {
		t.Errorf("%s was released", entry.Address)
	}
}

// TestReleaseNeedsAdmin: the refusal of a token that may write mappings, but not release addresses.
func TestReleaseNeedsAdmin(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	made, err := s.server.Client.CreateToken(s.ctx(), idmap.Token{Name: "terraform", Scopes: []idmap.Scope{idmap.ScopeWrite}})
	s.must(err)
	a := newActions(t, fields{"endpoint": s.server.URL, "token": made.Secret})
	_, failed := a.invoke(releaseEmail, fields{"connection_id": w.mail, "email": "lea@example.com", "holder": "m-lea", "reason": "HR 4711"})
	a.says("a token for writing", failed, refuses, "Token Lacks Scope", "admin")
}

// TestQueryAndActionSchemas asks of list resources and of actions what TestSchemas asks of all else.
func TestQueryAndActionSchemas(t *testing.T) {
	t.Parallel()
	schemas, err := newProtocol(t, &acctest.Server{URL: "http://localhost"}).provider.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.ListResourceSchemas) == 0 || len(schemas.ActionSchemas) == 0 {
		t.Fatalf("there are %d list resources and %d actions (%v)", len(schemas.ListResourceSchemas), len(schemas.ActionSchemas), err)
	}
	for name, s := range schemas.ListResourceSchemas {
		checkDescriptions(t, "list."+name, s.Block.Attributes)
	}
	for name, s := range schemas.ActionSchemas {
		for _, attribute := range s.Schema.Block.Attributes { // readAction knows no others
			if !attribute.Type.Is(tftypes.String) {
				t.Errorf("action.%s.%s is a %s", name, attribute.Name, attribute.Type)
			}
		}
		checkDescriptions(t, "action."+name, s.Schema.Block.Attributes)
	}
}
