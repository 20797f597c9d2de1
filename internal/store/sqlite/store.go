// Package sqlite keeps the mappings in one SQLite file. Several processes may share the file: a lock file beside it
// makes their writes wait for each other in turn, which SQLite's own busy handler does not.
package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlstore"
)

// Store is a store.Store on one file. One connection writes, a few others read beside it.
type Store struct {
	gate   sqlstore.Gate
	writer *sql.DB
	reader *sql.DB
	turn   chan struct{} // holds one token while a goroutine of this process writes
	lock   fileLock
}

var _ store.Store = (*Store)(nil)

// Not Numbered: to SQLite $1 is a name that it and the driver search among all others, so that a long statement costs
// the square of its length. A ? has no name. From about 800 values on, more make nothing faster.
var dialect = sqlstore.Dialect{KeyType: "TEXT", Keys: 128, KeepsStatements: true, Values: 1000, MapError: mapError}

// Open opens the database file at path, which is a path and never a DSN; it is created if it does not exist, and
// migrated if it is of an older release. The caller closes the store. The error says what is wrong with the path and
// what to do about it; it is sqlstore.ErrNewerSchema if a newer release wrote the file.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{turn: make(chan struct{}, 1), lock: f.lock()}
	if s.writer, err = openPool(f.writerDSN(), 1); err != nil {
		return nil, err
	}
	if s.reader, err = openPool(f.readerDSN(), readers); err != nil {
		return nil, errors.Join(err, s.writer.Close())
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(f.explain(err), s.Close())
	}
	return s, nil
}

// prepare first reads, so that nothing is changed in or beside a file that is not ours. The journal mode stays in the
// file; it is set, and the file migrated, in this process's turn.
func (s *Store) prepare(ctx context.Context) error {
	if err := refuseForeign(ctx, s.writer); err != nil {
		return err
	}
	done, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := s.writer.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	if err := refuseReadOnly(ctx, s.writer); err != nil {
		return err
	}
	return sqlstore.Migrate(ctx, s.writer, gooseDialect, dialect)
}

// View implements store.Store. In WAL mode a reader does not wait for a writer.
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return sqlstore.View(ctx, s.reader, nil, dialect, fn)
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	done, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	return sqlstore.Update(ctx, s.writer, dialect, fn)
}

// takeTurn waits until nobody else writes, in this process or in another. Who gives up while another process writes
// leaves a wait for the lock behind, and it keeps the turn, so that there is one such wait however many give up.
func (s *Store) takeTurn(ctx context.Context) (done func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.lock.acquire(ctx, func() { <-s.turn })
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	leave, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return sqlstore.Ping(ctx, s.reader, dialect)
}

// Close implements store.Store. The writer goes last: it alone can tidy up the journal.
func (s *Store) Close() error {
	if !s.gate.Close() {
		return nil
	}
	return errors.Join(s.reader.Close(), s.writer.Close())
}
