package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/server"
)

// firstWrite does something when the answer begins.
type firstWrite struct {
	*httptest.ResponseRecorder
	do func()
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if do := w.do; do != nil {
		w.do = nil
		do()
	}
	return w.ResponseRecorder.Write(p)
}

// TestBrokenExport takes the database away when the first of two pages is on its way.
func TestBrokenExport(t *testing.T) {
	t.Parallel()
	database := acctest.OpenSQLite(t)
	a := apiOf(t, acctest.NewServerOn(t, database))
	source, destination := connect(t, a)
	people := "id,username,name\n"
	for n := range 1500 {
		people += fmt.Sprintf("id-%d,user-%d,%s\n", n, n, strings.Repeat("x", 100))
	}
	a.call(t, "POST", "/v1/connections/"+source+"/accounts/import", people, header("Content-Type", "text/csv")).want(200)
	id := a.call(t, "POST", "/v1/account_maps", mapOf(source, destination, "People", `{"id":true}`)).want(201).text("account_map", "id")

	var log bytes.Buffer
	handler := server.New(a.Backend, server.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/account_maps/"+id+"/report?format=csv", nil)
	r.Header.Set("Authorization", "Bearer "+a.Token)
	w := &firstWrite{httptest.NewRecorder(), func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}}
	if cause, _ := panicOf(func() { handler.ServeHTTP(w, r) }).(error); !errors.Is(cause, http.ErrAbortHandler) {
		t.Errorf("the export ended with %v, so its client takes it for the whole", cause)
	}
	for _, line := range []string{"level=ERROR msg=\"export broken off\" request_id=" + w.Header().Get("X-Request-Id") + " cause=", "level=INFO msg=request request_id=" + w.Header().Get("X-Request-Id")} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log has no line %s:\n%s", line, log.String())
		}
	}
	metrics := httptest.NewRecorder()
	handler.ServeHTTP(metrics, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if count := `idmap_http_request_duration_seconds_count{route="GET /v1/account_maps/{id}/report",status="200"} 1`; !strings.Contains(metrics.Body.String(), count) {
		t.Errorf("the request was not counted: no %s", count)
	}
}

func panicOf(do func()) (cause any) {
	defer func() { cause = recover() }()
	do()
	return nil
}
