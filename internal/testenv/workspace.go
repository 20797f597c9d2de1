package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Workspace is a folder with a configuration, in which Terraform, or a command line of its kind, runs with a provider
// that was built here.
type Workspace struct {
	Folder string   // absolute
	CLI    string   // path of terraform, or of tofu
	Env    []string // NAME=value, besides the environment of the test without what is Terraform's and the provider's own
	// Secrets are what nothing that is run here may print.
	Secrets []string
}

// NewWorkspace makes a workspace that takes the provider from the given file. It is gone with the test.
func NewWorkspace(tb testing.TB, cli, provider string, env ...string) Workspace {
	tb.Helper()
	w := Workspace{Folder: tb.TempDir(), CLI: cli}
	plugins := tb.TempDir()
	settings := filepath.Join(plugins, "cli.tfrc")
	override := fmt.Sprintf("provider_installation {\n  dev_overrides { \"idmap/idmap\" = %q }\n  direct {}\n}\n", filepath.ToSlash(plugins))
	err := errors.Join(
		os.Symlink(provider, filepath.Join(plugins, "terraform-provider-idmap")),
		os.WriteFile(settings, []byte(override), 0o600))
	if err != nil {
		tb.Fatal(err)
	}
	w.Env = append([]string{"TF_CLI_CONFIG_FILE=" + settings, "CHECKPOINT_DISABLE=1", "TF_INPUT=0"}, env...)
	return w
}

// Write writes a file of the workspace, and makes its folder.
func (w Workspace) Write(tb testing.TB, name, text string) {
	tb.Helper()
	path := filepath.Join(w.Folder, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		tb.Fatal(err)
	}
}

// Run runs one command in the workspace, without colours.
func (w Workspace) Run(tb testing.TB, args ...string) Outcome {
	tb.Helper()
	_, wait := w.Start(tb, args...)
	return wait()
}

// Start is Run for tests that interfere: it returns the process at once, and what waits for its end.
func (w Workspace) Start(tb testing.TB, args ...string) (*os.Process, func() Outcome) {
	tb.Helper()
	var stdout, stderr bytes.Buffer
	cmd := w.Command(tb, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return cmd.Process, func() Outcome {
		tb.Helper()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			tb.Fatal(err)
		}
		o := Outcome{Args: args, Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
		for _, secret := range w.Secrets {
			if strings.Contains(o.Stdout+o.Stderr, secret) {
				tb.Errorf("a secret is printed by %v", o)
			}
		}
		return o
	}
}

// Must is Run, and fails the test unless the command ends well.
func (w Workspace) Must(tb testing.TB, args ...string) Outcome {
	tb.Helper()
	o := w.Run(tb, args...)
	if o.Code != 0 {
		tb.Fatal(o)
	}
	return o
}

// separately is the variable by which the tests are run with requests that are not gathered.
const separately = "IDMAP_SEPARATE_REQUESTS="

// Command is the command that Run runs. It ends with the test.
func (w Workspace) Command(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	if takesNoColor(args) {
		args = append(slices.Clone(args), "-no-color")
	}
	cmd := exec.CommandContext(tb.Context(), w.CLI, args...)
	cmd.Dir = w.Folder
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "IDMAP_") && !strings.HasPrefix(entry, separately)
	}), w.Env...)
	return cmd
}

// takesNoColor reports whether a command knows -no-color, which has to come before the arguments of those that have any.
func takesNoColor(args []string) bool {
	return slices.Contains([]string{"apply", "destroy", "plan", "refresh", "validate", "test", "query"}, args[0]) && !slices.ContainsFunc(args[1:], func(arg string) bool {
		return !strings.HasPrefix(arg, "-")
	})
}

// An Outcome is what came of one run of Terraform.
type Outcome struct {
	Args           []string
	Code           int // the exit code
	Stdout, Stderr string
}

// String is the command and all that it said.
func (o Outcome) String() string {
	return fmt.Sprintf("%s ended with %d:\n%s%s", strings.Join(o.Args, " "), o.Code, o.Stdout, o.Stderr)
}

// A Diagnostic is an error or a warning of a run with -json.
type Diagnostic struct {
	Severity string `json:"severity"` // error or warning
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"` // of the resource; "" if it is about none
	Snippet  struct {
		Context string `json:"context"` // the block, such as resource "idmap_user_mapping" "jane"
		Code    string `json:"code"`    // the lines at fault
	} `json:"snippet"`
}

// Diagnostics returns the errors and warnings of a run of plan, apply or destroy with -json.
func (o Outcome) Diagnostics(tb testing.TB) []Diagnostic {
	tb.Helper()
	var all []Diagnostic
	for line := range strings.Lines(o.Stdout) {
		var message struct {
			Diagnostic *Diagnostic `json:"diagnostic"`
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			tb.Fatalf("a line that is not JSON: %q\n%v", line, o)
		}
		if message.Diagnostic != nil {
			all = append(all, *message.Diagnostic)
		}
	}
	return all
}

var buildOnce struct {
	sync.Once
	path string
	err  error
}

// Provider builds the program, once for all tests of a package, and returns its path. Call RemoveProvider in TestMain.
func Provider(tb testing.TB) string {
	tb.Helper()
	buildOnce.Do(func() { buildOnce.path, buildOnce.err = buildProvider(tb) })
	if buildOnce.err != nil {
		tb.Fatal(buildOnce.err)
	}
	return buildOnce.path
}

func buildProvider(tb testing.TB) (string, error) {
	module, err := exec.CommandContext(tb.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking Go for the module: %w", err)
	}
	folder, err := os.MkdirTemp("", "idmap-provider-") //nolint:usetesting // it is there for all tests, not for the first alone
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "terraform-provider-idmap")
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(module)))
	if said, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("the program cannot be built: %w\n%s", err, said)
	}
	return path, nil
}

// RemoveProvider removes what Provider built.
func RemoveProvider() {
	if buildOnce.path != "" {
		_ = os.RemoveAll(filepath.Dir(buildOnce.path)) // a folder of the system's for such things
	}
}
