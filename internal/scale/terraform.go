package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A workspace is a folder in which Terraform runs with one of the two providers.
type workspace struct {
	folder, provider string // the provider's file
	env              []string
}

// newWorkspace makes a workspace. The provider is the only file of its kind in its folder.
func newWorkspace(folder, provider string, env ...string) (workspace, error) {
	settings := filepath.Join(folder, "cli.tfrc")
	override := fmt.Sprintf("provider_installation {\n  dev_overrides { \"idmap/idmap\" = %q }\n  direct {}\n}\n", filepath.Dir(provider))
	if err := os.WriteFile(settings, []byte(override), 0o600); err != nil {
		return workspace{}, err
	}
	clean := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "IDMAP_")
	})
	return workspace{folder, provider, append(append(clean, "TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1", "TF_INPUT=0"), env...)}, nil
}

const stateFile = "terraform.tfstate"

// configurations are what is measured, by resource.
var configurations = map[string]string{
	single: `
resource "idmap_user_mapping" "person" {
  for_each                  = var.people
  source_connection_id      = "mail"
  destination_connection_id = "sales"
  user_id                   = each.key
  email                     = each.value
}
`,
	bulk: `
resource "idmap_user_mappings" "people" {
  source_connection_id      = "mail"
  destination_connection_id = "sales"
  mappings                  = var.people
}
`,
}

const preamble = `terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

provider "idmap" {}

variable "people" {
  type = map(string)
}
`

// write writes the configuration of so many people, and the state, if there is one.
func (w workspace) write(resource string, people map[string]string, state []byte) error {
	variables, err := json.Marshal(map[string]any{"people": people})
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(w.folder, "main.tf"), []byte(preamble+configurations[resource]), 0o600),
		os.WriteFile(filepath.Join(w.folder, "terraform.tfvars.json"), variables, 0o600))
	if state != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(w.folder, stateFile), state, 0o600))
	}
	return err
}

// A task is what Terraform does for an action, and the exit code that says it was done.
type task struct {
	args []string
	exit int
}

var tasks = map[string]task{
	create:  {[]string{"apply", "-auto-approve", "-no-color"}, 0},
	plan:    {[]string{"plan", "-detailed-exitcode", "-no-color"}, 0},
	change:  {[]string{"plan", "-detailed-exitcode", "-no-color"}, 2},
	destroy: {[]string{"destroy", "-auto-approve", "-no-color"}, 0},
}

// run runs an action. It returns how long it took, and the most memory that one process of the provider has held, in MiB.
func (w workspace) run(ctx context.Context, t task) (took time.Duration, peak float64, err error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "terraform", t.args...) //nolint:gosec // the arguments are ours
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.folder, w.env, &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	stop := watchMemory(cmd.Process.Pid, w.provider)
	_ = cmd.Wait() // the exit code says more
	took, peak = time.Since(begun), stop()
	if exit := cmd.ProcessState.ExitCode(); exit != t.exit {
		return took, peak, &failure{fmt.Sprintf("terraform %s ended with %d, not %d", t.args[0], exit, t.exit), said.String()}
	}
	return took, peak, ctx.Err()
}

// A failure is an action that Terraform did not do.
type failure struct{ what, said string }

// Error says what failed, and the first error that Terraform told.
func (f *failure) Error() string {
	_, told, _ := strings.Cut(f.said, "Error: ")
	line, _, _ := strings.Cut(told, "\n")
	return strings.TrimSuffix(f.what+": "+line, ": ")
}

// watchMemory looks every now and then at the provider's processes that the parent has started. It returns what ends that,
// and tells the most memory that one of them has held, in MiB; 0 where the system does not tell. Terraform starts one
// process for each of its walks, and ends it without a word.
func watchMemory(parent int, program string) func() float64 {
	peak, done, ended := 0.0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for _, pid := range children(parent) {
				if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe == program {
					peak = max(peak, peakMemory(pid))
				}
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(done)
		<-ended
		return peak
	}
}

// children returns the processes that a process has started.
func children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var all []int
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peakMemory is the most memory that a process has had resident, in MiB, as Linux tells it; else 0.
func peakMemory(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := peakLine.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kb, _ := strconv.ParseFloat(string(found[1]), 64)
	return kb / 1024
}
