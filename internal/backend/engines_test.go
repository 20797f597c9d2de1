package backend_test

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// forEachEngine runs a test on SQLite and on PostgreSQL. open gives a fresh database.
func forEachEngine(t *testing.T, test func(t *testing.T, open func(testing.TB) store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, acctest.OpenSQLite)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, acctest.OpenPostgres)
	})
}
