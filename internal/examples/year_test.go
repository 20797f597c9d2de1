package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

var update = flag.Bool("update", false, "write down what Terraform plans in examples/a-year/chapters; then read the difference")

// TestYear plays examples/a-year as README.md tells it. Each plan is to be, line by line, what its file in chapters says;
// what an apply left undone would be in the next one. After each apply the state has what the backend has.
func TestYear(t *testing.T) {
	t.Parallel()
	for name, cli := range commandLines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newStage(t, cli).play(t)
		})
	}
}

func (s stage) play(t *testing.T) {
	chapters := readChapters(t)
	if len(chapters) == 0 {
		t.Fatal("README.md has no chapters")
	}
	for _, c := range chapters {
		ok := t.Run(c.title, func(t *testing.T) { s.playChapter(t, c) })
		if !ok {
			t.Fatalf("the story ends with chapter %s", c.title)
		}
	}
}

// A stage is a folder with the company's configuration and its database, and a server beside, for what happens outside
// of Terraform.
type stage struct {
	testenv.Workspace
	endpoint string
}

const (
	token = "a-year"
	saved = "year.tfplan"
)

func newStage(t *testing.T, cli string) stage {
	t.Helper()
	programs, address := t.TempDir(), freeAddress(t)
	s := stage{endpoint: "http://" + address}
	s.Workspace = newWorkspace(t, cli, filepath.Base(year),
		"GOGC=400", // a quarter less of CPU
		"IDMAP_ENDPOINT="+s.endpoint, "IDMAP_TOKEN="+token,
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=Northlight", "GIT_AUTHOR_EMAIL=it@northlight.example",
		"GIT_COMMITTER_NAME=Northlight", "GIT_COMMITTER_EMAIL=it@northlight.example")
	err := errors.Join(
		os.Symlink(cli, filepath.Join(programs, "terraform")),
		os.Symlink(testenv.Provider(t), filepath.Join(programs, "terraform-provider-idmap")))
	if err != nil {
		t.Fatal(err)
	}
	s.serve(t, address)
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// serve starts the server, which ends with the test.
func (s stage) serve(t *testing.T, address string) {
	t.Helper()
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background()) // the test's own ends before its clean-up
	server := exec.CommandContext(ctx, testenv.Provider(t), "serve", "--listen", address, "--database", "idmap.db")
	server.Dir, server.Env = s.Folder, append(os.Environ(), "IDMAP_BOOTSTRAP_TOKEN="+token)
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = server.Wait() // it was killed
		if t.Failed() {
			t.Logf("the server said:\n%s", &log)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); s.get(t, "/readyz", nil) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server is not ready after 30 s")
		}
	}
}

func (s stage) get(t *testing.T, path string, answer any) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.endpoint+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// playChapter types the commands of a chapter. A plan that follows an apply is to be empty.
func (s stage) playChapter(t *testing.T, c chapter) {
	var script []string
	planned, applied := false, false
	for _, command := range c.commands {
		if !strings.HasPrefix(command, "terraform ") {
			script = append(script, command)
			continue
		}
		s.shell(t, script)
		script = nil
		switch {
		case command == "terraform plan" && !applied:
			planned = true
			s.plan(t, c)
		case command == "terraform plan":
			isEmpty(t, s.Workspace)
		case command == "terraform apply" && planned:
			applied = true
			s.Must(t, "apply", saved)
			s.agrees(t)
		case command == "terraform destroy":
			planned = true
			s.plan(t, c, "-destroy")
			s.Must(t, "apply", saved)
			s.agrees(t)
		default:
			t.Fatalf("the test does not know how to play %q here", command)
		}
	}
	s.shell(t, script)
	if !planned {
		t.Error("the chapter has no plan")
	}
}

// shell runs commands, all in one shell.
func (s stage) shell(t *testing.T, script []string) {
	t.Helper()
	if len(script) == 0 {
		return
	}
	text := strings.Join(script, "\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", text)
	cmd.Dir, cmd.Env = s.Folder, append(os.Environ(), s.Env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s%v", text, said, err)
	}
}

// plan holds the plan against what is expected, and saves it for the apply.
func (s stage) plan(t *testing.T, c chapter, options ...string) {
	t.Helper()
	o := s.Run(t, append([]string{"plan", "-json", "-out=" + saved}, options...)...)
	said := o.Diagnostics(t)
	var p plan
	if o.Code == 0 {
		p = parsePlan(t, s.Must(t, "show", "-json", saved).Stdout)
	}
	got := lines(t, p, said)
	if refused := slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "!") }); refused != (o.Code != 0) {
		t.Fatal(o)
	}
	file := filepath.Join(year, "chapters", c.name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(text(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text(got) != string(want) {
		t.Errorf("the plan is not what a person would expect:\n%s", difference(string(want), text(got)))
	}
	for _, line := range c.shown {
		if !slices.Contains(strings.Split(text(got), "\n"), line) {
			t.Errorf("README.md shows what is not in the plan: %s", line)
		}
	}
}

// text is what stands in a file of chapters. An empty plan is one of words, too.
func text(lines []string) string {
	if len(lines) == 0 {
		return "No changes.\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// difference is what is only in one of two texts.
func difference(want, got string) string {
	var b strings.Builder
	for _, side := range []struct{ name, of, other string }{{"missing", want, got}, {"unexpected", got, want}} {
		others := strings.Split(side.other, "\n")
		for line := range strings.Lines(side.of) {
			if line = strings.TrimSuffix(line, "\n"); !slices.Contains(others, line) {
				fmt.Fprintf(&b, "%s: %s\n", side.name, line)
			}
		}
	}
	return b.String()
}

// agrees fails the test unless the state has the mappings that the backend has.
func (s stage) agrees(t *testing.T) {
	t.Helper()
	state, backend := s.inState(t), s.inBackend(t)
	if !maps.Equal(state, backend) {
		t.Errorf("the state has %d mappings, the backend has %d, and they are not the same:\n%s",
			len(state), len(backend), difference(listed(state), listed(backend)))
	}
}

// A mapping is what both the state and the backend say of one, by its id.
type mapping map[string]string

func (s stage) inState(t *testing.T) mapping {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(s.Folder, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Resources []struct {
			Type      string
			Instances []struct {
				Attributes struct {
					ID     string `json:"id"`
					Email  string `json:"email"`
					UserID string `json:"user_id"`
				}
			}
		}
	}
	if err := json.Unmarshal(file, &state); err != nil {
		t.Fatal(err)
	}
	found := mapping{}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			if r.Type == "idmap_user_mapping" {
				found[i.Attributes.ID] = i.Attributes.UserID + " " + i.Attributes.Email
			}
		}
	}
	return found
}

func (s stage) inBackend(t *testing.T) mapping {
	t.Helper()
	var page struct {
		UserMappings []struct {
			ID     string `json:"id"`
			Email  string `json:"email"`
			UserID string `json:"user_id"`
		} `json:"user_mappings"`
	}
	if err := s.get(t, "/v1/user_mappings?limit=1000", &page); err != nil {
		t.Fatal(err)
	}
	found := mapping{}
	for _, m := range page.UserMappings {
		found[m.ID] = m.UserID + " " + m.Email
	}
	return found
}

func listed(of mapping) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(of)) {
		fmt.Fprintf(&b, "%s %s\n", id, of[id])
	}
	return b.String()
}
