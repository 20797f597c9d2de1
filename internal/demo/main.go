// Command demo shows the product at work, from an empty folder to the plans that it
// refuses: it builds the binary, starts it as a server, and applies one of the
// examples to it with the real Terraform.
//
//	go run ./internal/demo quickstart|migration
//
// Every step checks what it says. If anything is otherwise the demo says what, shows
// all that Terraform said, and ends with exit code 1. It leaves nothing behind, however
// it ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

//go:generate go run ./people ../../examples/migration

// The exit codes.
const (
	exitAsSaid      = 0
	exitNotAsSaid   = 1
	exitUsage       = 2
	exitInterrupted = 130
)

var stories = map[string]story{"quickstart": quickstart, "migration": migration}

func main() {
	// SIGPIPE is among them for `make demo | head`: dying of it would leave the server.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	told, ok := stories[strings.Join(os.Args[1:], " ")]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: demo quickstart|migration")
		os.Exit(exitUsage)
	}
	os.Exit(run(ctx, told, newScreen(os.Stdout)))
}

// run tells the whole story on the screen and returns the exit code.
func run(ctx context.Context, told story, s *screen) int {
	d := &demo{story: told, screen: s}
	err, left := d.tell(ctx), d.close()
	switch {
	case ctx.Err() != nil && left == nil:
		s.remark("Interrupted. The server is stopped and the folder is gone.")
		return exitInterrupted
	case err != nil || left != nil:
		s.failure(errors.Join(err, left))
		return exitNotAsSaid
	}
	s.theEnd()
	return exitAsSaid
}
