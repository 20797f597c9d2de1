package provider

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

// mappingChange is what becomes of one entry: without from it is created, without to it is deleted, else it is updated.
type mappingChange struct {
	from, to *mappingEntry
	owned    ownedMapping  // of what is there
	had      *mappingEntry // another one, which had the email that is wanted here
}

// key is where the change stands in the configuration, or stood.
func (c mappingChange) key() string {
	if c.to != nil {
		return c.to.key
	}
	return c.from.key
}

func (c mappingChange) creates() bool { return c.from == nil }
func (c mappingChange) deletes() bool { return c.to == nil }

// intent returns the write.
func (c mappingChange) intent(m userMappingsModel) idmap.UserMappingIntent {
	if c.deletes() {
		return idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: c.owned.ID, Revision: c.owned.Revision}
	}
	wanted := m.one(*c.to).toAPI()
	if c.creates() {
		return idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &wanted}
	}
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: c.owned.ID, Revision: c.owned.Revision, UserMapping: &wanted}
}

// mappingChanges are the differences between two sets of entries, in the order of the keys.
type mappingChanges struct {
	kept    []mappingChange // there is nothing to write
	removed []mappingChange
	written []mappingChange // creates and updates
}

// settled reports whether nothing differs but, perhaps, spellings.
func (c mappingChanges) settled(wanted []mappingEntry) bool {
	return len(c.removed)+len(c.written) == 0 && len(c.kept) == len(wanted)
}

// changesOf compares entries by their canonical forms. calls returns what a user of the prior entries is going to be
// called, where that is known: it tells a rename from another mapping. It is only asked where that matters.
func changesOf(prior, wanted []mappingEntry, owned ownedMappings, calls func(mappingEntry, ownedMapping) string) mappingChanges {
	var c mappingChanges
	m := matchEntries(prior, wanted, owned, calls)
	for w := range wanted {
		change := mappingChange{to: &wanted[w]}
		if p := m.from[w]; p != none {
			change.from, change.owned = &prior[p], owned[prior[p].user]
		}
		if p := m.withMail(w); p != none && p != m.from[w] {
			change.had = &prior[p]
		}
		c.add(change)
	}
	for p, e := range prior {
		if _, is := m.had[e.user]; is && m.to[p] == none {
			c.removed = append(c.removed, mappingChange{from: &prior[p], owned: owned[e.user]})
		}
	}
	return c
}

func (c *mappingChanges) add(change mappingChange) {
	switch from, to := change.from, change.to; {
	case from != nil && (to.unknown || from.same(*to)):
		c.kept = append(c.kept, change)
	case !to.unknown:
		c.written = append(c.written, change)
	}
}
