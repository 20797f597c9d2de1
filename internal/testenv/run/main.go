// Command run runs another command with a throw-away PostgreSQL cluster and a
// Terraform, and leaves nothing behind:
//
//	go run ./internal/testenv/run [-no-postgres] [-opentofu] -- COMMAND [ARGUMENT…]
//
// The command finds the cluster in IDMAP_TEST_POSTGRES_URL, Terraform in
// TF_ACC_TERRAFORM_PATH and first on PATH, and OpenTofu, where it is asked for,
// in IDMAP_TEST_TOFU_PATH. A cluster is only started where
// IDMAP_TEST_POSTGRES_URL is not set already. An interrupt, a termination or a
// hang-up goes on to the command; the cluster stops after the command has ended,
// and the exit code is the command's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// failure is the exit code of everything that goes wrong here, not in the command.
const failure = 125

// needs is what a command needs, besides Terraform.
type needs struct{ noPostgres, openTofu bool }

func main() {
	var wanted needs
	flag.BoolVar(&wanted.noPostgres, "no-postgres", false, "start no PostgreSQL cluster")
	flag.BoolVar(&wanted.openTofu, "opentofu", false, "find OpenTofu, or build it, which takes some minutes")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: run [-no-postgres] [-opentofu] -- COMMAND [ARGUMENT…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(failure)
	}
	code, err := run(flag.Args(), wanted)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testenv: %v\n", err)
	}
	os.Exit(code)
}

// run sets everything up, runs argv and takes everything down again. It returns
// argv's exit code.
func run(argv []string, wanted needs) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go watchParent(signals)

	stop, err := setUp(signals, wanted)
	if err != nil {
		return failure, err
	}
	defer func() {
		if stopErr := stop(); stopErr != nil {
			code, err = max(code, 1), errors.Join(err, fmt.Errorf("stopping PostgreSQL: %w", stopErr))
		}
	}()
	return command(argv, signals)
}

// setUp sets the environment that the command will inherit. It returns what stops
// the cluster. A signal ends it.
func setUp(signals <-chan os.Signal, wanted needs) (stop func() error, err error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan struct{})
	defer cancel(nil)
	defer close(done)
	go func() {
		select {
		case received := <-signals:
			cancel(fmt.Errorf("ended by a signal: %s", received))
		case <-done:
		}
	}()

	if err := provideTerraform(ctx); err != nil {
		return nil, err
	}
	if wanted.openTofu {
		if err := provideOpenTofu(ctx); err != nil {
			return nil, err
		}
	}
	if wanted.noPostgres || os.Getenv(testenv.PostgresEnv) != "" {
		return func() error { return nil }, nil
	}
	postgres, err := testenv.StartPostgres(ctx)
	if err != nil {
		return nil, err
	}
	return postgres.Stop, os.Setenv(testenv.PostgresEnv, postgres.URL())
}

// provideTerraform makes Terraform known to terraform-plugin-testing and to
// everything that looks on PATH, and keeps it from asking about new versions.
func provideTerraform(ctx context.Context) error {
	terraform, err := testenv.Terraform(ctx)
	if err != nil {
		return err
	}
	path := filepath.Dir(terraform) + string(os.PathListSeparator) + os.Getenv("PATH")
	return errors.Join(
		os.Setenv(testenv.TerraformEnv, terraform),
		os.Setenv("PATH", path),
		os.Setenv("CHECKPOINT_DISABLE", "1"),
	)
}

// provideOpenTofu makes OpenTofu known, so that no test has to build it.
func provideOpenTofu(ctx context.Context) error {
	tofu, err := testenv.OpenTofu(ctx)
	if err != nil {
		return err
	}
	return os.Setenv(testenv.OpenTofuEnv, tofu)
}

// command runs argv on our standard streams, hands signals on to it and returns
// its exit code.
func command(argv []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	deliver := prepare(cmd)
	if err := cmd.Start(); err != nil {
		return failure, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case received := <-signals:
			deliver(received)
		case err := <-ended:
			return exitCode(err)
		}
	}
}

// exitCode returns the exit code behind what [exec.Cmd.Wait] returned; like a
// shell, 128 and the signal's number for a command that a signal ended.
func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// watchParent turns the death of our parent into a termination of ourselves: a
// `go run` that is terminated takes nothing with it.
func watchParent(signals chan<- os.Signal) {
	parent := os.Getppid()
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	signals <- syscall.SIGTERM
}
