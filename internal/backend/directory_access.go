package backend

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// shut reports whether the user of an application account may not come in, whoever asks.
func shut(a idmap.Account) bool {
	return unusable(a) || a.UserType == idmap.UserTypeStub || a.SignInPermitted != nil && !*a.SignInPermitted
}

// unusable is what matters of a mailbox.
func unusable(a idmap.Account) bool { return a.Deleted() || a.Disabled }

// seeAccess remembers an account that loses access with its change. One that nobody knew so far may have sessions too,
// of a mapping that is bound to it only now.
func (d *directoryWrite) seeAccess(before, after idmap.Account) {
	lost := unusable(after) && !unusable(before)
	if lost || shut(after) && !shut(before) {
		d.shut[after.ID] = lost
	}
}

// endAccess ends the sessions of mappings that are bound to an account which lost access.
func (d *directoryWrite) endAccess(ctx context.Context) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(d.shut)), importChunk) {
		found, err := d.tx.UserMappingsOf(ctx, d.connection.ID, store.DirectoryKeys{IDs: ids})
		if err != nil {
			return err
		}
		mappings := []string{}
		for _, m := range found {
			if d.losesAccess(m.UserMapping) {
				mappings = append(mappings, m.ID)
			}
		}
		if err := d.endSessions(ctx, mappings); err != nil {
			return err
		}
	}
	return nil
}

// losesAccess reports whether a sign-in through the mapping is denied because of what changed.
func (d *directoryWrite) losesAccess(m idmap.UserMapping) bool {
	mailbox := d.shut[m.Source.AccountID()]
	_, user := d.shut[m.Destination.AccountID()]
	return mailbox && m.Source.Connection.ID == d.connection.ID || user && m.Destination.Connection.ID == d.connection.ID
}

// endSessions locks the mappings first: a sign-in that came before is waited for and ended, and one that comes later
// waits, and then sees what the directory says.
func (d *directoryWrite) endSessions(ctx context.Context, mappings []string) error {
	if err := d.tx.LockUserMappings(ctx, mappings); err != nil {
		return err
	}
	reason := fmt.Sprintf("the directory of connection %q says that the account may not sign in any more", d.connection.Name)
	for more := len(mappings) > 0; more; {
		var err error
		_, more, err = d.b.endSessions(ctx, d.tx, d.call, idmap.SessionFilter{UserMappingIDs: mappings}, ending{"revoke", reason})
		if err != nil {
			return err
		}
	}
	return nil
}
