package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// inApp lets jane in from two clients and bob from one, and returns the connections and jane's mapping.
func inApp(t *testing.T, a *api) (mail, app, jane string) {
	t.Helper()
	mail, app = connect(t, a)
	signIn(t, a, attempt(mail, app, "jane@example.com", "jane", "outlook-addin"))
	jane = signIn(t, a, attempt(mail, app, "jane@example.com", "jane", "teams"))
	signIn(t, a, attempt(mail, app, "jane@example.com", "jane", "teams"))
	signIn(t, a, attempt(mail, app, "bob@example.com", "bob", "teams"))
	return mail, app, jane
}

// counts returns how many sessions a query selects, and how many users have them.
func counts(t *testing.T, a *api, query string) (sessions, users any) {
	t.Helper()
	return a.call(t, "GET", "/v1/sessions?"+query, nil).want(200).get("meta", "total_count"),
		a.call(t, "GET", "/v1/sessions/usage?"+query, nil).want(200).get("meta", "total_count")
}

func TestSessionFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app, jane := inApp(t, a)
	for query, want := range map[string]string{
		"":                              "3 2",
		"connection=" + mail:            "3 2",
		"source_connection=" + mail:     "3 2",
		"source_connection=" + app:      "0 0",
		"destination_connection=" + app: "3 2",
		"user_mapping=" + jane:          "2 1",
		"user_id=BOB":                   "1 1",
		"email=JANE@example.com":        "2 1",
		"email=jane":                    "0 0",
		"email=%20":                     "0 0",
		"client=teams":                  "2 2",
		"client=teams&user_id=jane":     "1 1",
	} {
		sessions, users := counts(t, a, query)
		if got := fmt.Sprint(sessions, users); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for _, path := range []string{"/v1/sessions?", "/v1/sessions/usage?"} {
		for _, query := range []string{"q=jane", "outcome=allowed", "limit=0", "client=" + strings.Repeat("x", 201), "email=%00"} {
			a.call(t, "GET", path+query, nil).want(400, "malformed")
		}
	}
	row := a.call(t, "GET", "/v1/sessions/usage?user_mapping="+jane, nil).want(200).rows("session_usage")[0]
	if row["use_count"] != 3.0 || row["session_count"] != 2.0 || row["email"] != "jane@example.com" {
		t.Errorf("jane's usage is %v", row)
	}
}

// next returns where the list goes on, or "".
func next(page reply) string {
	if page.get("meta", "has_more") != true {
		return ""
	}
	return page.text("meta", "links", "next", "href")
}

func TestSessionsAreWalked(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	inApp(t, a)
	for path, noun := range map[string]string{"/v1/sessions": "sessions", "/v1/sessions/usage": "session_usage"} {
		seen := map[string]bool{}
		for href := path + "?limit=1"; href != ""; {
			got := a.call(t, "GET", href, nil).want(200)
			for _, row := range got.rows(noun) {
				seen[fmt.Sprint(row["id"], row["user_mapping"])] = true
			}
			href = next(got)
		}
		if want := map[string]int{"sessions": 3, "session_usage": 2}[noun]; len(seen) != want {
			t.Errorf("%s: walked %v, want %d rows", path, seen, want)
		}
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app, jane := inApp(t, a)
	one := fmt.Sprint(a.call(t, "GET", "/v1/sessions?user_id=bob", nil).want(200).rows("sessions")[0]["id"])
	a.call(t, "DELETE", "/v1/sessions/"+one, nil).want(204)
	a.call(t, "DELETE", "/v1/sessions/"+one, nil).want(404, "not_found")
	revoked := a.call(t, "DELETE", "/v1/sessions?email=JANE@example.com&client=teams", nil).want(200)
	if revoked.text("type") != "revoked_sessions" || revoked.get("revoked_sessions", "count") != 1.0 {
		t.Errorf("got %s", revoked.Body)
	}
	if got := a.call(t, "DELETE", "/v1/sessions?user_mapping="+jane+"&connection="+app, nil).want(200); got.get("revoked_sessions", "count") != 1.0 {
		t.Errorf("got %s", got.Body)
	}
	if got := a.call(t, "DELETE", "/v1/sessions?connection="+mail, nil).want(200); got.get("revoked_sessions", "count") != 0.0 {
		t.Errorf("nothing is left, and got %s", got.Body)
	}
	audit := a.call(t, "GET", "/v1/audit?kind=session&action=revoke", nil).want(200)
	if n := audit.get("meta", "total_count"); n != 3.0 {
		t.Errorf("the audit has %v entries about revoked sessions, want 3", n)
	}
}

// TestRevokeSelectsNoMoreThanWasMeant: a filter that got lost would end the sessions of everybody else.
func TestRevokeSelectsNoMoreThanWasMeant(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app, jane := inApp(t, a)
	a.call(t, "DELETE", "/v1/sessions", nil).want(422, "invalid")
	a.call(t, "DELETE", "/v1/sessions?", nil).want(422, "invalid")
	for _, query := range []string{
		"connection=", "connection", "connection=%20", "connection=" + app + "&user_id=", "client=teams&email=%09",
		"connection=" + app + "&q=jane", "connection=" + app + "&user=jane", "connection=" + app + "&limit=1",
		"user_mapping=" + jane + "&user_mapping=other", "client=teams&user_id=a;b", "client=teams;user_id=jane", "connection=" + app + "&user_id=%00",
		"client=teams&email=" + strings.Repeat("x", 321),
	} {
		a.call(t, "DELETE", "/v1/sessions?"+query, nil).want(400, "malformed")
	}
	for _, query := range []string{"email=jane", "email=nonsense%20", "user_id=%25", "connection=nowhere", "source_connection=" + app, "destination_connection=" + mail} {
		if got := a.call(t, "DELETE", "/v1/sessions?"+query, nil).want(200); got.get("revoked_sessions", "count") != 0.0 {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	if sessions, _ := counts(t, a, ""); sessions != 3.0 {
		t.Errorf("%v sessions are left, want 3", sessions)
	}
}
