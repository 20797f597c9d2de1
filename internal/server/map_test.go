package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// mapped is a server with two platforms of six people and a guest each, and an account map between them.
func mapped(t *testing.T) (a *api, source, destination, id string) {
	t.Helper()
	a = newAPI(t)
	from, to := migration(t, publishedClient{t, a})
	source, destination = fmt.Sprint(from["id"]), fmt.Sprint(to["id"])
	id = a.call(t, "POST", "/v1/account_maps", mapOf(source, destination, "People", `{"username":true}`)).want(201).text("account_map", "id")
	return a, source, destination, id
}

func mapOf(source, destination, name, mapBy string) string {
	return fmt.Sprintf(`{"name":%q,"source":{"connection":{"id":%q}},"destination":{"connection":{"id":%q}},"map_by":%s}`, name, source, destination, mapBy)
}

func TestMapLifecycle(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	one := "/v1/account_maps/" + id
	got := a.call(t, "GET", one, nil).want(200)
	if got.Header.Get("ETag") != `"1"` || got.get("account_map", "exceptions") != nil || got.text("account_map", "unmapped_policy") != "skip" {
		t.Errorf("got %s", got.Body)
	}
	a.call(t, "POST", "/v1/account_maps", mapOf(source, destination, "PEOPLE", `{"id":true}`)).want(409, "name_in_use")
	a.call(t, "PUT", one, mapOf(destination, source, "People", `{"id":true}`)).want(409, "immutable", "immutable")
	a.call(t, "PATCH", one, `{"name":"Persons"}`, header("If-Match", `"7"`)).want(412, "revision_conflict")
	full := strings.Replace(mapOf(source, destination, "People", `{"username":true}`), "{", `{"exceptions":[{"source":{"username":"ann"},"destination":{"username":"bob"}}],`, 1)
	a.call(t, "PUT", one, full, header("If-Match", `"1"`)).want(200)
	with := a.call(t, "GET", one+"?include=items", nil).want(200)
	if list, ok := with.get("account_map", "exceptions").([]any); !ok || len(list) != 1 {
		t.Errorf("with its items the map is %s", with.Body)
	}
	a.call(t, "PATCH", one, `{"unmapped_policy":"fail"}`).want(200)
	if n := a.call(t, "GET", one+"/exceptions", nil).want(200).get("meta", "total_count"); n != 1.0 {
		t.Errorf("a patch of something else left %v exceptions", n)
	}
	for query, n := range map[string]float64{
		"name=people": 1, "name=none": 0, "q=PEO": 1, "connection=" + destination: 1, "source_connection=" + source: 1, "destination_connection=" + source: 0,
	} {
		if got := a.call(t, "GET", "/v1/account_maps?"+query, nil).want(200).get("meta", "total_count"); got != n {
			t.Errorf("%s finds %v maps, want %v", query, got, n)
		}
	}
	a.call(t, "GET", "/v1/group_maps/"+id, nil).want(404, "not_found")
	a.call(t, "DELETE", "/v1/connections/"+source, nil).want(409, "connection_in_use")
	writer := a.call(t, "POST", "/v1/tokens", `{"name":"writer","scopes":["read","write"]}`).want(201).text("token", "secret")
	a.call(t, "DELETE", "/v1/account_maps", nil, header("Authorization", "Bearer "+writer)).want(403, "forbidden")
	a.call(t, "DELETE", one, nil, header("If-Match", `"1"`)).want(412, "revision_conflict")
	a.call(t, "DELETE", "/v1/account_maps", nil).want(204)
	a.call(t, "GET", one, nil).want(404, "not_found")
}

