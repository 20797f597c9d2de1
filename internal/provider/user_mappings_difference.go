package provider

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

// mappingChange is what becomes of one entry: without from it is created, without to it is deleted, else it is updated.
type mappingChange struct {
	from, to *mappingEntry
	owned    ownedMapping // of what is there
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
// called, where that is known: together with the email, which stays, it tells a rename from another mapping.
func changesOf(prior, wanted []mappingEntry, owned ownedMappings, calls func(mappingEntry, ownedMapping) string) mappingChanges {
	var c mappingChanges
	had := make(map[string]*mappingEntry, len(prior))
	for i, e := range prior {
		if owned[e.user].ID != "" {
			had[e.user] = &prior[i]
		}
	}
	stays := make(map[string]bool, len(wanted))
	for _, e := range wanted {
		stays[e.user] = true
	}
	renamed := renames(prior, stays, owned, had, calls)
	gone := map[string]bool{} // under another key now
	for i := range wanted {
		to := &wanted[i]
		from := had[to.user]
		if from == nil {
			if from = renamed.find(*to); from != nil && !gone[from.user] {
				gone[from.user] = true
			} else {
				from = nil
			}
		}
		c.add(from, to, owned)
	}
	for i, e := range prior {
		if had[e.user] != nil && !stays[e.user] && !gone[e.user] {
			c.removed = append(c.removed, mappingChange{from: &prior[i], owned: owned[e.user]})
		}
	}
	return c
}

func (c *mappingChanges) add(from, to *mappingEntry, owned ownedMappings) {
	change := mappingChange{from: from, to: to}
	if from != nil {
		change.owned = owned[from.user]
	}
	switch {
	case from != nil && (to.unknown || from.same(*to)):
		c.kept = append(c.kept, change)
	case !to.unknown:
		c.written = append(c.written, change)
	}
}

// renamedEntries are entries that are gone, by what tells that another key is the same mapping.
type renamedEntries struct{ byMail, byUser map[string]*mappingEntry }

func renames(prior []mappingEntry, stays map[string]bool, owned ownedMappings, had map[string]*mappingEntry, calls func(mappingEntry, ownedMapping) string) renamedEntries {
	r := renamedEntries{map[string]*mappingEntry{}, map[string]*mappingEntry{}}
	for i, e := range prior {
		if had[e.user] == nil || stays[e.user] {
			continue
		}
		if e.mail != "" {
			r.byMail[e.mail] = &prior[i]
		}
		if called := calls(e, owned[e.user]); called != "" {
			r.byUser[idmap.Fold(called)] = &prior[i]
		}
	}
	return r
}

func (r renamedEntries) find(to mappingEntry) *mappingEntry {
	if from := r.byMail[to.mail]; from != nil && to.mail != "" {
		return from
	}
	return r.byUser[to.user]
}
