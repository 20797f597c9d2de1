package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const groupColumns = `id, name, caption, addresses, built_in, disabled, readonly, deleted_on, revision`

var groups = table[idmap.Group]{
	name: "groups", columns: groupColumns, scan: scanGroup,
	id: func(g idmap.Group) string { return g.ID },
}

func scanGroup(r row) (g idmap.Group, err error) {
	err = r.Scan(&g.ID, &g.Name, &g.Caption, document{&g.Addresses}, &g.BuiltIn, &g.Disabled, &g.Readonly, when{&g.DeletedOn}, &g.Revision)
	return g, err
}

// groupValues are the values of groupColumns, then connection_id, name_digest, caption_digest and search.
func groupValues(connectionID string, g idmap.Group) ([]any, error) {
	addresses, err := listText(g.Addresses)
	search := searchText(append(append(g.AddressKeys(), g.Name, g.Caption), g.Addresses...)...)
	return []any{
		g.ID, g.Name, g.Caption, addresses, g.BuiltIn, g.Disabled, g.Readonly, micros(g.DeletedOn), g.Revision,
		connectionID, nameDigest(g.Name), nameDigest(g.Caption), search,
	}, err
}

func (s *session) Groups(ctx context.Context, connectionID string, keys store.DirectoryKeys) ([]idmap.Group, error) {
	owners, err := s.owners(ctx, "group", connectionID, keys.AddressKeys)
	if err != nil {
		return nil, err
	}
	l := newLookup(s, groups)
	l.any(ctx, append(owners, keys.IDs...), "connection_id = ? AND id IN (*)", connectionID)
	l.any(ctx, nameDigests(keys.NameKeys), "connection_id = ? AND name_digest IN (*)", connectionID)
	l.any(ctx, nameDigests(keys.NameKeys), "connection_id = ? AND caption_digest IN (*)", connectionID)
	return l.answer()
}

func (s *session) ListGroups(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) ([]idmap.Group, error) {
	return list(ctx, s, groups, directoryWhere("group", connectionID, f), page)
}

func (s *session) CountGroups(ctx context.Context, connectionID string, f idmap.DirectoryFilter) (int, error) {
	return count(ctx, s, "groups", directoryWhere("group", connectionID, f))
}

func (s *session) PutGroups(ctx context.Context, connectionID string, put []idmap.Group) error {
	if len(put) == 0 {
		return s.failed
	}
	if err := s.newDirectoryVersion(ctx, connectionID); err != nil {
		return err
	}
	put = lastOfEach(put, groups.id)
	rows := make([][]any, len(put))
	for i, g := range put {
		values, err := groupValues(connectionID, g)
		if err != nil {
			return s.fail(ctx, err)
		}
		rows[i] = values
	}
	const columns = groupColumns + ", connection_id, name_digest, caption_digest, search"
	tail := "ON CONFLICT (connection_id, id) DO UPDATE SET " + overwrite(columns, "connection_id", "id")
	if err := s.insert(ctx, "groups", columns, tail, rows, nil); err != nil {
		return err
	}
	return putAddresses(ctx, s, "group", connectionID, put, groups.id, idmap.Group.AddressKeys)
}
