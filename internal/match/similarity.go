package match

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/antzucaro/matchr"
)

const (
	maxWords = 8 // of a name; the rest of a longer one is one word
	// initialScore is what "j" and "john" have in common: it is no contradiction, and no proof.
	initialScore = 0.8
	// strangeScore is the most that words have in common that are more than a slip apart, or two names of their own.
	strangeScore = 0.7
	// spareScore is what a name with a word more has in common at most, such as "ann doe" and "ann mary doe".
	spareScore = 0.8
	// singleScore is the most that names have in common of which one is a single word: it names no person.
	singleScore = 0.8
	// maxExpectedNamesakes is how many namesakes of a person are to be expected at most: of a more common name the person
	// who is found is as likely another. Half of FEBRL's originals held out, 0.05 makes 0.981 of the fuzzy matches right,
	// 0.1 makes 0.97, and no such bound 0.93.
	maxExpectedNamesakes = 0.05
	// minNames keeps the names of a small directory from looking common: three people with one surname are many among ten.
	minNames = 1000
	// longWord is from how many letters a second slip is forgiven.
	longWord = 10
)

// vocabulary says how many entries have a word in their names.
type vocabulary struct {
	names float64 // of how many entries, but at least minNames
	count map[string]int32
}

func newVocabulary(names []string) vocabulary {
	v := vocabulary{names: float64(max(len(names), minNames)), count: map[string]int32{}}
	for _, name := range names {
		for word := range strings.SplitSeq(name, " ") {
			v.count[word]++
		}
	}
	return v
}

// expectedNamesakes returns how many others are to be expected that have a name, given how many others have each of its
// words, as if words were independent. An entry with the other name is not one of the others.
func (v vocabulary) expectedNamesakes(name, other string) float64 {
	expected := v.names
	for word := range strings.SplitSeq(name, " ") {
		others := v.count[word]
		if slices.Contains(strings.Split(other, " "), word) {
			others--
		}
		expected *= float64(others) / v.names
	}
	return expected
}

// distinct reports whether two words that differ are two names of their own, such as christian and christina, and not
// one and a slip: others are called either.
func (v vocabulary) distinct(source, candidate string) bool {
	return v.count[source] > 0 && v.count[candidate] > 1
}

// wordSimilarity compares two words, or usernames. Jaro-Winkler forgives a slip, and a late one more than an early one.
// It forgives too much where words have a beginning in common (thomas, thomison), so only slips count. matchr's "long
// tolerance" raises the score of whatever has half of its letters in common: it is not used. Nothing forgives a digit:
// svc01 is not svc02.
func (v vocabulary) wordSimilarity(a, b string) float64 {
	if a == b {
		return 1
	}
	if !sameDigits(a, b) {
		return 0
	}
	score := matchr.JaroWinkler(a, b, false)
	if score > strangeScore && (v.distinct(a, b) || otherEnd(a, b) || editDistance(a, b) > maxDistance(a, b)) {
		return strangeScore
	}
	return score
}

// otherEnd reports whether two words end with different letters, of which one is a vowel. A slip can do that, but so do
// maria and mario, daniel and daniela, ivanov and ivanova, of whom a small directory may know one only.
func otherEnd(a, b string) bool {
	const vowels = "aeiouyаеиоуыья"
	last, _ := utf8.DecodeLastRuneInString(a)
	other, _ := utf8.DecodeLastRuneInString(b)
	return last != other && (strings.ContainsRune(vowels, last) || strings.ContainsRune(vowels, other))
}

// editDistance returns how many letters were swapped with the next, dropped, added or replaced: how many slips it
// takes.
func editDistance(a, b string) int { return matchr.OSA(a, b) }

func maxDistance(a, b string) int {
	if min(utf8.RuneCountInString(a), utf8.RuneCountInString(b)) >= longWord {
		return 2
	}
	return 1
}

// sameDigits reports whether two texts have the same digits, in their order.
func sameDigits(a, b string) bool {
	i, j := 0, 0
	for {
		i, j = nextDigit(a, i), nextDigit(b, j)
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

func nextDigit(text string, from int) int {
	for from < len(text) && (text[from] < '0' || text[from] > '9') {
		from++
	}
	return from
}

// nameSimilarity compares two names, given as words.
func (v vocabulary) nameSimilarity(a, b string) float64 {
	score := v.wordsSimilarity(a, b)
	if a != b && (!strings.Contains(a, " ") || !strings.Contains(b, " ")) {
		return min(score, singleScore)
	}
	if score > singleScore && max(v.expectedNamesakes(a, b), v.expectedNamesakes(b, b)) > maxExpectedNamesakes {
		return singleScore
	}
	return score
}

// wordsSimilarity pairs words, the most alike first. The score is half the mean of all pairs and half the worst pair:
// the same surname does not make up for another given name.
func (v vocabulary) wordsSimilarity(a, b string) float64 {
	switch {
	case a == "" || b == "": // no letters, or too many: nothing is known to be alike
		return 0
	case a == b:
		return 1
	case !sameDigits(a, b):
		return 0
	}
	left, right := strings.SplitN(a, " ", maxWords), strings.SplitN(b, " ", maxWords)
	var sum, weight float64
	worst := 1.0
	for range min(len(left), len(right)) {
		i, j, score := v.bestPair(left, right)
		letters := length(left[i]) + length(right[j])
		sum, weight, worst = sum+score*letters, weight+letters, min(worst, score)
		left, right = slices.Delete(left, i, i+1), slices.Delete(right, j, j+1)
	}
	for _, spare := range append(left, right...) {
		weight += length(spare)
		if length(spare) > 1 {
			worst = min(worst, spareScore)
		}
	}
	return (sum/weight + worst) / 2
}

func length(word string) float64 { return float64(utf8.RuneCountInString(word)) }

// bestPair returns the first of the pairs that are the most alike.
func (v vocabulary) bestPair(left, right []string) (atLeft, atRight int, score float64) {
	score = -1
	for i, a := range left {
		for j, b := range right {
			if s := v.partSimilarity(a, b); s > score {
				atLeft, atRight, score = i, j, s
			}
			if score == 1 {
				return atLeft, atRight, score
			}
		}
	}
	return atLeft, atRight, score
}

// partSimilarity compares two words of names, of which one may be an initial.
func (v vocabulary) partSimilarity(a, b string) float64 {
	first, size := utf8.DecodeRuneInString(a)
	other, otherSize := utf8.DecodeRuneInString(b)
	switch {
	case a == b:
		return 1
	case size < len(a) && otherSize < len(b):
		return v.wordSimilarity(a, b)
	case first == other:
		return initialScore
	}
	return 0
}

// addressSimilarity compares the local parts of two addresses. Two of one domain that are not the same are two
// mailboxes, and so mostly those of two people.
func (v vocabulary) addressSimilarity(a, b string) float64 {
	local, domain := splitAddress(a)
	otherLocal, otherDomain := splitAddress(b)
	score := v.wordsSimilarity(words(local), words(otherLocal))
	if domain == otherDomain && local != otherLocal {
		return min(score, strangeScore)
	}
	return score
}

// usernameSimilarity compares two usernames, of which either may be an address.
func (v vocabulary) usernameSimilarity(a, b string) float64 {
	a, _, _ = strings.Cut(a, "@")
	b, _, _ = strings.Cut(b, "@")
	return v.wordsSimilarity(words(a), words(b))
}
