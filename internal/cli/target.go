package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

const (
	// callTimeout bounds one attempt of a call: a large directory takes its time.
	callTimeout = 2 * time.Minute
	// callRetries are fewer than the provider's: somebody waits at the terminal.
	callRetries = 2
)

// target says which mapping backend a command talks to.
type target struct {
	Endpoint   string   `placeholder:"URL" help:"Server to talk to ($$IDMAP_ENDPOINT), with the token of $$IDMAP_TOKEN."`
	Database   database `placeholder:"DATABASE" help:"SQLite file or postgres:// URL to work on with no server ($$IDMAP_DATABASE)."`
	CACertFile string   `name:"ca-cert-file" placeholder:"FILE" help:"PEM file of authorities to trust besides the system's ($$IDMAP_CA_CERT_FILE)."`
}

// resolve reads what the command line leaves out from the environment. An argument wins over the variable of the
// other one.
func (t target) resolve(getenv func(string) string) (target, error) {
	if t.Endpoint == "" && t.Database == "" {
		t.Endpoint, t.Database = getenv("IDMAP_ENDPOINT"), database(getenv("IDMAP_DATABASE"))
	}
	if t.CACertFile == "" {
		t.CACertFile = getenv("IDMAP_CA_CERT_FILE")
	}
	switch {
	case t.Endpoint != "" && t.Database != "":
		return t, usagef("both a server and a database are given, and one of them is needed; " +
			"leave out --endpoint (or IDMAP_ENDPOINT) or --database (or IDMAP_DATABASE)")
	case t.Endpoint == "" && t.Database == "":
		return t, usagef("nothing says which mappings are meant; give --endpoint (or IDMAP_ENDPOINT) to talk to a server, " +
			"or --database (or IDMAP_DATABASE) to work on a database with no server")
	case t.Endpoint != "" && getenv("IDMAP_TOKEN") == "":
		return t, usagef("the environment variable IDMAP_TOKEN is not set, and the server wants a token; " +
			"set it to a token with the scope that the command needs")
	}
	return t, nil
}

// withExisting is with, for a command that would find nothing in a new database.
func (t target) withExisting(ctx context.Context, p *Program, do func(*client.Client) error) error {
	t, err := t.resolve(p.Getenv)
	if err != nil {
		return err
	}
	if t.Database != "" {
		if err := t.Database.exists(); err != nil {
			return err
		}
	}
	return t.with(ctx, p, do)
}

// with calls do with a client of the backend, and leaves nothing open.
func (t target) with(ctx context.Context, p *Program, do func(*client.Client) error) (err error) {
	if t, err = t.resolve(p.Getenv); err != nil {
		return err
	}
	config := client.Config{
		Endpoint: t.Endpoint, CACertFile: t.CACertFile,
		UserAgent: name + "/" + p.Version, RequestTimeout: callTimeout, MaxRetries: callRetries,
	}
	if t.Database != "" {
		s, err := t.Database.open(ctx)
		if err != nil {
			return err
		}
		local, transport := newLocalInstance(s, p.Version, p.log(slog.LevelWarn))
		defer func() { err = errors.Join(err, local.close()) }()
		config.Transport = transport
	} else {
		config.Token = p.Getenv("IDMAP_TOKEN")
	}
	c, err := client.New(config)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}
