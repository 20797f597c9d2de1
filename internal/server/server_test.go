package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// connect creates a mail and an application connection of which no directory is known.
func connect(t *testing.T, a *api) (mail, app string) {
	t.Helper()
	mail = a.call(t, "POST", "/v1/connections", `{"name":"Mail","platform":{"id":"generic"}}`).want(201).text("connection", "id")
	app = a.call(t, "POST", "/v1/connections", `{"type":"connection","name":"App","platform":{"id":"generic"}}`).want(201).text("connection", "id")
	return mail, app
}

func mapping(mail, app, email, user string) map[string]any {
	end := func(id string) map[string]any { return map[string]any{"connection": map[string]any{"id": id}} }
	return map[string]any{"source": end(mail), "destination": end(app), "email": email, "user_id": user}
}

func TestConnectionLifecycle(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.call(t, "POST", "/v1/connections", `{"id":"c1","name":"Contoso","platform":{"id":"microsoft365"},"authoritative":true,"mail_domain":"contoso.com"}`).want(201)
	if made.Header.Get("ETag") != `"1"` || made.text("connection", "id") != "c1" || made.text("type") != "connection" {
		t.Errorf("got %s with ETag %s", made.Body, made.Header.Get("ETag"))
	}
	a.call(t, "POST", "/v1/connections", `{"name":"CONTOSO ","platform":{"id":"generic"}}`).want(409, "name_in_use")
	a.call(t, "POST", "/v1/connections", `{"id":"c1","name":"Other","platform":{"id":"generic"}}`).want(409, "id_in_use")
	a.call(t, "POST", "/v1/connections", `{"name":" ","platform":{"id":"nowhere"},"mail_domain":"not a domain"}`).want(422, "invalid", "invalid", "invalid")

	a.call(t, "PUT", "/v1/connections/c1", `{"name":"Contoso Ltd","platform":{"id":"microsoft365"}}`, header("If-Match", `"7"`)).want(412, "revision_conflict")
	put := a.call(t, "PUT", "/v1/connections/c1", `{"name":"Contoso Ltd","platform":{"id":"microsoft365"}}`, header("If-Match", `"1"`)).want(200)
	if put.get("connection", "authoritative") != nil || put.Header.Get("ETag") != `"2"` {
		t.Errorf("PUT replaces: got %s", put.Body)
	}
	again := a.call(t, "PUT", "/v1/connections/c1", `{"name":"Contoso Ltd","platform":{"id":"microsoft365"}}`, header("If-Match", `"1"`)).want(200)
	if again.Header.Get("ETag") != `"2"` {
		t.Errorf("a repeated PUT changed something: %s", again.Body)
	}
	patched := a.call(t, "PATCH", "/v1/connections/c1", `{"mail_domain":"contoso.com"}`).want(200)
	if patched.text("connection", "name") != "Contoso Ltd" || patched.text("connection", "mail_domain") != "contoso.com" {
		t.Errorf("PATCH merges: got %s", patched.Body)
	}
	a.call(t, "PATCH", "/v1/connections/c1", `{"mail_domain":null}`).want(200)
	a.call(t, "PATCH", "/v1/connections/c1", `{"colour":"red"}`).want(400, "malformed")
	a.call(t, "PATCH", "/v1/connections/c1", `{"name":7}`).want(400, "malformed")
	a.call(t, "PATCH", "/v1/connections/c1", `[]`).want(400, "malformed")
	a.call(t, "PATCH", "/v1/connections/c1", `{"platform":{"id":"box"}}`).want(409, "immutable")
	a.call(t, "PUT", "/v1/connections/c1", `{"id":"c2","name":"Contoso Ltd","platform":{"id":"microsoft365"}}`).want(422, "invalid")

	a.call(t, "DELETE", "/v1/connections/c1", nil, header("If-Match", `"1"`)).want(412, "revision_conflict")
	a.call(t, "DELETE", "/v1/connections/c1", nil, header("If-Match", `*`)).want(204)
	a.call(t, "GET", "/v1/connections/c1", nil).want(404, "not_found")
	a.call(t, "DELETE", "/v1/connections/c1", nil).want(404, "not_found")
}

