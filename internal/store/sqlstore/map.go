package sqlstore

import (
	"context"
	"errors"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const mapColumns = `id, name, source_connection_id, source_default, destination_connection_id, destination_default, ` +
	`unmapped_policy, map_by, revision, modified_on`

var maps = table[idmap.Map]{
	name: "maps", columns: mapColumns + ", created_on", scan: scanMap,
	id: func(m idmap.Map) string { return m.ID },
}

func scanMap(r row) (m idmap.Map, err error) {
	err = r.Scan(&m.ID, &m.Name, &m.Source.Connection.ID, document{&m.Source.Default}, &m.Destination.Connection.ID,
		document{&m.Destination.Default}, &m.UnmappedPolicy, document{&m.MapBy}, &m.Revision, when{&m.ModifiedOn},
		when{&m.CreatedOn})
	return m, err
}

// mapWriteColumns are the columns that an update writes.
const mapWriteColumns = mapColumns + ", name_key, name_digest"

func mapValues(m idmap.Map) ([]any, error) {
	source, errSource := defaultText(m.Source.Default)
	destination, errDestination := defaultText(m.Destination.Default)
	mapBy, errMapBy := jsonText(m.MapBy)
	return []any{
		m.ID, m.Name, m.Source.Connection.ID, source, m.Destination.Connection.ID, destination,
		string(m.UnmappedPolicy), mapBy, m.Revision, micros(m.ModifiedOn), m.Key(), digest(m.Key()),
	}, errors.Join(errSource, errDestination, errMapBy)
}

func defaultText(p *idmap.Principal) (string, error) {
	if p == nil {
		return "", nil
	}
	return jsonText(p)
}

func (s *session) Maps(ctx context.Context, kind idmap.MapKind, ids []string) ([]idmap.Map, error) {
	l := newLookup(s, maps)
	l.any(ctx, ids, "kind = ? AND id IN (*)", string(kind))
	return l.answer()
}

func mapWhere(f idmap.MapFilter) (w where) {
	w.and("kind = ?", string(f.Kind))
	w.equal("name_key", f.Key)
	if id := f.ConnectionID; id != "" {
		w.and("(source_connection_id = ? OR destination_connection_id = ?)", id, id)
	}
	w.equal("source_connection_id", f.SourceConnectionID)
	w.equal("destination_connection_id", f.DestinationConnectionID)
	w.contains("name_key", f.Query)
	return w
}

func (s *session) ListMaps(ctx context.Context, f idmap.MapFilter, page idmap.Page) ([]idmap.Map, error) {
	return list(ctx, s, maps, mapWhere(f), page)
}

func (s *session) CountMaps(ctx context.Context, f idmap.MapFilter) (int, error) {
	return count(ctx, s, "maps", mapWhere(f))
}

// LockMap changes the row to itself, as LockConnection does.
func (s *session) LockMap(ctx context.Context, kind idmap.MapKind, id string) error {
	if !storable(id) {
		return idmap.NotFound(string(kind), id)
	}
	n, err := s.exec(ctx, `UPDATE maps SET revision = revision WHERE id = ? AND kind = ?`, id, string(kind))
	if err == nil && n == 0 {
		err = idmap.NotFound(string(kind), id)
	}
	return err
}

func (s *session) InsertMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) error {
	values, err := mapValues(m)
	if err != nil {
		return s.fail(ctx, err)
	}
	row := append(values, string(kind), micros(m.CreatedOn))
	return s.insert(ctx, "maps", mapWriteColumns+", kind, created_on", "", [][]any{row}, nil)
}

func (s *session) UpdateMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) error {
	values, err := mapValues(m)
	if err != nil {
		return s.fail(ctx, err)
	}
	// Not the id: where a key is set, SQLite looks through all the items that refer to it.
	columns := strings.TrimPrefix(mapWriteColumns, "id, ")
	query := `UPDATE maps SET (` + columns + `) = (` + repeated("?", len(values)-1) + `) ` +
		`WHERE id = ? AND kind = ? AND revision = ?`
	return s.execExactly(ctx, 1, query, append(values[1:], m.ID, string(kind), m.Revision-1)...)
}

func (s *session) DeleteMap(ctx context.Context, kind idmap.MapKind, id string) error {
	_, err := s.exec(ctx, `DELETE FROM maps WHERE id = ? AND kind = ?`, id, string(kind))
	return err
}
