package backend

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// itemChange is an item as it was and as it is now; nil where it was not, or is no more.
type itemChange struct{ before, after *idmap.MapItem }

// itemChanges are the differences between the items of a map before and after a write.
type itemChanges []itemChange

func changesOf(before, after []idmap.MapItem) itemChanges {
	stored := byID(before, func(i idmap.MapItem) string { return i.ID })
	kept := make(map[string]bool, len(after))
	var changes itemChanges
	for n := range after {
		kept[after[n].ID] = true
		was, known := stored[after[n].ID]
		switch {
		case !known:
			changes = append(changes, itemChange{after: &after[n]})
		case was != after[n]:
			changes = append(changes, itemChange{&was, &after[n]})
		}
	}
	for n := range before {
		if !kept[before[n].ID] {
			changes = append(changes, itemChange{before: &before[n]})
		}
	}
	return changes
}

// put are the items that are to be stored, gone the ids of those that are not any more.
func (c itemChanges) put() (put []idmap.MapItem, gone []string) {
	for _, change := range c {
		if change.after == nil {
			gone = append(gone, change.before.ID)
		} else {
			put = append(put, *change.after)
		}
	}
	return put, gone
}

// stampItems gives an id to every item that is new.
func (b *Backend) stampItems(judged []idmap.MapItem) []idmap.MapItem {
	for n := range judged {
		if judged[n].ID == "" {
			judged[n].ID = b.opts.NewID()
		}
	}
	return judged
}