func TestUserMappingLifecycle(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	made := a.call(t, "POST", "/v1/user_mappings", mapping(mail, app, "Jane@Example.com", "JDOE")).want(201)
	id := made.text("user_mapping", "id")
	if made.text("user_mapping", "email") != "Jane@Example.com" || made.text("user_mapping", "email_canonical") != "jane@example.com" {
		t.Errorf("got %s", made.Body)
	}
	a.call(t, "GET", "/v1/user_mappings/"+id, nil).want(200)
	warned := a.call(t, "PUT", "/v1/user_mappings/"+id, mapping(mail, app, "jane.b@example.com", "JDOE"), header("If-Match", `"1"`)).want(200)
	if !strings.Contains(string(warned.Body), "unproven_rename") {
		t.Errorf("no warning in %s", warned.Body)
	}
	a.call(t, "PATCH", "/v1/user_mappings/"+id, `{"user_id":"JBEE"}`, header("If-Match", `"1"`)).want(412, "revision_conflict")
	a.call(t, "PATCH", "/v1/user_mappings/"+id, `{"user_id":"JBEE"}`, header("If-Match", `"1", "2"`)).want(200)
	a.call(t, "PATCH", "/v1/user_mappings/"+id, `{"email":"x@example.com","user_id":"other"}`).want(409, "account_repointed", "account_repointed")
	a.call(t, "DELETE", "/v1/connections/"+app, nil).want(409, "connection_in_use")
	a.call(t, "DELETE", "/v1/user_mappings/"+id, nil, header("If-Match", `"3"`)).want(204)
	a.call(t, "DELETE", "/v1/user_mappings/"+id, nil).want(404, "not_found")
	a.call(t, "POST", "/v1/user_mappings", mapping(mail, app, "jane.b@example.com", "somebody")).want(409, "email_previously_assigned")

	entries := a.call(t, "GET", "/v1/email_assignments?address="+url.QueryEscape("JANE.B@example.com"), nil).want(200)
	entry := fmt.Sprint(entries.rows("email_assignments")[0]["id"])
	a.call(t, "POST", "/v1/email_assignments/"+entry+"/release", `{"reason":" "}`).want(422, "invalid")
	a.call(t, "POST", "/v1/email_assignments/"+entry+"/release", `{"reason":"she married"}`).want(200)
	a.call(t, "POST", "/v1/email_assignments/"+entry+"/release", `{"reason":"again"}`).want(409, "already_released")
	a.call(t, "GET", "/v1/email_assignments/"+entry, nil).want(200)
	a.call(t, "POST", "/v1/user_mappings", mapping(mail, app, "jane.b@example.com", "somebody")).want(201)

	audit := a.call(t, "GET", "/v1/audit?kind=user_mapping&object_id="+id, nil).want(200)
	if n := audit.get("meta", "total_count"); n != 4.0 {
		t.Errorf("the audit has %v entries about the mapping, want create, two updates and delete", n)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	body := mapping(mail, app, "jane@example.com", "jane")
	key := header("Idempotency-Key", "k1")
	first := a.call(t, "POST", "/v1/user_mappings", body, key).want(201)
	again := a.call(t, "POST", "/v1/user_mappings", body, key).want(201)
	if first.text("user_mapping", "id") != again.text("user_mapping", "id") {
		t.Errorf("the same key gave another answer: %s", again.Body)
	}
	a.call(t, "POST", "/v1/user_mappings", mapping(mail, app, "bob@example.com", "bob"), key).want(422, "idempotency_key_reused")
	a.call(t, "POST", "/v1/user_mappings", body).want(409, "email_in_use", "user_already_mapped")
	a.call(t, "DELETE", "/v1/user_mappings/"+first.text("user_mapping", "id"), nil).want(204)
	anew := a.call(t, "POST", "/v1/user_mappings", body, key).want(201)
	if anew.text("user_mapping", "id") == first.text("user_mapping", "id") {
		t.Error("the key of a deleted mapping answered with the mapping that is gone")
	}
	intent := map[string]any{"items": []any{map[string]any{"operation": "create", "idempotency_key": "k1", "user_mapping": body}}}
	if v := a.call(t, "POST", "/v1/user_mappings/validate", intent).want(200); strings.Contains(string(v.Body), "violations") {
		t.Errorf("a create that only repeats one is refused: %s", v.Body)
	}
}

func TestBatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	item := func(email, user string) map[string]any {
		return map[string]any{"operation": "create", "user_mapping": mapping(mail, app, email, user)}
	}
	refused := a.call(t, "POST", "/v1/user_mappings/batch", map[string]any{"items": []any{item("a@example.com", "a"), item("no address", "b"), item("A@example.com", "c")}})
	refused.want(409, "email_in_use", "invalid_email", "email_in_use")
	if !strings.Contains(string(refused.Body), `"items[1].email"`) || !strings.Contains(string(refused.Body), `"items[2].email"`) {
		t.Errorf("the items at fault are not named: %s", refused.Body)
	}
	if n := a.call(t, "GET", "/v1/user_mappings", nil).want(200).get("meta", "total_count"); n != 0.0 {
		t.Errorf("%v mappings were stored by a refused batch", n)
	}
	done := a.call(t, "POST", "/v1/user_mappings/batch", map[string]any{"items": []any{item("a@example.com", "a"), item("b@example.com", "b")}}).want(200)
	stored, _ := done.rows("user_mapping_verdicts")[0]["user_mapping"].(map[string]any)
	id := stored["id"]
	twice := []any{map[string]any{"operation": "delete", "id": id}, map[string]any{"operation": "delete", "id": id}}
	a.call(t, "POST", "/v1/user_mappings/batch", map[string]any{"items": twice}).want(422, "duplicate_item")
	a.call(t, "POST", "/v1/user_mappings/batch", map[string]any{"items": twice[:1]}).want(200)
	found := a.call(t, "POST", "/v1/user_mappings/lookup", map[string]any{"items": []any{
		map[string]any{"id": id}, map[string]any{"destination_connection_id": app, "user_id": "B"}, map[string]any{"destination_connection_id": app, "email": "B@example.com"},
	}}).want(200).rows("user_mappings")
	if found[0] != nil || found[1] == nil || found[2] == nil {
		t.Errorf("lookup answers %v, want null and twice the second mapping", found)
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, value := range map[string]string{"none": "", "another scheme": "Basic YTpi", "unknown": "Bearer nobody", "empty": "Bearer "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := a.call(t, "GET", "/v1/connections", nil, header("Authorization", value)).want(401, "unauthorized")
			if got.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	reader := a.call(t, "POST", "/v1/tokens", `{"name":"reader","scopes":["read"]}`).want(201)
	bearer := header("Authorization", "Bearer "+reader.text("token", "secret"))
	a.call(t, "GET", "/v1/connections", nil, bearer).want(200)
	a.call(t, "POST", "/v1/connections", `{"name":"x","platform":{"id":"generic"}}`, bearer).want(403, "forbidden")
	a.call(t, "GET", "/v1/tokens", nil, bearer).want(403, "forbidden")
	a.call(t, "POST", "/v1/tokens", `{"name":"Reader","scopes":["read"]}`).want(409, "name_in_use")
	a.call(t, "POST", "/v1/tokens", `{"name":"old","scopes":["root"],"expires_on":"2001-01-01T00:00:00Z"}`).want(422, "invalid", "invalid")
	list := a.call(t, "GET", "/v1/tokens", nil).want(200)
	if strings.Contains(string(list.Body), reader.text("token", "secret")) {
		t.Error("the list shows a secret")
	}
	a.call(t, "DELETE", "/v1/tokens/"+reader.text("token", "id"), nil).want(204)
	a.call(t, "DELETE", "/v1/tokens/"+reader.text("token", "id"), nil).want(404, "not_found")
	a.call(t, "GET", "/v1/connections", nil, bearer).want(401, "unauthorized")
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, _ := connect(t, a)
	accounts := "/v1/connections/" + mail + "/accounts"
	csv := header("Content-Type", "text/csv; charset=utf-8")
	a.call(t, "POST", accounts+"/import", "id,email\na1,jane@example.com\na2,\n", csv).want(200)
	refused := a.call(t, "POST", accounts+"/import", "id,email\na1,jane@example.com\na3,nonsense\n,x@example.com\n", csv).want(422, "invalid", "invalid")
	if !strings.Contains(string(refused.Body), "line 3") || !strings.Contains(string(refused.Body), "line 4") {
		t.Errorf("the bad rows are not named: %s", refused.Body)
	}
	if n := a.call(t, "GET", accounts, nil).want(200).get("meta", "total_count"); n != 2.0 {
		t.Errorf("%v accounts after a refused import, want the 2 of before", n)
	}
	a.call(t, "POST", accounts+"/import", `{"id":"a1","email":"jane@example.com","colour":1}`, header("Content-Type", "application/jsonl")).want(422, "invalid")
	a.call(t, "POST", accounts+"/import", "x", header("Content-Type", "image/png")).want(400, "malformed")
	latin := a.call(t, "POST", accounts+"/import", "id\n", header("Content-Type", "text/csv; charset=iso-8859-1")).want(400, "malformed")
	if !strings.Contains(latin.text("detail"), "UTF-8") {
		t.Errorf("a file in Latin-1 was refused with %s", latin.Body)
	}
	a.call(t, "POST", accounts+"/import", strings.Repeat("x", 9<<20), csv).want(422, "invalid")
	report := a.call(t, "POST", accounts+"/import", "id,email\na1,jane@example.com\n", csv).want(200)
	if report.get("import_report", "deleted") != 1.0 || report.get("import_report", "unchanged") != 1.0 {
		t.Errorf("got %s", report.Body)
	}
	a.call(t, "POST", accounts+"/import", "id,email\na1,jane@example.com\n", csv, header("If-Match", `"1"`)).want(200) // repeats what is there
	a.call(t, "POST", accounts+"/import", "id,email\na1,other@example.com\n", csv, header("If-Match", `"1"`)).want(412, "revision_conflict")
	if c := a.call(t, "GET", "/v1/connections/"+mail, nil).want(200); c.text("connection", "directory", "accounts", "sha256") != report.text("import_report", "sha256") {
		t.Errorf("the connection does not remember the file: %s", c.Body)
	}
	one := a.call(t, "PUT", accounts+"/a9", `{"id":"a9","username":"nine","aliases":["smtp:nine@example.com"]}`).want(200)
	a.call(t, "PUT", accounts+"/a9", `{"id":"a9","username":"nine"}`, header("If-Match", `"5"`)).want(412, "revision_conflict")
	if again := a.call(t, "PUT", accounts+"/a9", `{"id":"a9","username":"nine","email":"nine@example.com"}`, header("If-Match", `"1"`)).want(200); again.Header.Get("ETag") != `"2"` {
		t.Errorf("the second revision has ETag %s", again.Header.Get("ETag"))
	}
	a.call(t, "PUT", accounts+"/a10", `{"id":"a10","username":"NINE"}`).want(409, "username_in_use")
	a.call(t, "PUT", accounts+"/a10", `{"id":"a9"}`).want(422, "invalid")
	a.call(t, "PUT", accounts+"/a10", `{"id":"a10"}`, header("If-Match", "*")).want(412, "revision_conflict")
	if one.Header.Get("ETag") != `"1"` {
		t.Errorf("ETag %s", one.Header.Get("ETag"))
	}
	if c := a.call(t, "GET", "/v1/connections/"+mail, nil).want(200); c.get("connection", "directory", "accounts") != nil {
		t.Errorf("after an edited row the directory still claims to be the file: %s", c.Body)
	}
	if n := a.call(t, "GET", accounts+"?email=NINE@example.com&user_id=Nine", nil).want(200).get("meta", "total_count"); n != 1.0 {
		t.Errorf("%v accounts have the alias", n)
	}
	a.call(t, "DELETE", accounts+"/a9", nil).want(204)
	a.call(t, "DELETE", accounts+"/a9", nil).want(404, "not_found")
	if gone := a.call(t, "GET", accounts+"/a9", nil).want(200); gone.text("account", "deleted_on") == "" {
		t.Errorf("a deleted account is not marked: %s", gone.Body)
	}
	a.call(t, "GET", accounts+"/none", nil).want(404, "not_found")
	a.call(t, "GET", "/v1/connections/none/accounts", nil).want(404, "not_found")

	groups := "/v1/connections/" + mail + "/groups"
	a.call(t, "POST", groups+"/import", "id,name,addresses\ng1,team,team@example.com;all@example.com\n", csv).want(200)
	a.call(t, "PUT", groups+"/g2", `{"id":"g2","caption":"Two"}`).want(200)
	a.call(t, "PUT", groups+"/g2", `{"id":"g2","addresses":["nonsense"]}`).want(422, "invalid")
	if n := a.call(t, "GET", groups+"?address=ALL@example.com", nil).want(200).get("meta", "total_count"); n != 1.0 {
		t.Errorf("%v groups have the address", n)
	}
	a.call(t, "GET", groups+"/g1", nil).want(200)
	a.call(t, "DELETE", groups+"/g1", nil).want(204)
	a.call(t, "GET", groups+"/none", nil).want(404, "not_found")
}

func TestPagesAreStableWhileRowsComeAndGo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	mail, app := connect(t, a)
	var ids []string
	for i := range 7 {
		ids = append(ids, a.call(t, "POST", "/v1/user_mappings", mapping(mail, app, fmt.Sprintf("u%d@example.com", i), fmt.Sprintf("u%d", i))).want(201).text("user_mapping", "id"))
	}
	href, seen := "/v1/user_mappings?limit=2&domain=EXAMPLE.com", []string{}
	for page := 0; href != ""; page++ {
		got := a.call(t, "GET", href, nil).want(200)
		for _, m := range got.rows("user_mappings") {
			seen = append(seen, fmt.Sprint(m["id"]))
		}
		if got.get("meta", "total_count") != 7.0 || got.get("meta", "limit") != 2.0 {
			t.Errorf("meta of page %d: %v", page, got.get("meta"))
		}
		href = ""
		if got.get("meta", "has_more") == true {
			href = got.text("meta", "links", "next", "href")
		}
		if page == 0 { // the row at which the next page begins goes, and rows come
			a.call(t, "DELETE", "/v1/user_mappings/"+ids[1], nil).want(204)
		}
	}
	if strings.Join(seen, " ") != strings.Join(ids, " ") {
		t.Errorf("walked\n%v\nwant\n%v", seen, ids)
	}
	a.call(t, "GET", "/v1/user_mappings?cursor=nonsense", nil).want(400, "invalid_cursor")
	a.call(t, "GET", "/v1/connections?cursor="+url.QueryEscape(cursorOf(t, a)), nil).want(400, "invalid_cursor")
	a.call(t, "GET", "/v1/user_mappings?cursor=eyJ2IjowfQ", nil).want(400, "cursor_expired")
}

func cursorOf(t *testing.T, a *api) string {
	t.Helper()
	href := a.call(t, "GET", "/v1/user_mappings?limit=1", nil).want(200).text("meta", "links", "next", "href")
	link, err := url.Parse(href)
	if err != nil {
		t.Fatal(err)
	}
	return link.Query().Get("cursor")
}

func TestOpenRoutes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json"} {
		if got := a.call(t, "GET", path, nil, header("Authorization", "")); got.Status != http.StatusOK || got.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s answered %d", path, got.Status)
		}
	}
	if c := a.call(t, "GET", "/v1/capabilities", nil).want(200); c.text("capabilities", "server") != "idmap" {
		t.Errorf("got %s", c.Body)
	}
	a.call(t, "GET", "/v1/nowhere", nil).want(404, "unknown_route")
	a.call(t, "DELETE", "/v1/connections", nil).want(404, "unknown_route")
	a.call(t, "GET", "/", nil).want(404, "unknown_route")
}

// TestEveryOperationIsExercised fails for a route that no test of this file calls. It shares no server with them, so it
// walks the document and calls each operation once, badly or well: the harness holds every answer against the document.
func TestEveryOperationIsExercised(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	operations := 0
	for path, item := range a.doc.Paths.Map() {
		for method, op := range item.Operations() {
			operations++
			address := strings.NewReplacer("{id}", "some-id", "{entry_id}", "some-entry", "{item_id}", "some-item", "{job}", "some-job").Replace(path)
			var body any
			if op.RequestBody != nil {
				body = `{}`
			}
			if got := a.call(t, method, address, body); got.Status >= 500 {
				t.Errorf("%s %s answered %d: %s", method, path, got.Status, got.Body)
			}
			if got := a.call(t, method, address, body, header("Authorization", "")); got.Status != http.StatusUnauthorized {
				t.Errorf("%s %s answered %d without a token", method, path, got.Status)
			}
		}
	}
	if operations < 128 || len(a.used) != operations {
		t.Errorf("%d of %d operations were called", len(a.used), operations)
	}
}
