// Package postgres keeps the mappings in a PostgreSQL database, which several servers may share. It uses what the
// distributed engines that speak its protocol have too: no advisory locks, triggers, stored procedures or
// notifications.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlstore"
)

const (
	// connections leaves room for several servers on one PostgreSQL, which takes 100 clients by default.
	connections    = 20
	idleTime       = 5 * time.Minute
	connectTimeout = 10 * time.Second
	// lockTries and lockInterval bound how long a server waits while another one migrates.
	lockTries    = 600
	lockInterval = 200 * time.Millisecond
)

var dialect = sqlstore.Dialect{
	KeyType: `TEXT COLLATE "C"`, Arrays: true, Keys: 512, KeepsStatements: true, Values: 8000, Numbered: true,
	ShareRows: " FOR SHARE", LockRows: " FOR UPDATE", TryLockRows: " FOR UPDATE SKIP LOCKED", MapError: mapError,
}

// snapshot is the isolation of a view, whatever the default of the database is.
var snapshot = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// Store is a store.Store on one database. Updates run at the default isolation of the database.
type Store struct {
	gate sqlstore.Gate
	db   *sql.DB
}

var _ store.Store = (*Store)(nil)

// Open opens the database at a URL such as postgres://user:password@host:5432/database, with the options of pgx, and
// migrates it. The caller closes the store. The error says what is wrong and what to do about it, never repeats the URL
// or its password, and is sqlstore.ErrNewerSchema if a newer release migrated the database.
func Open(ctx context.Context, databaseURL string) (*Store, error) {
	config, err := parse(databaseURL)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(idleTime)
	s := &Store{db: db}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(explain(config, err), s.Close())
	}
	return s, nil
}

func parse(databaseURL string) (*pgx.ConnConfig, error) {
	// The causes may repeat the password, so they end here.
	u, err := url.Parse(databaseURL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, errors.New("the URL of the PostgreSQL database cannot be read; " +
			"it must be such as postgres://user:password@host:5432/database, with special characters percent-encoded")
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("the URL of the PostgreSQL database has an option that cannot be used; " +
			"check what follows the question mark, and that the files that it names exist")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "idmap"
	}
	if config.RuntimeParams["plan_cache_mode"] == "" {
		// A plan that was made while a table was empty reads all of it, for as long as it is kept: the first import of a
		// large directory would take the square of its rows.
		config.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	}
	return config, nil
}

// prepare checks that the database can keep our text, and migrates it. Servers that start at once take turns by a row
// of a table.
func (s *Store) prepare(ctx context.Context) error {
	var encoding string
	if err := s.db.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database has the encoding %s, and UTF8 is required; create it with ENCODING 'UTF8'", encoding)
	}
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableName("idmap_schema_lock"),
		lock.WithTableLockTimeout(lockInterval, lockTries),
		lock.WithTableLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	return sqlstore.Migrate(ctx, s.db, goose.DialectPostgres, dialect, goose.WithLocker(locker))
}

// explain says what is wrong with the server or the database, without the URL.
func explain(config *pgx.ConnConfig, err error) error {
	server := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	mapped := mapError(err)
	switch code := sqlState(err); {
	case code == invalidPassword, code == invalidAuthorization:
		return fmt.Errorf("the PostgreSQL server %s refuses the user %q: the user name or the password is wrong, or the "+
			"server's pg_hba.conf does not let the user in: %w", server, config.User, withoutConfig(err))
	case code == invalidCatalogName:
		return fmt.Errorf("the PostgreSQL server %s has no database %q; create it, or correct the URL: %w",
			server, config.Database, withoutConfig(err))
	case code == insufficientPrivilege:
		return fmt.Errorf("the user %q may not create tables in the database %q of the PostgreSQL server %s; "+
			"grant CREATE on its schema: %w", config.User, config.Database, server, mapped)
	case isConnectError(err) && code == "":
		return fmt.Errorf("the PostgreSQL server %s cannot be reached; check that it runs, and that host and port are right: %w",
			server, mapped)
	case isConnectError(err) && unavailable(code):
		return fmt.Errorf("the PostgreSQL server %s takes no connection for now: %w", server, mapped)
	case isConnectError(err):
		return fmt.Errorf("the PostgreSQL server %s refuses the connection; check the options of the URL: %w",
			server, withoutConfig(err))
	}
	return fmt.Errorf("opening the database %q of the PostgreSQL server %s: %w", config.Database, server, mapped)
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return sqlstore.View(ctx, s.db, snapshot, dialect, fn)
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return sqlstore.Update(ctx, s.db, dialect, fn)
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return sqlstore.Ping(ctx, s.db, dialect)
}

// Close implements store.Store.
func (s *Store) Close() error {
	if !s.gate.Close() {
		return nil
	}
	return s.db.Close()
}
