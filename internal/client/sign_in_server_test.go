package client_test

import (
	"fmt"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// signInServer is a real server with a mail and an application connection, and an integration's client.
func signInServer(t *testing.T) (admin, integration *client.Client, a idmap.SignInAttempt) {
	t.Helper()
	s := acctest.NewServer(t)
	t.Cleanup(s.Client.Close)
	for _, id := range []string{"mail", "app"} {
		if _, err := s.Client.CreateConnection(t.Context(), "", idmap.Connection{ID: id, Name: id, Platform: idmap.PlatformRef{ID: "generic"}}); err != nil {
			t.Fatal(err)
		}
	}
	token, err := s.Client.CreateToken(t.Context(), idmap.Token{Name: "add-in", Scopes: []idmap.Scope{idmap.ScopeSignIn}})
	if err != nil {
		t.Fatal(err)
	}
	integration, err = client.New(client.Config{Endpoint: s.URL, Token: token.Secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(integration.Close)
	a = idmap.SignInAttempt{Email: "jane@example.com", UserID: "jane", Client: "teams"}
	a.Source.Connection.ID, a.Destination.Connection.ID = "mail", "app"
	return s.Client, integration, a
}

func count[T any](t *testing.T, pages func(func(T, error) bool)) (n int) {
	t.Helper()
	for _, err := range pages {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestSignInThroughTheClient walks the life of a session: client and server agree on every route.
func TestSignInThroughTheClient(t *testing.T) {
	admin, integration, attempt := signInServer(t)
	ctx := t.Context()
	first, err := integration.SignIn(ctx, "key", attempt)
	if err != nil || first.Session == nil || first.UserMapping == nil || !first.SignIn.MappingCreated || first.UserMapping.Origin != idmap.OriginSignIn {
		t.Fatalf("let in: %+v, %v", first, err)
	}
	again, err := integration.SignIn(ctx, "key", attempt)
	if err != nil || again.SignIn.ID != first.SignIn.ID || again.Session == nil || again.Session.UseCount != 1 {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	session, err := integration.Session(ctx, first.Session.ID)
	if err != nil || session.Email != attempt.Email || session.Client != "teams" || session.FirstUsedOn.IsZero() {
		t.Errorf("the session: %+v, %v", session, err)
	}
	odd := attempt
	odd.Email, odd.UserID = odd.UserID, odd.Email
	denied, err := integration.SignIn(ctx, "", odd)
	if err != nil || denied.Session != nil || denied.SignIn.Outcome != idmap.OutcomeDenied || len(denied.SignIn.Reasons) == 0 {
		t.Errorf("a swapped pair: %+v, %v", denied, err)
	}
	odd.Destination.Connection.ID = "nowhere"
	if _, err := integration.SignIn(ctx, "", odd); !idmap.IsKind(err, idmap.KindRule) {
		t.Errorf("an unknown connection: %v", err)
	}
	if n := count(t, admin.SignIns(ctx, idmap.SignInFilter{DestinationConnectionID: "app", From: &first.SignIn.On})); n != 2 {
		t.Errorf("the history has %d entries, want 2", n)
	}
	if n := count(t, admin.SignIns(ctx, idmap.SignInFilter{Outcome: idmap.OutcomeDenied, Reason: idmap.CodeInvalidEmail, UserKey: attempt.Email})); n != 1 {
		t.Errorf("the history has %d denials, want 1", n)
	}
	for range 2 { // the second time it is over
		if err := integration.SignOut(ctx, session.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := integration.Session(ctx, session.ID); !idmap.IsNotFound(err) {
		t.Errorf("signed out: %v", err)
	}
}

func TestSessionsThroughTheClient(t *testing.T) {
	admin, integration, attempt := signInServer(t)
	ctx := t.Context()
	var sessions []idmap.Session
	for i := range 3 {
		attempt.Client = fmt.Sprint("client ", i)
		given, err := integration.SignIn(ctx, "", attempt)
		if err != nil || given.Session == nil {
			t.Fatalf("%+v, %v", given, err)
		}
		sessions = append(sessions, *given.Session)
	}
	ofJane := idmap.SessionFilter{UserMappingIDs: []string{sessions[0].UserMapping.ID}}
	if n := count(t, admin.Sessions(ctx, ofJane)); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	for usage, err := range admin.SessionUsage(ctx, idmap.SessionFilter{EmailKey: "jane@example.com"}) {
		if err != nil || usage.SessionCount != 3 || usage.UseCount != 3 {
			t.Errorf("used: %+v, %v", usage, err)
		}
	}
	if err := integration.RevokeSession(ctx, sessions[0].ID); !idmap.IsKind(err, idmap.KindForbidden) {
		t.Errorf("an integration revokes: %v", err)
	}
	for range 2 { // the second time it is over
		if err := admin.RevokeSession(ctx, sessions[0].ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := admin.RevokeSessions(ctx, idmap.SessionFilter{Client: " ", ConnectionID: "app"}); err == nil {
		t.Error("a blank filter was left out")
	}
	if n, err := admin.RevokeSessions(ctx, ofJane); n != 2 || err != nil {
		t.Errorf("revoked %d, %v, want 2", n, err)
	}
	if n := count(t, admin.Sessions(ctx, idmap.SessionFilter{})); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestDiagnosisThroughTheClient(t *testing.T) {
	admin, integration, attempt := signInServer(t)
	ask := idmap.DiagnosisRequest{Source: attempt.Source, Destination: attempt.Destination, Email: attempt.Email}
	before, err := admin.Diagnose(t.Context(), ask)
	if err != nil || before.Outcome != idmap.OutcomeUnknown || len(before.Checks) != 8 || before.UserMapping != nil {
		t.Errorf("before a sign-in: %+v, %v", before, err)
	}
	if _, err := integration.SignIn(t.Context(), "", attempt); err != nil {
		t.Fatal(err)
	}
	after, err := admin.Diagnose(t.Context(), ask)
	if err != nil || after.Outcome != idmap.OutcomeAllowed || after.UserMapping == nil || after.UserMapping.UserID != "jane" || after.Summary == "" {
		t.Errorf("after a sign-in: %+v, %v", after, err)
	}
}
