//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/mattn/go-isatty"
)

// prepare returns what delivers a signal to cmd, to be called before it starts.
//
// Without a terminal, cmd becomes the leader of a process group, and a signal goes
// to all of it: `go test` passes none on to the test binaries. With a terminal, cmd
// has to stay in the group that may read from it, all of which the terminal
// interrupts by itself.
func prepare(cmd *exec.Cmd) (deliver func(os.Signal)) {
	if isatty.IsTerminal(os.Stdin.Fd()) {
		return func(s os.Signal) { _ = cmd.Process.Signal(s) }
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func(s os.Signal) {
		if number, ok := s.(syscall.Signal); ok {
			_ = syscall.Kill(-cmd.Process.Pid, number)
		}
	}
}
