package backend

import (
	"strings"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// recorded returns an email or a user id as the history keeps it, whatever it is: without what no database stores, and
// as short as it can be looked for.
func recorded(text string) string {
	const limit = idmap.MaxRecordedLength
	text = clipped(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"), limit)
	for n := limit; utf8.RuneCountInString(idmap.Fold(text)) > limit; {
		n /= 2
		text = clipped(text, n)
	}
	return text
}

// bounded returns an email or a user id that is far too long in a length that costs nothing to judge. It stays too
// long, and so refused: what follows the cut is no blank, which would be trimmed.
func bounded(text string) string {
	const limit = 8 << 10
	if len(text) <= limit {
		return text
	}
	if text = strings.TrimSpace(text); len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// clipped returns the first characters of a text.
func clipped(text string, limit int) string {
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i]
		}
	}
	return text
}
