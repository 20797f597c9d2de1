// Package cli is the command line of the program: serve, token, directory, email, adopt, session and sign-in. It also
// makes, out of a database, the mapping backend that serve puts on the network, that --database works on, and that the
// provider embeds.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// name is what the program is called, whatever its file is named.
const name = "terraform-provider-idmap"

// The exit codes of the program.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Program is the command line with what it has of the outside world.
type Program struct {
	// Version is that of the build, for people.
	Version string
	// Stdout gets what a command was asked for, and nothing else: scripts read it.
	Stdout io.Writer
	// Stderr gets errors, explanations and the log.
	Stderr io.Writer
	// Getenv reads the environment. Secrets come from there alone: the arguments of a process are for all to see.
	Getenv func(string) string
}

// commands is the grammar.
type commands struct {
	Serve     serveCommand     `cmd:"" help:"Run a server for mappings on a database."`
	Token     tokenCommands    `cmd:"" help:"Create, list and revoke API tokens."`
	Directory directoryCommand `cmd:"" help:"Fill the directory of a connection."`
	Email     emailCommands    `cmd:"" help:"Release addresses of the ledger."`
	Adopt     adoptCommand     `cmd:"" help:"Print Terraform configuration for the mappings that sign-ins made."`
	Session   sessionCommands  `cmd:"" help:"List and revoke the sessions of users."`
	SignIn    signInCommands   `cmd:"" help:"Find out why somebody cannot sign in."`

	Version kong.VersionFlag `help:"Print the version."`
}

const description = "A Terraform provider for identity mappings, and the mapping backend that it talks to. " +
	"Terraform starts this program without arguments, as its plugin."

// Run runs the command that the arguments name, and returns the exit code: 0 when it did what was asked, 2 when the
// command line or the environment cannot be understood, 1 for every other failure, explained on Stderr. SIGINT and
// SIGTERM end the context of the command; a second one ends the process.
func (p *Program) Run(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	err := p.run(ctx, args)
	if err == nil {
		return exitDone
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(p.Stderr, "Error: %s\nRun `%s --help` to see what can be said.\n", sentence(err), usage.command)
		return exitUsage
	}
	fmt.Fprintf(p.Stderr, "Error: %s\n", sentence(err))
	return exitFailed
}

func (p *Program) run(ctx context.Context, args []string) error {
	answered := false // by --help or --version
	parser, err := p.parser(ctx, func(int) { answered = true })
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	switch {
	case answered:
		return nil
	case err != nil:
		return usageOf(err)
	}
	err = parsed.Run()
	if usage, ok := errors.AsType[*usageError](err); ok {
		usage.command = parsed.Selected().FullPath()
	}
	return err
}

// parser does not end the process: kong's exit is only noted.
func (p *Program) parser(ctx context.Context, exit func(int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name(name),
		kong.Description(description),
		kong.Vars{"version": name + " " + p.Version},
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(p),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
}

// log writes to Stderr what is of that level or above.
func (p *Program) log(level slog.Level) *slog.Logger { return NewLog(p.Stderr, level) }

// NewLog returns a logger that writes to w, as text, what is of that level or above.
func NewLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// usageError says that the command line, or the environment, cannot be understood.
type usageError struct {
	error
	command string
}

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{error: fmt.Errorf(format, args...), command: name}
}

// usageOf names the command whose help says more about an error of kong.
func usageOf(err error) error {
	usage := &usageError{error: err, command: name}
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil && parse.Context.Selected() != nil {
		usage.command = parse.Context.Selected().FullPath()
	}
	return usage
}

// sentence makes a sentence of the words of an error.
func sentence(err error) string {
	text := strings.TrimSpace(wordsOf(err))
	if text == "" {
		return "It failed, and nobody says why."
	}
	if first := text[0]; 'a' <= first && first <= 'z' {
		text = string(first-'a'+'A') + text[1:]
	}
	if strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		return text
	}
	return text + "."
}
