package server_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMapReports(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	report := "/v1/account_maps/" + id + "/report"
	a.call(t, "POST", "/v1/account_maps/"+id+"/exclusions/source", `{"sid":{"username":"fay"}}`).want(201)
	first := a.call(t, "GET", report+"?limit=3", nil).want(200)
	if first.get("map_report", "totals") == nil || first.get("meta", "total_count") != 7.0 || first.text("type") != "map_report" {
		t.Errorf("the first page is %s", first.Body)
	}
	second := a.call(t, "GET", first.text("meta", "links", "next", "href"), nil).want(200)
	if second.get("map_report", "totals") != nil || second.get("meta", "offset") != 3.0 {
		t.Errorf("the second page is %s", second.Body)
	}
	for query, n := range map[string]float64{
		"resolution=Username": 5, "resolution=excluded,Unresolved": 2, "resolution=Excluded&resolution=Unresolved": 2, "reason=no_candidate": 1, "q=ANN": 1,
	} {
		if got := a.call(t, "GET", report+"?"+query, nil).want(200).get("meta", "total_count"); got != n {
			t.Errorf("%s selects %v rows, want %v", query, got, n)
		}
	}
	if rest := a.call(t, "GET", report+"?offset=5", nil).want(200); rest.get("map_report", "totals") == nil || rest.get("meta", "offset") != 5.0 {
		t.Errorf("from the sixth row on: %s", rest.Body)
	}
	for name, got := range map[string]reply{
		"by parameter": a.call(t, "GET", report+"?format=csv&limit=1", nil).want(200),
		"by header":    a.call(t, "GET", report, nil, header("Accept", "text/csv, */*;q=0.1")).want(200),
		"of a preview": a.call(t, "POST", "/v1/account_maps/preview?format=csv", `{"id":"`+id+`","map":`+mapOf(source, destination, "People", `{"username":true}`)+`}`).want(200),
	} {
		rows, err := csv.NewReader(strings.NewReader(string(got.Body))).ReadAll()
		if err != nil || len(rows) != 8 || len(rows[0]) != 8 || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment; filename=") {
			t.Errorf("%s: %d rows, %v, %s", name, len(rows), err, got.Header)
		}
	}
	a.call(t, "GET", "/v1/account_maps/none/report?format=csv", nil).want(404, "not_found")
	resolved := a.call(t, "POST", "/v1/account_maps/"+id+"/resolve", `{"sources":[{"username":"fay"},{"username":"ann"}]}`).want(200).rows("resolutions")
	if resolved[0]["resolution"] != "Excluded" || resolved[1]["resolution"] != "Username" {
		t.Errorf("resolved %v", resolved)
	}
}

// TestReportsOutliveTheTimeout asks a server whose time for an answer is over before a report can be made.
func TestReportsOutliveTheTimeout(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	web := httptest.NewUnstartedServer(a.Handler)
	web.Config.WriteTimeout = time.Nanosecond
	web.Start()
	t.Cleanup(web.Close)
	for _, path := range []string{"/report", "/report?format=csv"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/v1/account_maps/"+id+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+a.Token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s was broken off: %v", path, err)
		}
		if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s was answered %d, %v", path, response.StatusCode, err)
		}
		response.Body.Close()
	}
}

func TestMapPreviewAndValidate(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	wanted := mapOf(source, destination, "Wanted", `{"email":true}`)
	preview := a.call(t, "POST", "/v1/account_maps/preview?resolution=Email", `{"type":"account_map","map":`+wanted+`}`).want(200)
	if preview.get("meta", "total_count") != 1.0 {
		t.Errorf("the guest alone has the same address on both sides: %s", preview.Body)
	}
	proposed := fmt.Sprintf(`{"map":%s,"directories":[{"connection":{"id":%q,"name":"New","platform":{"id":"generic"}},"accounts":[]}]}`, wanted, destination)
	if empty := a.call(t, "POST", "/v1/account_maps/preview?resolution=Email", proposed).want(200); empty.get("meta", "total_count") != 0.0 {
		t.Errorf("the proposed directory is empty: %s", empty.Body)
	}
	a.call(t, "POST", "/v1/account_maps/preview", `{"map":`+mapOf(source, source, "x", `{"id":true}`)+`}`).want(422, "invalid")
	verdicts := a.call(t, "POST", "/v1/account_maps/validate", `{"items":[{"operation":"create","map":`+wanted+`},{"operation":"delete","id":"`+id+`"},{"operation":"update","id":"none","map":`+wanted+`}]}`).want(200).rows("account_map_verdicts")
	if len(verdicts) != 3 || verdicts[0]["violations"] != nil || verdicts[0]["effect"] == nil || verdicts[2]["violations"] == nil {
		t.Errorf("the verdicts are %v", verdicts)
	}
	groups := a.call(t, "POST", "/v1/group_maps/validate", `{"items":[{"operation":"create","map":`+mapOf(source, destination, "Groups", `{"default":true}`)+`}]}`).want(200)
	if len(groups.rows("group_map_verdicts")) != 1 {
		t.Errorf("got %s", groups.Body)
	}
	key := header("Idempotency-Key", "m1")
	made := a.call(t, "POST", "/v1/account_maps", wanted, key).want(201)
	if again := a.call(t, "POST", "/v1/account_maps", wanted, key).want(201); again.text("account_map", "id") != made.text("account_map", "id") {
		t.Errorf("the same key made another map: %s", again.Body)
	}
}
