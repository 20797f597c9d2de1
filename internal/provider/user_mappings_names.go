package provider

import (
	"cmp"
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// callsNow returns what the users of entries are called now, where that tells a rename: a directory that the same apply has
// uploaded may have renamed them.
func (w *mappingsWrite) callsNow(ctx context.Context) (map[string]string, error) {
	var ids []string
	changes := changesOf(w.had, w.wanted, w.before, func(_ mappingEntry, o ownedMapping) string {
		if o.Former == "" {
			ids = append(ids, o.ID)
		}
		return o.Former
	})
	slices.Sort(ids)
	calls := map[string]string{}
	found, err := w.walk.mappingsByID(ctx, slices.Compact(ids))
	for _, m := range found {
		if m != nil {
			calls[m.ID] = cmp.Or(m.RenamedTo, m.UserID)
		}
	}
	if err != nil {
		return nil, err
	}
	return calls, w.callsUnfollowed(ctx, changes, found, calls)
}

// callsUnfollowed adds what the directory calls users whose email another key is to get, and whose mapping has not followed
// it: a mapping does not tell that itself where the directory is not authoritative.
func (w *mappingsWrite) callsUnfollowed(ctx context.Context, changes mappingChanges, found []*idmap.UserMapping, calls map[string]string) error {
	was := map[string]string{}
	for _, c := range changes.written {
		if c.had != nil {
			was[w.before[c.had.user].ID] = c.had.user
		}
	}
	asked := slices.DeleteFunc(slices.Clone(found), func(m *idmap.UserMapping) bool {
		return m == nil || m.Destination.AccountID() == "" || was[m.ID] != idmap.Fold(calls[m.ID])
	})
	names := make([]string, len(asked))
	err := atOnce(len(asked), func(n int) error {
		a, err := w.walk.client.Account(ctx, asked[n].Destination.Connection.ID, asked[n].Destination.AccountID())
		if idmap.IsNotFound(err) || a.Deleted() {
			return nil
		}
		names[n] = a.UserID()
		return err
	})
	for n, m := range asked {
		calls[m.ID] = cmp.Or(names[n], calls[m.ID])
	}
	return err
}
