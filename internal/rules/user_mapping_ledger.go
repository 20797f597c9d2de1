package rules

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Holders returns who holds the email of a mapping: the mail account where it is known, and the application account.
// They are what the ledger is told when the mapping is stored.
func Holders(w *World, m idmap.UserMapping) []idmap.EmailHolder {
	user := idmap.EmailHolder{Connection: m.Destination.Connection, Account: m.Destination.Account, UserID: m.UserKey(), Name: m.UserID}
	if a := w.directory(m.Destination.Connection.ID).accounts[m.Destination.AccountID()]; a != nil {
		user.Name = a.Label()
	}
	holders := []idmap.EmailHolder{user}
	if m.Source.Account != nil {
		mail := idmap.EmailHolder{Connection: m.Source.Connection, Account: m.Source.Account}
		if a := w.directory(m.Source.Connection.ID).accounts[m.Source.AccountID()]; a != nil {
			mail.Name = a.Label()
		}
		holders = append(holders, mail)
	}
	return holders
}

// checkPreviouslyAssigned refuses an address that the ledger ties to another holder (S1: nobody claims a former
// colleague's mailbox, even when the colleague's account is deleted), or would tie to another of the same call.
func checkPreviouslyAssigned(c *candidate, o *others, r *report) {
	entry, holder := c.otherHolder()
	if holder == nil {
		c.checkSameMailbox(o, r)
	}
	if holder == nil || c.takesFromAccount() {
		return
	}
	where := "mailbox of " + quote(holder.Label())
	if holder.Connection.ID != c.source.ID {
		where = "user " + quote(holder.Label()) + " of connection " + quote(c.w.nameOf(holder.Connection.ID))
	}
	what := "belongs"
	if entry.AddressCanonical != c.m.EmailCanonical {
		what = fmt.Sprintf("is an address of the mailbox of %q, which belongs", entry.Address)
	}
	r.refuse(idmap.CodeEmailPreviouslyAssigned, fieldEmail, &idmap.Conflict{
		Kind: "email_assignment", ID: entry.ID, Holder: holder.Label(), Releasable: true,
	}, "Email %q %s to the %s since %s, and an address never passes to somebody else by itself, even when its holder is gone. Take another email, or ask an administrator to release the address.",
		clip(c.m.Email), what, where, entry.FirstSeenOn.UTC().Format("2006-01-02"))
}

// asksForAddress reports whether the ledger is told of the mapping, and with which mail account.
func (c *candidate) asksForAddress() bool {
	return (c.emailChanged() || c.userChanged()) && c.m.EmailCanonical != "" && c.m.Source.Account != nil
}

// checkSameMailbox refuses an address that another change of the group asks for as that of another mailbox. Neither comes
// first, so that both are refused.
func (c *candidate) checkSameMailbox(o *others, r *report) {
	if o.made == nil || !c.asksForAddress() {
		return
	}
	for _, x := range o.made.addresses[AddressKey{c.source.ID, c.m.EmailCanonical}] {
		if x.m.Source.AccountID() == c.m.Source.AccountID() {
			continue
		}
		r.refuse(idmap.CodeEmailPreviouslyAssigned, fieldEmail, conflictWith(x),
			"Email %q is an address of account %q here, and of account %q for user %q of connection %q (%s), and an address belongs to one mailbox. Name the same account in both, or take another email.",
			clip(c.m.Email), clip(c.m.Source.AccountID()), clip(x.m.Source.AccountID()), clip(x.m.UserID), c.w.nameOf(x.m.Destination.Connection.ID), x.describe())
		return
	}
}

// otherHolder returns the entry that ties the email to another holder than the one that asks, and that holder. It is
// the entry of the email itself or, since all addresses of an account are one mailbox, another one that the account
// holds, also one that the directory does not show any more.
func (c *candidate) otherHolder() (idmap.EmailAssignment, *idmap.EmailHolder) {
	if c.m.EmailCanonical == "" {
		return idmap.EmailAssignment{}, nil
	}
	asking := Holders(c.w, c.m)
	if c.before != nil {
		// A rename carries the entries along, so the mapping asks under its old user id as well.
		asking = append(asking, Holders(c.w, *c.before)...)
	}
	entry, holder := c.otherHolderOf(c.w.Assignments[AddressKey{c.source.ID, c.m.EmailCanonical}], asking)
	if holder != nil || c.owner == nil || c.presented && AsMapped(c.w, c.before, c.m) {
		return entry, holder
	}
	for _, entry := range c.w.held[mailbox{c.source.ID, c.owner.ID}] {
		if entry, holder := c.otherHolderOf(entry, asking); holder != nil {
			return entry, holder
		}
	}
	return idmap.EmailAssignment{}, nil
}

// otherHolderOf returns the holder of one entry that is another than those who ask.
func (c *candidate) otherHolderOf(entry idmap.EmailAssignment, asking []idmap.EmailHolder) (idmap.EmailAssignment, *idmap.EmailHolder) {
	userAgrees := false
	for i, holder := range entry.Holders {
		switch c.compare(holder, asking) {
		case holderDiffers:
			return entry, &entry.Holders[i]
		case holderSame:
			userAgrees = userAgrees || holder.Connection.ID == c.destination.ID
		case holderUnknown:
		}
	}
	// The ledger knows the mailbox and nobody knows ours: only the same application user may come back to it.
	for i, holder := range entry.Holders {
		if holder.Connection.ID == c.source.ID && c.m.Source.Account == nil && !userAgrees {
			return entry, &entry.Holders[i]
		}
	}
	return entry, nil
}

type comparison int

const (
	holderUnknown comparison = iota // nobody asks in the name of that connection
	holderSame
	holderDiffers
)

func (c *candidate) compare(holder idmap.EmailHolder, asking []idmap.EmailHolder) comparison {
	result := holderUnknown
	for _, a := range asking {
		if a.Connection != holder.Connection {
			continue
		}
		if a.Same(holder) {
			return holderSame
		}
		result = holderDiffers
	}
	return result
}

// checkAliasOfAnother refuses an address that somebody else has in the directory: an account as primary or alias, or a
// group.
func checkAliasOfAnother(c *candidate, _ *others, r *report) {
	if c.m.EmailCanonical == "" || !c.emailChanged() {
		return
	}
	const text = "Email %q is an address of %s in connection %q. Take an address of the person's own account."
	for _, holder := range c.holders {
		if holder.ID != c.m.Source.AccountID() && !c.takesFromAccount() {
			r.refuse(idmap.CodeEmailIsAliasOfAnother, fieldEmail, &idmap.Conflict{Kind: "account", ID: holder.ID, Holder: holder.Label()},
				text, clip(c.m.Email), quote(holder.Label()), c.source.Name)
			return
		}
	}
	if group := c.w.directory(c.source.ID).groups[c.m.EmailCanonical]; group != nil {
		r.refuse(idmap.CodeEmailIsAliasOfAnother, fieldEmail, &idmap.Conflict{Kind: "group", ID: group.ID, Holder: group.Label()},
			text, clip(c.m.Email), quote(group.Label()), c.source.Name)
	}
}
