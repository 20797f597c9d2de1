package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// A fault is what a server, or something before it, answers in place of what it should.
type fault struct {
	name   string
	answer meeting
	// says is what diagnostics say of it, besides what is required and the way out.
	says    []string
	retried bool // the next attempt may go better
	foreign bool // it is not the backend that answers
	failing bool // it is the backend, and something is wrong with it
	done    bool // a write is carried out all the same
	slow    bool // the provider has to give up waiting
	// of tells the requests that it may happen to; nil: all.
	of func(*http.Request) bool
}

// An answer that has only a body.
func page(status int, contentType, body string, header ...string) meeting {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		} else {
			w.Header()["Content-Type"] = nil // or one is guessed
		}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// answered passes the request on, and returns the answer, which nobody has got yet.
func answered(r *http.Request, forward http.Handler) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	r.Header.Del("Accept-Encoding") // or what is sent of the answer would have to be compressed
	forward.ServeHTTP(answer, r)
	return answer
}

// begin sends an answer without the end of its body. One without a body gets one that never comes.
func begin(w http.ResponseWriter, answer *httptest.ResponseRecorder, body []byte) {
	maps.Copy(w.Header(), answer.Header())
	w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()+1000)) // more than ever comes
	if answer.Code == http.StatusNoContent {
		answer.Code = http.StatusOK
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
}

const signInPage = "<html><body>Please sign in</body></html>"

var faults = []fault{
	{
		name: "429", retried: true, says: []string{"status 429", "Slow down.", "must have room", "fewer concurrent requests"},
		answer: page(429, "application/problem+json", `{"status":429,"errors":[{"code":"rate_limited","description":"Slow down."}]}`),
	},
	{
		name: "429 with Retry-After", retried: true, says: []string{"status 429", "must have room", "Wait as long as it asks for"},
		of:     func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/user_mappings") }, // it is a second each
		answer: page(429, "", "", "Retry-After", "1"),
	},
	{
		name: "503", retried: true, says: []string{"status 503", "is required", "Check the endpoint"},
		answer: page(503, "text/html", "<html>503 Service Temporarily Unavailable</html>"),
	},
	{
		name: "500 of a proxy", retried: true, says: []string{"status 500", "is required", "Look up the request in the server's log"},
		answer: page(500, "text/html", "<html>500 Internal Server Error</html>"),
	},
	{
		name: "500 of the backend", retried: true, failing: true, says: []string{"The disk is full.", "Code: internal"},
		answer: page(500, "application/problem+json", `{"status":500,"errors":[{"code":"internal","description":"The disk is full."}]}`),
	},
	{
		name: "a page with 200", foreign: true, says: []string{"status 200, content type text/html", "answers with JSON", "Check that the endpoint"},
		answer: page(200, "text/html", signInPage),
	},
	{
		name: "a page with 404", foreign: true, says: []string{"status 404, content type text/html", "answers with JSON", "Check that the endpoint"},
		answer: page(404, "text/html", signInPage),
	},
	{
		name: "JSON with 404", foreign: true, says: []string{"status 404, content type application/json", "answers with JSON", "Check that the endpoint"},
		answer: page(404, "application/json", `{"message":"no Route matched with those values"}`),
	},
	{
		name: "an empty body with 200", foreign: true, says: []string{"status 200, no content type", "answers with JSON", "Check that the endpoint"},
		answer: page(200, "", ""),
	},
	{
		name: "nothing", retried: true, says: []string{"could not be reached", "2 attempts", "is required", "Check the endpoint"},
		answer: func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
	},
	{
		name: "half a body", retried: true, done: true, says: []string{"the answer breaks off", "is required", "Check the endpoint"},
		answer: func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			answer := answered(r, forward)
			begin(w, answer, answer.Body.Bytes()[:answer.Body.Len()/2])
			panic(http.ErrAbortHandler)
		},
	},
	{
		name: "an answer that comes too late", retried: true, done: true, slow: true, of: impatient,
		says: []string{"no complete answer within", "is required", "Check the endpoint"},
		answer: func(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
			answered(r, forward)
			<-r.Context().Done()
		},
	},
	{
		name: "a body that dribbles", retried: true, done: true, slow: true, of: impatient,
		says: []string{"no complete answer within", "is required", "Check the endpoint"},
		answer: func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			answer := answered(r, forward)
			begin(w, answer, nil)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		},
	},
}

