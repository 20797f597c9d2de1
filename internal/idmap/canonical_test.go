package idmap_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestCanonicalEmail(t *testing.T) {
	t.Parallel()
	same := func(want string, spellings ...string) {
		t.Helper()
		for _, s := range spellings {
			if got, err := idmap.CanonicalEmail(s); err != nil || got != want {
				t.Errorf("CanonicalEmail(%q) = %q, %v, want %q", s, got, err, want)
			}
		}
	}
	same("jane.doe@contoso.com", "jane.doe@contoso.com", "Jane.Doe@CONTOSO.com", "  jane.doe@contoso.com\u00a0",
		"SMTP:jane.doe@contoso.com", "smtp: jane.doe@contoso.com", "ｊａｎｅ.doe＠contoso.com", "jane.doe@ｃontoso.com")
	same("strasse@example.com", "straße@example.com", "STRASSE@example.com")
	same("jos\u00e9@xn--bcher-kva.example", "JOSE\u0301@B\u00fccher.example", "jos\u00e9@BU\u0308CHER.example", "jos\u00e9@xn--bcher-kva.example")
	same("οδυσσευσ@example.com", "ΟΔΥΣΣΕΥΣ@example.com", "οδυσσευς@example.com")
	same("🦊@example.com", "🦊@example.com")
	same("jane+news@example.com", "Jane+News@example.com")
	same("o'hara@example.com", "O'Hara@example.com")

	for _, bad := range []string{
		"", " ", "jane.doe", "jane@", "@contoso.com", "jane@contoso", "jane@@contoso.com", "jane doe@contoso.com", "jane@con toso.com",
		".jane@contoso.com", "jane.@contoso.com", "ja..ne@contoso.com", "jane@contoso.com.", "jane@.contoso.com", "Jane <jane@contoso.com>",
		"jane@contoso.com,john@contoso.com", "jane\x00@contoso.com", "jane\n@contoso.com", "jane\u200f@contoso.com", "jane\u200d@contoso.com",
		"jane@con_toso.com", "jane@[192.0.2.1]", "\xff@contoso.com", strings.Repeat("a", 250) + "@contoso.com", "x500:/o=contoso",
	} {
		if got, err := idmap.CanonicalEmail(bad); err == nil {
			t.Errorf("CanonicalEmail(%q) = %q, want an error", bad, got)
		}
	}
}

func TestEmailKey(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		" SMTP:Jane@Müller.DE ": "jane@xn--mller-kva.de",
		" JDOE ":                "jdoe",
		"Jane@Localhost":        "jane@localhost",
		"a b@Example.com":       "a b@example.com",
		" \t":                   "",
	} {
		if got := idmap.EmailKey(given); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func TestDistinctAddressesStayDistinct(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"jane.doe@contoso.com", "janedoe@contoso.com"},
		{"jane+a@contoso.com", "jane@contoso.com"},
		{"josé@contoso.com", "jose@contoso.com"},
		{"jane@contoso.com", "jane@contoso.co"},
		{"ı@contoso.com", "i@contoso.com"},
	} {
		if idmap.SameEmail(pair[0], pair[1]) {
			t.Errorf("%q and %q are taken for one address", pair[0], pair[1])
		}
	}
}

func TestCanonicalUserID(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"JDOE", "jdoe"}, {" JDOE ", "jdoe"}, {"ＪＤＯＥ", "jdoe"}, {"Straße", "STRASSE"}, {`CORP\jdoe`, `corp\JDOE`}} {
		if !idmap.SameUserID(pair[0], pair[1]) {
			t.Errorf("%q and %q are taken for two user ids", pair[0], pair[1])
		}
	}
	for _, bad := range []string{"", " \t", "j\x00", "j\u202edoe", "\xff", strings.Repeat("x", 256)} {
		if _, err := idmap.CanonicalUserID(bad); err == nil {
			t.Errorf("CanonicalUserID(%q) is accepted", bad)
		}
	}
}

// TestUnseenCharacters refuses, within a name, what leaves no mark there.
func TestUnseenCharacters(t *testing.T) {
	t.Parallel()
	for _, unseen := range []string{
		"\ufe0e", "\ufe0f", "\U000e0100", "\u180b", // variation selectors
		"\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", "\u17b4", "\u2065", "\U000e0fff", // fillers and other ignorable ones
		"\u2028", "\u2029", "\u200b", "\u00ad",
	} {
		name := "a" + unseen + "b"
		if key, err := idmap.CanonicalUserID(name); err == nil {
			t.Errorf("CanonicalUserID(%q) = %q, want an error", name, key)
		}
		for _, address := range []string{name + "@example.com", "a@" + name + ".example.com"} {
			if key, err := idmap.CanonicalEmail(address); err == nil {
				t.Errorf("CanonicalEmail(%q) = %q, want an error", address, key)
			}
		}
	}
	for _, seen := range []string{"🦊", "👍🏽", "🇩🇪", "☺", "é", "한"} {
		if _, err := idmap.CanonicalUserID(seen); err != nil {
			t.Errorf("CanonicalUserID(%q): %v", seen, err)
		}
		if _, err := idmap.CanonicalEmail(seen + "@example.com"); err != nil {
			t.Errorf("CanonicalEmail(%q@example.com): %v", seen, err)
		}
	}
}

func FuzzCanonicalForms(f *testing.F) {
	for _, seed := range []string{"Jane.Doe@Contoso.com", "ΟΔΥΣΣΕΥΣ", "ﬁ", "İ", "ẞ", "smtp: x@y.z", "Ⅷ\u0345", "\u1e9e\u0301", "ａ＠ｂ.ｃ", "a\u3164b", "☺\ufe0f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if folded := idmap.Fold(s); utf8.ValidString(s) && idmap.Fold(folded) != folded {
			t.Errorf("Fold is not idempotent on %q: %q, then %q", s, folded, idmap.Fold(folded))
		}
		if key, err := idmap.CanonicalEmail(s); err == nil {
			if again, err := idmap.CanonicalEmail(key); err != nil || again != key {
				t.Errorf("CanonicalEmail(%q) = %q, and of that %q, %v", s, key, again, err)
			}
		}
		if key, err := idmap.CanonicalUserID(s); err == nil {
			if again, err := idmap.CanonicalUserID(key); err != nil || again != key {
				t.Errorf("CanonicalUserID(%q) = %q, and of that %q, %v", s, key, again, err)
			}
		}
	})
}
