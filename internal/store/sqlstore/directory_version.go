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

func (s *session) ConnectionVersions(ctx context.Context, ids []string) (map[string]string, error) {
	versions := make(map[string]string, len(ids))
	for chunk := range s.dialect.chunks(ids) {
		err := s.query(ctx, func(r row) error {
			var id, version string
			err := r.Scan(&id, &version)
			versions[id] = version
			return err
		}, `SELECT id, CAST(revision AS TEXT) || '.' || directory_version FROM connections WHERE id IN (`+
			repeated("?", len(chunk))+`)`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
	}
	return versions, s.failed
}

// newDirectoryVersion comes before the rows of a directory are written: it locks the connection, so that those who
// write one directory take turns in one order, and fails with ErrConflict where there is none. What is random never
// comes again, not even where a connection is deleted and another one gets its id.
func (s *session) newDirectoryVersion(ctx context.Context, connectionID string) error {
	return s.execExactly(ctx, 1, `UPDATE connections SET directory_version = ? WHERE id = ?`, rand.Text(), connectionID)
}
