package backend_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var addin = backend.Call{Token: idmap.Token{ID: "i", Name: "add-in", Scopes: []idmap.Scope{idmap.ScopeSignIn}}}

// attempt is that of the mapping's user, from a client.
func attempt(m idmap.UserMapping, client string) idmap.SignInAttempt {
	source, destination := m.SignInEnds()
	return idmap.SignInAttempt{Source: source, Destination: destination, Email: m.Email, UserID: m.UserID, Client: client}
}

func signIn(t *testing.T, b *backend.Backend, a idmap.SignInAttempt) idmap.SignInAnswer {
	t.Helper()
	answer, err := b.SignIn(t.Context(), addin, a)
	if err != nil {
		t.Fatalf("%s as %s: %v", a.Email, a.UserID, err)
	}
	return answer
}

// admitted signs somebody in who must be let in.
func admitted(t *testing.T, b *backend.Backend, a idmap.SignInAttempt) idmap.SignInAnswer {
	t.Helper()
	answer := signIn(t, b, a)
	if answer.SignIn.Outcome != idmap.OutcomeAllowed || answer.Session == nil || answer.UserMapping == nil || len(answer.SignIn.Reasons) > 0 {
		t.Fatalf("%s as %s: got %s, want it allowed", a.Email, a.UserID, text(t, answer))
	}
	return answer
}

// denied signs somebody in who must not be let in, for that reason among others.
func denied(t *testing.T, b *backend.Backend, a idmap.SignInAttempt, reason idmap.Code) {
	t.Helper()
	answer := signIn(t, b, a)
	if answer.SignIn.Outcome != idmap.OutcomeDenied || answer.Session != nil || answer.UserMapping != nil ||
		!slices.Contains(rulestest.CodesOf(answer.SignIn.Reasons), reason) {
		t.Errorf("%s as %s: got %s, want it denied with %s", a.Email, a.UserID, text(t, answer), reason)
	}
}

func history(t *testing.T, b *backend.Backend, f idmap.SignInFilter) []idmap.SignIn {
	t.Helper()
	found, err := b.SignIns(t.Context(), f, idmap.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

// TestSignInSpecification runs every case of sign-ins through the store, and its diagnosis before it.
func TestSignInSpecification(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		for _, c := range rulestest.SignInCases() {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				b := backend.New(open(t), backend.Options{})
				stage(t, b, rulestest.Case{Live: c.Live, Gone: c.Gone, Want: c.Attempt})
				a := attempt(c.Attempt, "test")
				checkDiagnosis(t, b, c, a)
				answer := signIn(t, b, a)
				var created *idmap.UserMapping
				if answer.SignIn.MappingCreated {
					created = answer.UserMapping
				}
				rulestest.CheckSignIn(t, c, answer.SignIn.Reasons, created)
				checkWritten(t, b, answer)
				if created != nil { // the next one finds it
					if again := admitted(t, b, a); again.SignIn.MappingCreated || again.UserMapping.ID != created.ID || again.Session.UseCount != 2 {
						t.Errorf("the next sign-in answers %s", text(t, again))
					}
				}
			})
		}
	})
}

func checkDiagnosis(t *testing.T, b *backend.Backend, c rulestest.SignInCase, a idmap.SignInAttempt) {
	t.Helper()
	if a.Email == "" && a.UserID == "" {
		return
	}
	d, err := b.Diagnose(t.Context(), idmap.DiagnosisRequest{Source: a.Source, Destination: a.Destination, Email: a.Email, UserID: a.UserID})
	if err != nil {
		t.Fatal(err)
	}
	if got := rulestest.CodesOf(idmap.ReasonsOf(d.Checks)); !slices.Equal(got, c.Denied) {
		t.Errorf("the diagnosis found %v, and the sign-in is denied for %v", got, c.Denied)
	}
}

