package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// beProgram makes a child process of this test the program itself.
const beProgram = "IDMAP_TEST_BE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		version += fmt.Sprintf("-%d", os.Getpid()) // tells the servers of a test which process asks
		os.Exit(run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// cookieValue is what Terraform gives a plugin to know it by.
const cookieValue = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"

func program(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Env = append([]string{beProgram + "=1", "TMPDIR=" + os.TempDir()}, env...)
	return cmd
}

func TestStartedByHand(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	cmd := program(t, nil)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the exit code tells
	if cmd.ProcessState.ExitCode() != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "terraform init") {
		t.Errorf("exit code %d, standard output %q, standard error:\n%s", cmd.ProcessState.ExitCode(), &stdout, &stderr)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, err := program(t, nil, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "terraform-provider-idmap dev") {
		t.Errorf("%s%v", out, err)
	}
}

// Terraform's way: a cookie in the environment, then one line that says where the plugin listens.
func TestPlugin(t *testing.T) {
	t.Parallel()
	if line := firstLine(t, program(t, []string{cookie + "=" + cookieValue, "PLUGIN_PROTOCOL_VERSIONS=6"})); !strings.HasPrefix(line, "1|6|") {
		t.Errorf("the plugin says %q", line)
	}
}

// TestPluginEndsWithTerraform: killed, Terraform ends no provider.
func TestPluginEndsWithTerraform(t *testing.T) {
	t.Parallel()
	plugin := program(t, []string{cookie + "=" + cookieValue, "PLUGIN_PROTOCOL_VERSIONS=6"})
	terraform := exec.CommandContext(t.Context(), "sh", "-c", `"$0" & wait`, plugin.Path)
	terraform.Env = plugin.Env
	stdout, err := terraform.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := terraform.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); err != nil {
		t.Fatalf("the plugin says %q: %v", line, err)
	}
	if err := terraform.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, said) // until it ends, since it has the other end
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the plugin waits for a Terraform that is gone")
	}
	_ = terraform.Wait() // it was killed
}

func TestDebug(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-debug", "--debug"} {
		cmd := program(t, nil, flag)
		if line := firstLine(t, cmd); !strings.Contains(line, "Provider started") {
			t.Errorf("%s: %q", flag, line)
		}
	}
}

// firstLine starts the program, reads its first line, and ends it.
func firstLine(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	_ = cmd.Process.Kill() // its end is not the test's business
	_ = cmd.Wait()
	return line
}
