package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
	"go.uber.org/goleak"
)

const secretToken = "idmap_t0p-s3cret/+="

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server that answers its requests in turn, the last answer over and over, and remembers what it was asked.
type script struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
	answers  []http.HandlerFunc
}

type seen struct {
	method, uri, body string
	header            http.Header
	at                time.Time
}

func serve(t *testing.T, answers ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(req.Body)
	s.mu.Lock()
	answer := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests = append(s.requests, seen{req.Method, req.URL.RequestURI(), body.String(), req.Header.Clone(), time.Now()})
	s.mu.Unlock()
	answer(w, req)
}

func (s *script) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.requests...)
}

// clientOf returns a client that waits little between attempts.
func clientOf(t *testing.T, endpoint string, change func(*Config)) *Client {
	t.Helper()
	config := Config{Endpoint: endpoint, Token: secretToken, RequestTimeout: 5 * time.Second}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	c.retry.RetryWaitMin, c.retry.RetryWaitMax = time.Millisecond, 5*time.Millisecond
	t.Cleanup(c.Close)
	return c
}

func answerJSON(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		w.Header().Set("X-Request-Id", "req-1")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func problemJSON(status int, code, description string, header ...string) http.HandlerFunc {
	body, _ := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status,
		"errors": []any{map[string]any{"code": code, "field": "email", "description": description}},
	})
	return answerJSON(status, string(body), header...)
}

const mappingBody = `{"type":"user_mapping","user_mapping":{"id":"um_1","email":"a@example.com","user_id":"a","revision":3},"warnings":[{"code":"email_is_alias","description":"It is an alias."}]}`

var mapping = answerJSON(http.StatusOK, mappingBody)

// cut breaks the connection off without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// half promises more than it sends.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(mappingBody)))
	_, _ = w.Write([]byte(mappingBody[:20]))
}

// logged returns a context that logs at every level, and a function that returns the log.
func logged(t *testing.T) (context.Context, func() string) {
	t.Helper()
	var log lockedBuffer
	return tflogtest.RootLogger(t.Context(), &log), log.String
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not say %q", text, word)
		}
	}
}

func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, secretToken) || strings.Contains(text, "s3cret") {
		t.Errorf("the token is in %q", text)
	}
}
