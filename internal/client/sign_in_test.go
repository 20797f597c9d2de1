package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	allowedBody = `{"type":"sign_in","sign_in":{"id":"si_1","outcome":"allowed"},"user_mapping":{"id":"um_1"},"session":{"id":"s_1","use_count":2},"warnings":[{"code":"email_is_alias","description":"It is an alias."}]}`
	deniedBody  = `{"type":"sign_in","sign_in":{"id":"si_1","outcome":"denied","reasons":[{"code":"mapping_required","description":"There is none."}]}}`
)

var janesAttempt = idmap.SignInAttempt{
	Source: idmap.SignInEnd{Connection: idmap.Ref{ID: "m"}}, Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: "a"}},
	Email: "jane@example.com", UserID: "jane", Client: "teams",
}

// What each method about sign-ins and sessions asks for, and which noun it takes from the answer.
func TestSignInCalls(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	sessions := idmap.SessionFilter{
		ID: "left out", UserMappingIDs: []string{"um", "left out"}, ConnectionID: "c", SourceConnectionID: "s", DestinationConnectionID: "d",
		EmailKey: "e", UserKey: "u", Client: "teams",
	}
	const selected = "client=teams&connection=c&destination_connection=d&email=e&limit=1000&source_connection=s&user_id=u&user_mapping=um"
	const ends = `{"source":{"connection":{"id":"m"}},"destination":{"connection":{"id":"a"}},`
	tests := []struct {
		want, answer, body string
		call               func(context.Context, *Client) error
	}{
		{"POST /v1/sign_ins", allowedBody, ends + `"email":"jane@example.com","user_id":"jane","client":"teams"}`, func(ctx context.Context, c *Client) error {
			return ignore(c.SignIn(ctx, "k", janesAttempt))
		}},
		{
			"GET /v1/sign_ins?client=teams&connection=c&destination_connection=d&email=e&from=2026-01-02T03%3A04%3A05.000006Z&limit=1000&outcome=denied&reason=mapping_required" +
				"&source_connection=s&to=2026-01-02T03%3A04%3A05.000006Z&user_id=u&user_mapping=um",
			`{"sign_ins":[]}`, "", func(ctx context.Context, c *Client) error {
				return drain(c.SignIns(ctx, idmap.SignInFilter{
					ConnectionID: "c", SourceConnectionID: "s", DestinationConnectionID: "d", UserMappingID: "um", EmailKey: "e", UserKey: "u",
					Client: "teams", Outcome: idmap.OutcomeDenied, Reason: idmap.CodeMappingRequired, From: &at, To: &at,
				}))
			},
		},
		{"GET /v1/sign_ins?limit=1000", `{"sign_ins":[]}`, "", func(ctx context.Context, c *Client) error { return drain(c.SignIns(ctx, idmap.SignInFilter{})) }},
		{"POST /v1/user_mappings/diagnose", `{"diagnosis":{}}`, ends + `"user_id":"jane"}`, func(ctx context.Context, c *Client) error {
			return ignore(c.Diagnose(ctx, idmap.DiagnosisRequest{Source: janesAttempt.Source, Destination: janesAttempt.Destination, UserID: "jane"}))
		}},
		{"GET /v1/sessions/s%2F1", `{"session":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.Session(ctx, "s/1")) }},
		{"GET /v1/sessions?" + selected, `{"sessions":[]}`, "", func(ctx context.Context, c *Client) error { return drain(c.Sessions(ctx, sessions)) }},
		{"GET /v1/sessions/usage?" + selected, `{"session_usage":[]}`, "", func(ctx context.Context, c *Client) error { return drain(c.SessionUsage(ctx, sessions)) }},
		{"POST /v1/sessions/s1/sign_out", ``, "", func(ctx context.Context, c *Client) error { return c.SignOut(ctx, "s1") }},
		{"DELETE /v1/sessions/s1", ``, "", func(ctx context.Context, c *Client) error { return c.RevokeSession(ctx, "s1") }},
		{"DELETE /v1/sessions?client=+&user_mapping=um", `{"revoked_sessions":{"count":7}}`, "", func(ctx context.Context, c *Client) error {
			count, err := c.RevokeSessions(ctx, idmap.SessionFilter{UserMappingIDs: []string{"um"}, Client: " "})
			if err == nil && count != 7 {
				return errors.New("another count")
			}
			return err
		}},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			s := serve(t, answerJSON(http.StatusOK, test.answer))
			if err := test.call(t.Context(), clientOf(t, s.URL, nil)); err != nil {
				t.Fatal(err)
			}
			r := s.seen()[0]
			if got := r.method + " " + r.uri; got != test.want || r.body != test.body {
				t.Errorf("asked for %s, sent\n%s, want\n%s", got, r.body, test.body)
			}
			if (r.header.Get("Idempotency-Key") == "k") != (r.uri == "/v1/sign_ins") {
				t.Errorf("headers %v", r.header)
			}
		})
	}
}

func TestSignInAnswers(t *testing.T) {
	allowed, err := clientOf(t, serve(t, answerJSON(http.StatusCreated, allowedBody)).URL, nil).SignIn(t.Context(), "k", janesAttempt)
	if err != nil || allowed.Session == nil || allowed.Session.UseCount != 2 || allowed.UserMapping == nil || allowed.UserMapping.ID != "um_1" || len(allowed.Warnings) != 1 {
		t.Errorf("allowed: %+v, %v", allowed, err)
	}
	denied, err := clientOf(t, serve(t, answerJSON(http.StatusCreated, deniedBody)).URL, nil).SignIn(t.Context(), "k", janesAttempt)
	if err != nil || denied.Session != nil || denied.UserMapping != nil || len(denied.SignIn.Reasons) != 1 || denied.SignIn.Reasons[0].Code != idmap.CodeMappingRequired {
		t.Errorf("denied: %+v, %v", denied, err)
	}
}

// TestSignInAnswersInDoubt: what cannot be trusted lets nobody in.
func TestSignInAnswersInDoubt(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a page":                       answerJSON(200, "<html>welcome</html>", "Content-Type", "text/html"),
		"broken JSON":                  answerJSON(201, allowedBody[:90]),
		"another noun":                 answerJSON(201, `{"type":"session","session":{"id":"s_1"}}`),
		"another type":                 answerJSON(201, `{"sign_in":{"outcome":"allowed"},"session":[]}`),
		"allowed without a session":    answerJSON(201, strings.Replace(allowedBody, `"session"`, `"other"`, 1)),
		"denied with a session":        answerJSON(201, strings.Replace(allowedBody, `"allowed"`, `"denied"`, 1)),
		"no outcome and with session":  answerJSON(201, strings.Replace(allowedBody, `"outcome":"allowed"`, `"id":"x"`, 1)),
		"a 404 of something before it": answerJSON(404, `{"error":"no such page"}`, "Content-Type", "application/json"),
	} {
		given, err := clientOf(t, serve(t, answer).URL, nil).SignIn(t.Context(), "k", janesAttempt)
		if _, ok := errors.AsType[*ForeignServerError](err); !ok || given.Session != nil {
			t.Errorf("%s: %+v, %v", name, given, err)
		}
	}
}

func TestSignInIsRepeatedUnderItsKey(t *testing.T) {
	for _, key := range []string{"k", ""} {
		s := serve(t, cut, problemJSON(503, "unavailable", "Busy."), answerJSON(http.StatusCreated, allowedBody))
		if _, err := clientOf(t, s.URL, nil).SignIn(t.Context(), key, janesAttempt); err != nil {
			t.Fatal(err)
		}
		requests := s.seen()
		if len(requests) != 3 {
			t.Fatalf("%d requests, want 3", len(requests))
		}
		sent := requests[0].header.Get("Idempotency-Key")
		for _, r := range requests {
			if sent == "" || r.header.Get("Idempotency-Key") != sent || r.body != requests[0].body || key != "" && sent != key {
				t.Errorf("key %q of %q, body %s", r.header.Get("Idempotency-Key"), key, r.body)
			}
		}
	}
}

// TestSessionsThatAreOver: only our own word says that a session is over.
func TestSessionsThatAreOver(t *testing.T) {
	for name, end := range map[string]func(context.Context, *Client) error{
		"sign out": func(ctx context.Context, c *Client) error { return c.SignOut(ctx, "s1") },
		"revoke":   func(ctx context.Context, c *Client) error { return c.RevokeSession(ctx, "s1") },
	} {
		lost := serve(t, cut, problemJSON(404, "not_found", "There is none."))
		if err := end(t.Context(), clientOf(t, lost.URL, nil)); err != nil || len(lost.seen()) != 2 {
			t.Errorf("%s: a lost answer: %v after %d requests", name, err, len(lost.seen()))
		}
		for other, answer := range map[string]http.HandlerFunc{
			"a page of a proxy":   answerJSON(404, "<html>", "Content-Type", "text/html"),
			"no body":             answerJSON(404, ""),
			"JSON without a code": answerJSON(404, `{"message":"not found"}`),
			"an unknown route":    problemJSON(404, "unknown_route", "There is no such route."),
		} {
			s := serve(t, answer)
			if _, ok := errors.AsType[*ForeignServerError](end(t.Context(), clientOf(t, s.URL, nil))); !ok {
				t.Errorf("%s: %s passes for a session that is over", name, other)
			}
		}
		forbidden := serve(t, problemJSON(403, "forbidden", "No."))
		if err := end(t.Context(), clientOf(t, forbidden.URL, nil)); !idmap.IsKind(err, idmap.KindForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone := serve(t, problemJSON(404, "not_found", "There is none."))
	if _, err := clientOf(t, gone.URL, nil).RevokeSessions(t.Context(), idmap.SessionFilter{Client: "teams"}); !idmap.IsNotFound(err) {
		t.Errorf("revoking several: %v", err)
	}
}

func TestRevokeSessionsNeedsAFilter(t *testing.T) {
	s := serve(t, cut)
	c := clientOf(t, s.URL, nil)
	for name, f := range map[string]idmap.SessionFilter{
		"nothing": {}, "an id": {ID: "s1"}, "an id and a client": {ID: "s1", Client: "teams"},
		"two mappings":                    {UserMappingIDs: []string{"a", "b"}},
		"a mapping of no id and a client": {UserMappingIDs: []string{""}, Client: "teams"},
	} {
		if _, err := c.RevokeSessions(t.Context(), f); !idmap.IsKind(err, idmap.KindRule) || len(s.seen()) != 0 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.seen()))
		}
	}
}

// TestNoMappingsHaveNoSessions: a list that is empty is no filter that was left out.
func TestNoMappingsHaveNoSessions(t *testing.T) {
	s := serve(t, cut)
	c, f := clientOf(t, s.URL, nil), idmap.SessionFilter{UserMappingIDs: []string{}, ConnectionID: "app"}
	for session, err := range c.Sessions(t.Context(), f) {
		t.Errorf("listed %+v, %v", session, err)
	}
	for usage, err := range c.SessionUsage(t.Context(), f) {
		t.Errorf("used %+v, %v", usage, err)
	}
	if n, err := c.RevokeSessions(t.Context(), f); n != 0 || err != nil || len(s.seen()) != 0 {
		t.Errorf("revoked %d, %v after %d requests", n, err, len(s.seen()))
	}
}

// TestRevokeSessionsTakesItsTime: those of a large connection are many.
func TestRevokeSessionsTakesItsTime(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(150 * time.Millisecond)
		answerJSON(http.StatusOK, `{"revoked_sessions":{"count":1}}`)(w, req)
	})
	c := clientOf(t, s.URL, func(c *Config) { c.RequestTimeout, c.MaxRetries = 50*time.Millisecond, -1 })
	if n, err := c.RevokeSessions(t.Context(), idmap.SessionFilter{ConnectionID: "c"}); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}
