package match

import (
	"cmp"
	"slices"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Index finds the entries of one connection. It does not change, and is safe for concurrent use.
type Index struct {
	kind idmap.MapKind
	// entries come in the order of use: those that can be a match, then the disabled ones, then the deleted ones, each in
	// the order of their ids. So the end of a kind is one position, and so it is in every list of positions.
	entries    []Entry
	candidates int32 // how many are neither disabled nor deleted
	live       int32 // how many are not deleted

	ids       map[string]int32
	usernames postings[string]
	addresses postings[string]
	names     postings[string]
	captions  postings[string]

	trigrams func() *trigrams // made when first asked for
}

// NewIndex indexes the accounts, or the groups, of a connection, each id once. It keeps a copy of the slice.
func NewIndex(kind idmap.MapKind, entries []Entry) *Index {
	x := &Index{kind: kind, entries: slices.Clone(entries), ids: make(map[string]int32, len(entries))}
	slices.SortFunc(x.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(use(a), use(b)), cmp.Compare(a.Principal.ID, b.Principal.ID))
	})
	for i, e := range x.entries {
		at := int32(i)
		x.ids[e.Principal.ID] = at
		if !e.Deleted {
			x.live = at + 1
		}
		if !e.Deleted && !e.Disabled {
			x.candidates = at + 1
		}
	}
	x.usernames = newPostings(x.entries, func(e *Entry, add func(string)) { addKey(e.UserKey, add) })
	x.names = newPostings(x.entries, func(e *Entry, add func(string)) { addKey(e.NameKey, add) })
	x.captions = newPostings(x.entries, func(e *Entry, add func(string)) { addKey(e.Caption, add) })
	x.addresses = newPostings(x.entries, func(e *Entry, add func(string)) {
		for _, address := range e.Addresses {
			addKey(address, add)
		}
	})
	x.trigrams = sync.OnceValue(func() *trigrams { return newTrigrams(x.entries) })
	return x
}

// use orders entries by what they can be to a map.
func use(e Entry) int {
	switch {
	case e.Deleted:
		return 2
	case e.Disabled:
		return 1
	}
	return 0
}

func addKey(key string, add func(string)) {
	if key != "" {
		add(key)
	}
}

// byID returns the position of the entry, alone, or nothing.
func (x *Index) byID(id string) []int32 {
	if at, ok := x.ids[id]; ok && id != "" {
		return []int32{at}
	}
	return nil
}

// byAddress returns the positions of those that have the address, if it is one.
func (x *Index) byAddress(text string) []int32 {
	key, err := idmap.CanonicalEmail(text)
	if err != nil {
		return nil
	}
	return x.addresses.at(key)
}
