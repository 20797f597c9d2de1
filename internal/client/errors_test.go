package client

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestRefusals(t *testing.T) {
	for status, kind := range map[int]idmap.ErrorKind{
		400: idmap.KindMalformed, 401: idmap.KindUnauthorized, 403: idmap.KindForbidden, 404: idmap.KindNotFound,
		409: idmap.KindConflict, 412: idmap.KindRevision, 413: idmap.KindTooLarge, 422: idmap.KindRule, 415: idmap.KindMalformed,
		501: idmap.KindInternal,
	} {
		body := `{"status":1,"errors":[{"code":"not_found","field":"email","description":"Bob has it.","conflict":{"kind":"email_assignment","id":"ea_1","holder":"Bob","releasable":true}}]}`
		s := serve(t, answerJSON(status, body))
		_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
		var refused *idmap.Error
		if !errors.As(err, &refused) || refused.Kind != kind {
			t.Errorf("%d: got %#v", status, err)
			continue
		}
		want := idmap.Violation{Code: "not_found", Field: "email", Description: "Bob has it."}
		got := refused.Violations[0]
		if got.Conflict == nil || *got.Conflict != (idmap.Conflict{Kind: "email_assignment", ID: "ea_1", Holder: "Bob", Releasable: true}) {
			t.Errorf("%d: conflict %+v", status, got.Conflict)
		}
		if got.Conflict = nil; got != want {
			t.Errorf("%d: got %+v", status, got)
		}
		wantWords(t, err.Error(), "Bob has it.", "req-1")
	}
}

func TestProblemsOfAnotherShape(t *testing.T) {
	tests := []struct{ name, body, code, description string }{
		{"detail", `{"title":"Unprocessable","detail":"validation failed"}`, "invalid", "validation failed"},
		{"title", `{"title":"Unprocessable","errors":{}}`, "invalid", "Unprocessable"},
		{"messages", `{"errors":[{"message":"expected string","location":"body.email","value":5},7,{}]}`, "invalid", "expected string"},
		{"nothing", `{}`, "invalid", "The mapping backend refused the request with status 422."},
		{"a later server's code", `{"errors":[{"code":"too_blue"}]}`, "too_blue", "too_blue."},
		{"wrong types", `{"title":5,"detail":["x"],"errors":"y"}`, "invalid", "The mapping backend refused the request with status 422."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answerJSON(422, test.body))
			_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
			violations := idmap.ViolationsOf(err)
			if len(violations) != 1 || string(violations[0].Code) != test.code || violations[0].Description != test.description {
				t.Errorf("got %+v (%v)", violations, err)
			}
		})
	}
}

func TestForeignServers(t *testing.T) {
	const html = "text/html; charset=utf-8"
	tests := []struct {
		name   string
		answer http.HandlerFunc
		says   []string
	}{
		{"a page", answerJSON(200, "<html>Sign in</html>", "Content-Type", html), []string{"status 200", html}},
		{"a proxy's 404", answerJSON(404, "<html>", "Content-Type", html), []string{"status 404", html}},
		{"an untyped 404", answerJSON(404, `{"title":"Not Found","status":404}`), []string{"status 404", "not_found"}},
		{"a gateway's 404", answerJSON(404, `{"message":"no route"}`, "Content-Type", "application/json"), []string{"status 404"}},
		{"a gateway's 401", answerJSON(401, `{"message":"Unauthorized"}`, "Content-Type", "application/json"), []string{"status 401"}},
		{"another API", answerJSON(200, `{"ok":true}`), []string{"no user_mapping"}},
		{"null", answerJSON(200, `{"user_mapping":null}`), []string{"no user_mapping"}},
		{"another type", answerJSON(200, `{"user_mapping":[1]}`), []string{"cannot be read"}},
		{"broken JSON", answerJSON(200, `{"user_mapping":`), []string{"JSON is broken"}},
		{"an array", answerJSON(200, `[]`), []string{"JSON is broken"}},
		{"nothing", answerJSON(204, ""), []string{"status 204"}},
		{"plain HTTP to a server with TLS", answerJSON(400, "Client sent an HTTP request to an HTTPS server.", "Content-Type", "text/plain"), []string{"text/plain"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
			var foreign *ForeignServerError
			if !errors.As(err, &foreign) || len(s.seen()) != 1 || idmap.IsNotFound(err) {
				t.Fatalf("%d requests, %v", len(s.seen()), err)
			}
			wantWords(t, err.Error(), append(test.says, "GET "+s.URL+"/v1/user_mappings/um_1", "no proxy")...)
			wantNoSecret(t, err.Error())
		})
	}
}

