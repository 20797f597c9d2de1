package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const secretPassword = `pass s3cret"&<>\+/=%ü😀`

// signInServer hands out tokens of so many seconds, and accepts the last one.
type signInServer struct {
	*script
	signIns atomic.Int32
}

func serveSignIn(t *testing.T, seconds int, revoked func(token string) bool) *signInServer {
	t.Helper()
	s := &signInServer{}
	s.script = serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/prefix/connect/token" {
			answerJSON(200, fmt.Sprintf(`{"access_token":"s3cret-token-%d","token_type":"Bearer","expires_in":%d,"refresh_token":"s3cret-refresh"}`, s.signIns.Add(1), seconds))(w, req)
			return
		}
		if revoked(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")) {
			empty(401)(w, req)
			return
		}
		mapping(w, req)
	})
	return s
}

func passwordClient(t *testing.T, endpoint string) *Client {
	t.Helper()
	return clientOf(t, endpoint, func(c *Config) { c.Token, c.Username, c.Password = "", "ann@example.com", secretPassword })
}

func TestSignInWithPassword(t *testing.T) {
	s := serveSignIn(t, 3600, func(token string) bool { return token == "" })
	c := passwordClient(t, s.URL+"/prefix")
	ctx, log := logged(t)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := c.UserMapping(ctx, "um_1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.signIns.Load(); n != 1 {
		t.Errorf("signed in %d times", n)
	}
	for _, r := range s.seen() {
		if r.uri != "/prefix/connect/token" {
			continue
		}
		form, err := url.ParseQuery(r.body)
		want := url.Values{"grant_type": {"password"}, "username": {"ann@example.com"}, "password": {secretPassword}, "scope": {"profile roles"}}
		if err != nil || form.Encode() != want.Encode() || r.header.Get("Authorization") != "" {
			t.Errorf("sent %v with %v", form, r.header)
		}
	}
	wantNoSecret(t, log())
	wantNoSecret(t, fmt.Sprintf("%v %+v %#v %s", c, c, c, c))
	wantWords(t, log(), "/prefix/connect/token", `"@message":"Answer body"`)
	if strings.Contains(log(), "access_token") {
		t.Errorf("the bodies of the sign-in are in the log:\n%s", log())
	}
}

func TestTokenIsRenewed(t *testing.T) {
	short := serveSignIn(t, 5, func(string) bool { return false }) // as good as expired
	c := passwordClient(t, short.URL+"/prefix")
	for range 2 {
		if _, err := c.UserMapping(t.Context(), "um_1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := short.signIns.Load(); n != 2 {
		t.Errorf("expired: signed in %d times", n)
	}
	revoked := serveSignIn(t, 3600, func(token string) bool { return token == "s3cret-token-1" })
	if _, err := passwordClient(t, revoked.URL+"/prefix").UserMapping(t.Context(), "um_1"); err != nil || revoked.signIns.Load() != 2 {
		t.Errorf("revoked: %v after %d", err, revoked.signIns.Load())
	}
	never := serveSignIn(t, 3600, func(string) bool { return true })
	_, err := passwordClient(t, never.URL+"/prefix").UserMapping(t.Context(), "um_1")
	if !idmap.IsKind(err, idmap.KindUnauthorized) || never.signIns.Load() != 2 || len(never.seen()) != 4 {
		t.Errorf("never good: %v after %d", err, never.signIns.Load())
	}
}

func TestSignInFailures(t *testing.T) {
	echo := func(status int, body string) http.HandlerFunc {
		return answerJSON(status, strings.ReplaceAll(body, `"PASSWORD`, strings.TrimSuffix(marshalled(t, secretPassword), `"`)), "Content-Type", "application/json")
	}
	unauthorized := func(err error) bool { return idmap.IsKind(err, idmap.KindUnauthorized) }
	isForeign := func(err error) bool { _, ok := errors.AsType[*ForeignServerError](err); return ok }
	unreachable := func(err error) bool { return errors.Is(err, ErrUnreachable) }
	elsewhere := serve(t, mapping)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		is     func(error) bool
		says   string
		once   bool // and never tried again
	}{
		{"a wrong password", echo(400, `{"error":"invalid_grant","error_description":"PASSWORD is wrong"}`), unauthorized, "Check both", true},
		{"a wrong password, otherwise", echo(401, `{"errors":[{"description":"PASSWORD is wrong"}]}`), unauthorized, "Check both", true},
		{"a refusal without a word", empty(403), unauthorized, "Check both", true},
		{"an error with 200", echo(200, `{"error":"PASSWORD"}`), unauthorized, "Check both", true},
		{"our own server", problemJSON(404, "unknown_route", "There is none."), unauthorized, "Use a token instead", true},
		{"a page", answerJSON(200, "<html>"+secretPassword, "Content-Type", "text/html"), isForeign, "/connect/token", false},
		{"a refusing page", answerJSON(403, "<html>"+secretPassword, "Content-Type", "text/html"), isForeign, "status 403", false},
		{"no token", echo(200, `{"note":"PASSWORD"}`), isForeign, "no token", false},
		{"a token of two words", echo(200, `{"access_token":"PASSWORD"}`), isForeign, "cannot be sent", false},
		{"busy", echo(503, `{"detail":"PASSWORD"}`), unreachable, "status 503", false},
		{"cut", cut, unreachable, "could not be reached", false},
		{"elsewhere", func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+"/connect/token", http.StatusTemporaryRedirect)
		}, isForeign, "redirects", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			ctx, log := logged(t)
			c := clientOf(t, s.URL, func(c *Config) { c.Token, c.Username, c.Password, c.MaxRetries = "", "ann", secretPassword, 1 })
			_, err := c.UserMapping(ctx, "um_1")
			if !test.is(err) {
				t.Fatalf("got %T %v", err, err)
			}
			before := len(s.seen())
			_, again := c.UserMapping(ctx, "um_1")
			if !test.is(again) || (len(s.seen()) == before) != test.once {
				t.Errorf("again: %v after %d requests", again, len(s.seen()))
			}
			wantWords(t, err.Error(), test.says)
			wantNoSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
			wantNoSecret(t, log())
		})
	}
	if n := len(elsewhere.seen()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

func TestCredentialsThatCannotWork(t *testing.T) {
	for name, config := range map[string]Config{
		"both": {Token: "t", Username: "u", Password: secretPassword}, "no password": {Username: "u"}, "no username": {Password: secretPassword},
		"a token and a password": {Token: "t", Password: secretPassword},
	} {
		config.Endpoint = "https://idmap.example.com"
		_, err := New(config)
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		wantNoSecret(t, err.Error())
		wantWords(t, err.Error(), "password", "required")
	}
}
