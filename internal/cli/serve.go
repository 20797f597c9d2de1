package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/server"
)

// The bounds of a request to the server. A directory file may be large, and its line slow.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 10 * time.Minute
	writeTimeout   = 15 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	// stopTimeout is how long requests that are under way may take to finish when the server is asked to stop.
	stopTimeout = 30 * time.Second
)

type serveCommand struct {
	Listen   string   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on; port 0 takes a free one. Default: ${default}."`
	Database database `placeholder:"DATABASE" help:"SQLite file, created if it is missing, or postgres:// URL ($$IDMAP_DATABASE, which keeps a password off the command line)."`
	TLSCert  string   `name:"tls-cert" placeholder:"FILE" help:"PEM file of the server's certificate, with those of its authorities."`
	TLSKey   string   `name:"tls-key" placeholder:"FILE" help:"PEM file of the certificate's key."`

	RateLimit int `placeholder:"N" help:"Requests a second that each token may send; more are told to wait a second (429). Default: no limit."`
}

// Help is what the help of the command says beyond its flags.
func (serveCommand) Help() string {
	return "If IDMAP_BOOTSTRAP_TOKEN is set, that token is an administrator's. Without it, and without any token in the database, " +
		"the server makes an administrator's token and prints it once. " +
		"SIGTERM and SIGINT stop the server when the requests under way are done; a second one stops it at once."
}

// Run serves until the context ends, and then finishes what is under way.
func (c serveCommand) Run(ctx context.Context, p *Program) (err error) {
	bootstrap, err := c.settle(p.Getenv)
	if err != nil {
		return err
	}
	log := p.log(slog.LevelInfo)
	// The listener comes first: a port that is taken is found before anything is written.
	l, err := listen(ctx, c.Listen, c.TLSCert, c.TLSKey)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := c.Database.open(ctx)
	if err != nil {
		return err
	}
	i := newInstance(s, bootstrap, server.Options{Version: p.Version, Logger: log, RateLimit: c.RateLimit})
	defer func() { err = errors.Join(err, i.close()) }()
	if err := p.announceToken(ctx, i); err != nil {
		return err
	}
	defer newTrimming(i.backend, log).start(ctx)()
	if !l.private() {
		log.WarnContext(ctx, "listening beyond this machine without TLS: tokens and addresses travel in clear text; "+
			"give --tls-cert and --tls-key, or put a proxy with TLS before the server")
	}
	fmt.Fprintf(p.Stdout, "idmap is ready on %s (%s)\n", l.url(), c.Database)
	return serve(ctx, l, i.handler, log)
}

// settle takes what the command line leaves out from the environment, and returns the bootstrap token, or "".
func (c *serveCommand) settle(getenv func(string) string) (bootstrap string, err error) {
	if c.Database == "" {
		c.Database = database(getenv("IDMAP_DATABASE"))
	}
	bootstrap = getenv("IDMAP_BOOTSTRAP_TOKEN")
	_, _, badAddress := net.SplitHostPort(c.Listen)
	switch {
	case c.Database == "":
		return "", usagef("no database is given; give --database (or IDMAP_DATABASE) an SQLite file, such as idmap.db, or a postgres:// URL")
	case badAddress != nil:
		return "", usagef("--listen is %q; it must be a host and a port, such as 127.0.0.1:8080, or [::1]:8080", c.Listen)
	case c.TLSCert == "" && c.TLSKey != "":
		return "", usagef("--tls-key is given without --tls-cert; TLS needs both, so give the certificate's file too")
	case c.TLSCert != "" && c.TLSKey == "":
		return "", usagef("--tls-cert is given without --tls-key; TLS needs both, so give the key's file too")
	case c.RateLimit < 0:
		return "", usagef("--rate-limit is %d; it must be a number of requests a second, such as 20; leave it out for no limit", c.RateLimit)
	case strings.ContainsFunc(bootstrap, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "", usagef("IDMAP_BOOTSTRAP_TOKEN has blanks, line breaks or characters outside of ASCII, and no client can send that; a token is one word, so check how it was copied")
	}
	return bootstrap, nil
}

// announceToken prints the first token of a database, which nobody can see again. It is printed before the ready line,
// so that whoever waits for that has seen all.
func (p *Program) announceToken(ctx context.Context, i *instance) error {
	first, err := i.backend.FirstToken(ctx)
	if err != nil {
		return fmt.Errorf("making the first token: %w", err)
	}
	if first != nil {
		fmt.Fprintf(p.Stdout, "The database had no tokens. This is an administrator's, and shown only now: %s\n", first.Secret)
	}
	return nil
}

// serve answers until the context ends. Then it stops listening, and returns when the requests under way are done, or
// fails when they take longer than stopTimeout.
func serve(ctx context.Context, l *listener, handler http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- l.serve(s) }()
	select {
	case err := <-failed:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	log.InfoContext(ctx, "stopping when the requests under way are done")
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := s.Shutdown(bounded); err != nil {
		return errors.Join(fmt.Errorf("requests were still under way after %s and were broken off", stopTimeout), s.Close())
	}
	log.InfoContext(ctx, "stopped")
	return nil
}
