package match

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxCompared is how many characters a text has at most that is compared letter by letter, which takes the square of
// their number. No name of a person is longer, and of a longer one the beginning alone would prove nothing.
const maxCompared = 100

// words returns the words of a text in the order of the alphabet, with single blanks: the order of names differs from
// one directory to another. Of a text that is too long there are none. Whatever is neither letter nor digit parts words, but for the apostrophe.
func words(text string) string {
	if utf8.RuneCountInString(text) > maxCompared {
		return ""
	}
	found := strings.FieldsFunc(withoutAccents(text), func(r rune) bool {
		return !unicode.In(r, unicode.Letter, unicode.Digit, unicode.Mark)
	})
	slices.Sort(found)
	return strings.Join(found, " ")
}

// withoutAccents removes the accents that one directory writes and another does not, and apostrophes. Only those of
// Latin, Greek and Cyrillic: elsewhere marks are vowels, and part of the name.
func withoutAccents(text string) string {
	if isPlain(text) {
		return text
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if (r >= 0x300 && r <= 0x36f) || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, norm.NFD.String(text)))
}

func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf || text[i] == '\'' {
			return false
		}
	}
	return true
}
