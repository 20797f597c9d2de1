package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// renamedTo is what the user of a mapping is called now, NULL where the mapping says so. It is looked up for each mapping
// by itself: in a join, PostgreSQL may begin with all accounts, of which most are called what they were. The connection
// is looked at last, for the few that have another name.
const renamedTo = `(SELECT CASE WHEN accounts.username <> '' THEN accounts.username ELSE accounts.id END FROM accounts ` +
	`WHERE accounts.connection_id = destination_connection_id AND accounts.id = destination_account_id ` +
	`AND accounts.deleted_on IS NULL AND accounts.user_key <> user_mappings.user_key AND EXISTS (` +
	`SELECT 1 FROM connections WHERE connections.id = accounts.connection_id AND connections.authoritative))`

// behindMappings are mappings with what their users are called now.
var behindMappings = table[idmap.UserMapping]{
	name:    `(SELECT user_mappings.*, ` + renamedTo + ` AS renamed_to FROM user_mappings) AS behind`,
	columns: userMappingColumns + ", renamed_to",
	scan: func(r row) (idmap.UserMapping, error) {
		m, err := scanRenamed(r)
		return m.UserMapping, err
	},
	id: func(m idmap.UserMapping) string { return m.ID },
}

// renamedMappings are mappings, each with what its user is called now, if it does not say so.
var renamedMappings = table[store.UserMapping]{
	name: "user_mappings", columns: userMappingColumns + ", COALESCE(" + renamedTo + ", '')", scan: scanRenamed,
	id: func(m store.UserMapping) string { return m.ID },
}

func scanRenamed(r row) (store.UserMapping, error) {
	var name string
	m, err := scanUserMapping(wider{r, &name})
	m.RenamedTo = name
	return m, err
}

// wider is a row with one more column.
type wider struct {
	row
	last any
}

func (w wider) Scan(into ...any) error { return w.row.Scan(append(into, w.last)...) }

func (s *session) UserMappingsBehind(ctx context.Context, connectionID string, accountIDs []string) ([]idmap.UserMapping, error) {
	l := newLookup(s, behindMappings)
	for _, side := range []string{"source", "destination"} {
		of := "renamed_to IS NOT NULL AND " + side + "_connection_id = ?"
		switch {
		case accountIDs != nil:
			l.any(ctx, accountIDs, of+" AND "+side+"_account_id IN (*)", connectionID)
		case storable(connectionID):
			l.run(ctx, of, []any{connectionID})
		}
	}
	return l.answer()
}
