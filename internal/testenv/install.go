package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// A packageManager is a way to install PostgreSQL.
type packageManager struct {
	program  string // what has to be on PATH
	needRoot bool
	script   string // run by sh
}

// packageManagers are tried in order; the first whose program exists is used.
var packageManagers = []packageManager{
	{
		program:  "apt-get",
		needRoot: true,
		// The package would otherwise make a cluster and start it as a service.
		script: `
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/no-main-cluster.conf
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends postgresql`,
	},
	{
		program:  "dnf",
		needRoot: true,
		script:   `dnf install --assumeyes postgresql-server`,
	},
	{
		program: "brew",
		script:  `brew install postgresql@17`,
	},
}

// installPostgres installs PostgreSQL through the system's package manager, with
// its output on standard error. It fails if there is none, or if we may not.
func installPostgres(ctx context.Context) error {
	for _, manager := range packageManagers {
		if _, err := exec.LookPath(manager.program); err == nil {
			return manager.install(ctx)
		}
	}
	return fmt.Errorf("none of the package managers known for %s is here", runtime.GOOS)
}

func (m packageManager) install(ctx context.Context) error {
	argv := []string{"sh", "-euxc", m.script}
	if m.needRoot && os.Geteuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "--non-interactive", "true").Run() != nil {
			return errors.New(m.program + " needs root, and there is no sudo that works without a password")
		}
		argv = append([]string{"sudo", "--non-interactive"}, argv...)
	}
	fmt.Fprintf(os.Stderr, "testenv: no PostgreSQL found, installing it with %s\n", m.program)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
