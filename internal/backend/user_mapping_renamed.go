package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// tellRenamed says of mappings what their users are called now, where they could not follow.
func tellRenamed(ctx context.Context, r store.Reader, mappings []*idmap.UserMapping) error {
	users := keySet{}
	for _, m := range mappings {
		users.add(m.Destination.Connection.ID, m.Destination.AccountID())
	}
	names := map[string]string{}
	for connectionID := range users {
		behind, err := r.UserMappingsBehind(ctx, connectionID, users.of(connectionID))
		if err != nil {
			return err
		}
		for _, m := range behind {
			names[m.ID] = m.RenamedTo
		}
	}
	for _, m := range mappings {
		m.RenamedTo = names[m.ID]
	}
	return nil
}
