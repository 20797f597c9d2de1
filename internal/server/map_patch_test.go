package server_test

import (
	"strings"
	"testing"
)

func TestPatchNamesAnew(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	of := "/v1/account_maps/" + id
	exception := of + "/exceptions/" + a.call(t, "POST", of+"/exceptions", `{"source":{"username":"ann"},"destination":{"username":"bob"}}`).want(201).text("item", "id")
	exclusion := of + "/exclusions/" + a.call(t, "POST", of+"/exclusions/source", `{"sid":{"username":"dan"}}`).want(201).text("item", "id")
	for _, c := range []struct{ path, patch, principal, id, username string }{
		{exception, `{"destination":{"username":"fay"}}`, "destination", destination + "-fay", "fay"},
		{exception, `{"destination":{}}`, "destination", destination + "-fay", "fay"},
		{exception, `{"destination":{"id":"` + destination + `-cyd"}}`, "destination", destination + "-cyd", ""},
		{exception, `{"destination":{"id":null,"username":"bob"}}`, "destination", destination + "-bob", "bob"},
		{exception, `{"destination":{"name":"eve","username":"eve"}}`, "destination", destination + "-eve", "eve"},
		{exception, `{"destination":{"name":null}}`, "destination", destination + "-eve", "eve"},
		{exception, `{"source":{"username":"bob"}}`, "source", source + "-bob", "bob"},
		{exception, `{"source":{"username":"ann"},"destination":{"username":"dan"}}`, "source", source + "-ann", "ann"},
		{exclusion, `{"sid":{"username":"eve"}}`, "sid", source + "-eve", "eve"},
	} {
		got := a.call(t, "PATCH", c.path, c.patch).want(200)
		if got.text("item", c.principal, "id") != c.id || got.text("item", c.principal, "username") != c.username {
			t.Errorf("%s makes %s", c.patch, got.Body)
		}
	}
	if got := a.call(t, "GET", exception, nil).want(200); got.text("item", "destination", "id") != destination+"-dan" || got.text("item", "source", "id") != source+"-ann" {
		t.Errorf("a patch of both sides makes %s", got.Body)
	}
	a.call(t, "PATCH", exception, `{"destination":{"id":"`+destination+`-bob","username":"fay"}}`).want(409, "account_mismatch")
	a.call(t, "PATCH", exception, `{"destination":{"username":"nobody"}}`).want(409, "unknown_account")
}

func TestPatchOfDefaults(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	one := "/v1/account_maps/" + id
	for _, name := range []string{"bob", "fay"} {
		patch := `{"source":{"default":{"username":"` + name + `"}},"destination":{"default":{"username":"` + name + `"}}}`
		got := a.call(t, "PATCH", one, patch).want(200)
		if got.text("account_map", "source", "default", "id") != source+"-"+name || got.text("account_map", "destination", "default", "id") != destination+"-"+name {
			t.Errorf("%s makes %s", patch, got.Body)
		}
	}
	if got := a.call(t, "PATCH", one, `{"name":"Folk","source":{"default":null}}`).want(200); got.get("account_map", "source", "default") != nil || got.text("account_map", "destination", "default", "username") != "fay" {
		t.Errorf("without a default of the source the map is %s", got.Body)
	}
}

func TestPatchOfLists(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	one := "/v1/account_maps/" + id
	a.call(t, "POST", one+"/exceptions", `{"source":{"username":"ann"},"destination":{"username":"bob"}}`).want(201)
	for _, c := range []struct {
		patch string
		left  float64
	}{{`{"exceptions":null,"exclusions":null}`, 1}, {`{"exceptions":[]}`, 0}} {
		a.call(t, "PATCH", one, c.patch).want(200)
		if n := a.call(t, "GET", one+"/exceptions", nil).want(200).get("meta", "total_count"); n != c.left {
			t.Errorf("%s leaves %v exceptions, want %v", c.patch, n, c.left)
		}
	}
}