// checkWritten compares what is stored with the answer.
func checkWritten(t *testing.T, b *backend.Backend, answer idmap.SignInAnswer) {
	t.Helper()
	entries := history(t, b, idmap.SignInFilter{})
	if len(entries) != 1 || text(t, entries[0]) != text(t, answer.SignIn) {
		t.Errorf("the history is\n%s\nwant what was answered\n%s", text(t, entries), text(t, answer.SignIn))
	}
	sessions, err := b.Sessions(t.Context(), idmap.SessionFilter{}, idmap.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Session == nil {
		if len(sessions.Items) > 0 || answer.UserMapping != nil {
			t.Errorf("a denial left the sessions %+v", sessions.Items)
		}
		return
	}
	if len(sessions.Items) != 1 || text(t, sessions.Items[0]) != text(t, *answer.Session) {
		t.Errorf("the sessions are\n%s\nwant\n%s", text(t, sessions.Items), text(t, answer.Session))
	}
	stored := reread(t, b, answer.UserMapping.ID)
	if text(t, stored) != text(t, *answer.UserMapping) || stored.LastSignInOn == nil || !stored.LastSignInOn.Equal(answer.SignIn.On) {
		t.Errorf("the mapping is\n%s\nwant\n%s", text(t, stored), text(t, answer.UserMapping))
	}
	if answer.SignIn.MappingCreated && (stored.Origin != idmap.OriginSignIn || stored.Revision != 1) {
		t.Errorf("the sign-in made %s", text(t, stored))
	}
}

func TestFirstSignInIsAudited(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		made := admitted(t, b, attempt(open("ann@example.com", "ann"), "")).UserMapping
		audit, err := b.Audit(t.Context(), idmap.AuditFilter{ObjectID: made.ID}, idmap.Page{Limit: 10})
		if err != nil || len(audit.Items) != 1 || audit.Items[0].Action != "create" || audit.Items[0].Who != "add-in" {
			t.Errorf("got %+v, %v, want who made the mapping", audit.Items, err)
		}
		ledger, err := b.EmailAssignments(t.Context(), idmap.EmailAssignmentFilter{AddressKey: "ann@example.com"}, idmap.Page{Limit: 10})
		if err != nil || len(ledger.Items) != 1 || ledger.Items[0].Holders[0].UserID != "ann" {
			t.Errorf("got %+v, %v, want ann in the ledger", ledger.Items, err)
		}
	})
}

func TestSignInsThatCannotBeJudged(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		for _, c := range []struct {
			name, field string
			code        idmap.Code
			spoil       func(*idmap.SignInAttempt)
		}{
			{"source", "source.connection.id", idmap.CodeUnknownConnection, func(a *idmap.SignInAttempt) { a.Source.Connection.ID = "nope" }},
			{"destination", "destination.connection.id", idmap.CodeUnknownConnection, func(a *idmap.SignInAttempt) { a.Destination.Connection.ID = "a\x00b" }},
			{"no connection", "source.connection.id", idmap.CodeUnknownConnection, func(a *idmap.SignInAttempt) { a.Source.Connection.ID, a.Destination.Connection.ID = "", "" }},
			{"one connection", "destination.connection.id", idmap.CodeInvalid, func(a *idmap.SignInAttempt) { a.Destination = a.Source }},
			{"client of 1 MB", "client", idmap.CodeInvalid, func(a *idmap.SignInAttempt) { a.Client = strings.Repeat("x", 1<<20) }},
			{"unseen client", "client", idmap.CodeInvalid, func(a *idmap.SignInAttempt) { a.Client = "out\nlook" }},
			{"host name", "source_address", idmap.CodeInvalid, func(a *idmap.SignInAttempt) { a.SourceAddress = "localhost" }},
			{"port", "source_address", idmap.CodeInvalid, func(a *idmap.SignInAttempt) { a.SourceAddress = "192.0.2.1:80" }},
		} {
			a := attempt(open("ann@example.com", "ann"), "outlook")
			c.spoil(&a)
			_, err := b.SignIn(t.Context(), addin, a)
			found := idmap.ViolationsOf(err)
			if len(found) == 0 || found[0].Code != c.code || found[0].Field != c.field || len(err.Error()) > 1000 {
				t.Errorf("%s: got %v, want %s of %s", c.name, err, c.code, c.field)
			}
		}
		if entries := history(t, b, idmap.SignInFilter{}); len(entries) > 0 {
			t.Errorf("they are in the history: %s", text(t, entries))
		}
	})
}

