package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func embedded(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	return clientOf(t, "ignored", func(c *Config) { c.Transport = HandlerTransport(h) })
}

func TestHandlerIsServedAsByAServer(t *testing.T) {
	c := embedded(t, func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || len(body) == 0 || int64(len(body)) != req.ContentLength {
			t.Errorf("body %q of %d, %v", body, req.ContentLength, err)
		}
		if req.URL.String() != "/v1/user_mappings" || req.RequestURI != "/v1/user_mappings" || req.Host == "" || req.RemoteAddr == "" || req.ProtoMajor != 1 {
			t.Errorf("got %s, URI %s, host %s, from %s", req.URL, req.RequestURI, req.Host, req.RemoteAddr)
		}
		if req.Header.Get("Authorization") != "Bearer "+secretToken || req.Header.Get("Idempotency-Key") != "k" {
			t.Errorf("headers %v", req.Header)
		}
		mapping(w, req)
		w.Header().Set("Content-Type", "too late")
		w.WriteHeader(http.StatusTeapot)
	})
	m, warnings, err := c.CreateUserMapping(t.Context(), "k", idmap.UserMapping{UserID: "a"})
	if err != nil || m.ID != "um_1" || len(warnings) != 1 {
		t.Errorf("got %+v, %v, %v", m, warnings, err)
	}
}

// A method with a pattern of net/http must match, and a GET must have a body that can be read.
func TestHandlerBehindAMux(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/user_mappings/{id}", func(w http.ResponseWriter, req *http.Request) {
		if id := req.PathValue("id"); id != "a/b" {
			t.Errorf("id %q", id)
		}
		if body, err := io.ReadAll(req.Body); err != nil || len(body) != 0 {
			t.Errorf("body %q, %v", body, err)
		}
		mapping(w, req)
	})
	if _, err := embedded(t, mux.ServeHTTP).UserMapping(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
}

func TestHandlerThatPanics(t *testing.T) {
	var calls atomic.Int32
	c := embedded(t, func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic("boom")
	})
	_, err := c.UserMapping(t.Context(), "um_1")
	if !idmap.IsKind(err, idmap.KindInternal) || calls.Load() != 1 {
		t.Fatalf("%d calls, %v", calls.Load(), err)
	}
	wantWords(t, err.Error(), "boom", "fault of the program")

	calls.Store(0)
	c = embedded(t, func(w http.ResponseWriter, req *http.Request) {
		if calls.Add(1) == 1 {
			cut(w, req)
		}
		mapping(w, req)
	})
	if _, err := c.UserMapping(t.Context(), "um_1"); err != nil || calls.Load() != 2 {
		t.Errorf("an aborted answer is tried again: %d calls, %v", calls.Load(), err)
	}
}

func TestHandlerSeesTheContextOfTheCaller(t *testing.T) {
	seen := make(chan error, 1)
	c := embedded(t, func(_ http.ResponseWriter, req *http.Request) {
		<-req.Context().Done()
		seen <- req.Context().Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.UserMapping(ctx, "um_1"); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
	if err := <-seen; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler saw %v", err)
	}
}

// A handler that does not look at its context keeps nobody waiting, and what it still writes hurts nobody.
func TestHandlerThatHangs(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	c := embedded(t, func(w http.ResponseWriter, req *http.Request) {
		defer close(done)
		<-release
		mapping(w, req)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.UserMapping(ctx, "um_1"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("the caller got %v", err)
	} else {
		wantWords(t, err.Error(), "inside this program")
	}
	close(release)
	<-done
}