// everything is a configuration with all that can be written: connections with a directory, both kinds of maps, mappings.
// Nothing depends on what changes.
var everything = strings.Replace(mappingsConfiguration, `"Mail"`, "\"Mail\"\n  accounts_file = \"${path.module}/mail.csv\"", 1) + `
locals {
  more = jsondecode(file("${path.module}/more.json"))
}

resource "idmap_connection" "more" {
  for_each      = local.more.connections
  name          = each.key
  platform      = "generic"
  mail_domain   = each.value
  accounts_file = "${path.module}/more.csv"
}

resource "idmap_account_map" "all" {
  for_each                  = local.more.maps
  name                      = each.key
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.app.id
  match                     = { emails = true }
  unmapped_policy           = each.value
}

resource "idmap_group_map" "all" {
  for_each                  = local.more.maps
  name                      = each.key
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.app.id
  match                     = { names = true }
  unmapped_policy           = each.value
}
`

var beforeHiring = map[string]string{
	"more.json": `{"connections":{"leaves":"a.example.com","changes":"a.example.com"},"maps":{"leaves":"skip","changes":"skip"}}`,
	"more.csv":  "id,email\nx,x@example.com\n",
}

func writes(r *http.Request) bool { return !reads(r) && !asks(r) }

func asks(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/validate") }

func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/lookup")
}

// impatient tells the requests for which the provider does not wait ten minutes, as it does for what may be large.
func impatient(r *http.Request) bool {
	return !strings.HasSuffix(r.URL.Path, "/import") && !strings.Contains(r.URL.Path, "_maps")
}

// always is the fault at all requests of a kind.
func (f fault) always(of func(*http.Request) bool) meeting {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if of(r) && (f.of == nil || f.of(r)) {
			f.answer(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}
}

// once is the fault at the first attempt of everything.
func (f fault) once() meeting {
	var mu sync.Mutex
	met := map[string]bool{}
	first := func(r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := r.Method + r.URL.RequestURI() + string(body)
		mu.Lock()
		defer mu.Unlock()
		before := met[request]
		met[request] = true
		return !before
	}
	return f.always(first)
}

// TestBadServer meets a server that answers badly: for good, at the refresh, at the checks of a plan and at the writes;
// then at the first attempt of everything. Nothing is lost, made twice or forgotten, and what is said helps.
func TestBadServer(t *testing.T) {
	t.Parallel()
	base := newCompany(t, everything, 4, beforeHiring)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := base.copied(t)
			c.logAll()
			before := c.idsInState(t)
			c.front.let(f.always(reads))
			f.mustBeReported(t, c, "apply", "-refresh-only", "-auto-approve")
			c.hire(t)
			c.front.let(f.always(asks))
			f.mustBeReported(t, c, "plan")
			c.front.let(f.always(writes))
			f.mustRefuse(t, c)
			if after := c.idsInState(t); !slices.Equal(before, after) && f.of == nil { // else some writes succeed
				t.Errorf("the state had %q\nand now has    %q", before, after)
			}
			if f.done { // all was written, which the state does not know, nor learns: it has the revisions from before
				c.front.let(nil)
				c.Must(t, "apply", "-auto-approve", "-refresh=false")
				c.mustBeAtTheEnd(t)
				c.mustPrintNoSecret(t)
				c = base.copied(t)
				c.logAll()
				c.hire(t)
			}
			c.front.let(f.once())
			apply := f.patience(c, "2s").Run(t, "apply", "-auto-approve")
			c.front.let(nil)
			switch {
			case f.retried && apply.Code != 0:
				t.Errorf("one bad answer each is too much: %v", apply)
			case apply.Code != 0:
				c.Must(t, "apply", "-auto-approve")
			}
			c.mustBeAtTheEnd(t)
			c.mustPrintNoSecret(t)
		})
	}
}

