package client

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// secretMember is what is a secret by its name, whatever its value.
var secretMember = regexp.MustCompile(`(?i)("(?:secret|(?:access_|refresh_|id_)?token|password)"\s*:\s*)"(?:[^"\\]|\\.)*"`)

// secrets are the texts that must not be logged.
type secrets struct {
	mu   sync.Mutex
	list []secret // the longest first: one may begin with another
}

type secret struct {
	text    string
	pattern *regexp.Regexp
}

func newSecrets(texts ...string) *secrets {
	s := &secrets{}
	s.add(texts...)
	return s
}

func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text != "" && !slices.ContainsFunc(s.list, func(known secret) bool { return known.text == text }) {
			s.list = append(s.list, secret{text, patternOf(text)})
		}
	}
	slices.SortFunc(s.list, func(a, b secret) int { return len(b.text) - len(a.text) })
}

// mask takes the secrets out of a text.
func (s *secrets) mask(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.list {
		text = secret.pattern.ReplaceAllLiteralString(text, "***")
	}
	return secretMember.ReplaceAllString(text, `$1"***"`)
}

// patternOf matches the text as it is, and as JSON, URLs and forms escape it, also within one another. Servers differ in
// what they escape and how, so a list of whole texts would have gaps.
func patternOf(text string) *regexp.Regexp {
	var pattern strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) && r < utf8.RuneSelf || unicode.IsDigit(r) && r < utf8.RuneSelf:
			pattern.WriteRune(r)
		case r == ' ': // is a + in forms
			pattern.WriteString("(?:" + escapes(' ') + "|" + escapes('+') + ")")
		default:
			pattern.WriteString("(?:" + escapes(r) + ")")
		}
	}
	return regexp.MustCompile(pattern.String())
}

// escapes matches a character in all its forms, the longest first: a % is the beginning of a longer one.
func escapes(r rune) string {
	var percents, units string
	for _, b := range []byte(string(r)) {
		percents += fmt.Sprintf(`%%(?:25)*(?i:%02x)`, b)
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		units += fmt.Sprintf(`\\+u(?i:%04x)`, unit)
	}
	return percents + "|" + units + `|\\*` + regexp.QuoteMeta(string(r))
}
