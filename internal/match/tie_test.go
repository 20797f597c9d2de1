package match_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// fuzzyResult returns what a map that compares names makes of a name; every score from 0.5 is enough.
func fuzzyResult(name string, directory []match.Entry) idmap.Resolution {
	m := idmap.Map{MapBy: idmap.MapBy{Name: true, Fuzzy: true, FuzzyThreshold: new(match.MinThreshold)}}
	return match.NewResolver(m, match.NewIndex(idmap.AccountMap, directory)).Resolve(account(idmap.Account{ID: "x", Name: name}))
}

// called returns accounts of that many people, none of whom has the name of another.
func called(pattern string, n int) []match.Entry {
	entries := make([]match.Entry, n)
	for i := range entries {
		entries[i] = account(idmap.Account{
			ID: fmt.Sprintf("n%04d", i), Name: fmt.Sprintf(pattern, string([]rune{'a' + rune(i%26), 'a' + rune(i/26%26), 'a' + rune(i/676)})),
		})
	}
	return entries
}

// TestTwinsAmongManyThatTie has two accounts of one name, the first and the last, among many with as many trigrams in
// common with the source. Of the two both are found or neither is, however many tie.
func TestTwinsAmongManyThatTie(t *testing.T) {
	t.Parallel()
	const most = 32 + 128 // are compared letter by letter
	first := account(idmap.Account{ID: "a", Name: "Leopodl Bloomfield"})
	last := account(idmap.Account{ID: "z", Name: "Leopodl Bloomfield"})
	for n := 49; n <= 250; n++ {
		others := called("Leopox%s Bloomfield", n-1)
		twins, one := "Unresolved ambiguous", "Fuzzy z"
		if n > most {
			one = "Unresolved no_candidate"
		}
		if n+1 > most {
			twins = "Unresolved no_candidate"
		}
		if got := brief(fuzzyResult("Leopold Bloomfield", append(slices.Clone(others), last))); got != one {
			t.Errorf("one among %d: got %s, want %s", n, got, one)
		}
		if got := brief(fuzzyResult("Leopold Bloomfield", append(slices.Clone(others), first, last))); got != twins {
			t.Errorf("twins among %d: got %s, want %s", n+1, got, twins)
		}
	}
}

// TestManyThatTieHideNobodyBetter has accounts with fewer trigrams in common, too many to be compared.
func TestManyThatTieHideNobodyBetter(t *testing.T) {
	t.Parallel()
	for n := 49; n <= 250; n++ {
		others := called("Xu%s Bloomfield", n)
		if got := brief(fuzzyResult("Leopold Bloomfield", append(others, account(idmap.Account{ID: "z", Name: "Leopodl Bloomfield"})))); got != "Fuzzy z" {
			t.Errorf("among %d: got %s", n, got)
		}
	}
}

// TestSameWordsInAnotherOrder has many who are called Jane, and many whose surname is Doe: the one Jane Doe who is found
// may be another. So a common name does not match in another order, and one that is not common does.
func TestSameWordsInAnotherOrder(t *testing.T) {
	t.Parallel()
	directory := slices.Concat(called("Jane Sur%s", 300), called("Giv%s Doe", 300))
	for i := range directory {
		directory[i].Principal.ID = fmt.Sprint(i)
	}
	directory = append(directory,
		account(idmap.Account{ID: "common", Name: "Jane Doe"}),
		account(idmap.Account{ID: "rare", Name: "Xenia Ahlfeld"}),
		account(idmap.Account{ID: "twin", Name: "Robin Nordwald"}), account(idmap.Account{ID: "twin2", Name: "robin  NORDWALD"}))
	for name, want := range map[string]string{
		"Ahlfeld, Xenia": "Fuzzy rare", "Ahlfeld Xénia": "Fuzzy rare",
		"Nordwald, Robin": "Unresolved ambiguous",
	} {
		got := fuzzyResult(name, directory)
		if brief(got) != want || got.Destination != nil && got.Score != 1 {
			t.Errorf("%s: got %s with %v, want %s with 1: %s", name, brief(got), got.Score, want, got.Message)
		}
	}
	if got := fuzzyResult("Doe, Jane", directory); got.Score >= match.DefaultThreshold {
		t.Errorf("a common name: got %s with %v", brief(got), got.Score)
	}
}
