package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// databaseTimeout bounds making or dropping one database.
const databaseTimeout = time.Minute

// PostgresDatabase makes an empty database with a random name on the server of
// [PostgresEnv] and returns its URL. The database is dropped when the test ends,
// together with every connection that is still open to it.
//
// Without a server the test fails: it is never skipped.
func PostgresDatabase(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(PostgresEnv)
	if server == "" {
		tb.Fatalf("this test needs PostgreSQL: run `make test`, or set %s to the URL of a server on which databases may be created", PostgresEnv)
	}
	name := "idmap_test_" + strings.ToLower(rand.Text())
	database, err := databaseURL(server, name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("making a database on the server of %s: %v", PostgresEnv, err)
	}
	tb.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("dropping the test's database: %v", err)
		}
	})
	return database
}

// databaseURL returns the URL of the named database on the server of another.
func databaseURL(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		// The value may hold a password, so it is not repeated here.
		return "", fmt.Errorf("%s must be a URL such as postgres://user:password@host:5432/postgres", PostgresEnv)
	}
	u.Path, u.RawPath = "/"+name, ""
	return u.String(), nil
}

// execute runs one statement on a connection of its own.
func execute(server, statement string) error {
	// Not the test's context, which has ended by the time of its cleanup.
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // the statement's own error says more
	_, err = conn.Exec(ctx, statement)
	return err
}
