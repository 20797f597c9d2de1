//go:build unix

package main

import "syscall"

// apart keeps an interrupt from the terminal away from a process that is stopped when its time has come.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
