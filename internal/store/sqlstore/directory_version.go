package sqlstore

import (
	"context"
	"crypto/rand"
)

func (s *session) DirectoryVersion(ctx context.Context, connectionID string) (version string, err error) {
	if !storable(connectionID) {
		return "", s.failed
	}
	err = s.query(ctx, func(r row) error { return r.Scan(&version) },
		`SELECT directory_version FROM connections WHERE id = ?`, connectionID)
	return version, err
}

// newDirectoryVersion comes before the rows of a directory are written: it locks the connection, so that those who
// write one directory take turns in one order, and fails with ErrConflict where there is none. What is random never
// comes again, not even where a connection is deleted and another one gets its id.
func (s *session) newDirectoryVersion(ctx context.Context, connectionID string) error {
	return s.execExactly(ctx, 1, `UPDATE connections SET directory_version = ? WHERE id = ?`, rand.Text(), connectionID)
}
