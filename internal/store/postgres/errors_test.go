package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// secret is a password that no error may repeat.
const secret = "s3cr3t-Pa55word"

// change returns the URL of a database with something changed, and with the secret as its password.
func change(t *testing.T, database string, set func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), secret)
	set(u)
	return u.String()
}

// freePort returns an address at which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestBadDatabases(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	nobody := freePort(t)
	for name, c := range map[string]struct {
		url         string
		says        []string
		unavailable bool
	}{
		"not a URL":        {"postgres://user:" + secret + "@host:port/db", []string{"cannot be read", "postgres://user:password@host:5432/database"}, false},
		"control":          {"postgres://user:" + secret + "\x7f@host/db", []string{"cannot be read"}, false},
		"another scheme":   {"mysql://user:" + secret + "@host/db", []string{"cannot be read"}, false},
		"words":            {"host=localhost password=" + secret, []string{"cannot be read"}, false},
		"a bad option":     {change(t, database, func(u *url.URL) { u.RawQuery = "sslmode=" + secret }), []string{"an option that cannot be used"}, false},
		"unreachable":      {change(t, database, func(u *url.URL) { u.Host = nobody }), []string{nobody, "cannot be reached", "check that it runs"}, true},
		"no such host":     {change(t, database, func(u *url.URL) { u.Host = "nobody.invalid:5432" }), []string{"nobody.invalid:5432", "cannot be reached"}, true},
		"missing database": {change(t, database, func(u *url.URL) { u.Path = "/not_there" }), []string{`has no database "not_there"`, "create it, or correct the URL"}, false},
		"wrong user":       {change(t, database, func(u *url.URL) { u.User = url.UserPassword("not_a_user", secret) }), []string{`refuses the user "not_a_user"`, "password is wrong"}, false},
		"a bad setting":    {change(t, database, func(u *url.URL) { u.RawQuery = "work_mem=much" }), []string{"refuses the connection", "check the options", "work_mem"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), c.url)
			if err == nil {
				t.Fatal(s.Close(), "opened")
			}
			for text := range map[string]bool{err.Error(): true, fmt.Sprintf("%+v", err): true} {
				if strings.Contains(text, secret) {
					t.Errorf("the password is in %q", text)
				}
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if is := errors.Is(err, store.ErrUnavailable); is != c.unavailable {
				t.Errorf("ErrUnavailable is %t: %v", is, err)
			}
			if e := new(pgconn.ConnectError); errors.As(err, &e) {
				t.Error("the error carries the configuration, which has the password")
			}
		})
	}
}

func TestWrongEncoding(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	db := connect(t, database)
	const name = "idmap_test_latin1"
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name + " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	_, err := Open(t.Context(), change(t, database, func(u *url.URL) { u.Path = "/" + name }))
	if err == nil || !strings.Contains(err.Error(), "LATIN1") || !strings.Contains(err.Error(), "UTF8 is required") {
		t.Errorf("Open answers %v", err)
	}
}

// TestLostConnection ends the connections of a store from the other side, in a transaction and between two.
func TestLostConnection(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	s, admin := openAt(t, database), connect(t, database)
	kick := func() error {
		_, err := admin.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		return err
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.AppendAudit(t.Context(), []idmap.AuditEntry{{ID: "lost"}}); err != nil {
			return err
		}
		if err := kick(); err != nil {
			t.Error(err)
		}
		return tx.AppendAudit(t.Context(), []idmap.AuditEntry{{ID: "lost too"}})
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Update answers %v, want ErrUnavailable", err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.AppendAudit(t.Context(), []idmap.AuditEntry{{ID: "lost"}}), kick())
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Update that cannot commit answers %v, want ErrUnavailable", err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error {
		n, err := tx.CountAudit(t.Context(), idmap.AuditFilter{})
		if err == nil && n != 0 {
			t.Errorf("%d rows remain", n)
		}
		return err
	})
	if err != nil {
		t.Errorf("the store does not recover: %v", err)
	}
}

// TestCodes holds the codes that a test cannot bring about to what they mean.
func TestCodes(t *testing.T) {
	for want, errs := range map[error][]error{
		store.ErrConflict: {
			&pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "40P01"}, &pgconn.PgError{Code: "23505"}, &pgconn.PgError{Code: "23503"},
		},
		store.ErrUnavailable: {
			&pgconn.PgError{Code: "08006"}, &pgconn.PgError{Code: "53300"}, &pgconn.PgError{Code: "53100"}, &pgconn.PgError{Code: "57P01"},
			&pgconn.PgError{Code: "57P03"}, &pgconn.PgError{Code: "25006"}, &pgconn.PgError{Code: "40003"}, &pgconn.PgError{Code: "57014"},
			io.ErrUnexpectedEOF, pgconn.ErrConnClosed, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")},
		},
	} {
		for _, err := range errs {
			got := mapError(fmt.Errorf("wrapped: %w", err))
			if !errors.Is(got, want) || !errors.Is(got, err) {
				t.Errorf("%v becomes %v, want %v", err, got, want)
			}
		}
	}
	for _, code := range []string{"42601", "22021", "23514", "23502"} { // our own faults
		err := mapError(&pgconn.PgError{Code: code})
		if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s becomes %v", code, err)
		}
	}
}
