package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite" // registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/idmap/terraform-provider-idmap/internal/store/sqlstore"
)

const (
	gooseDialect = goose.DialectSQLite3
	readers      = 4
)

// making is held while a new file is made, from before it is there until its descriptor is closed.
var making sync.Mutex

// errForeign says that the file is a database, but not ours.
var errForeign = errors.New("it is an SQLite database of another program")

// file is a database file that exists and can be written.
type file struct {
	path string // absolute, without links, so that all processes agree on the name of the lock file
	mode fs.FileMode
}

// openFile creates the file if it is missing, and explains why it cannot be one of ours as far as its place tells. What
// is in it, only SQLite reads.
func openFile(path string) (file, error) {
	if path == "" {
		return file{}, errors.New("the path of the database file is empty; give the path of a file, such as idmap.db")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return file{}, fmt.Errorf("finding the database file %q: %w", path, err)
	}
	if err := checkPlace(absolute); err != nil {
		return file{}, err
	}
	mode, err := makeFile(absolute)
	if err != nil {
		return file{}, err
	}
	if absolute, err = filepath.EvalSymlinks(absolute); err != nil {
		return file{}, fmt.Errorf("finding the database file %q: %w", path, err)
	}
	return file{path: absolute, mode: mode}, nil
}

// checkPlace reports whether a file can be at path.
func checkPlace(path string) error {
	folder := filepath.Dir(path)
	switch info, err := os.Stat(folder); { //nolint:gosec // the user names the file
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %q of the database file does not exist; create it, or name a file in a folder that "+
			"exists: %w", folder, err)
	case err != nil:
		return fmt.Errorf("the folder %q of the database file cannot be read: %w", folder, err)
	case !info.IsDir():
		return fmt.Errorf("%q is a file, so the database file %q cannot be in it; name a file in a folder", folder, path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() { //nolint:gosec // G703: the path is the operator's own, from --database or the configuration
		return fmt.Errorf("%q is a folder; give the path of a database file, such as %q", path, filepath.Join(path, "idmap.db"))
	} else if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%q is not a regular file; give the path of a database file", path)
	}
	return nil
}

// makeFile makes sure that the file exists, and returns its permissions. A new file is for its owner only. One that
// exists is not opened here, since this process may have it open already: closing any descriptor of a file drops all
// locks that the process has on it, SQLite's among them.
func makeFile(path string) (fs.FileMode, error) {
	making.Lock()
	defer making.Unlock()
	info, err := os.Stat(path) //nolint:gosec // G703: the path is the operator's own, from --database or the configuration
	switch {
	case err == nil:
		return info.Mode().Perm(), nil
	case !errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("reading the database file %q: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return 0, explainNotWritable(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, err = f.Stat(); err != nil {
		return 0, fmt.Errorf("reading the database file %q: %w", path, err)
	}
	return info.Mode().Perm(), nil
}

func explainNotWritable(path string, err error) error {
	return fmt.Errorf("the database file %q cannot be written: the file and its folder must be writable for this user, "+
		"since SQLite keeps its journal beside the file; change their permissions, or name another file: %w", path, err)
}

func explainNotDatabase(path string, err error) error {
	return fmt.Errorf("%q is not an idmap database: SQLite cannot read it; name another file, or restore this one from a "+
		"backup: %w", path, err)
}

// explain adds to an error of opening the database what is wrong with the file.
func (f file) explain(err error) error {
	if errors.Is(err, errForeign) {
		return fmt.Errorf("%q cannot be used: %w; name another file", f.path, err)
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("opening the database file %q: %w", f.path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return explainNotDatabase(f.path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return explainNotWritable(f.path, err)
	}
	return fmt.Errorf("opening the database file %q: %w", f.path, mapError(err))
}

// lock returns the lock of the file, which whoever may write the file may take.
func (f file) lock() fileLock { return fileLock{path: f.path + ".lock", mode: f.mode} }

// writerDSN sets synchronous to FULL, since an acknowledged claim that a power cut undoes would let a second account
// claim the address.
func (f file) writerDSN() string {
	return f.dsn("_txlock=immediate", "_pragma=busy_timeout(5000)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
		"_pragma=cache_size(-16000)")
}

func (f file) readerDSN() string {
	return f.dsn("mode=ro", "_txlock=deferred", "_pragma=busy_timeout(5000)", "_pragma=query_only(1)",
		"_pragma=cache_size(-16000)")
}

// dsn escapes the path, so that nothing in it is read as an option.
func (f file) dsn(options ...string) string {
	path := filepath.ToSlash(f.path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(options, "&")
}

func openPool(dsn string, connections int) (*sql.DB, error) {
	connector, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(keeper{connector})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// refuseForeign fails if the database has tables, but not the one in which we keep the version of our schema.
func refuseForeign(ctx context.Context, db *sql.DB) error {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE name WHEN $1 THEN 1 END) FROM sqlite_master`,
		sqlstore.VersionTable).Scan(&tables, &ours)
	if err == nil && tables > 0 && ours == 0 {
		err = errForeign
	}
	return err
}

// refuseReadOnly fails if the file cannot be written: SQLite opens such a file for reading without a word, and only a
// write tells. What this one writes is rolled back.
func refuseReadOnly(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `PRAGMA user_version = 1`)
	return errors.Join(err, tx.Rollback())
}
