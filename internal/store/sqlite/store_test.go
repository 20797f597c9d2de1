package sqlite_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
	"github.com/idmap/terraform-provider-idmap/internal/store/storetest"
)

// open opens the database at path; whoever opened it a second time may have closed it before.
func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	const oneWriter = "SQLite lets one transaction write at a time"
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "idmap.db")) }, map[string]string{
		"LockConnection lets others pass that lock another":        oneWriter,
		"LockUserMappings lets others pass that lock another":      oneWriter,
		"LockMap lets others pass that lock another":               oneWriter,
		"TryLockUserMappings leaves out what others have locked":   oneWriter,
		"UpdateJob does not wait for maps that the job stays with": oneWriter,
	})
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	storetest.Reopen(t, func(t *testing.T) store.Store { return open(t, path) })
}
