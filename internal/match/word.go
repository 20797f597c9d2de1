package match

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxCompared is how many characters of a text are compared letter by letter, which takes the square of their number. No
// name of a person is longer.
const maxCompared = 100

// words returns the words of a text in the order of the alphabet, with single blanks: the order of names differs from
// one directory to another. Whatever is neither letter nor digit parts words, but for the apostrophe.
func words(text string) string {
	found := strings.FieldsFunc(withoutAccents(clipped(text)), func(r rune) bool {
		return !unicode.In(r, unicode.Letter, unicode.Digit, unicode.Mark)
	})
	slices.Sort(found)
	return strings.Join(found, " ")
}

func clipped(text string) string {
	if runes := []rune(text); len(runes) > maxCompared {
		return string(runes[:maxCompared])
	}
	return text
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
