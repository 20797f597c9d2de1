//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// isolate keeps an interrupt from the terminal away from a process: it is for us, and
// we pass it on when it is time. Terraform would take a second one for impatience.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
