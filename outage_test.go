package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

const (
	outageToken = "token-of-the-outage-test"
	mappings    = 150
	killAfter   = 50 // creates that reached the servers
)

// TestServerIsKilledDuringApply applies mappings over two servers on one PostgreSQL, one of which is killed in the
// middle. Whatever became of that apply, the next one must complete, without duplicates, and the plan after it be empty.
func TestServerIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		failOver bool // the survivor is behind the same address
	}{
		{"behind one address", true},
		{"then the other address is configured", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			database := testenv.PostgresDatabase(t)
			victim, survivor := startServer(t, database), startServer(t, database)
			var creates atomic.Int32
			kill := func(r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/v1/user_mappings" && creates.Add(1) == killAfter {
					_ = victim.cmd.Process.Kill() // without mercy: requests are under way
				}
			}
			address := proxy(t, kill, victim.url, survivor.url)
			if !c.failOver {
				address = proxy(t, kill, victim.url)
			}
			w := newWorkspace(t, configuration, mappings)
			out, code := w.terraform(t, address, "apply", "-auto-approve")
			if !c.failOver && code == 0 {
				t.Error("the apply lost its only server and says that all went well")
			}
			if creates.Load() < killAfter {
				t.Fatalf("the server was not killed: %d creates\n%s", creates.Load(), out)
			}

			address = proxy(t, func(*http.Request) {}, survivor.url)
			if out, code := w.terraform(t, address, "apply", "-auto-approve"); code != 0 {
				t.Fatalf("the apply after the outage ended with %d:\n%s", code, out)
			}
			if out, code := w.terraform(t, address, "plan", "-detailed-exitcode"); code != 0 {
				t.Errorf("the plan after it is not empty:\n%s", out)
			}
			if n := count(t, survivor.url); n != mappings {
				t.Errorf("the backend has %d mappings, want %d", n, mappings)
			}
		})
	}
}

type runningServer struct {
	cmd *exec.Cmd
	url string
}

func startServer(t testing.TB, database string) runningServer {
	t.Helper()
	cmd := program(t, []string{"IDMAP_BOOTSTRAP_TOKEN=" + outageToken}, "serve", "--listen", "127.0.0.1:0", "--database", database)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // one of the two is dead already
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, rest, ok := strings.Cut(line, "http://")
	if err != nil || !ok {
		t.Fatalf("no address in the ready line %q: %v", line, err)
	}
	return runningServer{cmd, "http://" + strings.Fields(rest)[0]}
}

// proxy passes requests on to the servers in turn. One that does not answer is left out, as load balancers do.
func proxy(t testing.TB, see func(*http.Request), servers ...string) string {
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
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			dead.Store(true)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		see(r)
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// workspace is a folder with a configuration, and this program as the provider.
type workspace struct{ folder, cliConfig, terraformPath string }

const configuration = `
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

func newWorkspace(t testing.TB, configuration string, size int) workspace {
	t.Helper()
	folder := t.TempDir()
	terraform, err := testenv.Terraform(t.Context())
	executable, executableErr := os.Executable()
	users := map[string]string{}
	for i := range size {
		users[fmt.Sprintf("user%03d", i)] = fmt.Sprintf("user%03d@example.com", i)
	}
	text, jsonErr := json.Marshal(users)
	override := fmt.Sprintf("provider_installation {\n  dev_overrides { \"idmap/idmap\" = %q }\n  direct {}\n}\n", folder)
	err = errors.Join(err, executableErr, jsonErr,
		os.Symlink(executable, filepath.Join(folder, "terraform-provider-idmap")),
		os.WriteFile(filepath.Join(folder, "main.tf"), []byte(configuration), 0o600),
		os.WriteFile(filepath.Join(folder, "mappings.json"), text, 0o600),
		os.WriteFile(filepath.Join(folder, "cli.tfrc"), []byte(override), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return workspace{folder, filepath.Join(folder, "cli.tfrc"), terraform}
}

// terraform runs Terraform and returns what it printed, and its exit code.
func (w workspace) terraform(t testing.TB, endpoint string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.terraformPath, append(args, "-no-color", "-input=false")...)
	cmd.Dir = w.folder
	cmd.Env = append(os.Environ(), beProgram+"=1", "TF_CLI_CONFIG_FILE="+w.cliConfig, "CHECKPOINT_DISABLE=1",
		"IDMAP_ENDPOINT="+endpoint, "IDMAP_TOKEN="+outageToken, "IDMAP_MAX_RETRIES=2")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func count(t *testing.T, server string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/v1/user_mappings?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+outageToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct {
		Meta struct {
			TotalCount int `json:"total_count"`
		} `json:"meta"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return page.Meta.TotalCount
}
