package match

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// trigrams find the entries that are called something like a text: by the runs of three letters that both have.
type trigrams struct {
	names  []string // of each entry: the words of its display name
	known  vocabulary
	fields [fields]postings[trigram]
	counts sync.Pool // of *tally
}

// trigram is three characters, of 21 bits each.
type trigram uint64

// field is something that is compared letter by letter.
type field int

const (
	fieldName field = iota
	fieldUsername
	fieldEmail
	fieldCaption
	fields
)

const (
	// maxPostings is how many entries of lists are read for one text. Rare trigrams are read first, and a list wholly or
	// not at all: of two entries that are called the same, both are found or neither is.
	maxPostings = 10_000
	// maxBlock is how many entries, those with the most trigrams in common, are compared letter by letter. Those that tie
	// with the last of them are compared too, up to maxTied more; if they are more than that, none of those that tie is.
	maxBlock = 32
	maxTied  = 128
)

// tally counts the trigrams that entries have in common with a text.
type tally struct {
	of      []uint16 // by position
	touched []int32
}

func newTrigrams(entries []Entry) *trigrams {
	t := &trigrams{names: make([]string, len(entries))}
	t.counts.New = func() any { return &tally{of: make([]uint16, len(entries))} }
	for i := range entries {
		t.names[i] = words(entries[i].NameKey)
	}
	t.known = newVocabulary(t.names)
	for f := range fields {
		t.fields[f] = newPostings(entries, func(e *Entry, add func(trigram)) {
			for _, text := range textsOf(e, f) {
				eachTrigram(text, add)
			}
		})
	}
	return t
}

// textsOf returns what an entry is called in a field.
func textsOf(e *Entry, f field) []string {
	switch f {
	case fieldName:
		return []string{e.NameKey}
	case fieldUsername:
		return []string{e.UserKey}
	case fieldCaption:
		return []string{e.Caption}
	case fieldEmail:
		locals := make([]string, len(e.Addresses))
		for i, address := range e.Addresses {
			locals[i], _ = splitAddress(address)
		}
		return locals
	default:
		return nil
	}
}

func splitAddress(address string) (local, domain string) {
	at := strings.LastIndexByte(address, '@')
	return address[:max(at, 0)], address[at+1:]
}

// eachTrigram calls add with the trigrams of each word of the text; a word begins and ends with a blank.
func eachTrigram(text string, add func(trigram)) {
	for word := range strings.SplitSeq(words(text), " ") {
		last, before := trigram(' '), trigram(0)
		for _, r := range word {
			if before != 0 {
				add(before<<42 | last<<21 | trigram(r)) //nolint:gosec // G115: a rune of a string is never negative
			}
			before, last = last, trigram(r) //nolint:gosec // G115: a rune of a string is never negative
		}
		if before != 0 {
			add(before<<42 | last<<21 | ' ')
		}
	}
}

// wanted is what is looked for in a field.
type wanted struct {
	field field
	texts []string
}

// block returns the positions, before the end and ascending, of the entries that are worth comparing: those that have
// the most trigrams in common with what is wanted. A tally that is given back is clear; should anything panic, it is
// lost.
func (t *trigrams) block(wants []wanted, end int32) []int32 {
	counts, ok := t.counts.Get().(*tally)
	if !ok {
		panic("match: the pool of tallies has something else") // to find nobody could make the only match of another one
	}
	read := 0
	for _, list := range t.lists(wants, end) {
		if read += len(list); read > maxPostings {
			break
		}
		for _, at := range list {
			if counts.of[at] == 0 {
				counts.touched = append(counts.touched, at)
			}
			counts.of[at]++
		}
	}
	found := counts.most()
	t.counts.Put(counts)
	return found
}

// lists returns the lists of all trigrams, the shortest first.
func (t *trigrams) lists(wants []wanted, end int32) [][]int32 {
	type source struct {
		field field
		gram  trigram
		list  []int32
	}
	var sources []source
	for _, want := range wants {
		for _, text := range want.texts {
			eachTrigram(text, func(gram trigram) {
				if list := below(t.fields[want.field].at(gram), end); len(list) > 0 && len(list) <= maxPostings {
					sources = append(sources, source{want.field, gram, list})
				}
			})
		}
	}
	slices.SortFunc(sources, func(a, b source) int {
		return cmp.Or(len(a.list)-len(b.list), cmp.Compare(a.field, b.field), cmp.Compare(a.gram, b.gram))
	})
	lists := make([][]int32, 0, len(sources))
	for i, s := range sources {
		if i == 0 || s.gram != sources[i-1].gram || s.field != sources[i-1].field {
			lists = append(lists, s.list)
		}
	}
	return lists
}

// most returns the positions with the highest counts, and clears the tally. Those of one count are returned all or,
// where they are too many, not at all: who is called as another one must not be found alone.
func (c *tally) most() []int32 {
	var histogram [256]int
	for _, at := range c.touched {
		histogram[min(c.of[at], 255)]++
	}
	least, room := uint16(256), maxBlock
	for least > 1 && room > 0 && histogram[least-1] <= room+maxTied {
		least--
		room -= histogram[least]
	}
	var found []int32
	for _, at := range c.touched {
		if min(c.of[at], 255) >= least {
			found = append(found, at)
		}
		c.of[at] = 0
	}
	c.touched = c.touched[:0]
	slices.Sort(found)
	return found
}
