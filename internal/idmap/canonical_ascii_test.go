package idmap

import (
	"strings"
	"testing"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TestFoldOfASCII holds the short way of folding against the long one, for every pair of characters of ASCII.
func TestFoldOfASCII(t *testing.T) {
	t.Parallel()
	for a := range 0x80 {
		for b := range 0x80 {
			s := string(rune(a)) + "x" + string(rune(b))
			if got, want := Fold(s), strings.TrimSpace(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))); got != want {
				t.Fatalf("Fold(%q) = %q, and %q is wanted", s, got, want)
			}
		}
	}
}
