package rules

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// itemName is what an item is called, and itemSubject is whom it is about.
type (
	itemName struct {
		role  idmap.ItemRole
		named idmap.Principal
	}
	itemSubject struct {
		role idmap.ItemRole
		id   string
	}
)

// StoredItems finds items of a stored map.
type StoredItems struct {
	named    map[itemName]*idmap.MapItem // nil where several are called the same; also by their texts alone
	subjects map[itemSubject]*idmap.MapItem
	ids      map[string]*idmap.MapItem
}

// NewStoredItems returns what finds these items.
func NewStoredItems(items []idmap.MapItem) StoredItems {
	s := StoredItems{
		named: make(map[itemName]*idmap.MapItem, len(items)), subjects: make(map[itemSubject]*idmap.MapItem, len(items)),
		ids: make(map[string]*idmap.MapItem, len(items)),
	}
	for i := range items {
		item := &items[i]
		s.ids[item.ID], s.subjects[itemSubject{item.Role, item.Subject.ID}] = item, item
		s.name(item, item.Subject.Named())
		if text := textOnly(item.Subject); text != item.Subject.Named() {
			s.name(item, text)
		}
	}
	return s
}

func (s StoredItems) name(item *idmap.MapItem, named idmap.Principal) {
	key := itemName{item.Role, named}
	if _, several := s.named[key]; several {
		item = nil
	}
	s.named[key] = item
}

// textOnly returns the principal as one calls it who has a single text for each: Terraform does.
func textOnly(p idmap.Principal) idmap.Principal { return idmap.Principal{Name: p.Text()} }

// Like returns the stored item that is called as this one is, or nil.
func (s StoredItems) Like(item idmap.MapItem) *idmap.MapItem {
	old := s.subjects[itemSubject{item.Role, item.Subject.ID}]
	if item.Subject.ID == "" {
		old = s.named[itemName{item.Role, item.Subject.Named()}]
	}
	if old == nil || !keeps(item.Subject, old.Subject) {
		return nil
	}
	return old
}

// About returns the stored item of that role about the one who is named, or nil, as it does where that is not one.
func (s StoredItems) About(role idmap.ItemRole, named match.Named) *idmap.MapItem {
	if len(named.Entries) != 1 || named.Mismatch {
		return nil
	}
	return s.subjects[itemSubject{role, named.Entries[0].Principal.ID}]
}

// adopt gives the items that were sent the ids of the stored ones that they replace: those with the same subject, else
// those that they claim to be and that do not stay. Others are new.
func (s StoredItems) adopt(list itemList) {
	claimed := make(map[int]string)
	taken := map[string]bool{}
	for _, i := range list.kept {
		taken[i.ID] = true
	}
	for i := range list.sent {
		item := &list.sent[i]
		claim := item.ID
		item.ID = ""
		if old := s.subjects[itemSubject{item.Role, item.Subject.ID}]; old != nil {
			item.ID, taken[old.ID] = old.ID, true
		} else if old := s.ids[claim]; old != nil && old.Role == item.Role {
			claimed[i] = claim
		}
	}
	for i := range list.sent {
		if claim := claimed[i]; claim != "" && !taken[claim] {
			list.sent[i].ID, taken[claim] = claim, true
		}
	}
}

// keeps reports whether a principal that is sent is called as a stored one is, so that it stays bound as that is. One
// that gives another id is another.
func keeps(sent, stored idmap.Principal) bool {
	if named := sent.Named(); sent.ID == "" {
		return named != idmap.Principal{} && (named == stored.Named() || named == textOnly(stored))
	}
	return sent.ID == stored.ID && sent.Named() == stored.Named()
}

// seenItems remembers the items of a list, so that the second about somebody is told of the first. Those that stay come
// before all that were sent.
type seenItems struct {
	called map[itemName]string
	bound  map[itemSubject]string
}

func newSeenItems(l itemList) seenItems {
	seen := seenItems{called: make(map[itemName]string, len(l.sent)), bound: make(map[itemSubject]string, len(l.sent)+len(l.kept))}
	for _, i := range l.kept {
		seen.bound[itemSubject{i.Role, i.Subject.ID}] = i.Subject.Text()
	}
	return seen
}
