package server_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestItemPlaces(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	exceptions := "/v1/account_maps/" + id + "/exceptions"
	for body, field := range map[string]string{
		`{"source":{"username":"nobody"},"destination":{"username":"ann"}}`:                                                                                                  "source",
		`{"append":true,"items":[{"source":{"username":"bob"},"destination":{"username":"ann"}},{"source":{"username":"nobody"},"destination":{"username":"ann"}}]}`:         "items[1].source",
		`{"append":true,"items":[{"source":{"username":"bob"},"destination":{"username":"ann"}},{"source":{"username":"bob"},"destination":{"username":"ann","id":"zoe"}}]}`: "items[1].",
	} {
		got := a.call(t, "POST", exceptions, body)
		if !strings.Contains(string(got.Body), `"field":"`+field) || got.Status != 409 {
			t.Errorf("%s: the field at fault is not %s: %s", body, field, got.Body)
		}
	}
	got := a.call(t, "POST", "/v1/account_maps/"+id+"/resolve", `{"sources":[{"username":"ann"},{"username":"nobody"}]}`).want(409, "unknown_account")
	if !strings.Contains(string(got.Body), `"sources[1]"`) {
		t.Errorf("the source at fault is not named: %s", got.Body)
	}
}

func TestItemFiles(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	exceptions := "/v1/account_maps/" + id + "/exceptions"
	asCSV := header("Content-Type", "text/csv; charset=utf-8")
	good := csvOf("ann", "bob", "bob", "ann")
	report := a.call(t, "POST", exceptions, good, asCSV).want(200)
	if report.get("import_report", "created") != 2.0 || report.get("import_report", "count") != 2.0 {
		t.Errorf("got %s", report.Body)
	}
	again := a.call(t, "POST", exceptions+"?append=false", csvOf("ann", "bob"), asCSV).want(200)
	if again.get("import_report", "unchanged") != 1.0 || again.get("import_report", "deleted") != 1.0 {
		t.Errorf("got %s", again.Body)
	}
	for text, lines := range map[string][]string{
		csvOf("cyd", "dan", "nobody", "ann", "dan", "cyd", "zoe", "ann"): {"Line 3: ", "Line 5: "},
		csvOf("cyd", "dan", "cyd", "ann"):                                {"Line 3: "},
		csvOf("cyd", "", "dan", "cyd"):                                   {"Line 2"},
	} {
		got := a.call(t, "POST", exceptions, text, asCSV)
		for _, line := range lines {
			if got.Status < 400 || !strings.Contains(string(got.Body), line) {
				t.Errorf("%s is not named in %d %s", line, got.Status, got.Body)
			}
		}
	}
	a.call(t, "POST", exceptions, "", asCSV).want(422, "invalid")
	a.call(t, "POST", exceptions, "source_id\n", asCSV).want(422, "invalid")
	a.call(t, "POST", exceptions, strings.Replace(good, "ann", "a\x00n", 1), asCSV).want(422, "invalid")
	a.call(t, "POST", exceptions, good, header("Content-Type", "image/png")).want(400, "malformed")
	latin := a.call(t, "POST", exceptions, good, header("Content-Type", "text/csv; charset=iso-8859-1")).want(400, "malformed")
	if !strings.Contains(latin.text("detail"), "UTF-8") {
		t.Errorf("a file in Latin-1 was refused with %s", latin.Body)
	}
	unbroken := a.call(t, "POST", exceptions, strings.Repeat("x", 9<<20), asCSV).want(422, "invalid")
	if !strings.Contains(unbroken.text("detail"), "longer than 8 MiB") {
		t.Errorf("a file without a line break was refused with %s", unbroken.Body)
	}
	a.call(t, "POST", exceptions, good, header("Content-Type", "multipart/form-data")).want(400, "malformed")
	body, contentType := form(t, good)
	a.call(t, "POST", exceptions, body, header("Content-Type", contentType)).want(200)
	a.call(t, "POST", exceptions, body[:len(body)-20], header("Content-Type", contentType)).want(400, "malformed")
	a.call(t, "POST", exceptions, body[:40], header("Content-Type", contentType)).want(400, "malformed")
	a.call(t, "POST", exceptions, "", header("Content-Type", contentType)).want(400, "malformed")
	empty, contentType := form(t, "")
	a.call(t, "POST", exceptions, empty, header("Content-Type", contentType)).want(422, "invalid")
	second := strings.Replace(string(body), "--"+boundary(body)+"--", "--"+boundary(body)+"\r\nContent-Disposition: form-data; name=\"append\"\r\n\r\nfalse\r\n--"+boundary(body)+"--", 1)
	a.call(t, "POST", exceptions, second, header("Content-Type", "multipart/form-data; boundary="+boundary(body))).want(400, "malformed")
	if n := a.call(t, "GET", exceptions, nil).want(200).get("meta", "total_count"); n != 2.0 {
		t.Errorf("%v exceptions after all that was refused, want 2", n)
	}
}

