package directory

import (
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var accountColumns = []column[idmap.Account]{
	{"id", func(a *idmap.Account) value { return text{&a.ID} }},
	{"username", func(a *idmap.Account) value { return text{&a.Username} }},
	{"email", func(a *idmap.Account) value { return text{&a.Email} }},
	{"aliases", func(a *idmap.Account) value { return list{&a.Aliases} }},
	{"name", func(a *idmap.Account) value { return text{&a.Name} }},
	{"given_name", func(a *idmap.Account) value { return text{&a.GivenName} }},
	{"surname", func(a *idmap.Account) value { return text{&a.Surname} }},
	{"user_type", func(a *idmap.Account) value { return text{(*string)(&a.UserType)} }},
	{"disabled", func(a *idmap.Account) value { return flag{&a.Disabled} }},
	{"admin", func(a *idmap.Account) value { return flag{&a.Admin} }},
	{"built_in", func(a *idmap.Account) value { return flag{&a.BuiltIn} }},
}

// newAccountChecks returns the checks of one file: ids and usernames are each held by one row.
func newAccountChecks() checks[idmap.Account] {
	ids, usernames := firstLines{}, firstLines{}
	return func(a *idmap.Account, at *place) {
		if !at.bad["id"] {
			checkID(a.ID, "account", ids, at)
		}
		checkUsername(a.Username, usernames, at)
		checkEmail(a.Email, at)
		a.Aliases = checkAddresses("aliases", a.Aliases, at)
		checkNames(at, "name", a.Name, "given_name", a.GivenName, "surname", a.Surname)
		checkUserType(a, at)
	}
}

// firstLines tells on which line a key was first seen.
type firstLines map[string]int

func (f firstLines) add(key string, line int) (first int, twice bool) {
	if first, twice = f[key]; !twice {
		f[key] = line
	}
	return first, twice
}

func checkID(id, noun string, ids firstLines, at *place) {
	if id == "" {
		at.add("id", "The id is empty. Each row needs the immutable id of its %s.", noun)
		return
	}
	if _, err := idmap.CanonicalUserID(id); err != nil {
		at.add("id", "The id %s cannot be used: %s.", quote(id), err)
		return
	}
	if first, twice := ids.add(id, at.line); twice {
		at.add("id", "The id %s stands on line %d already. Each %s has one row. Remove one of them.", quote(id), first, noun)
	}
}

func checkUsername(username string, usernames firstLines, at *place) {
	if username == "" {
		return
	}
	key, err := idmap.CanonicalUserID(username)
	if err != nil {
		at.add("username", "The username %s cannot be used: %s.", quote(username), err)
		return
	}
	if first, twice := usernames.add(key, at.line); twice {
		at.add("username", "The account on line %d has the username %s already, compared without regard to case. A username belongs to one account. Change one of them.",
			first, quote(username))
	}
}

func checkEmail(email string, at *place) {
	if email == "" {
		return
	}
	if _, err := idmap.CanonicalEmail(email); err != nil {
		at.add("email", "The email %s is no address: %s. Write an address such as alice@example.com, or leave it empty.", quote(email), err)
	}
}

func checkNames(at *place, pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		if err := idmap.PlainText(pair[1], idmap.MaxNameLength); err != nil {
			at.add(pair[0], "The %s %s cannot be used: %s.", pair[0], quote(pair[1]), err)
		}
	}
}

func checkUserType(a *idmap.Account, at *place) {
	if a.UserType == "" {
		return
	}
	lower := idmap.UserType(strings.ToLower(string(a.UserType)))
	if !slices.Contains(idmap.UserTypes(), lower) {
		at.add("user_type", "The user type %s is unknown. It is one of full, non_interactive, synchronized, stub, or empty.", quote(string(a.UserType)))
		return
	}
	a.UserType = lower
}
