package server_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// attempt is a sign-in from a client.
func attempt(mail, app, email, user, client string) map[string]any {
	a := mapping(mail, app, email, user)
	if client != "" {
		a["client"] = client
	}
	return a
}

// signIn lets a user in, and returns the id of the mapping.
func signIn(t *testing.T, a *api, body any) (mapping string) {
	t.Helper()
	got := a.call(t, "POST", "/v1/sign_ins", body).want(201)
	if got.text("sign_in", "outcome") != "allowed" || got.text("session", "id") == "" {
		t.Fatalf("nobody was let in: %s", got.Body)
	}
	return got.text("user_mapping", "id")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	integration := bearer(t, a, "sign_in")
	body := attempt(mail, app, "Jane@example.com", "jane", "outlook-addin")
	body["type"], body["source_address"] = "sign_in", "2001:db8::1"
	first := a.call(t, "POST", "/v1/sign_ins", body, integration).want(201)
	if first.text("type") != "sign_in" || first.text("sign_in", "outcome") != "allowed" || first.get("sign_in", "mapping_created") != true {
		t.Errorf("got %s", first.Body)
	}
	id := first.text("user_mapping", "id")
	if id == "" || id != first.text("sign_in", "user_mapping", "id") || id != first.text("session", "user_mapping", "id") || first.text("user_mapping", "origin") != "sign_in" {
		t.Errorf("the mapping is not that of the session: %s", first.Body)
	}
	session := first.text("session", "id")
	if session == "" || session != first.text("sign_in", "session", "id") || first.text("session", "source_address") != "2001:db8::1" {
		t.Errorf("the session is not that of the sign-in: %s", first.Body)
	}
	again := a.call(t, "POST", "/v1/sign_ins", body, integration).want(201)
	if again.text("session", "id") != session || again.get("session", "use_count") != 2.0 || again.get("sign_in", "mapping_created") != nil {
		t.Errorf("a sign-in from the same client did not continue its session: %s", again.Body)
	}
	if got := a.call(t, "GET", "/v1/sessions/"+session, nil, integration).want(200); got.text("type") != "session" || got.get("session", "use_count") != 2.0 {
		t.Errorf("got %s", got.Body)
	}
	a.call(t, "POST", "/v1/sessions/"+session+"/sign_out", nil, integration).want(204)
	a.call(t, "POST", "/v1/sessions/"+session+"/sign_out", nil, integration).want(404, "not_found")
	a.call(t, "GET", "/v1/sessions/"+session, nil, integration).want(404, "not_found")
	a.call(t, "GET", "/v1/user_mappings/"+id, nil).want(200) // on_sign_out is keep
	audit := a.call(t, "GET", "/v1/audit?kind=session&object_id="+session, nil).want(200).rows("audit_entries")
	if len(audit) != 1 || audit[0]["action"] != "sign_out" {
		t.Errorf("the audit of the session is %v, want that its user signed out", audit)
	}
}

