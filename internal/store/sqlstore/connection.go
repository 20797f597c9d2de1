package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const connectionColumns = `id, name, platform_id, authoritative, mail_domain, sign_in_disabled, sign_in_mapping, ` +
	`on_sign_out, sign_in_history_days, directory, revision, created_on, modified_on`

var connections = table[idmap.Connection]{
	name: "connections", columns: connectionColumns, scan: scanConnection,
	id: func(c idmap.Connection) string { return c.ID },
}

func scanConnection(r row) (c idmap.Connection, err error) {
	err = r.Scan(&c.ID, &c.Name, &c.Platform.ID, &c.Authoritative, &c.MailDomain, &c.SignInDisabled, &c.SignInMapping,
		&c.OnSignOut, &c.SignInHistoryDays, document{&c.Directory}, &c.Revision, when{&c.CreatedOn}, when{&c.ModifiedOn})
	return c, err
}

// connectionValues are the values of connectionColumns, then name_key and name_digest.
func connectionValues(c idmap.Connection) ([]any, error) {
	directory, err := directoryText(c.Directory)
	return []any{
		c.ID, c.Name, c.Platform.ID, c.Authoritative, c.MailDomain, c.SignInDisabled, string(c.SignInMapping),
		string(c.OnSignOut), c.SignInHistoryDays, directory, c.Revision, micros(c.CreatedOn), micros(c.ModifiedOn), c.Key(), digest(c.Key()),
	}, err
}

func directoryText(d *idmap.Directory) (string, error) {
	if d == nil {
		return "", nil
	}
	text, err := json.Marshal(d)
	return string(text), err
}

func (s *session) Connections(ctx context.Context, ids []string) ([]idmap.Connection, error) {
	l := newLookup(s, connections)
	l.any(ctx, ids, "id IN (*)")
	return l.answer()
}

func connectionWhere(f idmap.ConnectionFilter) (w where) {
	w.equal("name_key", f.Key)
	w.equal("platform_id", f.PlatformID)
	w.contains("name_key", f.Query)
	return w
}

func (s *session) ListConnections(ctx context.Context, f idmap.ConnectionFilter, page idmap.Page) ([]idmap.Connection, error) {
	return list(ctx, s, connections, connectionWhere(f), page)
}

func (s *session) CountConnections(ctx context.Context, f idmap.ConnectionFilter) (int, error) {
	return count(ctx, s, "connections", connectionWhere(f))
}

// LockConnection changes the row to itself, which locks it on both engines; PostgreSQL lets those who only refer to the
// row pass.
func (s *session) LockConnection(ctx context.Context, id string) error {
	if !storable(id) {
		return idmap.NotFound("connection", id)
	}
	n, err := s.exec(ctx, `UPDATE connections SET revision = revision WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = idmap.NotFound("connection", id)
	}
	return err
}

// ShareConnections locks in the order of the ids, so that two of them do not wait for each other.
func (s *session) ShareConnections(ctx context.Context, ids []string) error {
	ids = slices.Sorted(slices.Values(ids))
	for chunk := range s.dialect.chunks(ids) {
		query := "SELECT id FROM connections WHERE id IN (" + repeated("?", len(chunk)) + ") ORDER BY id" + s.dialect.ShareRows
		if err := s.query(ctx, func(r row) error { var id string; return r.Scan(&id) }, query, anys(chunk)...); err != nil {
			return err
		}
	}
	return s.failed
}

func (s *session) InsertConnection(ctx context.Context, c idmap.Connection) error {
	values, err := connectionValues(c)
	if err != nil {
		return s.fail(ctx, err)
	}
	const columns = connectionColumns + ", name_key, name_digest, directory_version"
	return s.insert(ctx, "connections", columns, "", [][]any{append(values, rand.Text())}, nil)
}

func (s *session) UpdateConnection(ctx context.Context, c idmap.Connection) error {
	values, err := connectionValues(c)
	if err != nil {
		return s.fail(ctx, err)
	}
	query := `UPDATE connections SET (` + connectionColumns + `, name_key, name_digest) = (` +
		repeated("?", len(values)) + `) WHERE id = ? AND revision = ?`
	return s.execExactly(ctx, 1, query, append(values, c.ID, c.Revision-1)...)
}

func (s *session) DeleteConnection(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `DELETE FROM connections WHERE id = ?`, id)
	return err
}
