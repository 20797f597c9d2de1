package match_test

import (
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// TestWhatIsNotComparedLetterByLetter has sources of whom nothing is proven by letters, though some are alike.
func TestWhatIsNotComparedLetterByLetter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("leopold bloomfield ", 6)
	aliases := []string{"aa@old.com", "bb@old.com", "cc@old.com", "dd@old.com", "leopold.bloomfield@old.com"}
	directory := []match.Entry{
		account(idmap.Account{ID: "long", Name: long + "one"}),
		account(idmap.Account{ID: "dots", Username: "...", Email: "dots@new.com"}),
		account(idmap.Account{ID: "quentin", Name: "Quentin Mazurek", Username: "..."}),
		account(idmap.Account{ID: "mail", Email: "leopold.bloomfield@new.com"}),
		account(idmap.Account{ID: "smith1", Name: "John Smith", Email: "john.smith@new.com"}),
		account(idmap.Account{ID: "smith2", Name: "John Smith", Email: "jsmith9@new.com"}),
	}
	disabled := account(idmap.Account{ID: "off", Name: "Xenia Ahlfeld"})
	disabled.Disabled = true
	directory = append(directory, disabled)
	for name, c := range map[string]struct {
		of   idmap.Account
		by   idmap.MapBy
		want string
	}{
		"long names that begin alike":      {idmap.Account{Name: long + "two"}, idmap.MapBy{Name: true}, "Unresolved no_candidate"},
		"the same long name":               {idmap.Account{Name: long + "one"}, idmap.MapBy{Name: true}, "Name long"},
		"usernames without letters":        {idmap.Account{Name: "Quentin Mazuerk", Username: "---"}, idmap.MapBy{Name: true, Username: true}, "Unresolved below_threshold"},
		"names without letters":            {idmap.Account{Username: "---"}, idmap.MapBy{Username: true}, "Unresolved no_candidate"},
		"the fifth address":                {idmap.Account{Email: "zz@old.com", Aliases: aliases[1:]}, idmap.MapBy{Email: true}, "Fuzzy mail"},
		"the sixth address":                {idmap.Account{Email: "zz@old.com", Aliases: aliases}, idmap.MapBy{Email: true}, "Unresolved below_threshold"},
		"one of two of a name, by letters": {idmap.Account{Name: "John Smith", Email: "john.smith@old.com"}, idmap.MapBy{Name: true, Email: true}, "Unresolved ambiguous"},
		"one who is disabled, by letters":  {idmap.Account{Name: "Xenia Ahlfled"}, idmap.MapBy{Name: true}, "Unresolved destination_disabled"},
	} {
		c.of.ID, c.by.Fuzzy = "x", true
		got := match.NewResolver(idmap.Map{MapBy: c.by}, match.NewIndex(idmap.AccountMap, directory)).Resolve(account(c.of))
		if brief(got) != c.want {
			t.Errorf("%s: got %s, want %s: %s", name, brief(got), c.want, got.Message)
		}
	}
}
