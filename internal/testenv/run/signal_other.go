//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// prepare returns what delivers a signal to cmd, to be called before it starts.
func prepare(cmd *exec.Cmd) (deliver func(os.Signal)) {
	return func(s os.Signal) { _ = cmd.Process.Signal(s) }
}
