package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// A step is a kind of request, of which an apply makes several.
type step struct {
	name    string
	request *regexp.Regexp
	// shared are the requests that many such ones are gathered in, and item what each of them has in the body.
	shared *regexp.Regexp
	item   string
	alone  bool // there is one in an apply
	plans  bool // it is of the plan: as long as an apply plans, Terraform tells its providers of no interrupt
}

// in returns how many of the step are in a request.
func (s step) in(r *http.Request) int32 {
	what := r.Method + " " + r.URL.Path
	switch {
	case s.shared != nil && s.shared.MatchString(what):
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return 0
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return int32(bytes.Count(body, []byte(s.item))) //nolint:gosec // of a thousand at most
	case s.request.MatchString(what):
		return 1
	}
	return 0
}

var (
	lookup = regexp.MustCompile(`^POST /v1/user_mappings/lookup$`)
	checks = regexp.MustCompile(`^POST /v1/user_mappings/validate$`)
	batch  = regexp.MustCompile(`^POST /v1/user_mappings/batch$`)

	readMapping    = step{name: "refresh", request: regexp.MustCompile(`^GET /v1/user_mappings/`), shared: lookup, item: `{"id":`, plans: true}
	checkMapping   = step{name: "check", request: checks, shared: checks, item: `{"operation":`, plans: true}
	uploadAccounts = step{name: "upload", request: regexp.MustCompile(`^POST /v1/connections/[^/]+/accounts/import$`), alone: true}
	createMapping  = step{name: "create", request: regexp.MustCompile(`^POST /v1/user_mappings$`), shared: batch, item: `{"operation":"create"`}
	updateMapping  = step{name: "update", request: regexp.MustCompile(`^PUT /v1/user_mappings/`), shared: batch, item: `{"operation":"update"`}
	deleteMapping  = step{name: "delete", request: regexp.MustCompile(`^DELETE /v1/user_mappings/`), shared: batch, item: `{"operation":"delete"`}

	writeSteps = []step{uploadAccounts, createMapping, updateMapping, deleteMapping}
	steps      = append([]step{readMapping, checkMapping}, writeSteps...)
)

// A victim is what is interrupted.
type victim struct {
	name string
	// strike interrupts it, while the request is under way.
	strike func(t *testing.T, c company, terraform *os.Process, r *http.Request)
	server bool   // requests that nobody answers are cut with it
	lives  bool   // the apply goes on, and ends well
	at     []step // nil: every step
}

const terraformKilled = "Terraform, killed"

var victims = []victim{
	{name: "Terraform, interrupted", strike: signalTerraform(os.Interrupt)},
	{name: "Terraform, interrupted twice", at: writeSteps, strike: func(t *testing.T, c company, terraform *os.Process, r *http.Request) {
		signalTerraform(os.Interrupt)(t, c, terraform, r)
		<-r.Context().Done() // by which the first one has arrived
		_ = terraform.Signal(os.Interrupt)
	}},
	{name: terraformKilled, strike: signalTerraform(os.Kill)},
	{name: "provider, interrupted", strike: signalProvider(os.Interrupt), lives: true, at: []step{createMapping}}, // Terraform has the say
	{name: "provider, terminated", strike: signalProvider(syscall.SIGTERM), at: []step{createMapping}},            // which is to be killed
	{name: "provider, killed", strike: signalProvider(os.Kill)},
	{name: "server, terminated", server: true, at: writeSteps, strike: func(_ *testing.T, c company, _ *os.Process, _ *http.Request) { c.server.end(syscall.SIGTERM) }},
	{name: "server, killed", server: true, strike: func(_ *testing.T, c company, _ *os.Process, _ *http.Request) { c.server.end(os.Kill) }},
	{name: "server, killed and started again", server: true, lives: true, strike: func(t *testing.T, c company, _ *os.Process, _ *http.Request) {
		c.server.end(os.Kill)
		*c.server = c.server.again(t)
	}},
}

func signalTerraform(signal os.Signal) func(*testing.T, company, *os.Process, *http.Request) {
	return func(t *testing.T, _ company, terraform *os.Process, _ *http.Request) {
		if err := terraform.Signal(signal); err != nil {
			t.Error(err)
		}
	}
}

// signalProvider sends the signal to the process that the request came from, which says so.
func signalProvider(signal os.Signal) func(*testing.T, company, *os.Process, *http.Request) {
	return func(t *testing.T, _ company, _ *os.Process, r *http.Request) {
		agent := r.UserAgent()
		id, err := strconv.Atoi(agent[strings.LastIndex(agent, "-")+1:])
		if err != nil {
			t.Errorf("no process in %q", agent)
			return
		}
		provider, err := os.FindProcess(id)
		if err = errors.Join(err, provider.Signal(signal)); err != nil {
			t.Error(err)
		}
	}
}

// mailFromFile is the configuration with a directory of the mail connection.
var mailFromFile = strings.Replace(mappingsConfiguration, `"Mail"`, "\"Mail\"\n  accounts_file = \"${path.module}/mail.csv\"", 1)

// TestInterruptions interrupts each victim at each step of an apply that changes something of everything. No request
// that is under way then gets an answer; every other one is carried out all the same. Whatever was interrupted, nothing is
// lost and nothing tainted, and the next apply reaches the end. That needs no more than to be run: a lock on a local state
// ends with the Terraform that has it, whatever file it leaves behind.
func TestInterruptions(t *testing.T) {
	t.Parallel()
	base := newCompany(t, mailFromFile, 12, nil)
	for _, victim := range victims {
		at := victim.at
		if at == nil {
			at = steps
		}
		for _, step := range at {
			for way, gathers := range ways {
				t.Run(victim.name+"/"+step.name+"/"+way, func(t *testing.T) {
					t.Parallel()
					base.copied(t).asking(gathers).mustSurvive(t, victim, step)
				})
			}
		}
	}
}

