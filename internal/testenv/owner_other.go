//go:build !unix

package testenv

import (
	"fmt"
	"os/exec"
	"runtime"
)

// A processOwner says as whom the cluster's processes run.
type processOwner struct{}

// unprivileged always fails: starting a cluster is only supported on Unix.
func unprivileged(string) (processOwner, error) {
	return processOwner{}, fmt.Errorf("no PostgreSQL cluster can be started on %s (set %s to a server's URL)", runtime.GOOS, PostgresEnv)
}

func (processOwner) apply(*exec.Cmd) {}