// TestPatchSwitchesOff takes what was filled in with an option back with it.
func TestPatchSwitchesOff(t *testing.T) {
	t.Parallel()
	a, source, destination, _ := mapped(t)
	for _, c := range []struct {
		patch              string
		threshold, resolve any
		code               string
	}{
		{`{"map_by":{"fuzzy":false}}`, nil, "never", ""},
		{`{"map_by":{"fuzzy":null}}`, nil, "never", ""},
		{`{"map_by":{"external_passthrough":false}}`, 0.9, nil, ""},
		{`{"map_by":{"fuzzy":false,"external_passthrough":false}}`, nil, nil, ""},
		{`{"map_by":{"email":true}}`, 0.9, "never", ""},
		{`{"map_by":{"fuzzy":false,"fuzzy_threshold":0.8}}`, nil, nil, "unsupported_option"},
		{`{"map_by":{"external_passthrough":false,"external_resolve":"first"}}`, nil, nil, "unsupported_option"},
	} {
		options := `{"username":true,"fuzzy":true,"fuzzy_threshold":0.9,"external_passthrough":true}`
		made := a.call(t, "POST", "/v1/account_maps", mapOf(source, destination, c.patch, options)).want(201)
		one := "/v1/account_maps/" + made.text("account_map", "id")
		if c.code != "" {
			a.call(t, "PATCH", one, c.patch).want(422, c.code)
			continue
		}
		got := a.call(t, "PATCH", one, c.patch).want(200)
		if got.get("account_map", "map_by", "fuzzy_threshold") != c.threshold || got.get("account_map", "map_by", "external_resolve") != c.resolve {
			t.Errorf("%s makes %s", c.patch, got.Body)
		}
	}
}

func TestPatchOfAnotherID(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	job := a.call(t, "POST", "/v1/jobs", `{"kind":"transfer","transfer":{"source":{"connection":{"id":"`+source+`"}},"destination":{"connection":{"id":"`+destination+`"}}}}`).want(201)
	made := a.call(t, "POST", "/v1/user_mappings", mapping(source, destination, "ann@"+source+".example", "ann")).want(201)
	for _, path := range []string{
		"/v1/account_maps/" + id, "/v1/connections/" + source, "/v1/jobs/" + job.text("job", "id"), "/v1/user_mappings/" + made.text("user_mapping", "id"),
	} {
		a.call(t, "PATCH", path, `{"id":"another"}`).want(422, "invalid")
		a.call(t, "PATCH", path, `{"id":"`+path[strings.LastIndex(path, "/")+1:]+`"}`).want(200)
	}
}

func TestBadPatches(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	one := "/v1/account_maps/" + id
	exception := one + "/exceptions/" + a.call(t, "POST", one+"/exceptions", `{"source":{"username":"ann"},"destination":{"username":"bob"}}`).want(201).text("item", "id")
	for _, c := range []struct{ path, patch, field string }{
		{exception, `{"destination":null}`, "destination"},
		{exception, `{"destination":{"username":7}}`, "destination.username"},
		{exception, `{"Destination":{"username":"fay"}}`, "Destination"},
		{exception, `{"colour":"red"}`, "colour"},
		{exception, `{"destination":"fay"}`, "destination"},
		{exception, `[]`, ""},
		{exception, `{"destination":`, ""},
		{one, `{"map_by":{"colour":true}}`, "map_by.colour"},
		{one, `{"source":7}`, "source"},
		{one, `{"destination":{"default":{"id":7}}}`, "destination.default.id"},
		{one, `{"name":null}`, "name"},
	} {
		got := a.call(t, "PATCH", c.path, c.patch).want(400, "malformed")
		if c.field != "" && !strings.Contains(string(got.Body), `"field":"`+c.field+`"`) {
			t.Errorf("%s: the field at fault is not %s: %s", c.patch, c.field, got.Body)
		}
	}
}
