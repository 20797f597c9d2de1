package rules

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

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

// storedItems finds the items of the stored map.
type storedItems struct {
	named    map[itemName]*idmap.MapItem // nil where several are called the same
	subjects map[itemSubject]*idmap.MapItem
	ids      map[string]*idmap.MapItem
}

func newStoredItems(before *idmap.Map) storedItems {
	if before == nil {
		return storedItems{}
	}
	items := before.Items()
	s := storedItems{
		named: make(map[itemName]*idmap.MapItem, len(items)), subjects: make(map[itemSubject]*idmap.MapItem, len(items)),
		ids: make(map[string]*idmap.MapItem, len(items)),
	}
	for i := range items {
		item := &items[i]
		s.ids[item.ID], s.subjects[itemSubject{item.Role, item.Subject.ID}] = item, item
		name := itemName{item.Role, item.Subject.Named()}
		if _, several := s.named[name]; several {
			item = nil
		}
		s.named[name] = item
	}
	return s
}

// like returns the stored item that is called as this one is, or nil.
func (s storedItems) like(item idmap.MapItem) *idmap.MapItem {
	old := s.subjects[itemSubject{item.Role, item.Subject.ID}]
	if item.Subject.ID == "" {
		old = s.named[itemName{item.Role, item.Subject.Named()}]
	}
	if old == nil || !keeps(item.Subject, old.Subject) {
		return nil
	}
	return old
}

// adopt gives items the ids of the stored ones that they replace: those with the same subject, else those that they claim
// to be. Others are new.
func (s storedItems) adopt(items []idmap.MapItem) {
	claimed := make(map[int]string)
	taken := map[string]bool{}
	for i := range items {
		item := &items[i]
		claim := item.ID
		item.ID = ""
		if old := s.subjects[itemSubject{item.Role, item.Subject.ID}]; old != nil {
			item.ID, taken[old.ID] = old.ID, true
		} else if old := s.ids[claim]; old != nil && old.Role == item.Role {
			claimed[i] = claim
		}
	}
	for i := range items {
		if claim := claimed[i]; claim != "" && !taken[claim] {
			items[i].ID, taken[claim] = claim, true
		}
	}
}

// keeps reports whether a principal that is sent is called as a stored one is, so that it stays bound as that is. One that
// gives another id is another.
func keeps(sent, stored idmap.Principal) bool {
	if sent.ID == "" {
		return sent.Named() != idmap.Principal{} && sent.Named() == stored.Named()
	}
	return sent.ID == stored.ID && sent.Named() == stored.Named()
}

// seenItems remembers the items of a list, so that the second about somebody is told of the first.
type seenItems struct {
	called map[itemName]string
	bound  map[itemSubject]string
}

func newSeenItems(n int) seenItems {
	return seenItems{called: make(map[itemName]string, n), bound: make(map[itemSubject]string, n)}
}

// folded returns what two principals have in common that surely name the same. Ids differ by case.
func folded(p idmap.Principal) idmap.Principal {
	for _, text := range []*string{&p.Name, &p.Username, &p.Email, &p.Caption} {
		if *text != "" { // as most fields of many items are
			*text = idmap.Fold(*text)
		}
	}
	p.Type = ""
	return p
}