// boundary returns what divides the parts of a form.
func boundary(form []byte) string {
	first, _, _ := strings.Cut(string(form), "\r\n")
	return strings.TrimPrefix(first, "--")
}

// rowsWithoutEnd is a file that nobody holds: a header, and then the same row again and again.
type rowsWithoutEnd struct{ text, row string }

func (r *rowsWithoutEnd) Read(p []byte) (int, error) {
	if r.text == "" {
		r.text = r.row
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

func TestLargeFilesAreNotHeld(t *testing.T) {
	for name, c := range map[string]struct {
		row    string
		status int
	}{
		"too many rows":  {`"","nobody","","","","nobody","",""` + strings.Repeat(" ", 400) + "\n", http.StatusUnprocessableEntity}, // 100 MB of them are read
		"too many bytes": {strings.Repeat(",x", 2000) + "\n", http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _, id := mapped(t)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/account_maps/"+id+"/exceptions", &rowsWithoutEnd{csvOf(), c.row})
			r.Header.Set("Authorization", "Bearer "+a.Token)
			r.Header.Set("Content-Type", "text/csv")
			w := httptest.NewRecorder()
			if held := heldBy(func() { a.Handler.ServeHTTP(w, r) }); held > 64<<20 {
				t.Errorf("the server held %d MiB", held>>20)
			}
			if w.Code != c.status {
				t.Errorf("got %d: %.300s", w.Code, w.Body)
			}
		})
	}
}

// heldBy returns by how many bytes the heap grew at most while do ran, seen every 20 ms.
func heldBy(do func()) uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapInuse, stats.HeapInuse
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	for {
		select {
		case <-done:
			return most - before
		case <-time.After(20 * time.Millisecond):
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapInuse)
		}
	}
}

// TestItemsAreWrittenAtARevision: the entity tag of a map guards its items, too.
func TestItemsAreWrittenAtARevision(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	exceptions := "/v1/account_maps/" + id + "/exceptions"
	pair := `{"source":{"username":"ann"},"destination":{"username":"bob"}}`
	seen := header("If-Match", a.call(t, "GET", "/v1/account_maps/"+id, nil).Header.Get("ETag"))
	item := a.call(t, "POST", exceptions, pair, seen).want(201).text("item", "id")
	one, other := exceptions+"/"+item, `{"source":{"username":"ann"},"destination":{"username":"cyd"}}`
	for _, write := range []struct {
		method, path string
		body         any
	}{
		{"POST", exceptions, `{"source":{"username":"bob"},"destination":{"username":"ann"}}`},
		{"POST", exceptions, `{"append":false,"items":[]}`},
		{"PUT", one, other},
		{"PATCH", one, `{"destination":{"username":"cyd"}}`},
		{"DELETE", one, nil},
		{"DELETE", exceptions, nil},
	} {
		a.call(t, write.method, write.path, write.body, seen).want(412, "revision_conflict")
	}
	a.call(t, "GET", one, nil).want(200)
	now := header("If-Match", a.call(t, "GET", "/v1/account_maps/"+id, nil).Header.Get("ETag"))
	a.call(t, "DELETE", one, nil, now).want(204)
}
