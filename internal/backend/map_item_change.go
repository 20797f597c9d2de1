package backend

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// called is what an item's subject is called in what was sent. One that is called as a stored one is that one.
type called struct {
	role  idmap.ItemRole
	id    string // "" if it was not called by id
	named idmap.Principal
}

// subject is whom an item is about.
type subject struct {
	role idmap.ItemRole
	id   string
}

// storedItems are the items of a map by what they are called, and by whom they are about.
type storedItems struct {
	called   map[called]*idmap.MapItem // nil where several are called the same
	subjects map[subject]*idmap.MapItem
}

func indexItems(items []idmap.MapItem) storedItems {
	s := storedItems{called: make(map[called]*idmap.MapItem, 2*len(items)), subjects: make(map[subject]*idmap.MapItem, len(items))}
	for n := range items {
		i := &items[n]
		s.subjects[subject{i.Role, i.Subject.ID}] = i
		s.called[called{i.Role, i.Subject.ID, i.Subject.Named()}] = i
		if name := (called{i.Role, "", i.Subject.Named()}); name.named != (idmap.Principal{}) {
			if _, several := s.called[name]; several {
				i = nil
			}
			s.called[name] = i
		}
	}
	return s
}

// like returns the stored item that is called as this one is, or nil.
func (s storedItems) like(i idmap.MapItem) *idmap.MapItem {
	return s.called[called{i.Role, i.Subject.ID, i.Subject.Named()}]
}

// newPrincipals returns, for each side, whom the rules look up to judge a map: whoever is new by what he is called, and
// the others by what they are bound to. Items that nobody sent are left out.
func newPrincipals(before *idmap.Map, after idmap.Map, unsent map[string]bool) (sources, destinations []idmap.Principal) {
	var stored storedItems
	if before != nil {
		stored = indexItems(before.Items())
		sources, destinations = withDefault(sources, before.Source), withDefault(destinations, before.Destination)
	}
	sources, destinations = withDefault(sources, after.Source), withDefault(destinations, after.Destination)
	for _, i := range after.Items() {
		if unsent[i.ID] {
			continue
		}
		target := i.Target
		if was := stored.like(i); was != nil {
			i.Subject = idmap.Principal{ID: was.Subject.ID}
			if sameTarget(was.Target, target) {
				target = idmap.Principal{ID: was.Target.ID}
			}
		}
		switch i.Role {
		case idmap.RoleException:
			sources, destinations = append(sources, i.Subject), append(destinations, target)
		case idmap.RoleSourceExclusion:
			sources = append(sources, i.Subject)
		case idmap.RoleDestinationExclusion:
			destinations = append(destinations, i.Subject)
		}
	}
	return sources, destinations
}

func sameTarget(was, wanted idmap.Principal) bool {
	return was.Named() == wanted.Named() && (wanted.ID == "" || wanted.ID == was.ID)
}

func withDefault(principals []idmap.Principal, end idmap.MapEnd) []idmap.Principal {
	if end.Default == nil {
		return principals
	}
	return append(principals, *end.Default)
}

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
