//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// other stands for a server that somebody else runs.
const other = "postgres://elsewhere.example/postgres"

func TestRunReturnsTheCommandsExitCode(t *testing.T) {
	t.Setenv(testenv.PostgresEnv, other)
	for script, want := range map[string]int{"true": 0, "exit 7": 7, "kill -TERM $$": 128 + 15} {
		if got, err := run([]string{"sh", "-c", script}, needs{}); got != want || err != nil {
			t.Errorf("run(%q) = %d, %v, want %d", script, got, err, want)
		}
	}
	if got, err := run([]string{"no-such-command"}, needs{}); got != failure || err == nil {
		t.Errorf("a command that does not exist: %d, %v, want %d and an error", got, err, failure)
	}
}

func TestRunProvides(t *testing.T) {
	t.Setenv(testenv.PostgresEnv, "")
	if got := printed(t, `$`+testenv.PostgresEnv); !strings.HasPrefix(got, "postgres://postgres@127.0.0.1:") {
		t.Errorf("the command sees the server %q", got)
	}
	if got := printed(t, `$`+testenv.TerraformEnv); !filepath.IsAbs(got) {
		t.Errorf("the command sees the Terraform %q", got)
	}
}

func TestRunProvidesOpenTofuWhereItIsAskedFor(t *testing.T) {
	t.Setenv(testenv.PostgresEnv, other)
	tofu := filepath.Join(t.TempDir(), "tofu")
	t.Setenv(testenv.OpenTofuEnv, tofu)
	if code, err := run([]string{"true"}, needs{}); code != 0 || err != nil {
		t.Errorf("without it: %d, %v", code, err)
	}
	if code, err := run([]string{"true"}, needs{openTofu: true}); code != failure || err == nil {
		t.Errorf("where it is not there: %d, %v", code, err)
	}
	if err := os.WriteFile(tofu, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if code, err := run([]string{"sh", "-c", `test "$` + testenv.OpenTofuEnv + `" = "$0"`, tofu}, needs{openTofu: true}); code != 0 || err != nil {
		t.Errorf("where it is there: %d, %v", code, err)
	}
}

func TestRunUsesTheServerThatIsSet(t *testing.T) {
	t.Setenv(testenv.PostgresEnv, other)
	if got := printed(t, `$`+testenv.PostgresEnv); got != other {
		t.Errorf("the command sees the server %q, want the one that was set", got)
	}
}

func TestRunHandsSignalsOn(t *testing.T) {
	t.Setenv(testenv.PostgresEnv, other)
	started := filepath.Join(t.TempDir(), "started")
	go func() {
		for range 1000 {
			if _, err := os.Stat(started); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
	script := `trap 'exit 9' TERM; touch "$0"; while :; do sleep 0.05; done`
	if got, err := run([]string{"sh", "-c", script, started}, needs{}); got != 9 || err != nil {
		t.Errorf("run = %d, %v, want the exit code of the command's own handler", got, err)
	}
}

// printed runs a shell that prints the given word, and returns it.
func printed(t *testing.T, word string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "printed")
	if code, err := run([]string{"sh", "-c", `printf %s "` + word + `" >"$0"`, file}, needs{}); code != 0 || err != nil {
		t.Fatalf("run = %d, %v", code, err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