// hire changes something of everything.
func (c company) hire(t *testing.T) {
	t.Helper()
	writeJSON(t, c.Workspace, "mappings.json", c.users(true))
	c.Write(t, "more.json", `{"connections":{"changes":"b.example.com","comes":"a.example.com"},"maps":{"changes":"fail","comes":"skip"}}`)
	c.Write(t, "more.csv", "id,email\nx,x@example.com\ny,y@example.com\n")
}

// patience returns the workspace, where the fault is slow with a provider that waits no longer for an answer.
func (f fault) patience(c company, timeout string) testenv.Workspace {
	w := c.Workspace
	if f.slow {
		w.Env = append(slices.Clone(w.Env), "IDMAP_REQUEST_TIMEOUT="+timeout)
	}
	return w
}

// mustBeReported runs what does not write. A backend that is out of reach is worth a warning, anything else an error.
func (f fault) mustBeReported(t *testing.T, c company, args ...string) {
	t.Helper()
	severity := "warning"
	if f.foreign || f.failing {
		severity = "error"
	}
	o := f.patience(c, "1s").Run(t, append(args, "-json")...)
	if (o.Code != 0) != (severity == "error") {
		t.Errorf("want a %s: %v", severity, o)
	}
	f.mustBeSaid(t, severity, o)
}

// mustRefuse applies where no write succeeds.
func (f fault) mustRefuse(t *testing.T, c company) {
	t.Helper()
	o := f.patience(c, "1s").Run(t, "apply", "-auto-approve", "-json")
	if o.Code == 0 {
		t.Errorf("nothing was written, and all is well: %v", o)
	}
	f.mustBeSaid(t, "error", o)
}

// mustBeSaid fails the test unless diagnostics of that severity say what is wrong, and none says anything else.
func (f fault) mustBeSaid(t *testing.T, severity string, o testenv.Outcome) {
	t.Helper()
	summary := "Mapping Backend Unreachable"
	switch {
	case f.foreign:
		summary = "Not a Mapping Backend"
	case f.failing:
		summary = "Mapping Backend Failed"
	}
	said := 0
	for _, d := range o.Diagnostics(t) {
		if d.Severity == "warning" && d.Summary != summary {
			continue // about other things
		}
		said++
		if d.Severity != severity || d.Summary != summary || slices.ContainsFunc(f.says, func(words string) bool { return !strings.Contains(d.Detail, words) }) {
			t.Errorf("want %s %q with %q, got %+v", severity, summary, f.says, d)
		}
	}
	if said == 0 {
		t.Errorf("nothing is said: %v", o)
	}
}

// logAll makes all further runs log what they ask and are answered.
func (c *company) logAll() {
	c.Env = append(c.Env, "TF_LOG_PROVIDER=DEBUG", "TF_LOG_PATH="+filepath.Join(c.Folder, "terraform.log"))
}

// mustPrintNoSecret looks into the log of logAll.
func (c company) mustPrintNoSecret(t *testing.T) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(c.Folder, "terraform.log"))
	if err != nil || !bytes.Contains(log, []byte("idmap")) || bytes.Contains(log, []byte(adminToken)) {
		t.Errorf("the log has %d bytes, nothing of the provider, or the token: %v", len(log), err)
	}
}

// TestUploadToANewConnectionFails: the connection is there, and its directory is not.
func TestUploadToANewConnectionFails(t *testing.T) {
	t.Parallel()
	base := newCompany(t, everything, 0, beforeHiring)
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done %v", done), func(t *testing.T) {
			t.Parallel()
			c := base.copied(t)
			c.hire(t)
			c.front.let(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				if uploadAccounts.in(r) == 0 {
					forward.ServeHTTP(w, r)
					return
				}
				if done {
					answered(r, forward)
				}
				panic(http.ErrAbortHandler)
			})
			if apply := c.Run(t, "apply", "-auto-approve"); apply.Code == 0 || !strings.Contains(apply.Stdout+apply.Stderr, "Connection Lacks Its Directory") {
				t.Errorf("nothing was uploaded, and all is well: %v", apply)
			}
			c.front.let(nil)
			made := c.idsInBackend(t)
			c.state(t) // nothing is tainted
			c.mustReachTheEnd(t)
			if now := c.idsInBackend(t); !slices.Equal(made, now) {
				t.Errorf("there were %q, and now %q", made, now)
			}
		})
	}
}
