package rules

import (
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// World is what the rules look up. It need not be everything that is stored, only all that the changes could touch.
type World struct {
	Connections map[string]idmap.Connection
	// Directories by connection id. A connection without one is a connection of which nobody is known.
	Directories map[string]*Directory
	// Mappings are the live ones, each once.
	Mappings []idmap.UserMapping
	// Assignments are the unreleased entries of the address ledger.
	Assignments map[AddressKey]idmap.EmailAssignment

	held map[mailbox][]idmap.EmailAssignment // of Assignments
}

// mailbox is an account of a mail connection.
type mailbox struct{ connectionID, accountID string }

// indexMailboxes finds the entries that mail accounts hold, in a steady order.
func (w *World) indexMailboxes() {
	w.held = map[mailbox][]idmap.EmailAssignment{}
	for _, e := range w.Assignments {
		for _, holder := range e.Holders {
			if holder.Connection == e.Connection && holder.Account != nil {
				key := mailbox{e.Connection.ID, holder.AccountID()}
				w.held[key] = append(w.held[key], e)
			}
		}
	}
	for _, entries := range w.held {
		slices.SortFunc(entries, func(a, b idmap.EmailAssignment) int { return strings.Compare(a.AddressCanonical, b.AddressCanonical) })
	}
}

// AddressKey is a canonical address of a mail connection.
type AddressKey struct{ ConnectionID, Address string }

// directory never returns nil.
func (w *World) directory(connectionID string) *Directory {
	if d := w.Directories[connectionID]; d != nil {
		return d
	}
	return &Directory{}
}

func (w *World) connection(id string) *idmap.Connection {
	if c, ok := w.Connections[id]; ok {
		return &c
	}
	return nil
}

// nameOf names a connection to a person.
func (w *World) nameOf(id string) string {
	if c := w.connection(id); c != nil {
		return c.Name
	}
	return id
}

// Directory is the accounts and groups of a connection, by the keys under which the rules look for them.
type Directory struct {
	accounts map[string]*idmap.Account
	users    map[string]*idmap.Account
	holders  map[string][]*idmap.Account
	groups   map[string]*idmap.Group
}

// NewDirectory indexes accounts and groups. Deleted accounts are found by id and, where no live one has it, by user
// id; they hold no address any more. Deleted groups are not found.
func NewDirectory(accounts []idmap.Account, groups []idmap.Group) *Directory {
	d := &Directory{
		accounts: make(map[string]*idmap.Account, len(accounts)),
		users:    make(map[string]*idmap.Account, len(accounts)),
		holders:  make(map[string][]*idmap.Account, len(accounts)),
		groups:   make(map[string]*idmap.Group, len(groups)),
	}
	for i := range accounts {
		d.add(&accounts[i])
	}
	for i := range groups {
		for _, key := range groups[i].AddressKeys() {
			if !groups[i].Deleted() {
				d.groups[key] = &groups[i]
			}
		}
	}
	return d
}

func (d *Directory) add(a *idmap.Account) {
	d.accounts[a.ID] = a
	if other := d.users[a.UserKey()]; other == nil || other.Deleted() {
		d.users[a.UserKey()] = a
	}
	if a.Deleted() {
		return
	}
	for i, key := range a.AddressKeys() {
		if primary := i == 0 && a.Email != ""; primary {
			d.holders[key] = append([]*idmap.Account{a}, d.holders[key]...)
		} else {
			d.holders[key] = append(d.holders[key], a)
		}
	}
}

// MailAccounts returns the accounts that a mapping may be bound to on its mail side: the bound or pinned one, and those
// that have the email now.
func (w *World) MailAccounts(m idmap.UserMapping) []*idmap.Account {
	d := w.directory(m.Source.Connection.ID)
	found := d.holders[m.EmailCanonical]
	if a := d.accounts[m.Source.AccountID()]; a != nil {
		found = append([]*idmap.Account{a}, found...)
	}
	return found
}

// UserAccount returns the account that a user id of the connection names: the pinned one, else the one whose user id it
// is; nil where nobody knows.
func (w *World) UserAccount(connectionID, accountID, userID string) *idmap.Account {
	d := w.directory(connectionID)
	if accountID != "" {
		return d.accounts[accountID]
	}
	return d.users[idmap.Fold(userID)]
}
