package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// adminToken is the administrator's token of every server here. No run may print it.
const adminToken = "t0ken-of-the-administrator"

// newWorkspace returns a workspace that has this program as the provider, which asks the server at the endpoint.
func newWorkspace(t testing.TB, endpoint string, env ...string) testenv.Workspace {
	t.Helper()
	cli, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env = append([]string{beProgram + "=1", "IDMAP_ENDPOINT=" + endpoint, "IDMAP_TOKEN=" + adminToken, "IDMAP_MAX_RETRIES=2"}, env...)
	w := testenv.NewWorkspace(t, cli, executable, env...)
	w.Secrets = []string{adminToken}
	return w
}

// mustPlanNothing fails the test where there is something to do.
func mustPlanNothing(t testing.TB, w testenv.Workspace) {
	t.Helper()
	if plan := w.Run(t, "plan", "-detailed-exitcode"); plan.Code != 0 {
		t.Errorf("the plan is not empty: %v", plan)
	}
}

// mappingsConfiguration has a mapping for each entry of mappings.json, which is {"<user id>": "<email>"}.
const mappingsConfiguration = `
terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

resource "idmap_connection" "mail" {
  name     = "Mail"
  platform = "generic"
}

resource "idmap_connection" "app" {
  name     = "App"
  platform = "generic"
}

resource "idmap_user_mapping" "all" {
  for_each                  = jsondecode(file("${path.module}/mappings.json"))
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.app.id
  user_id                   = each.key
  email                     = each.value
}
`

// writeUsers writes mappings.json with so many users.
func writeUsers(t testing.TB, w testenv.Workspace, size int) {
	t.Helper()
	users := map[string]string{}
	for i := range size {
		users[fmt.Sprintf("user%03d", i)] = fmt.Sprintf("user%03d@example.com", i)
	}
	writeJSON(t, w, "mappings.json", users)
}

func writeJSON(t testing.TB, w testenv.Workspace, name string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(t, name, string(text))
}

// runningServer is the program as a server, in a process of its own.
type runningServer struct {
	cmd           *exec.Cmd
	url, database string
}

func startServer(t testing.TB, database string) runningServer {
	t.Helper()
	return startServerAt(t, "127.0.0.1:0", database)
}

func startServerAt(t testing.TB, address, database string) runningServer {
	t.Helper()
	cmd := program(t, []string{"IDMAP_BOOTSTRAP_TOKEN=" + adminToken}, "serve", "--listen", address, "--database", database)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := runningServer{cmd: cmd, database: database}
	t.Cleanup(func() { s.end(os.Kill) })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, rest, ok := strings.Cut(line, "http://")
	if err != nil || !ok {
		t.Fatalf("no address in the ready line %q: %v", line, err)
	}
	s.url = "http://" + strings.Fields(rest)[0]
	return s
}

// end sends the server a signal that ends it, and waits until it has. One that has ended stays so.
func (s runningServer) end(signal os.Signal) {
	_ = s.cmd.Process.Signal(signal)
	_ = s.cmd.Wait()
}

// again starts a server at the same address, on the same database.
func (s runningServer) again(t testing.TB) runningServer {
	t.Helper()
	return startServerAt(t, strings.TrimPrefix(s.url, "http://"), s.database)
}

func askServer(t testing.TB, endpoint string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Endpoint: endpoint, Token: adminToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// storedMappings returns all mappings of a server, by user id.
func storedMappings(t testing.TB, endpoint string) map[string]idmap.UserMapping {
	t.Helper()
	all := map[string]idmap.UserMapping{}
	for m, err := range askServer(t, endpoint).UserMappings(t.Context(), idmap.UserMappingFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[m.UserID]; twice {
			t.Errorf("user %s has two mappings", m.UserID)
		}
		all[m.UserID] = m
	}
	return all
}

// A front stands before servers, as load balancers do, and lets a test meet the requests.
type front struct {
	url  string
	meet atomic.Pointer[meeting] // nil: they are passed on
}

// meeting handles a request; forward passes it on.
type meeting func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// newFront passes requests on to the servers in turn. One that does not answer is left out from then on, and the
// connection is cut, as it would be without a front.
func newFront(t testing.TB, servers ...string) *front {
	t.Helper()
	var turn atomic.Int32
	var dead atomic.Bool
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			n := int(turn.Add(1))
			if dead.Load() {
				n = len(servers) - 1
			}
			target, err := url.Parse(servers[n%len(servers)])
			if err != nil {
				panic(err) // written by the test
			}
			r.SetURL(target)
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 10},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			dead.Store(true)
			panic(http.ErrAbortHandler)
		},
	}
	f := &front{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if meet := f.meet.Load(); meet != nil {
			(*meet)(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// let makes all further requests go to the meeting; nil passes them on.
func (f *front) let(m meeting) {
	if m == nil {
		f.meet.Store(nil)
		return
	}
	f.meet.Store(&m)
}
