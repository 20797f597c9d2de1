package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// patience is how long an interrupted Terraform gets to end by itself.
const patience = 20 * time.Second

// The exit codes of terraform plan -detailed-exitcode.
const (
	planEmpty   = 0
	planRefused = 1
	planChanges = 2
)

// A terraform runs Terraform in one folder.
type terraform struct {
	path, folder string
	env          []string
}

// An outcome is what came of one run of Terraform.
type outcome struct {
	command string
	exit    int
	output  string // both what it reported and what it complained about
}

// run runs one command. That it fails is no error: the outcome says so.
func (t terraform) run(ctx context.Context, args ...string) (outcome, error) {
	stdout, stderr, exit, err := t.start(ctx, args)
	return outcome{command: "terraform " + strings.Join(args, " "), exit: exit, output: stdout + stderr}, err
}

func (t terraform) start(ctx context.Context, args []string) (stdout, stderr string, exit int, err error) {
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.folder, t.env, &out, &complaints
	// Interrupted, Terraform ends its plugins; killed, it would leave them.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	isolate(cmd)
	err = cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && ctx.Err() == nil {
		err = nil
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode(), err
}

// decode runs a command that answers in JSON, and decodes the answer into what to points to.
func (t terraform) decode(ctx context.Context, to any, args ...string) error {
	stdout, stderr, exit, err := t.start(ctx, args)
	if err != nil {
		return err
	}
	if exit != 0 {
		return fmt.Errorf("terraform %s ended with exit code %d:\n%s", strings.Join(args, " "), exit, plain(stderr))
	}
	return json.Unmarshal([]byte(stdout), to)
}

// outputValue decodes an output of the configuration.
func (t terraform) outputValue(ctx context.Context, name string, to any) error {
	return t.decode(ctx, to, "output", "-json", name)
}

// resources returns what Terraform has in its state.
func (t terraform) resources(ctx context.Context) ([]resource, error) {
	var state struct {
		Values struct {
			RootModule struct {
				Resources []resource `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	err := t.decode(ctx, &state, "show", "-json")
	return state.Values.RootModule.Resources, err
}

// A resource is an entry of Terraform's state.
type resource struct {
	Type string `json:"type"`
}

// count returns how many of the resources are of the type.
func count(resources []resource, kind string) int {
	n := 0
	for _, r := range resources {
		if r.Type == kind {
			n++
		}
	}
	return n
}

// otherwise returns an error that says what is not as said, and all that Terraform said.
func (o outcome) otherwise(format string, args ...any) error {
	return fmt.Errorf("%s\n\n$ %s    (exit code %d)\n%s", fmt.Sprintf(format, args...), o.command, o.exit, plain(o.output))
}

// cleanEnvironment returns our environment without what would change how Terraform and
// the provider behave, and with the additions. NO_COLOR goes too: whether there are
// colours is decided where they are shown.
func cleanEnvironment(additions ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "IDMAP_") || strings.HasPrefix(entry, "NO_COLOR=")
	})
	return append(env, additions...)
}
