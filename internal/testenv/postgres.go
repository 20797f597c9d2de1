package testenv

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

var (
	//go:embed cluster.sh
	clusterScript string

	//go:embed postgres.conf
	clusterSettings []byte
)

// A Postgres is a running PostgreSQL cluster that lives in a temporary folder,
// listens on a port of its own on 127.0.0.1 and lets everyone in.
//
// It is gone, folder included, after Stop; it also goes when the process that
// started it dies in any way whatever.
type Postgres struct {
	folder string
	port   int
	keeper *exec.Cmd      // runs cluster.sh
	open   io.WriteCloser // the keeper's standard input: the cluster lives until it is closed
	stop   func() error
}

// StartPostgres starts a fresh cluster with the newest PostgreSQL on this
// machine, which it first installs through the system's package manager if there
// is none and it may. It returns once the server accepts connections; ctx bounds
// the start only. The caller MUST call Stop.
//
// Run by root, PostgreSQL refuses to work, and so the cluster then belongs to the
// user postgres, or to nobody.
func StartPostgres(ctx context.Context) (*Postgres, error) {
	programs, err := ensurePostgres(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "idmap-postgres-")
	if err != nil {
		return nil, err
	}
	p := &Postgres{folder: folder}
	if err := p.start(ctx, programs); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return p, nil
}

// URL returns the address of the cluster's database postgres, as its superuser.
func (p *Postgres) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

// Stop ends every connection, stops the cluster and removes its folder. Further
// calls do nothing and return what the first one did.
func (p *Postgres) Stop() error {
	return p.stop()
}

// start makes the cluster and has it served.
func (p *Postgres) start(ctx context.Context, programs string) error {
	owner, err := unprivileged(p.folder)
	if err != nil {
		return err
	}
	if err := p.initialise(ctx, programs, owner); err != nil {
		return err
	}
	// The port is chosen as late as possible: nothing keeps it free for us.
	if p.port, err = freePort(ctx); err != nil {
		return err
	}
	return p.serve(ctx, programs, owner)
}

// initialise makes the cluster's data folder.
func (p *Postgres) initialise(ctx context.Context, programs string, owner processOwner) error {
	initdb := filepath.Join(programs, "initdb")
	args := []string{
		"--pgdata=" + filepath.Join(p.folder, "data"),
		"--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync",
	}
	args = append(args, localeOf(ctx, initdb)...)
	out, err := p.command(ctx, owner, initdb, args...).CombinedOutput()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("making a PostgreSQL cluster with %s: %w\n%s", initdb, err, out)
	}
	return p.configure()
}

// configure appends our settings to the cluster's own.
func (p *Postgres) configure() error {
	path := filepath.Join(p.folder, "data", "postgresql.conf")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(clusterSettings)
	return errors.Join(err, file.Close())
}

// localeOf returns the arguments that give the cluster English sorting rules
// where this initdb can, since under the C locale a forgotten binary collation
// would not be noticed by any test.
func localeOf(ctx context.Context, initdb string) []string {
	help, err := exec.CommandContext(ctx, initdb, "--help").Output()
	if err != nil || !bytes.Contains(help, []byte("--icu-locale")) {
		return []string{"--no-locale"}
	}
	return []string{"--no-locale", "--locale-provider=icu", "--icu-locale=en"}
}

// serve starts the server and waits until it accepts connections.
func (p *Postgres) serve(ctx context.Context, programs string, owner processOwner) error {
	var complaints bytes.Buffer
	// Ending ctx must not kill the keeper, which would leave the server running.
	keeping := context.WithoutCancel(ctx)
	p.keeper = p.command(keeping, owner, "sh", "-c", clusterScript, "sh", programs, p.folder, strconv.Itoa(p.port))
	p.keeper.Stderr = &complaints
	said, err := p.launch()
	if err != nil {
		return err
	}
	p.stop = sync.OnceValue(p.shutDown)

	select {
	case line := <-said:
		if line == "ready" {
			return nil
		}
		stopped := p.Stop() // waits, so complaints is complete
		return errors.Join(fmt.Errorf("PostgreSQL did not start:\n%s", &complaints), stopped)
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), p.Stop())
	}
}

// launch starts the keeper and returns a channel of the first line that it says,
// which is empty if it says none.
func (p *Postgres) launch() (<-chan string, error) {
	var err error
	if p.open, err = p.keeper.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.keeper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.keeper.Start(); err != nil {
		return nil, err
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- strings.TrimSpace(line)
	}()
	return said, nil
}

// shutDown has the keeper stop the server and waits for it.
func (p *Postgres) shutDown() error {
	closed := p.open.Close()
	ended := p.keeper.Wait()
	return errors.Join(ended, closed, os.RemoveAll(p.folder))
}

// command returns a command that runs as the cluster's owner, in the cluster's
// folder and out of the terminal's reach, without any PG… variable that would
// lead PostgreSQL's programs to another server.
func (p *Postgres) command(ctx context.Context, owner processOwner, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.folder, "LC_ALL=C"}
	owner.apply(cmd)
	return cmd
}

// freePort returns a TCP port of 127.0.0.1 that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil //nolint:forcetypeassert // a TCP listener has a TCP address
}
