package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// minSuggestion is how much a suggestion has in common with the text. A slip costs less; a wrong suggestion harms nobody.
const minSuggestion = 0.75

// Suggest returns at most n live entries that are called something like the text, the likeliest first: for "did you
// mean".
func (x *Index) Suggest(text string, n int) []Entry {
	key := idmap.NameKey(text)
	local, _, _ := strings.Cut(key, "@")
	t := x.trigrams()
	wants := []wanted{
		{fieldName, []string{key}},
		{fieldUsername, []string{key}},
		{fieldCaption, []string{key}},
		{fieldEmail, []string{local}},
	}
	type suggestion struct {
		at    int32
		score float64
	}
	var found []suggestion
	for _, at := range t.similar(wants, x.live) {
		if score := t.known.likeText(local, &x.entries[at], t.names[at]); score >= minSuggestion {
			found = append(found, suggestion{at, score})
		}
	}
	slices.SortFunc(found, func(a, b suggestion) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at, b.at))
	})
	var entries []Entry
	for _, s := range found[:min(max(n, 0), len(found))] {
		entries = append(entries, x.entries[s.at])
	}
	return entries
}

// likeText returns how much a text has in common with the likest of what an entry is called. Of addresses only what stands
// before the @ is compared: the domain they nearly all have.
func (v vocabulary) likeText(local string, e *Entry, name string) float64 {
	called, user := words(local), words(strings.Split(e.UserKey, "@")[0])
	best := max(v.likeWords(called, name), v.likeWords(called, user), v.likeWords(called, words(e.Caption)))
	for _, address := range e.Addresses {
		other, _ := splitAddress(address)
		best = max(best, v.likeWords(called, words(other)))
	}
	return best
}
