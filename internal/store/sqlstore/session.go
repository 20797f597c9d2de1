package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// Dialect is what differs between the engines when they run the shared SQL.
type Dialect struct {
	// KeyType is the type of a column that is compared and ordered by its bytes.
	KeyType string
	// Arrays says that a list of values may be one value of a statement. Then a statement has one text however many keys
	// or rows it is about, and Keys matters only to those few that still carry a list of values.
	Arrays bool
	// Keys is how many keys one look-up asks for at most.
	Keys int
	// KeepsStatements says that the driver keeps prepared statements by their text, so that few different texts are worth
	// more than short ones.
	KeepsStatements bool
	// Values is how many values one INSERT carries at most; it carries one row at least.
	Values int
	// Numbered says that the engine knows $1 for the first value of a statement, and not the ? of our statements.
	Numbered bool
	// ShareRows ends a SELECT whose rows nobody may change until the transaction ends; empty where only one writes.
	ShareRows string
	// LockRows ends a SELECT whose rows nobody else may lock or change until the transaction ends; empty as ShareRows is.
	LockRows string
	// TryLockRows is LockRows, but leaves out the rows that somebody else has locked.
	TryLockRows string
	// MapError turns an error of the driver into one that store promises, or returns it as it is.
	MapError func(error) error
}

// session is one transaction. It implements store.Tx; a view hands it out as a store.Reader only.
type session struct {
	tx      *sql.Tx
	dialect Dialect
	// failed is the first failure. PostgreSQL refuses everything after one, and SQLite would go on with half of a call,
	// or, where it rolled back by itself, outside of any transaction. So a session that failed stays failed.
	failed error
	// locked are the user mappings that the transaction has locked.
	locked map[string]bool
}

var _ store.Tx = (*session)(nil)

// errNotText refuses what PostgreSQL cannot store, on both engines.
var errNotText = errors.New("a text that is not valid UTF-8, or has the character U+0000, cannot be stored")

// View runs fn on a transaction that db begins with options, and always rolls it back.
func View(ctx context.Context, db *sql.DB, options *sql.TxOptions, d Dialect, fn func(store.Reader) error) error {
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return d.mapError(ctx, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	s := &session{tx: tx, dialect: d}
	if err := fn(s); err != nil {
		return err
	}
	return s.failed
}

// Update runs fn on a transaction that db begins with default options, and commits it if fn and everything that fn
// called succeeded. Else, and if fn panics, it rolls back.
func Update(ctx context.Context, db *sql.DB, d Dialect, fn func(store.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return d.mapError(ctx, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	s := &session{tx: tx, dialect: d}
	if err := fn(s); err != nil {
		return err
	}
	if s.failed != nil {
		return s.failed
	}
	return d.mapError(ctx, tx.Commit())
}

// Ping reads a row, if there is one.
func Ping(ctx context.Context, db *sql.DB, d Dialect) error {
	var found bool
	return d.mapError(ctx, db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM connections)`).Scan(&found))
}

// mapError prefers the reason for which the caller gave up to what the driver made of it.
func (d Dialect) mapError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		if errors.Is(err, cause) {
			return err
		}
		return errors.Join(cause, err)
	}
	return d.MapError(err)
}

// fail records err as the end of the session and returns it, mapped.
func (s *session) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = s.dialect.mapError(ctx, err)
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(ctx context.Context, query string, args ...any) (int, error) {
	if s.failed != nil {
		return 0, s.failed
	}
	if !storable(args...) {
		return 0, s.fail(ctx, errNotText)
	}
	result, err := s.tx.ExecContext(ctx, s.dialect.marked(query), args...)
	if err != nil {
		return 0, s.fail(ctx, err)
	}
	n, err := result.RowsAffected()
	return int(n), s.fail(ctx, err)
}

// execExactly fails with ErrConflict unless the statement changes that many rows.
func (s *session) execExactly(ctx context.Context, rows int, query string, args ...any) error {
	n, err := s.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n != rows {
		return s.fail(ctx, store.ErrConflict)
	}
	return nil
}

// query runs a statement and hands each row of its answer to each.
func (s *session) query(ctx context.Context, each func(row) error, query string, args ...any) error {
	if s.failed != nil {
		return s.failed
	}
	if !storable(args...) {
		return s.fail(ctx, errNotText)
	}
	rows, err := s.tx.QueryContext(ctx, s.dialect.marked(query), args...)
	if err != nil {
		return s.fail(ctx, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		if err := each(rows); err != nil {
			return s.fail(ctx, err)
		}
	}
	return s.fail(ctx, rows.Err())
}
