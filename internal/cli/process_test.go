package cli_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/client"
)

const (
	// beProgram makes a child process of this test the program itself.
	beProgram = "IDMAP_TEST_BE_PROGRAM"
	patience  = 30 * time.Second
	bootstrap = "bootstrap-secret-of-the-test"
)

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		program := &cli.Program{Version: "1.2.3", Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
		os.Exit(program.Run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is the program in a process of its own, with no environment but what the test gives it.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
	code           int
}

func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(executable, args...), ended: make(chan struct{})} //nolint:noctx // ended by the cleanup below, and by signals
	p.cmd.Env = append([]string{beProgram + "=1", "TMPDIR=" + os.TempDir()}, env...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); errors.As(err, &exit) {
			p.code = exit.ExitCode()
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // has ended already, as a rule
		<-p.ended
	})
	return p
}

// wait returns the exit code; -1 when a signal ended the process.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the program did not end:\n%s\n%s", &p.stdout, &p.stderr)
	}
	return p.code
}

// terminate asks the program to stop, as the system does.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// run runs a command to its end.
func run(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := start(t, env, args...)
	p.wait(t)
	return p
}

// mustRun is run for a command that succeeds.
func mustRun(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := run(t, env, args...)
	if p.code != 0 {
		t.Fatalf("%v: exit %d\n%s\n%s", args, p.code, &p.stdout, &p.stderr)
	}
	return p
}

var readyLine = regexp.MustCompile(`(?m)^idmap is ready on (https?://\S+) \(.+\)$`)

// serverProcess is a process that serves.
type serverProcess struct {
	*process
	url string
}

// serve starts a server on a free port and waits until it is ready.
func serve(t *testing.T, env []string, args ...string) *serverProcess {
	t.Helper()
	p := start(t, env, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	eventually(t, "the server to be ready", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the server ended with code %d:\n%s\n%s", p.code, &p.stdout, &p.stderr)
		default:
		}
		return readyLine.MatchString(p.stdout.String())
	})
	return &serverProcess{process: p, url: readyLine.FindStringSubmatch(p.stdout.String())[1]}
}

// stop stops the server, which is to say that all went well.
func (s *serverProcess) stop(t *testing.T) {
	t.Helper()
	s.terminate(t)
	if code := s.wait(t); code != 0 {
		t.Fatalf("the server ended with code %d, want 0:\n%s", code, &s.stderr)
	}
}

// client returns a client with that token, or with the bootstrap token.
func (s *serverProcess) client(t *testing.T, token string) *client.Client {
	t.Helper()
	if token == "" {
		token = bootstrap
	}
	return newClient(t, client.Config{Endpoint: s.url, Token: token})
}

func newClient(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	config.MaxRetries = -1
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (s *serverProcess) status(t *testing.T, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func wantText(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// wantSecret looks for a secret where it must not be.
func wantSecret(t *testing.T, secret string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, secret) {
			t.Errorf("the secret %q is shown:\n%s", secret, text)
		}
	}
}

// password is to be seen nowhere.
const password = "p4ssw0rd-of-the-test"
