package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
)

// An engine keeps databases, and copies them.
type engine interface {
	// database returns what --database takes for a name.
	database(name string) string
	// fresh makes an empty database of that name, which must be new.
	fresh(ctx context.Context, name string) error
	// copy makes a database of one that no server uses.
	copy(ctx context.Context, from, to string) error
	drop(ctx context.Context, name string) error
}

// sqliteEngine keeps each database in a folder of its own.
type sqliteEngine struct{ folder string }

func (e sqliteEngine) database(name string) string { return filepath.Join(e.folder, name, "idmap.db") }

func (e sqliteEngine) fresh(_ context.Context, name string) error {
	return os.Mkdir(filepath.Join(e.folder, name), 0o700)
}

func (e sqliteEngine) copy(_ context.Context, from, to string) error {
	return os.CopyFS(filepath.Join(e.folder, to), os.DirFS(filepath.Join(e.folder, from)))
}

func (e sqliteEngine) drop(_ context.Context, name string) error {
	return os.RemoveAll(filepath.Join(e.folder, name))
}

// postgresEngine keeps its databases on one server.
type postgresEngine struct{ server, prefix string }

func newPostgresEngine(address string) *postgresEngine {
	return &postgresEngine{address, "idmap_scale_" + strings.ToLower(rand.Text()) + "_"}
}

func (e *postgresEngine) database(name string) string {
	u, err := url.Parse(e.server)
	if err != nil {
		return e.server
	}
	u.Path = "/" + e.prefix + name
	return u.String()
}

func (e *postgresEngine) fresh(ctx context.Context, name string) error {
	return server.ExecutePostgres(ctx, e.server, "CREATE DATABASE "+e.prefix+name)
}

func (e *postgresEngine) copy(ctx context.Context, from, to string) error {
	return errors.Join(
		// As autovacuum would within a minute: a planner without any figures reads whole tables.
		server.ExecutePostgres(ctx, e.database(from), "ANALYZE"),
		server.ExecutePostgres(ctx, e.server, "CREATE DATABASE "+e.prefix+to+" TEMPLATE "+e.prefix+from))
}

func (e *postgresEngine) drop(ctx context.Context, name string) error {
	return server.ExecutePostgres(ctx, e.server, "DROP DATABASE IF EXISTS "+e.prefix+name+" WITH (FORCE)")
}

// durable has a PostgreSQL server write everything to its disk before it answers, as one does whose data matter, and the
// cluster of the tests does not. It returns what takes that back.
func durable(ctx context.Context, address string) (undo func() error, err error) {
	alter := func(ctx context.Context, how string) error {
		var statements []string
		for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			statements = append(statements, fmt.Sprintf(how, setting))
		}
		return server.ExecutePostgres(ctx, address, append(statements, "SELECT pg_reload_conf()")...)
	}
	return func() error { return alter(context.WithoutCancel(ctx), "ALTER SYSTEM RESET %s") }, alter(ctx, "ALTER SYSTEM SET %s = on")
}