func TestRedirects(t *testing.T) {
	to := func(location string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		}
	}
	elsewhere := serve(t, mapping)
	tests := []struct {
		name, location string
		status         int
		followed       bool
	}{
		{"same server", "/v1/moved?x=1", http.StatusPermanentRedirect, true},
		{"another server", elsewhere.URL + "/v1/x?token=abc", http.StatusPermanentRedirect, false},
		{"a write into a read", "/v1/moved", http.StatusFound, false},
		{"in circles", "/v1/user_mappings", http.StatusTemporaryRedirect, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answers := []http.HandlerFunc{to(test.location, test.status), mapping}
			if test.name == "in circles" {
				answers = answers[:1]
			}
			s := serve(t, answers...)
			_, _, err := clientOf(t, s.URL, nil).CreateUserMapping(t.Context(), "key-1", idmap.UserMapping{UserID: "a"})
			if test.followed {
				requests := s.seen()
				if err != nil || len(requests) != 2 || requests[1].body != requests[0].body || requests[1].header.Get("Authorization") == "" {
					t.Errorf("%v after %+v", err, requests)
				}
				return
			}
			var foreign *ForeignServerError
			if !errors.As(err, &foreign) || len(elsewhere.seen()) != 0 {
				t.Fatalf("got %v, and %d requests went elsewhere", err, len(elsewhere.seen()))
			}
			wantWords(t, err.Error(), "it redirects to http://", fmt.Sprint(test.status))
			if strings.Contains(err.Error(), "abc") {
				t.Errorf("%q shows a query", err)
			}
		})
	}
}

func TestSameServer(t *testing.T) {
	tests := map[string]bool{
		"http://idmap:8080/v1/b":  true,
		"https://idmap:8443/v1/b": true,
		"http://idmap:9090/v1/b":  false,
		"http://other:8080/v1/b":  false,
		"https://other/v1/b":      false,
	}
	first := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://idmap:8080/v1/a", nil)
	for to, want := range tests {
		next := httptest.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
		if got := sameServer(next, []*http.Request{first}) == nil; got != want {
			t.Errorf("to %s: followed %t, want %t", to, got, want)
		}
	}
	secure := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://idmap/v1/a", nil)
	if sameServer(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://idmap/v1/a", nil), []*http.Request{secure}) == nil {
		t.Error("a redirect from https to http was followed")
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(mapping)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // the handshakes that fail on purpose
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Attempts != 1 {
		t.Fatalf("an unknown authority is not tried again, got %v", err)
	}
	wantWords(t, err.Error(), "certificate", "CA certificate file")

	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, s.URL, func(c *Config) { c.CACertFile = file })
	if _, err := c.UserMapping(t.Context(), "um_1"); err != nil {
		t.Errorf("with the authority: %v", err)
	}

	plain := serve(t, mapping)
	_, err = clientOf(t, strings.Replace(plain.URL, "http:", "https:", 1), nil).UserMapping(t.Context(), "um_1")
	if !errors.As(err, &unreachable) || unreachable.Attempts != 1 {
		t.Fatalf("https to a server without TLS is not tried again, got %v", err)
	}
	wantWords(t, err.Error(), "Begin the endpoint with http://")
}

func TestConfigs(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, config := range map[string]Config{
		"is empty":           {},
		"is no URL":          {Endpoint: "http://[s3cret"},
		"begin with http":    {Endpoint: "ftp://idmap.example.com"},
		"names no host":      {Endpoint: "https:///path"},
		"a user name":        {Endpoint: "https://me:s3cret@idmap.example.com"},
		"a query":            {Endpoint: "https://idmap.example.com?token=s3cret"},
		"a fragment":         {Endpoint: "https://idmap.example.com#s3cret"},
		"cannot be read":     {Endpoint: "https://idmap.example.com", CACertFile: notPEM + "x"},
		"has no certificate": {Endpoint: "https://idmap.example.com", CACertFile: notPEM},
		"the token has":      {Endpoint: "https://idmap.example.com", Token: "s3cret\n"},
	} {
		_, err := New(config)
		if err == nil {
			t.Errorf("%+v was taken", config)
			continue
		}
		wantWords(t, err.Error(), says)
		wantNoSecret(t, err.Error())
	}
	c, err := New(Config{Endpoint: " https://idmap.example.com:8443/prefix/ ", Token: secretToken})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.base.String(); got != "https://idmap.example.com:8443/prefix" {
		t.Errorf("base %q", got)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v", c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		wantNoSecret(t, text)
		wantWords(t, text, "idmap.example.com")
	}
}

func TestIdsThatAreNoIds(t *testing.T) {
	s := serve(t, mapping)
	c := clientOf(t, s.URL, nil)
	if _, err := c.UserMapping(t.Context(), ""); !idmap.IsKind(err, idmap.KindMalformed) {
		t.Errorf("empty: %v", err)
	}
	if err := c.DeleteUserMapping(t.Context(), "", 0); err == nil {
		t.Error("an empty id was deleted")
	}
	for _, id := range []string{".", "..", strings.Repeat("x", 1<<20)} {
		if _, err := c.UserMapping(t.Context(), id); !idmap.IsNotFound(err) || len(err.Error()) > 1000 {
			t.Errorf("%.10q: %.200v", id, err)
		}
	}
	if n := len(s.seen()); n != 0 {
		t.Fatalf("%d requests were made", n)
	}
	for _, id := range []string{"../connections", "a/b", "a?b=c", "a#b", "a%2Fb", "'; DROP TABLE x; --", "\x00", "😀", "\u200f", " "} {
		if _, err := c.UserMapping(t.Context(), id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
		requests := s.seen()
		uri := requests[len(requests)-1].uri
		if strings.Count(uri, "/") != 3 || strings.ContainsAny(uri, "?#") {
			t.Errorf("%q became %s", id, uri)
		}
	}
}
