package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MaxNamed is the most entries that are handed out of those that a principal names: many items may name what many
// accounts are called.
const MaxNamed = 100

// Named is what a principal names in a directory.
type Named struct {
	// Entries are those that it names, live ones before deleted ones, in the order of their ids; deleted ones only where
	// no live one is named otherwise than by id. One is as it should be. Of more than MaxNamed, some are left out.
	Entries []Entry
	// Count is how many there are, with those that are left out.
	Count int
	// Mismatch says that its parts name different entries, which are then Entries.
	Mismatch bool
}

// Find returns what the principal names. Its id, username and email are keys, and so is a name that is one: they must
// name one entry, and an id must name one; of the others one that names nobody only describes. A display name decides
// where there is no key at all, and contradicts a key that names somebody else: a key that nobody has was meant for
// somebody, who is not to be guessed.
func (x *Index) Find(p idmap.Principal) Named {
	if len(x.byID(p.ID)) == 0 {
		if p.ID != "" && p.ID != p.Name { // who has no id to give writes the name twice
			return Named{}
		}
		p.ID = ""
	}
	keyed := p.ID != "" || p.Username != "" || p.Email != "" || strings.Contains(p.Name, "@")
	byName := x.called(p.Name)
	sets := x.sets(p.ID, x.byID(p.ID), x.usernames.at(idmap.Fold(p.Username)), x.byAddress(p.Email), byName)
	var shown []string
	if len(byName) == 0 {
		shown = append(shown, p.Name)
	}
	shown = append(shown, p.Caption)
	if len(sets) == 0 && !keyed {
		sets = x.sets("", x.captioned(firstOf(shown)))
	}
	if len(sets) == 0 {
		return Named{}
	}
	common := intersect(sets)
	for _, text := range shown {
		if others := below(x.captioned(text), x.live); len(others) > 0 && len(common) > 0 && len(intersect([][]int32{common, others})) == 0 {
			return x.named(unite(common, others), true)
		}
	}
	if len(common) == 0 {
		return x.named(unite(sets...), true)
	}
	return x.named(common, false)
}

// firstOf returns the first text that is not empty, or "".
func firstOf(texts []string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// called returns those of which the text is a key: the id, the username or an address of an account; the id, the name
// or an address of a group.
func (x *Index) called(text string) []int32 {
	if text == "" {
		return nil
	}
	sets := [][]int32{x.byID(text), x.usernames.at(idmap.Fold(text)), x.byAddress(text)}
	if x.kind == idmap.GroupMap {
		sets = append(sets, x.names.at(idmap.NameKey(text)))
	}
	return unite(sets...)
}

// captioned returns those that the text describes: by their display name, which for a group is its name or its caption.
func (x *Index) captioned(text string) []int32 {
	key := idmap.NameKey(text)
	return unite(x.names.at(key), x.captions.at(key))
}

// sets returns those that are not empty, without the deleted entries that live ones hide. The entry with the id is
// never hidden: who names an id means that entry.
func (x *Index) sets(id string, all ...[]int32) [][]int32 {
	var sets [][]int32
	exact := x.byID(id)
	for _, set := range all {
		live := below(set, x.live)
		switch {
		case len(set) == 0:
			continue
		case len(live) > 0 && len(exact) > 0 && exact[0] >= x.live && has(set, exact[0]):
			set = unite(live, exact)
		case len(live) > 0:
			set = live
		}
		sets = append(sets, set)
	}
	return sets
}

// intersect returns what all sets have, in the time that the smallest takes.
func intersect(sets [][]int32) []int32 {
	smallest := slices.MinFunc(sets, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) })
	if len(sets) == 1 {
		return smallest
	}
	var common []int32
	for _, at := range smallest {
		if !slices.ContainsFunc(sets, func(set []int32) bool { return !has(set, at) }) {
			common = append(common, at)
		}
	}
	return common
}

// unite returns what any set has. It copies only where several have something.
func unite(sets ...[]int32) []int32 {
	sets = slices.DeleteFunc(slices.Clone(sets), func(set []int32) bool { return len(set) == 0 })
	if len(sets) == 1 {
		return sets[0]
	}
	all := slices.Concat(sets...)
	slices.Sort(all)
	return slices.Compact(all)
}

func has(set []int32, at int32) bool {
	_, found := slices.BinarySearch(set, at)
	return found
}

func (x *Index) named(positions []int32, mismatch bool) Named {
	named := Named{Count: len(positions), Mismatch: mismatch}
	for _, at := range positions[:min(len(positions), MaxNamed)] {
		named.Entries = append(named.Entries, x.entries[at])
	}
	slices.SortFunc(named.Entries, func(a, b Entry) int {
		if a.Deleted != b.Deleted {
			return use(a) - use(b)
		}
		return cmp.Compare(a.Principal.ID, b.Principal.ID)
	})
	return named
}
