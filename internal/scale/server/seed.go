package server

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	_ "modernc.org/sqlite"             // registers "sqlite"
)

// engine is a database that a server can be started on.
type engine struct {
	name     string
	database string // what --database takes
	driver   string
	shared   bool   // several servers may use it
	numbers  string // a table n of the numbers i from 0 on, before its one %d
	create   func(context.Context) error
	after    []string // what an engine does by itself in time
	drop     func(context.Context) error
}

func sqliteIn(folder string) *engine {
	nothing := func(context.Context) error { return nil }
	return &engine{
		name: "SQLite", driver: "sqlite", database: filepath.Join(folder, "idmap.db"), create: nothing, drop: nothing,
		numbers: `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d)`,
		after:   []string{`PRAGMA wal_checkpoint(TRUNCATE)`},
	}
}

// postgresOn returns an engine on a database of its own.
func postgresOn(server string, durable bool) *engine {
	name := "idmap_scale_" + strings.ToLower(rand.Text())
	on := func(statements ...string) func(context.Context) error {
		return func(ctx context.Context) error { return execute(ctx, "pgx", server, statements...) }
	}
	begin, end := []string{"CREATE DATABASE " + name}, []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"}
	if durable {
		for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			begin = append(begin, "ALTER SYSTEM SET "+setting+" = on")
			end = append(end, "ALTER SYSTEM RESET "+setting)
		}
		begin, end = append(begin, "SELECT pg_reload_conf()"), append(end, "SELECT pg_reload_conf()")
	}
	database := server
	if u, err := url.Parse(server); err == nil {
		u.Path = "/" + name
		database = u.String()
	}
	return &engine{
		name: "PostgreSQL", driver: "pgx", database: database, shared: true, create: on(begin...), drop: on(end...),
		numbers: `WITH n AS (SELECT generate_series(0, %d - 1) AS i)`,
		after:   []string{`VACUUM ANALYZE`, `CHECKPOINT`},
	}
}

// email, userID and mappingID name the person of a number as fill does.
func email(i int) string     { return fmt.Sprintf("person%d@example.com", firstNumber+i) }
func userID(i int) string    { return fmt.Sprintf("user%d", firstNumber+i) }
func mappingID(i int) string { return fmt.Sprintf("01900000-0000-7000-8000-%d", firstID+i) }

// The numbers have one length each, without a function of one of the engines.
const (
	firstNumber = 100_000_000
	firstID     = 100_000_000_000
)

// fill stores people of both directories, and mappings of the first of them, as an import of both directories and then
// creates would leave them. It is SQL, because a million creates, with their rules and their audit, take minutes that
// say nothing about what is measured here. The names of columns are given, so that a change of the schema is noticed.
func (e *engine) fill(ctx context.Context, mappings, people int) error {
	numbers := func(n int) string { return fmt.Sprintf(e.numbers, n) }
	names := strings.NewReplacer("{no}", strings.Repeat("FALSE, ", 5),
		"{number}", fmt.Sprintf("CAST(%d + i AS TEXT)", firstNumber), "{id}", fmt.Sprintf("CAST(%d + i AS TEXT)", firstID))
	var statements []string
	for _, s := range []struct {
		rows          int
		into, columns string
	}{
		{people, accountColumns, `'mail', 'm-' || {number}, '', 'person' || {number} || '@example.com', '', '', '', '', '', ` +
			`{no}1, 'm-' || {number}, '', 'person' || {number} || '@example.com'`},
		{people, accountColumns, `'sales', 'a-' || {number}, 'user' || {number}, '', '', '', '', '', 'full', ` +
			`{no}1, 'user' || {number}, '', 'user' || {number}`},
		{
			people, `directory_addresses (connection_id, owner_kind, owner_id, position, address_key)`,
			`'mail', 'account', 'm-' || {number}, 0, 'person' || {number} || '@example.com'`,
		},
		{
			people, `email_assignments (id, connection_id, address_key, address, seen_by, first_seen_on, last_seen_on, ` +
				`released_on, released_by, release_reason, revision, search)`,
			`'01900000-0000-7000-9000-' || {id}, 'mail', 'person' || {number} || '@example.com', 'person' || {number} || '@example.com', ` +
				`'directory', 1700000000000000, 1700000000000000, NULL, '', '', 1, 'person' || {number} || '@example.com'`,
		},
		{people, holderColumns, `'01900000-0000-7000-9000-' || {id}, 'mail', 'm-' || {number}, '', 'person' || {number} || '@example.com'`},
		{mappings, holderColumns, `'01900000-0000-7000-9000-' || {id}, 'sales', 'a-' || {number}, 'user' || {number}, 'user' || {number}`},
		{mappings, mappingColumns, `'01900000-0000-7000-8000-' || {id}, 'mail', 'm-' || {number}, 'sales', 'a-' || {number}, ` +
			`'person' || {number} || '@example.com', 'person' || {number} || '@example.com', 'example.com', 'explicit', 'platform:oracle_sales', ` +
			`'user' || {number}, 'user' || {number}, 'api', NULL, 1, 1700000000000000 + i, 1700000000000000 + i, ` +
			`'person' || {number} || '@example.com' || '` + "\n" + `user' || {number}`},
	} {
		statements = append(statements, "INSERT INTO "+s.into+" "+numbers(s.rows)+" SELECT "+names.Replace(s.columns)+" FROM n")
	}
	return execute(ctx, e.driver, e.database, append(statements, e.after...)...)
}

const (
	accountColumns = `accounts (connection_id, id, username, email, aliases, name, given_name, surname, user_type, disabled, ` +
		`admin, built_in, readonly, external, revision, user_key, name_digest, search)`
	holderColumns  = `email_assignment_holders (assignment_id, connection_id, account_id, user_key, name)`
	mappingColumns = `user_mappings (id, source_connection_id, source_account_id, destination_connection_id, ` +
		`destination_account_id, email, email_key, email_domain, email_source, email_scope, user_id, user_key, origin, ` +
		`last_sign_in_on, revision, created_on, modified_on, search)`
)

// execute runs statements on one connection.
func execute(ctx context.Context, driver, database string, statements ...string) (err error) {
	db, err := sql.Open(driver, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.100s: %w", statement, err)
		}
	}
	return nil
}
