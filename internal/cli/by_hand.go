package cli

import (
	"context"
	"fmt"
)

const startedByHand = `This is the idmap provider for Terraform. Terraform starts it by itself, so there is nothing to start by hand.
Name it in a configuration, then run "terraform init":

  terraform {
    required_providers {
      idmap = { source = "idmap/idmap" }
    }
  }

Developers of the provider start it with -debug, and Terraform with what that prints.
With a command, the same program is the mapping backend, or talks to one:

`

// StartedByHand explains on Stderr what the program is and how to use it, and returns the exit code, which is that of a
// failure: a script that ended up here meant something else.
func (p *Program) StartedByHand(ctx context.Context) int {
	fmt.Fprint(p.Stderr, startedByHand)
	help := Program{Version: p.Version, Stdout: p.Stderr, Stderr: p.Stderr, Getenv: p.Getenv}
	_ = help.run(ctx, []string{"--help"}) // has no way to fail that would help the reader
	return exitFailed
}