func TestOddNamesAreInTheHistory(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		for _, odd := range []string{
			"", "\x00", "\xff\xfe", "a@b\x00.com", strings.Repeat("x", 1<<20), strings.Repeat("\uFDFA", 400), strings.Repeat("é", 400) + "@example.com",
			"jane" + strings.Repeat(" ", 9000) + "x",
		} {
			a := attempt(open(odd, odd), "")
			denied(t, b, a, idmap.CodeInvalidEmail)
			entries := history(t, b, idmap.SignInFilter{})
			if got := []rune(entries[0].Email); len(got) > idmap.MaxRecordedLength || entries[0].Email != entries[0].UserID {
				t.Errorf("%.20q: the history has %d characters, %.20q", odd, len(got), entries[0].Email)
			}
			key := idmap.EmailKey(entries[0].Email)
			if found := history(t, b, idmap.SignInFilter{EmailKey: key}); key != "" && (len(found) == 0 || found[0].ID != entries[0].ID) {
				t.Errorf("%.20q is not found by its email", odd)
			}
		}
	})
}

func TestSourceAddressIsCanonical(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		for given, want := range map[string]string{
			"": "", "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:DB8:0::7": "2001:db8::7", "fe80::1%eth0\x00": "fe80::1",
		} {
			a := attempt(open("ann@example.com", "ann"), "")
			a.SourceAddress = given
			if answer := admitted(t, b, a); answer.SignIn.SourceAddress != want || answer.Session.SourceAddress != want {
				t.Errorf("%q becomes %q, want %q", given, answer.SignIn.SourceAddress, want)
			}
		}
	})
}

func TestDeletedMappingComesBack(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := attempt(open("ann@example.com", "ann"), "")
		first := create(t, b, open("ann@example.com", "ann"))
		admitted(t, b, ann)
		remove(t, b, first.ID)
		denied(t, b, attempt(open("ann@example.com", "bob"), ""), idmap.CodeEmailPreviouslyAssigned)
		if second := admitted(t, b, ann); second.UserMapping.ID == first.ID || !second.SignIn.MappingCreated || second.UserMapping.Origin != idmap.OriginSignIn {
			t.Errorf("got %s, want a new mapping", text(t, second))
		}
		closed := attempt(rulestest.Between(rulestest.Mail, rulestest.Closed, "jane.doe@contoso.com", "jane"), "")
		denied(t, b, closed, idmap.CodeMappingRequired)
		m := create(t, b, rulestest.Between(rulestest.Mail, rulestest.Closed, "jane.doe@contoso.com", "jane"))
		admitted(t, b, closed)
		remove(t, b, m.ID)
		denied(t, b, closed, idmap.CodeMappingRequired)
	})
}

func TestClockThatGoesBack(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, openStore func(testing.TB) store.Store) {
		now := time.Date(2026, 3, 29, 3, 0, 0, 0, time.UTC)
		b := backend.New(openStore(t), backend.Options{Clock: func() time.Time { return now }})
		acctest.Stage(t, b, admin)
		ann := attempt(open("ann@example.com", "ann"), "outlook")
		first := admitted(t, b, ann)
		latest := now
		now = now.Add(-time.Hour)
		back := admitted(t, b, ann)
		if !back.SignIn.On.Equal(now) || !back.Session.LastUsedOn.Equal(latest) || !back.Session.FirstUsedOn.Equal(now) || !back.UserMapping.LastSignInOn.Equal(latest) {
			t.Errorf("an hour earlier: %s", text(t, back))
		}
		if m := reread(t, b, first.UserMapping.ID); !m.LastSignInOn.Equal(latest) {
			t.Errorf("the last sign-in was on %s, want %s", m.LastSignInOn, latest)
		}
		if back.Session.ID != first.Session.ID || back.Session.UseCount != 2 {
			t.Errorf("got the session %s, want the first one continued", text(t, back.Session))
		}
	})
}

func TestTrimSignIns(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, openStore func(testing.TB) store.Store) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var lock sync.Mutex
		b := backend.New(openStore(t), backend.Options{Clock: func() time.Time { lock.Lock(); defer lock.Unlock(); return now }})
		pass := func(days int) { lock.Lock(); defer lock.Unlock(); now = now.AddDate(0, 0, days) }
		acctest.Stage(t, b, admin)
		_, err := b.UpdateConnection(t.Context(), admin, rulestest.App, 0, func(c idmap.Connection) (idmap.Connection, error) {
			c.SignInHistoryDays = 10
			return c, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		crm := rulestest.Between(rulestest.OpenMail, rulestest.CRM, "ann@example.com", "ann")
		admitted(t, b, attempt(crm, ""))
		var all sync.WaitGroup
		for range 600 {
			all.Go(func() { _, _ = b.SignIn(t.Context(), addin, attempt(open("ann@example.com", "ann"), "")) })
		}
		all.Wait()
		pass(9)
		admitted(t, b, attempt(open("ann@example.com", "ann"), ""))
		for i, want := range []struct {
			days, left int
			more       bool
		}{{0, 602, false}, {2, 102, true}, {0, 2, false}, {170, 0, false}} {
			pass(want.days)
			more, err := b.TrimSignIns(t.Context())
			if left := len(history(t, b, idmap.SignInFilter{})); err != nil || more != want.more || left != want.left {
				t.Errorf("step %d: %d are left, more: %t (%v), want %d, %t", i, left, more, err, want.left, want.more)
			}
		}
	})
}

