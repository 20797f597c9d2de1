package server_test

import (
	"strings"
	"testing"
)

func TestFaultsAreAtTheirFields(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	maps, of := "/v1/account_maps", "/v1/account_maps/"+id
	ends := `"source":{"connection":{"id":"` + source + `"}},"destination":{"connection":{"id":"` + destination + `"}}`
	for _, c := range []struct{ method, path, body, field, says string }{
		{"POST", maps, `{"name":"x","map_by":{"id":true},"source":{"connection":{"id":"x"}}}`, "destination", "The field destination is missing."},
		{"POST", maps, `{"name":"x","map_by":{},"source":{},"destination":{"connection":{"id":"x"}}}`, "source.connection", "is missing"},
		{"POST", maps, `{"name":null,"map_by":{},` + ends + `}`, "name", "expected string"},
		{"PATCH", of, `{"name":null}`, "name", "The field name is missing."},
		{"POST", "/v1/jobs", `{"kind":"transfer","transfer":{"destination":{"connection":{"id":"x"}}}}`, "transfer.source", "The field transfer.source is missing."},
		{"POST", "/v1/jobs", `{"kind":"transfer","Status":"complete","transfer":{` + ends + `}}`, "Status", "no such field"},
		{"POST", maps, `{"name":"x","map_by":{},` + strings.Replace(ends, `"id"`, `"ID":"y","id"`, 1) + `}`, "source.connection.ID", "no such field"},
		{"POST", of + "/exceptions", `{"source":{"ID":"s1"},"destination":{"username":"bob"}}`, "source.ID", "no such field"},
		{"POST", of + "/exceptions", `{"source":{"emial":"ann@example.com","name":"ANN"},"destination":{"username":"bob"}}`, "source.emial", "no such field"},
		{"POST", of + "/exceptions", `{"source":{"External_ID":"s1","name":"ANN"},"destination":{"username":"bob"}}`, "source.External_ID", "no such field"},
		{"POST", of + "/exceptions", `{"items":[{"source":{"username":"ann"}}]}`, "items[0].destination", "is missing"},
		{"POST", of + "/exceptions", `{"items":{}}`, "items", "expected array"},
		{"POST", of + "/exceptions", `{"items":[null]}`, "items[0]", "expected object"},
		{"POST", of + "/exceptions", `{"source":[{"username":1}],"destination":{"username":"bob"}}`, "source", "expected object"},
		{"POST", of + "/resolve", `{"sources":[{"name":"` + strings.Repeat("x", 1025) + `"}]}`, "sources[0].name", "length"},
		{"POST", of + "/resolve", `{"sources":[{"name":["` + strings.Repeat("x", 1025) + `"]}]}`, "sources[0].name", "expected string"},
		{"POST", of + "/resolve", `{"sources":[]} {}`, "", "cannot be read as JSON"},
		{"POST", of + "/resolve", `{"sources":[{]}`, "", "cannot be read as JSON"},
	} {
		got := a.call(t, c.method, c.path, c.body).want(400, "malformed")
		told := got.rows("errors")[0]
		field, _ := told["field"].(string)
		description, _ := told["description"].(string)
		if field != c.field || !strings.Contains(description, c.says) {
			t.Errorf("%s %s %.100s: got %q at %q, want %q at %q", c.method, c.path, c.body, description, field, c.says, c.field)
		}
	}
}

// TestPrincipalsOfThePublishedAPI sends an account and a group with all that such a client has of them.
func TestPrincipalsOfThePublishedAPI(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	const rest = `"external_id":"x","given_name":"A","surname":null,"admin":false,"built_in":false,"disabled":false,"readonly":false,"aliases":["a"],
		"addresses":[],"user_type":"full","external":false,"sign_in_permitted":true,"deleted_on":null,"revision":3,"links":{"self":{"Href":"x"}},"permissions":{"any":[1]}`
	got := a.call(t, "POST", "/v1/account_maps/"+id+"/exceptions", `{"source":{"username":"ann",`+rest+`},"destination":{"username":"bob",`+rest+`}}`).want(201)
	if strings.Contains(string(got.Body), "permissions") || got.text("item", "source", "username") != "ann" {
		t.Errorf("stored %s", got.Body)
	}
	a.call(t, "POST", "/v1/account_maps/"+id+"/resolve", `{"sources":[{"name":"`+strings.Repeat("é", 1024)+`"}]}`).want(409, "unknown_account")
}

// TestNullsOfFieldsThatCanBeLeftOut takes them for left out.
func TestNullsOfFieldsThatCanBeLeftOut(t *testing.T) {
	t.Parallel()
	a, source, destination, _ := mapped(t)
	body := mapOf(source, destination, "Nulls", `{"id":true,"fuzzy":null,"external_resolve":null,"fuzzy_threshold":null}`)
	body = strings.TrimSuffix(body, "}") + `,"id":null,"type":null,"exceptions":null,"exclusions":null,"unmapped_policy":null,"created_on":null}`
	a.call(t, "POST", "/v1/account_maps", body).want(201)
}