// mustSurvive interrupts an apply.
func (c company) mustSurvive(t *testing.T, victim victim, at step) {
	t.Helper()
	writeJSON(t, c.Workspace, "mappings.json", c.users(true))
	c.Write(t, "mail.csv", c.accounts()+"one-more,one.more@example.com,\n")
	apply := c.interruptedApply(t, victim, at, 3)
	if victim.lives != (apply.Code == 0) {
		t.Errorf("want it to succeed: %v; %v", victim.lives, apply)
	}
	if victim.server && !victim.lives {
		*c.server = c.server.again(t)
	}
	c.mustHaveLostNothing(t)
	c.mustReachTheEnd(t)
}

// TestInterruptionsAtSize is one each of Terraform, the provider and the server, killed in the middle of 200 creates. Of
// Terraform not even the state is left, as where a state is stored elsewhere: it is what was stored last, before the run.
func TestInterruptionsAtSize(t *testing.T) {
	t.Parallel()
	atSize := []string{terraformKilled, "provider, killed", "server, killed and started again"}
	for _, victim := range victims {
		if !slices.Contains(atSize, victim.name) {
			continue
		}
		for way, gathers := range ways {
			t.Run(victim.name+"/"+way, func(t *testing.T) {
				t.Parallel()
				mustSurviveAtSize(t, victim, gathers)
			})
		}
	}
}

// mustSurviveAtSize interrupts an apply of many creates.
func mustSurviveAtSize(t *testing.T, victim victim, gathers bool) {
	t.Helper()
	const mappings = 200
	c := hostCompany(t, t.TempDir(), mailFromFile, 0).asking(gathers)
	c.Write(t, "mail.csv", "id,email\n")
	writeUsers(t, c.Workspace, mappings)
	apply := c.interruptedApply(t, victim, createMapping, mappings/2)
	if victim.lives != (apply.Code == 0) {
		t.Errorf("want it to succeed: %v; %v", victim.lives, apply)
	}
	done := len(storedMappings(t, c.front.url))
	if !victim.lives && (done < mappings/2-10 || done == mappings) { // as many are under way
		t.Fatalf("%d of %d mappings were made", done, mappings)
	}
	if victim.name == terraformKilled {
		if err := os.Remove(filepath.Join(c.Folder, "terraform.tfstate")); err != nil {
			t.Fatal(err)
		}
	}
	c.mustReachTheEnd(t)
}

// TestEmbeddedBackendIsKilled kills Terraform and the provider, and with it the backend that is inside the provider.
func TestEmbeddedBackendIsKilled(t *testing.T) {
	t.Parallel()
	const mappings = 60
	w := newWorkspace(t, "")
	w.Write(t, "main.tf", mappingsConfiguration+"\nprovider \"idmap\" {\n  embedded_database = \"idmap.db\"\n}\n")
	writeUsers(t, w, mappings)
	apply := w.Command(t, "apply", "-auto-approve")
	stdout, err := apply.StdoutPipe()
	if err = errors.Join(err, apply.Start()); err != nil {
		t.Fatal(err)
	}
	made := 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "Creation complete") {
			made++
		}
		if made == mappings/2 {
			_ = apply.Process.Kill() // it may be at its end: then that is seen below
		}
	}
	if err := apply.Wait(); err == nil || made == mappings+2 {
		t.Fatalf("Terraform was not killed: %d objects, %v", made, err)
	}
	if err := os.Remove(filepath.Join(w.Folder, "terraform.tfstate")); err != nil {
		t.Fatal(err)
	}
	w.Must(t, "apply", "-auto-approve")
	mustPlanNothing(t, w)
	if n := len(storedMappings(t, startServer(t, filepath.Join(w.Folder, "idmap.db")).url)); n != mappings {
		t.Errorf("the backend has %d mappings, want %d", n, mappings)
	}
}

// interruptedApply applies, and strikes the victim at the n-th of a step.
func (c company) interruptedApply(t *testing.T, victim victim, at step, n int32) testenv.Outcome {
	t.Helper()
	if at.alone {
		n = 1
	}
	if c.people > 0 {
		copyFile(t, filepath.Join(c.Folder, "terraform.tfstate"), filepath.Join(c.Folder, beforeRun))
	}
	terraform := make(chan *os.Process, 1)
	var seen atomic.Int32
	striking, struck := make(chan struct{}), make(chan struct{})
	c.front.let(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		many := at.in(r)
		count := seen.Add(many)
		select {
		case <-striking:
			if victim.lives { // it may be one that was cut, and is sent again: that is not cut twice
				<-struck
			}
		default:
		}
		select {
		case <-struck:
			many = 0
		default:
		}
		held := n // where each goes by itself, the one before is still under way
		if !c.gathers {
			held = n - 1
		}
		if many == 0 || count < held {
			forward.ServeHTTP(w, r)
			return
		}
		if count%2 == 0 || at.alone {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client is gone
		if count >= n && count-many < n {
			close(striking)
			victim.strike(t, c, <-terraform, r)
			close(struck)
		}
		<-struck
		if !victim.server && !victim.lives && !at.plans {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	})
	process, wait := c.Start(t, "apply", "-auto-approve")
	terraform <- process
	apply := wait()
	c.front.let(nil)
	if seen.Load() < n {
		t.Fatalf("it never came to %s: %v", at.name, apply)
	}
	return apply
}
