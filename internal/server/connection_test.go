package server_test

import (
	"fmt"
	"testing"
)

// settings returns the settings of sign-ins that an answer has.
func settings(got reply) string {
	of := func(name string) any { return got.get("connection", name) }
	return fmt.Sprintf("%v %v %v %v", of("sign_in_disabled"), of("sign_in_mapping"), of("on_sign_out"), of("sign_in_history_days"))
}

func TestSettingsOfSignIns(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const defaults, others = "<nil> create keep 180", "true require remove 30"
	expect := func(got reply, want string) {
		t.Helper()
		if settings(got) != want {
			t.Errorf("got %s, want %s: %s", settings(got), want, got.Body)
		}
	}
	const bare, path = `"name":"App","platform":{"id":"generic"}`, "/v1/connections/app"
	const given = `"sign_in_disabled":true,"sign_in_mapping":"require","on_sign_out":"remove","sign_in_history_days":30`
	expect(a.call(t, "POST", "/v1/connections", `{"id":"app",`+bare+`}`).want(201), defaults)
	put := a.call(t, "PUT", path, `{`+bare+`,`+given+`}`).want(200)
	expect(put, others)
	expect(a.call(t, "GET", path, nil).want(200), others)
	if again := a.call(t, "PUT", path, `{`+bare+`,`+given+`}`).want(200); again.Header.Get("ETag") != put.Header.Get("ETag") {
		t.Errorf("a repeated PUT changed something: %s", again.Body)
	}
	expect(a.call(t, "PATCH", path, `{"mail_domain":"example.com"}`).want(200), others)
	expect(a.call(t, "PATCH", path, `{"on_sign_out":"keep"}`).want(200), "true require keep 30")
	expect(a.call(t, "PATCH", path, `{"sign_in_disabled":false,"sign_in_mapping":null,"sign_in_history_days":null}`).want(200), defaults)
	a.call(t, "PUT", path, `{`+bare+`,`+given+`}`).want(200)
	plain := a.call(t, "PUT", path, `{`+bare+`}`).want(200)
	expect(plain, defaults)
	if again := a.call(t, "PUT", path, `{`+bare+`,"sign_in_mapping":"create","sign_in_history_days":180}`).want(200); again.Header.Get("ETag") != plain.Header.Get("ETag") {
		t.Errorf("the defaults, written out, changed something: %s", again.Body)
	}
	expect(a.call(t, "POST", "/v1/connections", `{"name":"Other","platform":{"id":"generic"},`+given+`}`).want(201), others)
	expect(a.call(t, "POST", "/v1/connections", `{"name":"Last","platform":{"id":"generic"},"sign_in_history_days":3650}`).want(201), "<nil> create keep 3650")
}

func TestSettingsOutOfRange(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.call(t, "POST", "/v1/connections", `{"id":"app","name":"App","platform":{"id":"generic"},"sign_in_history_days":7}`).want(201)
	for _, c := range []struct {
		field, value, code string
		status             int
	}{
		{"sign_in_history_days", "0", "invalid", 422},
		{"sign_in_history_days", "-1", "invalid", 422},
		{"sign_in_history_days", "3651", "invalid", 422},
		{"sign_in_history_days", "1.5", "malformed", 400},
		{"sign_in_history_days", "9999999999999999", "invalid", 422},
		{"sign_in_history_days", `"7"`, "malformed", 400},
		{"sign_in_mapping", `"refuse"`, "malformed", 400},
		{"sign_in_mapping", `""`, "malformed", 400},
		{"on_sign_out", `"delete"`, "malformed", 400},
		{"sign_in_disabled", `"yes"`, "malformed", 400},
	} {
		body := `{"name":"New","platform":{"id":"generic"},"` + c.field + `":` + c.value + `}`
		for _, got := range []reply{
			a.call(t, "POST", "/v1/connections", body), a.call(t, "PUT", "/v1/connections/app", body),
			a.call(t, "PATCH", "/v1/connections/app", `{"`+c.field+`":`+c.value+`}`),
		} {
			if field := got.want(c.status, c.code).rows("errors")[0]["field"]; field != c.field {
				t.Errorf("%s %s: at %v: %s", c.field, c.value, field, got.Body)
			}
		}
	}
	if got := a.call(t, "GET", "/v1/connections/app", nil).want(200); got.text("connection", "name") != "App" || got.get("connection", "sign_in_history_days") != 7.0 {
		t.Errorf("a refused write changed something: %s", got.Body)
	}
}

func TestPermissionOfAccounts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	_, app := connect(t, a)
	accounts := "/v1/connections/" + app + "/accounts"
	expect := func(id string, want any) {
		t.Helper()
		if got := a.call(t, "GET", accounts+"/"+id, nil).want(200); got.get("account", "sign_in_permitted") != want {
			t.Errorf("want %v: %s", want, got.Body)
		}
	}
	a.call(t, "PUT", accounts+"/a1", `{"id":"a1","sign_in_permitted":false}`).want(200)
	expect("a1", false)
	a.call(t, "PUT", accounts+"/a1", `{"id":"a1","sign_in_permitted":true}`).want(200)
	expect("a1", true)
	a.call(t, "PUT", accounts+"/a1", `{"id":"a1"}`).want(200)
	expect("a1", nil)
	a.call(t, "PUT", accounts+"/a1", `{"id":"a1","sign_in_permitted":"no"}`).want(400, "malformed")
	lines := `{"id":"a1","sign_in_permitted":true}` + "\n" + `{"id":"a2","sign_in_permitted":false}` + "\n" + `{"id":"a3"}`
	a.call(t, "POST", accounts+"/import", lines, header("Content-Type", "application/jsonl")).want(200)
	expect("a1", true)
	expect("a2", false)
	expect("a3", nil)
	a.call(t, "POST", accounts+"/import", "id,sign_in_permitted\na1,false\na2,\na3,true\n", header("Content-Type", "text/csv")).want(200)
	expect("a1", false)
	expect("a2", nil)
	expect("a3", true)
	if rows := a.call(t, "GET", accounts, nil).want(200).rows("accounts"); rows[0]["sign_in_permitted"] != false || rows[2]["sign_in_permitted"] != true {
		t.Errorf("listed %v", rows)
	}
	a.call(t, "POST", accounts+"/import", `{"id":"a1","sign_in_permitted":1}`, header("Content-Type", "application/jsonl")).want(422, "invalid")
	a.call(t, "POST", accounts+"/import", "id,sign_in_permitted\na1,maybe\n", header("Content-Type", "text/csv")).want(422, "invalid")
}