func TestDiagnoseByHalf(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		jane := create(t, b, rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
		importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Disabled = true }))
		source, destination := jane.SignInEnds()
		for _, half := range []idmap.DiagnosisRequest{{Email: "jdoe@contoso.com"}, {UserID: "jdoe"}} {
			half.Source, half.Destination = source, destination
			d, err := b.Diagnose(t.Context(), half)
			if err != nil || d.Outcome != idmap.OutcomeDenied || d.UserMapping == nil || d.UserMapping.ID != jane.ID || d.Email == "" || d.UserID == "" {
				t.Errorf("got %s, %v, want what the mapping tells", text(t, d), err)
			}
			if got := rulestest.CodesOf(idmap.ReasonsOf(d.Checks)); !slices.Equal(got, []idmap.Code{idmap.CodeUserCannotSignIn}) {
				t.Errorf("got %v, want that the user is disabled", got)
			}
		}
		for code, request := range map[idmap.Code]idmap.DiagnosisRequest{
			idmap.CodeUnknownConnection: {Source: idmap.SignInEnd{Connection: idmap.Ref{ID: "nope"}}, Destination: destination, Email: "x"},
			idmap.CodeInvalid:           {Source: source, Destination: destination},
		} {
			_, err := b.Diagnose(t.Context(), request)
			wantCode(t, err, code)
		}
		if n := len(history(t, b, idmap.SignInFilter{})); n > 0 {
			t.Errorf("the history has %d entries of diagnoses", n)
		}
	})
}

func TestSignInSettings(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		want := func(id string, c idmap.Connection) {
			t.Helper()
			got, err := b.Connection(t.Context(), id)
			if err != nil || got.SignInDisabled != c.SignInDisabled || got.SignInMapping != c.SignInMapping ||
				got.OnSignOut != c.OnSignOut || got.SignInHistoryDays != c.SignInHistoryDays {
				t.Errorf("connection %s is %s (%v), want the settings %s", id, text(t, got), err, text(t, c))
			}
		}
		standard := idmap.Connection{SignInMapping: idmap.SignInCreates, OnSignOut: idmap.OnSignOutKeep, SignInHistoryDays: 180}
		want(rulestest.App, standard)
		put := func(settings idmap.Connection) error {
			_, err := b.UpdateConnection(t.Context(), admin, rulestest.App, 0, func(c idmap.Connection) (idmap.Connection, error) {
				settings.Name, settings.Platform = c.Name, c.Platform
				return settings, nil
			})
			return err
		}
		changed := idmap.Connection{SignInDisabled: true, SignInMapping: idmap.SignInRequires, OnSignOut: idmap.OnSignOutRemove, SignInHistoryDays: 30}
		if err := put(changed); err != nil {
			t.Fatal(err)
		}
		want(rulestest.App, changed)
		denied(t, b, attempt(open("ann@example.com", "ann"), ""), idmap.CodeSignInDisabled)
		wantCode(t, put(idmap.Connection{SignInMapping: "maybe"}), idmap.CodeInvalid)
		wantCode(t, put(idmap.Connection{SignInHistoryDays: -1}), idmap.CodeInvalid)
		want(rulestest.App, changed)
		if err := put(idmap.Connection{}); err != nil { // as PUT does
			t.Fatal(err)
		}
		want(rulestest.App, standard)
	})
}

func TestUnknownScopeNamesAll(t *testing.T) {
	t.Parallel()
	b := backend.New(acctest.OpenSQLite(t), backend.Options{})
	_, err := b.CreateToken(t.Context(), admin, idmap.Token{Name: "add-in", Scopes: []idmap.Scope{"root"}})
	if err == nil || !strings.Contains(err.Error(), "sign_in, read, write and admin") {
		t.Errorf("got %v, want all scopes named", err)
	}
}
