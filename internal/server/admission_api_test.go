package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/server"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// hold keeps all writes of a database waiting until the function is called.
func hold(t *testing.T, database store.Store) (release func()) {
	t.Helper()
	held, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- database.Update(context.WithoutCancel(t.Context()), func(store.Tx) error {
			close(held)
			<-free
			return nil
		})
	}()
	<-held
	return sync.OnceFunc(func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// metric reads a number from the metrics of a server.
func metric(t *testing.T, handler http.Handler, name string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(w.Body.String())
	if line == nil {
		t.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(line[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// until waits for something to happen.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// newToken returns a client with a token of its own.
func newToken(t *testing.T, a *acctest.Server, url, name string, concurrent int) *client.Client {
	t.Helper()
	made, err := a.Client.CreateToken(t.Context(), idmap.Token{Name: name, Scopes: []idmap.Scope{idmap.ScopeWrite}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Config{Endpoint: url, Token: made.Secret, MaxConcurrentRequests: concurrent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

const (
	waitingRequests = "idmap_http_requests_waiting"
	// share is how many requests of one token the server works on at once.
	share = 112
)

// TestStorm sends 2,000 requests of one token from 200 goroutines while nothing can be written: a client with another
// token is answered before any of them, a request whose client has gone waits no longer, and in the end none has failed.
// It counts goroutines, so it runs alone.
func TestStorm(t *testing.T) {
	const callers, requests = 200, 2000
	database := acctest.OpenSQLite(t)
	a := acctest.NewServerOn(t, database)
	storm, polite := newToken(t, a, a.URL, "storm", callers+1), newToken(t, a, a.URL, "polite", 0)
	if _, err := polite.Capabilities(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	release := hold(t, database)
	defer release()
	var all sync.WaitGroup
	var answered atomic.Int64
	for n := range callers {
		all.Go(func() {
			made, err := storm.CreateConnection(t.Context(), "", idmap.Connection{Name: fmt.Sprint("Connection ", n), Platform: idmap.PlatformRef{ID: "generic"}})
			answered.Add(1)
			for range requests/callers - 1 {
				if err == nil {
					_, err = storm.Connection(t.Context(), made.ID)
				}
			}
			if err != nil {
				t.Errorf("caller %d: %v", n, err)
			}
		})
	}
	waiting := func() float64 { return metric(t, a.Handler, waitingRequests) }
	until(t, "the storm to fill its share", func() bool { return waiting() > 0 && answered.Load() == 0 })
	if _, err := polite.Capabilities(t.Context()); err != nil || answered.Load() != 0 {
		t.Errorf("the other client was answered after %d of the storm, %v", answered.Load(), err)
	}
	until(t, "all of the storm to be there", func() bool { return waiting() == callers-share })

	// A request with a body, of which only a server that has read it hears that its client has gone.
	ctx, leave := context.WithCancel(t.Context())
	all.Go(func() {
		_, err := storm.CreateConnection(ctx, "", idmap.Connection{Name: "Gone", Platform: idmap.PlatformRef{ID: "generic"}})
		if err == nil {
			t.Error("a request that was given up came through")
		}
	})
	until(t, "one more to wait", func() bool { return waiting() == callers-share+1 })
	leave()
	until(t, "it to leave", func() bool { return waiting() == callers-share })
	if n := metric(t, a.Handler, `idmap_http_requests_refused_total{reason="patience"}`); n != 0 {
		t.Errorf("%v requests waited in vain: the server did not hear that the client had gone", n)
	}
	if many := runtime.NumGoroutine() - before; many > 12*callers {
		t.Errorf("%d goroutines for %d requests", many, callers)
	}

	release()
	all.Wait()
	if n := waiting(); n != 0 {
		t.Errorf("%v requests wait when all are answered", n)
	}
	storm.Close()
	until(t, "the goroutines of the storm to end", func() bool { return runtime.NumGoroutine() <= before+10 })
}

// TestRateLimit sends more than a server takes of one token: the client that retries comes through, and another token
// meets nothing of it.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	const limit, requests, callers = 50, 120, 20
	a := acctest.NewServer(t)
	handler := server.New(a.Backend, server.Options{RateLimit: limit})
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	many := newToken(t, a, web.URL, "many", 0)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range requests / callers {
				if _, err := many.Capabilities(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	const refused = `idmap_http_requests_refused_total{reason="rate_limit"}`
	until(t, "the limit to be reached", func() bool { return metric(t, handler, refused) > 0 })
	secret, err := a.Client.CreateToken(t.Context(), idmap.Token{Name: "other", Scopes: []idmap.Scope{idmap.ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	other := func() *httptest.ResponseRecorder {
		r, w := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/capabilities", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+secret.Secret)
		handler.ServeHTTP(w, r)
		return w
	}
	if w := other(); w.Code != http.StatusOK || w.Header().Get("RateLimit-Limit") != "50" || w.Header().Get("RateLimit-Remaining") != "49" {
		t.Errorf("another token is answered %d with %v: %s", w.Code, w.Header(), w.Body)
	}
	all.Wait()
	var last *httptest.ResponseRecorder
	until(t, "a refusal", func() bool { last = other(); return last.Code != http.StatusOK })
	if last.Code != http.StatusTooManyRequests || last.Header().Get("Retry-After") != "1" || last.Header().Get("RateLimit-Remaining") != "0" || last.Header().Get("Content-Type") != "application/problem+json" ||
		!strings.Contains(last.Body.String(), `"code":"rate_limited"`) || !strings.Contains(last.Body.String(), `more than 50 requests within a second`) {
		t.Errorf("answered %d with %v: %s", last.Code, last.Header(), last.Body)
	}
	for _, open := range []string{"/healthz", "/metrics", "/openapi.json"} {
		for range 2 * limit {
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, open, nil)); w.Code != http.StatusOK {
				t.Fatalf("%s is answered %d", open, w.Code)
			}
		}
	}
}
