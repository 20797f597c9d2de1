package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlstore"
	"github.com/idmap/terraform-provider-idmap/internal/store/storetest"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func openAt(t *testing.T, database string) *Store {
	t.Helper()
	s, err := Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// connect returns a pool that knows nothing of us.
func connect(t *testing.T, database string) *sql.DB {
	t.Helper()
	config, err := parse(database)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMigrationsKeepData(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	db := connect(t, database)
	provider, err := sqlstore.NewMigrations(db, goose.DialectPostgres, dialect)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Migrations(t, db, provider, func(t *testing.T) store.Store { return openAt(t, database) })
}

func TestSchema(t *testing.T) {
	s := openAt(t, testenv.PostgresDatabase(t))
	storetest.Schema(t, s.db, `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()`)
}

// TestKeysAreComparedByTheirBytes holds every column that an index or an order may use to the collation "C": the suite
// cannot tell on a server whose own collation is that.
func TestKeysAreComparedByTheirBytes(t *testing.T) {
	s := openAt(t, testenv.PostgresDatabase(t))
	rows, err := s.db.QueryContext(t.Context(), `
		SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name NOT LIKE 'idmap\_schema\_%' AND collation_name IS DISTINCT FROM 'C'
		AND data_type = 'text' AND (column_name LIKE '%id' OR column_name LIKE '%\_key' OR column_name LIKE '%\_digest'
			OR column_name LIKE '%\_hash' OR column_name IN ('search', 'email_domain', 'email_scope', 'origin', 'kind', 'who', 'action',
				'role', 'status', 'client', 'outcome'))`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		asWritten := []string{"user_mappings.user_id", "sign_ins.user_id", "idempotency_keys.request_hash"} // only compared in Go
		if !slices.Contains(asWritten, column) {
			t.Errorf("%s is not a key column", column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	s := openAt(t, database)
	_, err := s.db.ExecContext(t.Context(), `INSERT INTO idmap_schema_version (version_id, is_applied) VALUES (9999, TRUE)`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), database)
	if !errors.Is(err, sqlstore.ErrNewerSchema) {
		t.Fatalf("Open answers %v", err)
	}
	for _, part := range []string{"9999", "newer release", "use the release that wrote it"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// TestServersStartAtOnce lets many open one new database: each must find it migrated, and can write.
func TestServersStartAtOnce(t *testing.T) {
	for _, isolation := range []string{"read%20committed", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			database := withParameter(testenv.PostgresDatabase(t), "default_transaction_isolation="+isolation)
			errs := make([]error, 6)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() { errs[i] = openAndWrite(t.Context(), database, fmt.Sprint(i)) })
			}
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
		})
	}
}

func withParameter(database, parameter string) string {
	if strings.Contains(database, "?") {
		return database + "&" + parameter
	}
	return database + "?" + parameter
}

func openAndWrite(ctx context.Context, database, id string) error {
	s, err := Open(ctx, database)
	if err != nil {
		return err
	}
	err = store.ErrConflict
	for errors.Is(err, store.ErrConflict) {
		err = s.Update(ctx, func(tx store.Tx) error { return tx.AppendAudit(ctx, []idmap.AuditEntry{{ID: id}}) })
	}
	return errors.Join(err, s.Close())
}
