package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlstore"
	"github.com/idmap/terraform-provider-idmap/internal/store/storetest"
)

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMigrationsKeepData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPool(f.writerDSN(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := sqlstore.NewMigrations(db, gooseDialect, dialect)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Migrations(t, db, provider, func(t *testing.T) store.Store { return openAt(t, path) })
}

func TestSchema(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "idmap.db"))
	storetest.Schema(t, s.writer, `SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	s := openAt(t, path)
	if _, err := s.writer.ExecContext(t.Context(), `INSERT INTO idmap_schema_version (version_id, is_applied) VALUES (9999, TRUE)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path)
	if !errors.Is(err, sqlstore.ErrNewerSchema) {
		t.Fatalf("Open answers %v", err)
	}
	for _, part := range []string{path, "9999", "newer release", "use the release that wrote it"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// TestSettings holds the connections to what durability and the readers depend on.
func TestSettings(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "idmap.db"))
	setting := func(reader bool, name string) (value string) {
		db := s.writer
		if reader {
			db = s.reader
		}
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		if got := setting(false, name); got != want {
			t.Errorf("writer: %s is %s, want %s", name, got, want)
		}
	}
	if got := setting(true, "query_only"); got != "1" {
		t.Errorf("reader: query_only is %s", got)
	}
	if _, err := s.reader.ExecContext(t.Context(), `DELETE FROM tokens`); err == nil {
		t.Error("a reader can write")
	}
}

// TestFullDisk lets the file grow no further in the middle of a transaction.
func TestFullDisk(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "idmap.db"))
	var pages int
	if err := s.writer.QueryRowContext(t.Context(), `PRAGMA max_page_count = 1`).Scan(&pages); err != nil { // rounded up to what it has
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error { return insertMany(t, tx, 5000) })
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Update answers %v, want ErrUnavailable", err)
	}
	if n := countAudit(t, s); n != 0 {
		t.Errorf("%d rows remain", n)
	}
	if err := s.writer.QueryRowContext(t.Context(), `PRAGMA max_page_count = 1000000`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return insertMany(t, tx, 5000) }); err != nil {
		t.Fatal(err)
	}
	if n := countAudit(t, s); n != 5000 {
		t.Errorf("%d rows, want 5000", n)
	}
}