// TestDenialsAreAnswers: what is odd about a user is a reason, and is remembered.
func TestDenialsAreAnswers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	long := strings.Repeat("x", 1<<20)
	cases := []struct{ name, email, user, reason string }{
		{"a swapped pair", "jane", "jane@example.com", "invalid_email"},
		{"no domain", "jane@", "jane", "invalid_email"},
		{"two addresses", "a@example.com b@example.com", "jane", "invalid_email"},
		{"a right-to-left mark", "jane\u200f@example.com", "jane", "invalid_email"},
		{"an email of 1 MB", long + "@example.com", "jane", "invalid_email"},
		{"no email", "", "jane", "invalid_email"},
		{"no user id", "jane@example.com", "", "invalid_user_id"},
		{"a user id of 1 MB", "jane@example.com", long, "invalid_user_id"},
		{"an override mark", "jane@example.com", "ja\u202ene", "invalid_user_id"},
	}
	for _, c := range cases {
		got := a.call(t, "POST", "/v1/sign_ins", attempt(mail, app, c.email, c.user, "")).want(201)
		if got.text("sign_in", "outcome") != "denied" || !strings.Contains(string(got.Body), `"`+c.reason+`"`) || len(got.Body) > 8192 {
			t.Errorf("%s: got %.2000s", c.name, got.Body)
		}
		if got.get("session") != nil || got.get("user_mapping") != nil || got.get("sign_in", "session") != nil {
			t.Errorf("%s: something came of a denial: %.2000s", c.name, got.Body)
		}
	}
	history := a.call(t, "GET", "/v1/sign_ins?outcome=denied", nil).want(200)
	if n := history.get("meta", "total_count"); n != float64(len(cases)) || len(history.Body) > 32<<10 {
		t.Errorf("the history has %v of %d denials, in %d bytes", n, len(cases), len(history.Body))
	}
	for _, path := range []string{"/v1/sessions", "/v1/user_mappings"} {
		if n := a.call(t, "GET", path, nil).want(200).get("meta", "total_count"); n != 0.0 {
			t.Errorf("%s has %v rows after nothing but denials", path, n)
		}
	}
}

// TestSignInsThatCannotBeJudged are errors, and leave nothing behind.
func TestSignInsThatCannotBeJudged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	with := func(name string, value any) map[string]any {
		body := mapping(mail, app, "jane@example.com", "jane")
		body[name] = value
		return body
	}
	without := mapping(mail, app, "jane@example.com", "jane")
	delete(without, "email")
	cases := []struct {
		name   string
		body   any
		status int
		code   string
		field  string
	}{
		{"an unknown source", mapping("nowhere", app, "jane@example.com", "jane"), 422, "unknown_connection", "source.connection.id"},
		{"an unknown destination", mapping(mail, "nowhere", "jane@example.com", "jane"), 422, "unknown_connection", "destination.connection.id"},
		{"no source", mapping("", app, "jane@example.com", "jane"), 422, "unknown_connection", "source.connection.id"},
		{"a connection to itself", mapping(app, app, "jane@example.com", "jane"), 422, "invalid", "destination.connection.id"},
		{"a client of 1 MB", with("client", strings.Repeat("x", 1<<20)), 422, "invalid", "client"},
		{"a client of 201 characters", with("client", strings.Repeat("é", 201)), 422, "invalid", "client"},
		{"a line break in the client", with("client", "outlook\naddin"), 422, "invalid", "client"},
		{"a name for an address", with("source_address", "pc7.example.com"), 422, "invalid", "source_address"},
		{"an address of a great many bits", with("source_address", "10.1.2.999"), 422, "invalid", "source_address"},
		{"an address of 1 MB", with("source_address", strings.Repeat("1", 1<<20)), 422, "invalid", "source_address"},
		{"a null character", with("client", "\x00"), 400, "malformed", ""},
		{"a number for the client", with("client", 7), 400, "malformed", "client"},
		{"no email field", without, 400, "malformed", "email"},
		{"an outcome of its own", with("outcome", "allowed"), 400, "malformed", "outcome"},
		{"a time of its own", with("on", "2001-01-01T00:00:00Z"), 400, "malformed", "on"},
		{"another type", with("type", "user_mapping"), 400, "malformed", "type"},
		{"5 MB", with("client", strings.Repeat("x", 5<<20)), 413, "too_large", ""},
	}
	for _, c := range cases {
		got := a.call(t, "POST", "/v1/sign_ins", c.body).want(c.status, c.code)
		if field, _ := got.rows("errors")[0]["field"].(string); field != c.field || len(got.Body) > 4096 {
			t.Errorf("%s: got %.2000s", c.name, got.Body)
		}
	}
	for _, path := range []string{"/v1/sign_ins", "/v1/sessions", "/v1/user_mappings"} {
		if n := a.call(t, "GET", path, nil).want(200).get("meta", "total_count"); n != 0.0 {
			t.Errorf("%s has %v rows", path, n)
		}
	}
}

func TestSignInUnderAKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	key := header("Idempotency-Key", "k1")
	body := attempt(mail, app, "jane@example.com", "jane", "teams")
	first := a.call(t, "POST", "/v1/sign_ins", body, key).want(201)
	again := a.call(t, "POST", "/v1/sign_ins", body, key).want(201)
	if !bytes.Equal(first.Body, again.Body) {
		t.Errorf("the same key gave another answer:\n%s\n%s", first.Body, again.Body)
	}
	a.call(t, "POST", "/v1/sign_ins", attempt(mail, app, "bob@example.com", "bob", "teams"), key).want(422, "idempotency_key_reused")
	a.call(t, "POST", "/v1/sign_ins", body, header("Idempotency-Key", strings.Repeat("k", 256))).want(400, "malformed")
	if n := a.call(t, "GET", "/v1/sign_ins", nil).want(200).get("meta", "total_count"); n != 1.0 {
		t.Errorf("the history has %v entries, want one", n)
	}
	a.call(t, "DELETE", "/v1/sessions/"+first.text("session", "id"), nil).want(204)
	anew := a.call(t, "POST", "/v1/sign_ins", body, key).want(201)
	if id := anew.text("session", "id"); id == first.text("session", "id") {
		t.Errorf("the key of a revoked session gives it back: %s", anew.Body)
	}
	denied := attempt(mail, app, "nonsense", "bob", "")
	one := a.call(t, "POST", "/v1/sign_ins", denied, header("Idempotency-Key", "k2")).want(201)
	two := a.call(t, "POST", "/v1/sign_ins", denied, header("Idempotency-Key", "k2")).want(201)
	if !bytes.Equal(one.Body, two.Body) {
		t.Errorf("a denial was judged anew:\n%s\n%s", one.Body, two.Body)
	}
}

func TestSignInFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	began := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	jane := signIn(t, a, attempt(mail, app, "jane@example.com", "Jane", "teams"))
	signIn(t, a, attempt(mail, app, "bob@example.com", "bob", "outlook-addin"))
	a.call(t, "POST", "/v1/sign_ins", attempt(mail, app, "CAROL", "carol", "teams")).want(201)
	for query, want := range map[string]string{
		"":                                 "carol bob Jane",
		"connection=" + mail:               "carol bob Jane",
		"source_connection=" + app:         "",
		"destination_connection=" + app:    "carol bob Jane",
		"user_mapping=" + jane:             "Jane",
		"user_id=JANE":                     "Jane",
		"email=Bob@EXAMPLE.com":            "bob",
		"email=carol":                      "carol",
		"email=%20":                        "",
		"outcome=denied":                   "carol",
		"outcome=allowed&client=teams":     "Jane",
		"reason=invalid_email":             "carol",
		"reason=mapping_required":          "",
		"client=teams":                     "carol Jane",
		"from=" + url.QueryEscape(began):   "carol bob Jane",
		"to=" + url.QueryEscape(began):     "",
		"from=2999-01-01T00:00:00%2B02:00": "",
	} {
		got, users := a.call(t, "GET", "/v1/sign_ins?"+query, nil).want(200), []string{}
		for _, row := range got.rows("sign_ins") {
			users = append(users, fmt.Sprint(row["user_id"]))
		}
		if strings.Join(users, " ") != want || got.get("meta", "total_count") != float64(len(users)) {
			t.Errorf("%s finds %v, want %s; meta %v", query, users, want, got.get("meta"))
		}
	}
	for _, query := range []string{
		"outcome=unknown", "outcome=Denied", "reason=bad_hair", "reason=INVALID_EMAIL", "from=yesterday", "to=1", "q=jane", "mapping=x",
		"email=" + strings.Repeat("x", 321), "client=" + strings.Repeat("x", 201), "limit=1001", "client=%00",
	} {
		a.call(t, "GET", "/v1/sign_ins?"+query, nil).want(400, "malformed")
	}
}

