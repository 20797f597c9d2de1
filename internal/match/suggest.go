package match

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/antzucaro/matchr"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// minSuggestion is how much a suggestion has in common with the text. A slip in a short word costs less; a wrong
// suggestion harms nobody, and so nothing of what guards a match is needed here.
const minSuggestion = 0.7

// Suggest returns at most n live entries that are called something like the text, the likeliest first: for "did you
// mean".
func (x *Index) Suggest(text string, n int) []Entry {
	name := plainName(idmap.NameKey(text))
	t := x.trigrams()
	var wants []wanted
	for f := range fields {
		wants = append(wants, wanted{f, []string{name}})
	}
	type suggestion struct {
		at    int32
		score float64
	}
	var found []suggestion
	for _, at := range t.block(wants, x.live) {
		if score := closeness(name, &x.entries[at]); score >= minSuggestion {
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

// plainName leaves out what most names of a directory have in common: a domain before or behind.
func plainName(text string) string {
	text = text[strings.LastIndexByte(text, '\\')+1:]
	if local, _, ok := strings.Cut(text, "@"); ok && local != "" {
		text = local
	}
	return clipped(text)
}

// clipped keeps what is worth suggesting for.
func clipped(text string) string {
	if runes := []rune(text); len(runes) > maxCompared {
		return string(runes[:maxCompared])
	}
	return text
}

// wordScore is how close a text is at most to one word of a name.
const wordScore = 0.9

// closeness returns how close a text is to the closest of what an entry is called: 1 less the share of its letters that
// would have to change.
func closeness(text string, e *Entry) float64 {
	best := 0.0
	compare := func(other string, most float64) {
		if other = plainName(other); other != "" && text != "" {
			letters := max(utf8.RuneCountInString(text), utf8.RuneCountInString(other))
			best = max(best, most*(1-float64(matchr.OSA(text, other))/float64(letters)))
		}
	}
	for _, other := range append([]string{e.NameKey, e.Caption, e.UserKey}, e.Addresses...) {
		compare(other, 1)
	}
	for _, name := range []string{e.NameKey, e.Caption} {
		if best = max(best, inAnyOrder(text, name)); strings.Contains(name, " ") {
			for word := range strings.SplitSeq(name, " ") {
				compare(word, wordScore)
			}
		}
	}
	return best
}

// inAnyOrder is the closeness of two names whose words are in different orders.
func inAnyOrder(a, b string) float64 {
	a, b = words(a), words(b)
	if a == "" || b == "" {
		return 0
	}
	return 1 - float64(matchr.OSA(a, b))/float64(max(utf8.RuneCountInString(a), utf8.RuneCountInString(b)))
}
