package server_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	long := strings.Repeat("x", 1<<20)
	with := func(email, user string) any { return mapping(mail, app, email, user) }
	cases := []struct {
		name, method, path string
		body               any
		status             int
		codes              []string
	}{
		{"broken JSON", "POST", "/v1/user_mappings", `{"email":`, 400, []string{"malformed"}},
		{"no JSON at all", "POST", "/v1/user_mappings", `<html>`, 400, []string{"malformed"}},
		{"an empty body", "POST", "/v1/user_mappings", ``, 400, []string{"malformed"}},
		{"a list for an object", "POST", "/v1/connections", `[]`, 400, []string{"malformed"}},
		{"a wrong type", "POST", "/v1/connections", `{"name":7,"platform":{"id":"generic"}}`, 400, []string{"malformed"}},
		{"two faults, both told", "POST", "/v1/connections", `{"name":7,"platform":{"id":1}}`, 400, []string{"malformed", "malformed"}},
		{"an unknown field", "POST", "/v1/connections", `{"name":"x","platform":{"id":"generic"},"colour":"red"}`, 400, []string{"malformed"}},
		{"a field in another case", "POST", "/v1/user_mappings/batch", `{"items":[],"Items":[{"operation":"delete","id":"x"}]}`, 400, []string{"malformed"}},
		{"a missing field", "POST", "/v1/connections", `{"name":"x"}`, 400, []string{"malformed"}},
		{"null for an object", "POST", "/v1/connections", `null`, 400, []string{"malformed"}},
		{"10 MiB", "POST", "/v1/user_mappings", `{"email":"` + strings.Repeat("x", 10<<20) + `"}`, 413, []string{"too_large"}},
		{"1 MB strings", "POST", "/v1/user_mappings", with(long+"@example.com", long), 422, []string{"invalid_email", "invalid_user_id"}},
		{"a 1 MB name", "POST", "/v1/connections", `{"name":"` + long + `","platform":{"id":"generic"}}`, 422, []string{"invalid"}},
		{"a null character", "POST", "/v1/user_mappings", `{"email":"a\u0000@example.com","user_id":"x","source":{"connection":{"id":"` + mail + `"}},"destination":{"connection":{"id":"` + app + `"}}}`, 400, []string{"malformed"}},
		{"a null character in an id", "GET", "/v1/user_mappings/%00", nil, 400, []string{"malformed"}},
		{"a null character in a filter", "GET", "/v1/user_mappings?q=%00", nil, 400, []string{"malformed"}},
		{"broken UTF-8 in a filter", "GET", "/v1/user_mappings?q=%ff", nil, 400, []string{"malformed"}},
		{"broken UTF-8 in a body", "POST", "/v1/connections", "{\"name\":\"\xff\",\"platform\":{\"id\":\"generic\"}}", 400, []string{"malformed"}},
		{"a right-to-left mark", "POST", "/v1/user_mappings", with("jane\u200f@example.com", "ja\u202ene"), 422, []string{"invalid_email", "invalid_user_id"}},
		{"an emoji is a name like any other", "POST", "/v1/user_mappings", with("🦊@example.com", "🦊"), 201, nil},
		{"SQL is text", "POST", "/v1/user_mappings", with("o'hara@example.com", "'; DROP TABLE user_mappings; --"), 201, nil},
		{"SQL in an id", "GET", "/v1/user_mappings/" + url.PathEscape("' OR 1=1 --"), nil, 404, []string{"not_found"}},
		{"SQL in a filter", "GET", "/v1/user_mappings?user_id=" + url.QueryEscape("' OR '1'='1"), nil, 200, nil},
		{"wildcards in a filter are text", "GET", "/v1/user_mappings?q=" + url.QueryEscape("%_"), nil, 200, nil},
		{"a dot segment", "DELETE", "/v1/connections/x/accounts/..", nil, 404, []string{"unknown_route"}},
		{"an id that is a dot segment", "POST", "/v1/connections", `{"id":"..","name":"dots","platform":{"id":"generic"}}`, 422, []string{"invalid"}},
		{"limit 0", "GET", "/v1/user_mappings?limit=0", nil, 400, []string{"malformed"}},
		{"limit -1", "GET", "/v1/user_mappings?limit=-1", nil, 400, []string{"malformed"}},
		{"limit 10^9", "GET", "/v1/user_mappings?limit=1000000000", nil, 400, []string{"malformed"}},
		{"limit x", "GET", "/v1/user_mappings?limit=x", nil, 400, []string{"malformed"}},
		{"an unknown parameter", "GET", "/v1/user_mappings?colour=red", nil, 400, []string{"malformed"}},
		{"an unknown value of a parameter", "GET", "/v1/email_assignments?released=maybe", nil, 400, []string{"malformed"}},
		{"many unknown parameters", "GET", "/v1/audit?" + strings.Repeat("x&", 10), nil, 400, []string{"malformed"}},
		{"a bad time", "GET", "/v1/audit?from=yesterday", nil, 400, []string{"malformed"}},
		{"an id of another kind", "GET", "/v1/user_mappings/" + mail, nil, 404, []string{"not_found"}},
		{"a long id", "GET", "/v1/user_mappings/" + strings.Repeat("x", 300), nil, 400, []string{"malformed"}},
		{"too many items", "POST", "/v1/user_mappings/lookup", `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"id":"x"},`, 1001), ",") + `]}`, 400, []string{"malformed"}},
		{"an unknown operation", "POST", "/v1/user_mappings/validate", `{"items":[{"operation":"destroy"}]}`, 400, []string{"malformed"}},
		{"an update of nothing", "POST", "/v1/user_mappings/batch", `{"items":[{"operation":"update","id":"x"}]}`, 409, []string{"not_found"}},
		{"a create of nothing", "POST", "/v1/user_mappings/batch", `{"items":[{"operation":"create"}]}`, 422, []string{"invalid"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := a.call(t, c.method, c.path, c.body).want(c.status, c.codes...)
			if len(got.Body) > 4096 && c.status >= 400 {
				t.Errorf("the error echoes what was sent: %d bytes", len(got.Body))
			}
			if c.status == 200 && got.get("meta", "total_count") != 0.0 {
				t.Errorf("nobody is called that, and it finds %s", got.Body)
			}
		})
	}
}

