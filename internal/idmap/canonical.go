package idmap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxEmailLength is the longest address that any platform takes, in characters (RFC 5321 path without brackets).
const MaxEmailLength = 254

// MaxUserIDLength is the longest user id or username, in characters.
const MaxUserIDLength = 255

// MaxNameLength is the longest display name, in characters.
const MaxNameLength = 1000

// Fold returns the form of s that is compared when case and Unicode form must not matter: trimmed, NFKC, full case
// folding. Fold is idempotent.
func Fold(s string) string {
	if ascii(s) { // which has one Unicode form; nearly all text is such, and the long way is long
		return strings.ToLower(strings.TrimSpace(s))
	}
	// Folding can leave a form that NFKC changes again (and the reverse), so repeat until nothing moves. Unicode's own
	// NFKC_Casefold needs two rounds; the bound only guards against a future table that never settles.
	for range 4 {
		folded := strings.TrimSpace(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// NameKey returns the form under which names of people and groups are compared: folded, with single blanks.
func NameKey(s string) string { return strings.Join(strings.Fields(Fold(s)), " ") }

// CanonicalEmail returns the key under which an address is compared: without an SMTP: scheme, the local part folded,
// the domain in its ASCII form (IDNA Lookup). Dots and +tags are significant. The error says in words what is wrong.
func CanonicalEmail(s string) (string, error) {
	s = StripScheme(norm.NFKC.String(s))
	if s == "" {
		return "", errors.New("it is empty")
	}
	if n := utf8.RuneCountInString(s); n > MaxEmailLength {
		return "", fmt.Errorf("it has %d characters, at most %d are allowed", n, MaxEmailLength)
	}
	if err := visible(s); err != nil {
		return "", err
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", errors.New("it has no @")
	}
	local := Fold(s[:at])
	if err := visible(local); err != nil {
		return "", err
	}
	if err := validLocalPart(local); err != nil {
		return "", err
	}
	domain, err := CanonicalDomain(s[at+1:])
	if err != nil {
		return "", err
	}
	return local + "@" + domain, nil
}

// EmailKey returns the key by which a text that was given for an email is looked for: canonical or, where it is no address,
// folded; "" where it is blank.
func EmailKey(s string) string {
	if key, err := CanonicalEmail(s); err == nil {
		return key
	}
	return Fold(s)
}

// StripScheme removes surrounding blanks and the SMTP:/smtp: scheme with which mail directories mark an address.
func StripScheme(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 5 && strings.EqualFold(s[:5], "smtp:") {
		s = strings.TrimSpace(s[5:])
	}
	return s
}

func validLocalPart(local string) error {
	switch {
	case local == "":
		return errors.New("nothing stands before the @")
	case strings.ContainsAny(local, " @\"(),:;<>[]\\"):
		return errors.New("the part before the @ has a blank or one of @ \" ( ) , : ; < > [ ] \\")
	case strings.HasPrefix(local, "."), strings.HasSuffix(local, "."), strings.Contains(local, ".."):
		return errors.New("the part before the @ begins or ends with a dot, or has two in a row")
	}
	return nil
}

// CanonicalDomain returns the ASCII form of a mail domain (IDNA Lookup). The error says in words what is wrong.
func CanonicalDomain(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errors.New("the domain is empty")
	}
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil || ascii == "" {
		return "", fmt.Errorf("%q is not a domain", s)
	}
	if !strings.Contains(strings.Trim(ascii, "."), ".") || strings.HasSuffix(ascii, ".") || strings.HasPrefix(ascii, ".") {
		return "", fmt.Errorf("%q is not a full domain such as example.com", s)
	}
	return ascii, nil
}

// CanonicalUserID returns the key under which a user id or a username is compared. The error says in words what is
// wrong.
func CanonicalUserID(s string) (string, error) {
	key := Fold(s)
	if key == "" {
		return "", errors.New("it is empty")
	}
	if n := utf8.RuneCountInString(key); n > MaxUserIDLength {
		return "", fmt.Errorf("it has %d characters, at most %d are allowed", n, MaxUserIDLength)
	}
	// The folded form too: it can have what cannot be seen where s has not, as U+3164 becomes U+1160.
	for _, form := range []string{strings.TrimSpace(s), key} {
		if err := visible(form); err != nil {
			return "", err
		}
	}
	return key, nil
}

// SameEmail reports whether a and b are spellings of one address. Two strings that are no addresses are the same only
// when they are equal.
func SameEmail(a, b string) bool { return same(a, b, CanonicalEmail) }

// SameUserID reports whether a and b are spellings of one user id.
func SameUserID(a, b string) bool { return same(a, b, CanonicalUserID) }

func same(a, b string, canonical func(string) (string, error)) bool {
	if a == b {
		return true
	}
	keyA, errA := canonical(a)
	keyB, errB := canonical(b)
	return errA == nil && errB == nil && keyA == keyB
}

// unseen are the characters that leave no mark where they stand: format characters such as the right-to-left mark or the
// zero-width joiner, line and paragraph separators, variation selectors, and fillers such as U+3164.
var unseen = []*unicode.RangeTable{
	unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point,
}

// visible refuses what a reader cannot see, since it makes two names look alike that are not: control characters,
// invalid UTF-8, and what is unseen.
func visible(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("it has the control character %U", r)
		}
		if r >= utf8.RuneSelf && (unicode.In(r, unseen...) || r == utf8.RuneError) {
			return fmt.Errorf("it has the invisible character %U", r)
		}
	}
	return nil
}

// VisibleText reports why s cannot be a name that people tell apart by looking at it, of at most limit characters, or nil.
func VisibleText(s string, limit int) error {
	if err := PlainText(s, limit); err != nil {
		return err
	}
	return visible(s)
}

// PlainText reports why s cannot be stored as a name or as a free text of at most limit characters, or nil.
func PlainText(s string, limit int) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not valid UTF-8")
	}
	if strings.ContainsRune(s, 0) {
		return errors.New("it has the control character U+0000")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("it has %d characters, at most %d are allowed", n, limit)
	}
	return nil
}
