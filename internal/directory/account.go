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
	{"external", func(a *idmap.Account) value { return flag{&a.External} }},
	{"sign_in_permitted", func(a *idmap.Account) value { return optionalFlag{&a.SignInPermitted} }},
}

// newAccountChecks returns the checks of one file: ids and user ids are each held by one row.
func newAccountChecks() checks[idmap.Account] {
	ids, users := firstLines{}, firstLines{}
	return func(a *idmap.Account, at *place) {
		goodID := checkID(a.ID, "account", ids, at)
		goodName := checkUsername(a.Username, at)
		if goodName && (goodID || a.Username != "") {
			checkUser(a, users, at)
		}
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

// checkID reports whether the row has an id that no row before it has.
func checkID(id, noun string, ids firstLines, at *place) bool {
	if at.bad["id"] {
		return false
	}
	if id == "" {
		at.add("id", "The id is empty. Each row needs the immutable id of its %s.", noun)
		return false
	}
	if err := usableID(id); err != nil {
		at.add("id", "The id %s cannot be used: %s.", quote(id), err)
		return false
	}
	first, twice := ids.add(id, at.line)
	if twice {
		at.add("id", "The id %s stands on line %d already. Each %s has one row. Remove one of them.", quote(id), first, noun)
	}
	return !twice
}

// usableID bounds the id as it is written too, since that is stored, and folding can make it shorter.
func usableID(id string) error {
	if err := idmap.PlainText(id, idmap.MaxUserIDLength); err != nil {
		return err
	}
	_, err := idmap.CanonicalUserID(id)
	return err
}

// checkUsername reports whether the username can be used, or is empty.
func checkUsername(username string, at *place) bool {
	if at.bad["username"] {
		return false
	}
	if username == "" {
		return true
	}
	_, err := idmap.CanonicalUserID(username)
	if err != nil {
		at.add("username", "The username %s cannot be used: %s.", quote(username), err)
	}
	return err == nil
}

// checkUser compares what the accounts are known by, since one without a username is known by its id.
func checkUser(a *idmap.Account, users firstLines, at *place) {
	first, twice := users.add(a.UserKey(), at.line)
	switch {
	case !twice:
	case a.Username != "":
		at.add("username", "The account on line %d has the username %s already, or that id and no username, compared without regard to case. A username belongs to one account. Change one of them.",
			first, quote(a.Username))
	default:
		at.add("id", "The account on line %d is known as %s already, compared without regard to case. An account without a username is known by its id. Give this one a username.",
			first, quote(a.ID))
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
