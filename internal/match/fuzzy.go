package match

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// DefaultThreshold and MinThreshold bound what counts as a partial match. A wrong match shows somebody's files to
// another, so what counts is precision. BenchmarkFuzzyQuality has for names alone, where half of the people have no
// counterpart (FEBRL 4), and for all fields of 13,333 accounts, of which half have none:
//
//	threshold   FEBRL: precision  recall   all fields: precision  recall
//	     0.80              0.917   0.436                   0.974   0.503
//	     0.82              0.974   0.364                   0.976   0.464
//	     0.90              0.981   0.360                   0.995   0.214
//	     0.94              0.980   0.326                   0.990   0.038
//	     0.98              0.981   0.116                       -   0
//
// Above 0.9 precision hardly grows, and recall falls. At 0.8 and below, names count that are common, a single word, or
// a word longer. Recall is of those whom the rule of same names leaves.
const (
	DefaultThreshold = 0.9
	MinThreshold     = 0.5
)

// margin is by how much the best candidate must be ahead of the second. Of the fuzzy matches among 66,667 names 0.934
// are right without a margin, 0.953 with 0.01, 0.956 with 0.03, and with 0.06 as many.
const margin = 0.03

// fuzzy is the last rule: the candidate that is called nearly the same.
type fuzzy struct {
	index     *Index
	fields    []field
	threshold float64
}

func newFuzzy(by idmap.MapBy, x *Index) fuzzy {
	f := fuzzy{index: x, threshold: DefaultThreshold}
	if by.FuzzyThreshold != nil {
		f.threshold = *by.FuzzyThreshold
	}
	for _, selected := range []struct {
		field field
		on    bool
	}{{fieldName, by.Name}, {fieldUsername, by.Username}, {fieldEmail, by.Email}} {
		if selected.on || by.Default {
			f.fields = append(f.fields, selected.field)
		}
	}
	return f
}

// scored is a candidate and its score.
type scored struct {
	at    int32
	score float64
}

// find returns the best candidate, or why there is none.
func (f fuzzy) find(source *Entry) outcome {
	best, second := f.best(source)
	if best.score <= 0 {
		return outcome{reason: idmap.ReasonNoCandidate}
	}
	found := outcome{at: best.at, by: idmap.ResolvedFuzzy, score: best.score}
	likest := known(f.index.entries[best.at].Principal)
	switch {
	case best.score < f.threshold:
		found.reason = idmap.ReasonBelowThreshold
		found.why = fmt.Sprintf("The likest account is %s, with a score of %s, and %v is required",
			likest, decimal(best.score), f.threshold)
	case best.score-second.score < margin:
		found.reason = idmap.ReasonAmbiguous
		found.why = fmt.Sprintf("Two accounts are almost equally like it: %s and %s, with scores of %s and %s",
			likest, known(f.index.entries[second.at].Principal), decimal(best.score), decimal(second.score))
	case best.at >= f.index.candidates:
		return f.index.inactive(found)
	default:
		found.why = fmt.Sprintf("The only account like it is %s, with a score of %s", likest, decimal(best.score))
	}
	return found
}

// decimal cuts a score to what people read, never up: a score under the threshold must not look like one that is not.
func decimal(score float64) string { return fmt.Sprintf("%.3f", float64(int(score*1000))/1000) }

// best returns the two candidates with the highest scores, of equal ones the first. Excluded ones count.
func (f fuzzy) best(source *Entry) (best, second scored) {
	name := words(source.NameKey)
	var wants []wanted
	for _, field := range f.fields {
		wants = append(wants, wanted{field, textsOf(source, field)})
	}
	t := f.index.trigrams()
	for _, at := range t.block(wants, f.index.live) {
		candidate := scored{at, f.score(source, &f.index.entries[at], name, t.names[at], second.score)}
		if candidate.before(best) {
			best, second = candidate, best
		} else if candidate.before(second) {
			second = candidate
		}
	}
	return best, second
}

func (s scored) before(o scored) bool {
	return s.score > o.score || s.score == o.score && s.score > 0 && s.at < o.at
}

// usernameWeight is how much a username weighs beside a name or an address: every directory makes them by its own
// custom.
const usernameWeight = 0.5

// score is half the mean of the fields that both have, and half the worst of them, but for usernames: a field that
// contradicts is not outvoted. A candidate that cannot have as much as the bound has 0: most drop out by their names.
func (f fuzzy) score(source, candidate *Entry, name, candidateName string, bound float64) float64 {
	v := f.index.trigrams().known
	left := 0.0 // the weight of the fields that are still to come
	common := make([]field, 0, fields)
	for _, field := range f.fields {
		if both(field, source, candidate, name, candidateName) {
			common, left = append(common, field), left+weightOf(field)
		}
	}
	if left == 0 {
		return 0
	}
	sum, all, worst := 0.0, left, 1.0
	for _, field := range common {
		weight := weightOf(field)
		score := v.fieldSimilarity(field, source, candidate, name, candidateName)
		sum, left = sum+weight*score, left-weight
		if field != fieldUsername {
			worst = min(worst, score)
		}
		if ((sum+left)/all+worst)/2 < bound {
			return 0
		}
	}
	return (sum/all + worst) / 2
}

func weightOf(f field) float64 {
	if f == fieldUsername {
		return usernameWeight
	}
	return 1
}

func both(f field, a, b *Entry, nameA, nameB string) bool {
	switch f {
	case fieldName:
		return nameA != "" && nameB != ""
	case fieldUsername:
		return a.UserKey != "" && b.UserKey != ""
	case fieldEmail:
		return len(a.Addresses) > 0 && len(b.Addresses) > 0
	default:
		return false
	}
}

func (v vocabulary) fieldSimilarity(f field, a, b *Entry, nameA, nameB string) float64 {
	switch f {
	case fieldName:
		return v.nameSimilarity(nameA, nameB)
	case fieldUsername:
		return v.usernameSimilarity(a.UserKey, b.UserKey)
	default:
		return v.addressesSimilarity(a.Addresses, b.Addresses)
	}
}

// maxAddresses is how many addresses of an account are compared letter by letter, the primary one first: each with each.
const maxAddresses = 5

// addressesSimilarity returns how much the two addresses have in common that have the most.
func (v vocabulary) addressesSimilarity(some, others []string) float64 {
	best := 0.0
	for _, one := range some[:min(len(some), maxAddresses)] {
		for _, other := range others[:min(len(others), maxAddresses)] {
			best = max(best, v.addressSimilarity(one, other))
		}
	}
	return best
}
