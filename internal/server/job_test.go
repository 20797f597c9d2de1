package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestTheDocumentHasAllStatuses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var documented []idmap.JobStatus
	for _, status := range a.doc.Components.Schemas["Job"].Value.Properties["status"].Value.Enum {
		documented = append(documented, idmap.JobStatus(fmt.Sprint(status)))
	}
	if !slices.Equal(documented, idmap.JobStatuses()) {
		t.Errorf("the document has the statuses %v, and there are %v", documented, idmap.JobStatuses())
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	a, source, destination, id := mapped(t)
	job := func(from, to, accountMap string) string {
		return fmt.Sprintf(`{"type":"job","name":"Move","kind":"transfer","transfer":{"source":{"connection":{"id":%q}},"destination":{"connection":{"id":%q}},"account_map":{"id":%q}}}`, from, to, accountMap)
	}
	made := a.call(t, "POST", "/v1/jobs", job(source, destination, id)).want(201)
	one := "/v1/jobs/" + made.text("job", "id")
	if made.get("job", "transfer", "account_map", "revision") != 1.0 || made.Header.Get("ETag") != `"1"` {
		t.Errorf("made %s", made.Body)
	}
	a.call(t, "POST", "/v1/jobs", job(destination, source, id)).want(409, "connection_mismatch", "connection_mismatch")
	a.call(t, "POST", "/v1/jobs", strings.Replace(job(source, destination, id), "transfer", "cleanup", 1)).want(400, "malformed")
	a.call(t, "PUT", one, strings.Replace(job(source, destination, id), "Move", "Moved", 1), header("If-Match", `"4"`)).want(412, "revision_conflict")
	put := a.call(t, "PUT", one, strings.Replace(job(source, destination, id), "Move", "Moved", 1), header("If-Match", `"1"`)).want(200)
	if put.text("job", "name") != "Moved" || put.text("job", "status") != "idle" {
		t.Errorf("replaced by %s", put.Body)
	}
	a.call(t, "PATCH", "/v1/account_maps/"+id, `{"map_by":{"email":true}}`).want(200)
	for query, status := range map[string]string{"start": "start", "pause": "paused", "resume": "resume", "cancel": "cancel"} {
		if got := a.call(t, "PATCH", one+"?"+query+"=1", nil).want(200); got.text("job", "status") != status {
			t.Errorf("%s makes the status %s", query, got.text("job", "status"))
		}
	}
	both := a.call(t, "PATCH", one+"?start=true", `{"name":"Again","colour":"overlooked"}`).want(200)
	if both.text("job", "name") != "Again" || both.text("job", "status") != "start" || both.get("job", "transfer", "account_map", "revision") != 2.0 {
		t.Errorf("a started job uses the map as it is then: %s", both.Body)
	}
	a.call(t, "PATCH", one, nil).want(400, "malformed")
	for query, n := range map[string]float64{
		"map=" + id: 1, "map=none": 0, "active=true": 1, "status=idle": 0, "kind=transfer&q=AGA": 1,
	} {
		if got := a.call(t, "GET", "/v1/jobs?"+query, nil).want(200).get("meta", "total_count"); got != n {
			t.Errorf("%s finds %v jobs, want %v", query, got, n)
		}
	}
	a.call(t, "DELETE", one, nil, header("If-Match", `"1"`)).want(412, "revision_conflict")
	a.call(t, "DELETE", one, nil).want(204)
	a.call(t, "GET", one, nil).want(404, "not_found")
}
