package rules

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// evidence is what is known about a new value of an update.
type evidence int

const (
	unchanged evidence = iota
	proven             // the value belongs to the account that the mapping is bound to
	another            // the value belongs to another account
	unknown            // nobody knows the value
)

// checkRepointed applies the design's table "What an update may do" (S0: "Don't use this action to change the mapping
// of a Sales user to a different email account").
func checkRepointed(c *candidate, o *others, r *report) {
	if c.before == nil {
		return
	}
	c.refuseMovedEnds(r)
	email, holder := c.emailEvidence()
	user, named := c.userEvidence(o)
	if email == another {
		c.refuseRepoint(r, fieldEmail, c.m.Email, holder)
	}
	if user == another {
		c.refuseRepoint(r, fieldUserID, c.m.UserID, named)
	}
	if email == unknown && !c.source.Authoritative && (user != unknown || !c.keepsFollowing()) {
		c.judgeUnproven(r, fieldEmail, c.m.Email, user == unknown)
	}
	if user == unknown && !c.destination.Authoritative {
		c.judgeUnproven(r, fieldUserID, c.m.UserID, email == unknown)
	}
}

// keepsFollowing reports whether the email changes only because the user id does. Where that is refused, it is said once.
func (c *candidate) keepsFollowing() bool {
	return !c.presented && c.m.EmailSource == idmap.EmailFromUsername && c.before.EmailSource == idmap.EmailFromUsername
}

// judgeUnproven takes a new value that nobody knows: on trust, unless the other value is as unproven.
func (c *candidate) judgeUnproven(r *report, field, value string, otherToo bool) {
	switch {
	case otherToo:
		r.refuse(idmap.CodeAccountRepointed, field, nil,
			"The update changes the email to %q and the user id to %q, and nothing proves either, so nothing shows that this is the same person. %s; for another person, delete this mapping and create a new one.",
			clip(c.m.Email), clip(c.m.UserID), c.oneAtATime())
	case field == fieldUserID && c.ownName() != "":
		r.warn(idmap.CodeUnprovenRename, field,
			"Connection %q calls the mapping's user %q and knows nobody as %q, so nothing proves the rename. Give the user id %q, unless the directory is yet to learn of the new name.",
			c.destination.Name, c.ownName(), clip(value), c.ownName())
	default:
		r.warn(idmap.CodeUnprovenRename, field, "Nothing proves that %q is a new name of the same person, since no directory knows both. Check that it is.", clip(value))
	}
}

// oneAtATime says how to change what nothing proves.
func (c *candidate) oneAtATime() string {
	switch {
	case c.ownName() != "":
		return fmt.Sprintf("Connection %q calls the mapping's user %q: give that user id", c.destination.Name, c.ownName())
	case c.keepsFollowing():
		return fmt.Sprintf("Give the email %q explicitly, so that it does not follow the user id", c.before.Email)
	}
	return "Change one at a time"
}

// refuseMovedEnds refuses what can never change in place: the connections and the pinned accounts.
func (c *candidate) refuseMovedEnds(r *report) {
	const text = "The mapping is bound to %q, and the accounts behind a mapping never change; %q is another. Delete this mapping and create a new one."
	refuse := func(field, was, wanted string) {
		if wanted != "" && was != "" && wanted != was {
			r.refuse(idmap.CodeAccountRepointed, field, nil, text, was, clip(wanted))
		}
	}
	refuse(fieldSourceConnection, c.before.Source.Connection.ID, c.m.Source.Connection.ID)
	refuse(fieldDestinationConnection, c.before.Destination.Connection.ID, c.m.Destination.Connection.ID)
	refuse(fieldSourceAccount, c.before.Source.AccountID(), c.pinSource)
	refuse(fieldDestinationAccount, c.before.Destination.AccountID(), c.pinDest)
}

func (c *candidate) refuseRepoint(r *report, field, value string, to *idmap.Conflict) {
	r.refuse(idmap.CodeAccountRepointed, field, to,
		"The mapping links %s, and %q belongs to %q. The accounts behind a mapping never change. For another person, delete this mapping and create a new one.",
		c.before.Label(), clip(value), to.Holder)
}

// emailEvidence says what the directory and the ledger know about the new email, and who has it if another does.
func (c *candidate) emailEvidence() (evidence, *idmap.Conflict) {
	if !c.emailChanged() || c.m.EmailCanonical == "" {
		return unchanged, nil
	}
	bound := c.before.Source.AccountID()
	for _, holder := range c.holders {
		if bound != "" && holder.ID == bound {
			return proven, nil
		}
	}
	if len(c.holders) > 0 && bound != "" {
		return another, &idmap.Conflict{Kind: "account", ID: c.holders[0].ID, Holder: c.holders[0].Label()}
	}
	if entry, holder := c.otherHolder(); holder != nil {
		return another, &idmap.Conflict{Kind: "email_assignment", ID: entry.ID, Holder: holder.Label(), Releasable: true}
	}
	if c.before.EmailCanonical == c.m.EmailCanonical {
		return proven, nil // by the mapping itself, since nobody knows better
	}
	return unknown, nil
}

// takesFromAccount reports whether an update takes an address that the directory knows as another account's. That is a
// repoint, and said once: the ledger and the alias rule would only bear witness to the same.
func (c *candidate) takesFromAccount() bool {
	if c.before == nil {
		return false
	}
	known, holder := c.emailEvidence()
	return known == another && holder.Kind == "account"
}

// userEvidence says what the directory knows about the new user id, and who has it if another does.
func (c *candidate) userEvidence(o *others) (evidence, *idmap.Conflict) {
	bound := c.before.Destination.AccountID()
	switch {
	case !c.userChanged() || c.userKey == "":
		return unchanged, nil
	case c.named != nil && c.named.ID == bound:
		return proven, nil
	case c.named == nil || bound == "":
		if m := c.mappingOfUser(o); m != nil {
			return another, &idmap.Conflict{Kind: "user_mapping", ID: m.ID, Holder: m.UserID}
		}
		if c.before.UserKey() == c.userKey {
			return proven, nil // by the mapping itself
		}
		// Of a mapping that no directory knew, the new value's account may be the same person or not.
		return unknown, nil
	}
	return another, &idmap.Conflict{Kind: "account", ID: c.named.ID, Holder: c.named.Label()}
}

// mappingOfUser returns the other mapping whose user has the wanted user id as things are stored, also where the same
// call gives that mapping a new one: where no directory proves it, users do not exchange their names.
func (c *candidate) mappingOfUser(o *others) *idmap.UserMapping {
	for _, x := range o.users[c.keys.user] {
		if x.m.ID != c.before.ID {
			return x.m
		}
	}
	return nil
}

// warnOfOptOut says that the email stays where the username goes (S1: "the user account has effectively opted out").
func warnOfOptOut(c *candidate, _ *others, r *report) {
	if c.before != nil && c.userChanged() && !c.emailChanged() && c.m.EmailSource == idmap.EmailExplicit && c.source.MailDomain != "" {
		r.warn(idmap.CodeOptedOut, fieldEmail,
			"The user id becomes %q and the email stays %q, since it was given explicitly. Leave the email out to let it follow the username.",
			clip(c.m.UserID), clip(c.m.Email))
	}
}
