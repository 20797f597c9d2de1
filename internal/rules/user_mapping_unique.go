package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// index finds mappings by what only one mapping may have.
type index struct {
	emails, mailboxes, users, accounts map[string][]other
	// addresses are of the changes that ask for one with its mail account: any number may have it, all for one account.
	addresses map[AddressKey][]other
}

type other struct {
	m         *idmap.UserMapping
	candidate *candidate // nil for a stored one
}

// others are the mappings that will exist beside a candidate: the stored ones that no change of its group replaces or
// removes, and the outcomes of the other changes of the group. What is stored is indexed once for all groups.
type others struct {
	*index // of what is stored
	made   *index
	gone   map[string]bool // ids of stored ones
}

// newOthers returns the others of a group without changes.
func newOthers(w *World) *others {
	o := &others{index: newIndex()}
	for i := range w.Mappings {
		m := &w.Mappings[i]
		if destination := w.connection(m.Destination.Connection.ID); destination != nil {
			o.add(keysOf(*destination, *m), other{m: m})
		}
	}
	return o
}

// beside returns the others of a group of changes.
func (o *others) beside(changes []Change, candidates []*candidate, group []int) *others {
	beside := &others{index: o.index, made: newIndex(), gone: make(map[string]bool, len(group))}
	for _, i := range group {
		if before := changes[i].Before; before != nil {
			beside.gone[before.ID] = true
		}
		if c := candidates[i]; c != nil {
			beside.made.add(c.keys, other{m: &c.m, candidate: c})
		}
	}
	return beside
}

func newIndex() *index {
	return &index{emails: map[string][]other{}, mailboxes: map[string][]other{}, users: map[string][]other{}, accounts: map[string][]other{}, addresses: map[AddressKey][]other{}}
}

func (x *index) add(keys uniqueKeys, o other) {
	add := func(to map[string][]other, key string) {
		if key != "" {
			to[key] = append(to[key], o)
		}
	}
	add(x.emails, keys.email)
	add(x.mailboxes, keys.mailbox)
	add(x.users, keys.user)
	add(x.accounts, keys.account)
	if o.candidate != nil && o.candidate.asksForAddress() {
		key := AddressKey{o.m.Source.Connection.ID, o.m.EmailCanonical}
		x.addresses[key] = append(x.addresses[key], o)
	}
}

// uniqueKeys are the keys of a mapping in an index. One that it does not have is empty.
type uniqueKeys struct{ email, mailbox, user, account string }

func keysOf(destination idmap.Connection, m idmap.UserMapping) (keys uniqueKeys) {
	if m.EmailCanonical != "" {
		keys.email = emailKey(destination, m)
	}
	if m.Source.Account != nil {
		keys.mailbox = mailboxKey(destination, m)
	}
	pair := between(m)
	if userKey := m.UserKey(); userKey != "" {
		keys.user = pair + userKey
	}
	if id := m.Destination.AccountID(); id != "" {
		keys.account = pair + id
	}
	return keys
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

// first returns the first of the others under a key that is not c itself, nor what c was.
func (c *candidate) first(o *others, of func(*index) map[string][]other, key string) (other, bool) {
	for _, x := range of(o.index)[key] {
		if !o.gone[x.m.ID] && !c.was(x.m) {
			return x, true
		}
	}
	if o.made == nil {
		return other{}, false
	}
	for _, x := range of(o.made)[key] {
		if x.candidate != c && !c.was(x.m) {
			return x, true
		}
	}
	return other{}, false
}

func (c *candidate) was(m *idmap.UserMapping) bool { return c.before != nil && c.before.ID == m.ID }

func byEmail(x *index) map[string][]other   { return x.emails }
func byMailbox(x *index) map[string][]other { return x.mailboxes }
func byUser(x *index) map[string][]other    { return x.users }
func byAccount(x *index) map[string][]other { return x.accounts }

func checkEmailInUse(c *candidate, o *others, r *report) {
	if c.m.EmailCanonical == "" {
		return
	}
	x, taken := c.first(o, byEmail, c.keys.email)
	what := "is"
	if !taken {
		if x, taken = c.first(o, byMailbox, c.keys.mailbox); !taken {
			return
		}
		what = fmt.Sprintf("is an address of the mailbox of %q, which is", x.m.Email)
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
	x, taken := c.first(o, byUser, c.keys.user)
	if !taken {
		x, taken = c.first(o, byAccount, c.keys.account)
	}
	if c.userKey == "" || !taken {
		return
	}
	r.refuse(idmap.CodeUserAlreadyMapped, fieldUserID, conflictWith(x),
		"User %q of connection %q is already mapped to email %q of connection %q (%s), and a user has one mapping from each mail connection. %s",
		clip(c.m.UserID), c.destination.Name, x.m.Email, c.source.Name, x.describe(), c.advice(x, "delete that mapping first"))
}

// LeaveOut takes those out of taken that are allowed only because of a change that is not taken. The verdicts are of all
// changes made together, and those of taken have no violations. What is left can be made together, without the others:
// leaving one out brings back what it was, and hurts only those who claim a part of that.
func LeaveOut(w *World, changes []Change, verdicts []idmap.UserMappingVerdict, taken []bool) {
	claimedBy := map[string]int{}
	var left []int
	for i := range changes {
		if !taken[i] {
			left = append(left, i)
			continue
		}
		for _, claim := range verdicts[i].Claims {
			claimedBy[claim] = i
		}
	}
	for len(left) > 0 {
		before := changes[left[0]].Before
		left = left[1:]
		if before == nil {
			continue
		}
		for _, claim := range Claims(w, *before) {
			if i, claimed := claimedBy[claim]; claimed && taken[i] {
				taken[i] = false
				left = append(left, i)
			}
		}
	}
}

func conflictWith(x other) *idmap.Conflict {
	return &idmap.Conflict{Kind: "user_mapping", ID: x.m.ID, Holder: x.m.UserID}
}

// meantBy reports whether a create may mean a mapping that is there already: it is the same user's.
func (c *candidate) meantBy(x other) bool {
	return c.before == nil && x.m.ID != "" && between(c.m) == between(*x.m) && c.userKey == x.m.UserKey()
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
