package match

import (
	"strings"
	"unicode"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxShown is how much of a name a message shows, in characters.
const maxShown = 60

// shown clips a text for a message, and makes what cannot be seen visible.
func shown(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxShown {
			text = text[:i] + "…"
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func quoted(text string) string { return `"` + shown(text) + `"` }

// known returns the name of an account, and what it is known by; of a group, its name.
func known(p idmap.Principal) string {
	for _, text := range []string{p.Username, p.Email, p.ID} {
		if text != "" && text != p.Name {
			return strings.TrimSpace(named(p) + "(" + shown(text) + ")")
		}
	}
	return quoted(p.Name)
}

func named(p idmap.Principal) string {
	if p.Name == "" {
		return ""
	}
	return quoted(p.Name) + " "
}

// label returns the shortest of what tells who is meant.
func label(p idmap.Principal) string {
	for _, text := range []string{p.Username, p.Email, p.Name} {
		if text != "" {
			return shown(text)
		}
	}
	return shown(p.ID)
}

// apart returns what the two are known by that is not the same.
func apart(a, b idmap.Principal) (one, other string) {
	for _, pair := range [][2]string{{a.Username, b.Username}, {a.Email, b.Email}, {a.Name, b.Name}} {
		one, other = shown(pair[0]), shown(pair[1])
		if pair[0] != "" && pair[1] != "" && one != other {
			return one, other
		}
	}
	return shown(a.ID), shown(b.ID)
}
