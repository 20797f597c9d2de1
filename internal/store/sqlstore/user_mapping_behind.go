package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// behindMappings are mappings with what their users are called now, NULL where the mapping says so. The name is looked up
// for each mapping by itself: in a join, PostgreSQL may begin with all accounts, of which most are called what they were.
var behindMappings = table[idmap.UserMapping]{
	name: `(SELECT user_mappings.*, ` +
		`(SELECT CASE WHEN accounts.username <> '' THEN accounts.username ELSE accounts.id END FROM accounts ` +
		`JOIN connections ON connections.id = accounts.connection_id AND connections.authoritative ` +
		`WHERE accounts.connection_id = destination_connection_id AND accounts.id = destination_account_id ` +
		`AND accounts.deleted_on IS NULL AND accounts.user_key <> user_mappings.user_key) AS renamed_to ` +
		`FROM user_mappings) AS behind`,
	columns: userMappingColumns + ", renamed_to",
	scan: func(r row) (idmap.UserMapping, error) {
		var renamedTo string
		m, err := scanUserMapping(wider{r, &renamedTo})
		m.RenamedTo = renamedTo
		return m.UserMapping, err
	},
	id: func(m idmap.UserMapping) string { return m.ID },
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