func TestMapBadInput(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	by := func(options string) string { return mapOf(source, destination, "Other", options) }
	exceptions := "/v1/account_maps/" + id + "/exceptions"
	nobody := `{"source":{"username":"nobody"},"destination":{"username":"ann"}}`
	cases := []struct {
		name, method, path, body string
		status                   int
		codes                    []string
	}{
		{"one connection", "POST", "/v1/account_maps", mapOf(source, source, "Self", `{"id":true}`), 422, []string{"invalid"}},
		{"a name of 300 characters", "POST", "/v1/account_maps", mapOf(source, destination, strings.Repeat("x", 300), `{"id":true}`), 422, []string{"invalid"}},
		{"no option", "POST", "/v1/account_maps", by(`{}`), 422, []string{"no_match_option"}},
		{"a threshold of 0", "POST", "/v1/account_maps", by(`{"name":true,"fuzzy":true,"fuzzy_threshold":0}`), 422, []string{"invalid"}},
		{"a threshold of 2", "POST", "/v1/account_maps", by(`{"name":true,"fuzzy":true,"fuzzy_threshold":2}`), 422, []string{"invalid"}},
		{"a small threshold", "POST", "/v1/account_maps", by(`{"name":true,"fuzzy":true,"fuzzy_threshold":-0.1}`), 422, []string{"invalid"}},
		{"an unknown option", "POST", "/v1/account_maps", by(`{"id":true,"colour":true}`), 400, []string{"malformed"}},
		{"an unknown field", "POST", "/v1/account_maps", strings.Replace(by(`{"id":true}`), "{", `{"colour":"red",`, 1), 400, []string{"malformed"}},
		{"the type of another kind", "POST", "/v1/account_maps", strings.Replace(by(`{"id":true}`), "{", `{"type":"group_map",`, 1), 400, []string{"malformed"}},
		{"an option of the other kind", "POST", "/v1/group_maps", by(`{"id":true,"email":true}`), 422, []string{"unsupported_option"}},
		{"a null character in a map", "POST", "/v1/account_maps", mapOf(source, destination, "x", `{"id":true,"\u0000":true}`), 400, []string{"malformed"}},
		{"65 MiB", "POST", "/v1/account_maps", `{"name":"` + strings.Repeat("x", 65<<20) + `"}`, 413, []string{"too_large"}},
		{"5 MiB are less than a map may have", "POST", "/v1/account_maps", `{"name":"` + strings.Repeat("x", 5<<20) + `"}`, 400, []string{"malformed", "malformed", "malformed"}},
		{"21 items", "POST", "/v1/account_maps/validate", `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"operation":"delete","id":"x"},`, 21), ",") + `]}`, 400, []string{"malformed"}},
		{"a map of nobody", "GET", "/v1/account_maps/none/exceptions", "", 404, []string{"not_found"}},
		{"an unknown resolution", "GET", "/v1/account_maps/" + id + "/report?resolution=Magic", "", 400, []string{"malformed"}},
		{"too far an offset", "GET", "/v1/account_maps?offset=10001", "", 400, []string{"malformed"}},
		{"a preview of nothing", "POST", "/v1/account_maps/preview", `{}`, 400, []string{"malformed"}},
		{"broken JSON", "POST", exceptions, `{"items":`, 400, []string{"malformed"}},
		{"an empty body", "POST", exceptions, "", 400, []string{"malformed"}},
		{"no object", "POST", exceptions, `7`, 400, []string{"malformed"}},
		{"a wrong type", "POST", exceptions, `{"source":7,"destination":{}}`, 400, []string{"malformed"}},
		{"a field in another case", "POST", exceptions, `{"Source":{"id":"x"},"destination":{}}`, 400, []string{"malformed", "malformed"}},
		{"65 MiB of items", "POST", exceptions, `{"items":[{"source":{"name":"` + strings.Repeat("x", 65<<20) + `"}}]}`, 413, []string{"too_large"}},
		{"null items", "POST", exceptions, `{"append":true,"items":null}`, 400, []string{"malformed"}},
		{"a null character", "POST", exceptions, `{"source":{"name":"\u0000"},"destination":{"username":"ann"}}`, 400, []string{"malformed"}},
		{"broken UTF-8", "POST", exceptions, "{\"source\":{\"name\":\"\xff\"},\"destination\":{}}", 400, []string{"malformed"}},
		{"nobody", "POST", exceptions, nobody, 409, []string{"unknown_account"}},
		{"somebody and nobody", "POST", exceptions, `{"items":[{"source":{"username":"ann"},"destination":{"username":"ann"}},` + nobody + `]}`, 409, []string{"unknown_account"}},
		{"one twice", "POST", exceptions, `{"items":[{"source":{"username":"ann"},"destination":{"username":"ann"}},{"source":{"name":"ANN"},"destination":{"username":"bob"}}]}`, 409, []string{"duplicate_exception"}},
		{"two orders", "PATCH", "/v1/jobs/x?start=1&cancel=1", "", 400, []string{"malformed"}},
		{"no order", "PATCH", "/v1/jobs/x", "", 404, []string{"not_found"}},
		{"a security map of no job", "GET", "/v1/transfers/security_map", "", 400, []string{"malformed"}},
		{"a security map of an unknown job", "GET", "/v1/transfers/none/security_map", "", 404, []string{"not_found"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := a.call(t, c.method, c.path, c.body).want(c.status, c.codes...)
			if len(got.Body) > 4096 {
				t.Errorf("the error echoes what was sent: %d bytes", len(got.Body))
			}
		})
	}
}

func TestOffsets(t *testing.T) {
	t.Parallel()
	a, source, _, _ := mapped(t)
	accounts := "/v1/connections/" + source + "/accounts"
	for offset, left := range map[int]int{0: 7, 1: 6, 6: 1, 7: 0, 8: 0, 10000: 0} {
		got, seen := a.call(t, "GET", fmt.Sprintf("%s?limit=2&fields=id&offset=%d", accounts, offset), nil).want(200), 0
		if got.get("meta", "total_count") != 7.0 || got.get("meta", "offset") != float64(min(offset, 7)) {
			t.Errorf("offset %d: %v", offset, got.get("meta"))
		}
		for {
			seen += len(got.rows("accounts"))
			if got.get("meta", "has_more") != true {
				break
			}
			got = a.call(t, "GET", got.text("meta", "links", "next", "href"), nil).want(200)
		}
		if seen != left {
			t.Errorf("from offset %d on there are %d accounts, want %d", offset, seen, left)
		}
	}
	a.call(t, "GET", "/v1/Connections/"+source+"/groups?offset=-1", nil).want(400, "malformed")
}