func TestNULWithoutContentType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, _ := connect(t, a)
	for _, contentType := range []string{"", "application/json; charset=utf-8", "text/plain", "text/csv"} {
		a.call(t, "POST", "/v1/user_mappings/lookup", `{"items":[{"id":"\u0000"}]}`, header("Content-Type", contentType)).want(400, "malformed")
		a.call(t, "PATCH", "/v1/connections/"+mail, `{"name":"\u0000"}`, header("Content-Type", contentType)).want(400, "malformed")
	}
}

// TestOtherContentType: curl -d sends a form unless it is told otherwise.
func TestOtherContentType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, contentType := range []string{"application/x-www-form-urlencoded", "text/" + strings.Repeat("x", 5000)} {
		got := a.call(t, "POST", "/v1/user_mappings/lookup", `{"items":[]}`, header("Content-Type", contentType)).want(400, "malformed")
		if !strings.Contains(string(got.Body), "Content-Type: application/json") || len(got.Body) > 2000 {
			t.Errorf("the refusal of %.40s does not say what to send: %.300s", contentType, got.Body)
		}
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for tag, status := range map[string]int{
		`"1"`: 200, `*`: 200, `"9", "1"`: 200, `"9","1"`: 200, ` "1" `: 200,
		`W/"1"`: 412, `"one"`: 412, `"9", "8"`: 412, `"a,1"`: 412, `"01x"`: 412,
		`1`: 400, `"1`: 400, `"1" "2"`: 400,
	} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			made := a.call(t, "POST", "/v1/connections", map[string]any{"name": "for " + tag, "platform": map[string]any{"id": "generic"}}).want(201)
			got := a.call(t, "PATCH", "/v1/connections/"+made.text("connection", "id"), `{"mail_domain":"example.com"}`, header("If-Match", tag))
			if got.Status != status || strings.Contains(string(got.Body), "(-1)") {
				t.Errorf("got %d, want %d: %s", got.Status, status, got.Body)
			}
		})
	}
}
