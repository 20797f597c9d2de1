package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestCompression asks for the same with and without compression: everything but the bytes on the way is the same.
func TestCompression(t *testing.T) {
	a := newAPI(t)
	mail, app := connect(t, a)
	people := "id,username,name\n"
	for n := range 100 {
		people += fmt.Sprintf("id-%d,user-%d,Person %d\n", n, n, n)
	}
	a.call(t, "POST", "/v1/connections/"+mail+"/accounts/import", people, header("Content-Type", "text/csv")).want(200)
	made := a.call(t, "POST", "/v1/account_maps", mapOf(mail, app, "People", `{"id":true}`)).want(201)
	report := "/v1/account_maps/" + made.text("account_map", "id") + "/report?format=csv"
	for _, c := range []struct {
		name, method, path string
		body               any
		accept             string
		status             int
		compressed         bool
	}{
		{"a list", "GET", "/v1/connections/" + mail + "/accounts?limit=100", nil, "gzip", 200, true},
		{"among others", "GET", "/v1/connections/" + mail + "/accounts?limit=100", nil, "br, gzip;q=0.5", 200, true},
		{"a file", "GET", report, nil, "gzip", 200, true},
		{"many faults", "POST", "/v1/user_mappings/batch", `{"items":` + times(500, "{}") + `}`, "gzip", 400, true},
		{"the document", "GET", "/openapi.json", nil, "gzip", 200, true},
		{"one object", "GET", "/v1/connections/" + mail, nil, "gzip", 200, false},
		{"one fault", "GET", "/v1/connections/none", nil, "gzip", 404, false},
		{"not asked for", "GET", "/v1/connections/" + mail + "/accounts?limit=100", nil, "", 200, false},
		{"refused", "GET", "/v1/connections/" + mail + "/accounts?limit=100", nil, "gzip;q=0", 200, false},
		{"another one", "GET", "/v1/connections/" + mail + "/accounts?limit=100", nil, "br, zstd", 200, false},
		{"a word", "GET", "/healthz", nil, "gzip", 200, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := a.over(t, c.method, c.path, c.body, "")
			got := a.over(t, c.method, c.path, c.body, c.accept)
			if got.Status != c.status || got.Header.Get("Content-Encoding") == "gzip" != c.compressed {
				t.Fatalf("answered %d as %q", got.Status, got.Header.Get("Content-Encoding"))
			}
			if c.compressed {
				if len(got.Body) >= len(want.Body)/2 {
					t.Errorf("%d bytes became %d", len(want.Body), len(got.Body))
				}
				unpacked, err := gzip.NewReader(bytes.NewReader(got.Body))
				if err != nil {
					t.Fatal(err)
				}
				if got.Body, err = io.ReadAll(unpacked); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got.Body, want.Body) {
				t.Errorf("got %.300s, want %.300s", got.Body, want.Body)
			}
			for _, name := range []string{"Content-Type", "ETag", "Content-Disposition"} {
				if got.Header.Get(name) != want.Header.Get(name) {
					t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want.Header.Get(name))
				}
			}
			if !strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "Accept-Encoding") {
				t.Error("a cache is not told that answers vary")
			}
		})
	}
	// The status is that of the answer, however it was sent.
	if count := `route="POST /v1/user_mappings/batch",status="400"} 2`; !strings.Contains(string(a.call(t, "GET", "/metrics", nil).Body), count) {
		t.Errorf("the metrics have no %s", count)
	}
}

// over sends a request over the network, and returns the bytes as they came.
func (a *api) over(t *testing.T, method, path string, body any, accept string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.URL+path, bodyOf(t, body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.Token)
	r.Header.Set("Content-Type", "application/json")
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	web := &http.Transport{DisableCompression: true}
	defer web.CloseIdleConnections()
	response, err := web.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{t: t, Status: response.StatusCode, Header: response.Header, Body: text}
}
