package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// others are the mappings that will exist beside a candidate: the stored ones that no change replaces or removes, and
// the outcomes of the other changes.
type others struct {
	emails, mailboxes, users, accounts map[string][]other
}

type other struct {
	m         idmap.UserMapping
	candidate *candidate // nil for a stored one
}

func newOthers(w *World, changes []Change, candidates []*candidate) *others {
	o := &others{emails: map[string][]other{}, mailboxes: map[string][]other{}, users: map[string][]other{}, accounts: map[string][]other{}}
	gone := map[string]bool{}
	for _, change := range changes {
		if change.Before != nil {
			gone[change.Before.ID] = true
		}
	}
	for _, m := range w.Mappings {
		if !gone[m.ID] {
			o.add(w, other{m: m})
		}
	}
	for _, c := range candidates {
		if c != nil {
			o.add(w, other{m: c.m, candidate: c})
		}
	}
	return o
}

func (o *others) add(w *World, x other) {
	destination := w.connection(x.m.Destination.Connection.ID)
	if destination == nil {
		return
	}
	if x.m.EmailCanonical != "" {
		key := emailKey(*destination, x.m)
		o.emails[key] = append(o.emails[key], x)
	}
	if x.m.Source.Account != nil {
		key := mailboxKey(*destination, x.m)
		o.mailboxes[key] = append(o.mailboxes[key], x)
	}
	if x.m.UserKey() != "" {
		o.users[between(x.m)+x.m.UserKey()] = append(o.users[between(x.m)+x.m.UserKey()], x)
	}
	if id := x.m.Destination.AccountID(); id != "" {
		o.accounts[between(x.m)+id] = append(o.accounts[between(x.m)+id], x)
	}
}

func emailKey(destination idmap.Connection, m idmap.UserMapping) string {
	return EmailScope(destination) + "|" + m.EmailCanonical
}

// mailboxKey is of the account behind the email: its aliases are one mailbox.
func mailboxKey(destination idmap.Connection, m idmap.UserMapping) string {
	return EmailScope(destination) + "|" + strconv.Quote(m.Source.Connection.ID) + m.Source.AccountID()
}

// between quotes the ids, so that no two pairs of ids make one key.
func between(m idmap.UserMapping) string {
	return strconv.Quote(m.Source.Connection.ID) + strconv.Quote(m.Destination.Connection.ID)
}

// first returns the first of the list that is not c itself, nor what c was.
func (c *candidate) first(list []other) (other, bool) {
	for _, x := range list {
		if x.candidate != c && (c.before == nil || x.m.ID != c.before.ID) {
			return x, true
		}
	}
	return other{}, false
}

func checkEmailInUse(c *candidate, o *others, r *report) {
	if c.m.EmailCanonical == "" {
		return
	}
	x, taken := c.first(o.emails[emailKey(*c.destination, c.m)])
	what := "is"
	if !taken && c.m.Source.Account != nil {
		x, taken = c.first(o.mailboxes[mailboxKey(*c.destination, c.m)])
		what = fmt.Sprintf("is an address of the mailbox of %q, which is", x.m.Email)
	}
	if !taken {
		return
	}
	where := "connection " + quote(c.destination.Name)
	if id := x.m.Destination.Connection.ID; id != c.destination.ID {
		where = "connection " + quote(c.w.nameOf(id)) + ", and an email maps to one connection of platform " + c.destination.Platform.ID + " only"
	}
	r.refuse(idmap.CodeEmailInUse, fieldEmail, conflictWith(x),
		"Email %q %s already mapped to user %q of %s (%s). %s",
		clip(c.m.Email), what, x.m.UserID, where, x.describe(), c.advice(x, "take another email"))
}

func checkUserAlreadyMapped(c *candidate, o *others, r *report) {
	x, taken := c.first(o.users[between(c.m)+c.userKey])
	if id := c.m.Destination.AccountID(); !taken && id != "" {
		x, taken = c.first(o.accounts[between(c.m)+id])
	}
	if c.userKey == "" || !taken {
		return
	}
	r.refuse(idmap.CodeUserAlreadyMapped, fieldUserID, conflictWith(x),
		"User %q of connection %q is already mapped to email %q of connection %q (%s), and a user has one mapping from each mail connection. %s",
		clip(c.m.UserID), c.destination.Name, x.m.Email, c.source.Name, x.describe(), c.advice(x, "delete that mapping first"))
}

func conflictWith(x other) *idmap.Conflict {
	return &idmap.Conflict{Kind: "user_mapping", ID: x.m.ID, Holder: x.m.UserID}
}

// meantBy reports whether a create may mean a mapping that is there already: it is the same user's.
func (c *candidate) meantBy(x other) bool {
	return c.before == nil && x.m.ID != "" && between(c.m) == between(x.m) && c.userKey == x.m.UserKey()
}

func (c *candidate) advice(x other, otherwise string) string {
	if c.meantBy(x) {
		return "If it is the one you mean, import it; if not, " + otherwise + "."
	}
	return strings.ToUpper(otherwise[:1]) + otherwise[1:] + "."
}

func (x other) describe() string {
	if x.m.ID == "" {
		return "by another item of the same call"
	}
	return "mapping " + x.m.ID
}

func quote(s string) string { return `"` + s + `"` }