func TestSignInsAreWalkedWhileUsersCome(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	var want []string
	for i := range 5 {
		user := fmt.Sprintf("u%d", i)
		signIn(t, a, attempt(mail, app, user+"@example.com", user, ""))
		want = append([]string{user}, want...)
	}
	var seen []string
	cursor := ""
	for href := "/v1/sign_ins?limit=2&connection=" + app; href != ""; {
		got := a.call(t, "GET", href, nil).want(200)
		for _, row := range got.rows("sign_ins") {
			seen = append(seen, fmt.Sprint(row["user_id"]))
		}
		if href = next(got); href != "" {
			cursor = href[strings.Index(href, "cursor="):]
		}
		signIn(t, a, attempt(mail, app, "late@example.com", "late", "")) // becomes the newest, which was read
	}
	if strings.Join(seen, " ") != strings.Join(want, " ") {
		t.Errorf("walked %v, want %v", seen, want)
	}
	if rows := a.call(t, "GET", "/v1/sign_ins?offset=7&limit=1", nil).want(200).rows("sign_ins"); len(rows) != 1 || rows[0]["user_id"] != "u0" {
		t.Errorf("behind 7 rows are %v, want the oldest", rows)
	}
	cursor, _, _ = strings.Cut(cursor, "&")
	a.call(t, "GET", "/v1/sessions?"+cursor, nil).want(400, "invalid_cursor")
	a.call(t, "GET", "/v1/sign_ins?"+cursor, nil).want(400, "invalid_cursor") // without its filter
	a.call(t, "GET", "/v1/sign_ins?cursor=nonsense", nil).want(400, "invalid_cursor")
}

func TestDiagnosis(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	const path = "/v1/user_mappings/diagnose"
	id, reader := signIn(t, a, attempt(mail, app, "jane@example.com", "jane", "")), bearer(t, a, "read")
	only := func(name, value string) map[string]any {
		body := mapping(mail, app, "", "")
		delete(body, "email")
		delete(body, "user_id")
		if name != "" {
			body[name] = value
		}
		return body
	}
	for _, body := range []any{only("email", "Jane@example.com"), only("user_id", "JANE"), mapping(mail, app, "jane@example.com", "jane")} {
		got := a.call(t, "POST", path, body, reader).want(200)
		var said struct {
			Type      string
			Diagnosis struct {
				Outcome, Summary string
				Checks           []struct{ Name, Status, Finding string }
				UserMapping      struct{ ID string } `json:"user_mapping"`
			}
		}
		got.decode(&said)
		if d := said.Diagnosis; said.Type != "diagnosis" || d.Outcome != "allowed" || d.UserMapping.ID != id || len(d.Checks) != 8 || d.Summary == "" {
			t.Errorf("got %s", got.Body)
		}
	}
	if got := a.call(t, "POST", path, only("email", "nobody@example.com")).want(200); got.text("diagnosis", "outcome") != "unknown" {
		t.Errorf("a user whom nobody knows: %s", got.Body)
	}
	if got := a.call(t, "POST", path, mapping(mail, app, "nonsense", "jane")).want(200); got.text("diagnosis", "outcome") != "denied" {
		t.Errorf("no address: %s", got.Body)
	}
	a.call(t, "POST", path, mapping("nowhere", app, "jane@example.com", "jane")).want(422, "unknown_connection")
	a.call(t, "POST", path, only("", "")).want(422, "invalid")
	a.call(t, "POST", path, only("client", "teams")).want(400, "malformed")
	if n := a.call(t, "GET", "/v1/sign_ins", nil).want(200).get("meta", "total_count"); n != 1.0 {
		t.Errorf("after diagnoses the history has %v entries, want that of the sign-in", n)
	}
}
