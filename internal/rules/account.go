package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxIDLength is the longest id of an account or a group, in characters.
const maxIDLength = 255

// maxAddresses is the most addresses of one account or group. Exchange allows 300 to 400.
const maxAddresses = 1000

// CheckAccount reports what an account breaks on its own.
func CheckAccount(a idmap.Account) []idmap.Violation {
	found := checkEntry(a.ID, map[string]string{"name": a.Name, "given_name": a.GivenName, "surname": a.Surname}, "aliases", a.Aliases)
	if a.Username != "" {
		found = append(found, refield(CheckUserID(a.Username), "username", idmap.CodeInvalid)...)
	}
	if a.Email != "" {
		found = append(found, refield(CheckEmail(a.Email), "email", idmap.CodeInvalid)...)
	}
	if a.UserType != "" && !slices.Contains(idmap.UserTypes(), a.UserType) {
		found = append(found, idmap.Violation{Code: idmap.CodeInvalid, Field: "user_type", Description: fmt.Sprintf("There is no user type %q.", clip(string(a.UserType)))})
	}
	return found
}

// CheckGroup reports what a group breaks on its own.
func CheckGroup(g idmap.Group) []idmap.Violation {
	return checkEntry(g.ID, map[string]string{"name": g.Name, "caption": g.Caption}, "addresses", g.Addresses)
}

func checkEntry(id string, texts map[string]string, addressField string, addresses []string) []idmap.Violation {
	var found []idmap.Violation
	add := func(field, format string, args ...any) {
		found = append(found, idmap.Violation{Code: idmap.CodeInvalid, Field: field, Description: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(id) == "" {
		add("id", "The id must not be empty.")
	} else if id == "." || id == ".." {
		add("id", "The id must not be %q, which no address of the API can name.", id)
	} else if err := idmap.PlainText(id, maxIDLength); err != nil {
		add("id", "The id cannot be stored: %s.", err)
	}
	for _, field := range []string{"name", "given_name", "surname", "caption"} {
		if err := idmap.PlainText(texts[field], idmap.MaxNameLength); err != nil {
			add(field, "The %s cannot be stored: %s.", strings.ReplaceAll(field, "_", " "), err)
		}
	}
	if len(addresses) > maxAddresses {
		add(addressField, "There are %d addresses, at most %d are allowed.", len(addresses), maxAddresses)
	}
	for i, address := range addresses {
		for _, v := range CheckEmail(address) {
			add(fmt.Sprintf("%s[%d]", addressField, i), "%s", v.Description)
		}
	}
	return found
}

// refield gives violations of a rule about one value the name that the value has in another object.
func refield(found []idmap.Violation, field string, code idmap.Code) []idmap.Violation {
	for i := range found {
		found[i].Field, found[i].Code = field, code
	}
	return found
}

// guestMark is what Entra puts into the username of a guest, folded.
const guestMark = "#ext#"

// CompleteAccount returns the account with the defaults of its platform: where imports create stubs, an account of no
// user type is one (S3), elsewhere it is full. One whose username says that it is a guest is external.
func CompleteAccount(c idmap.Connection, a idmap.Account) idmap.Account {
	if a.UserType == "" {
		a.UserType = idmap.UserTypeFull
		if p, ok := idmap.PlatformByID(c.Platform.ID); ok && p.ImportCreatesStubs {
			a.UserType = idmap.UserTypeStub
		}
	}
	a.External = a.External || strings.Contains(idmap.Fold(a.Username), guestMark)
	return a
}
