package rules

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userFault is a reason why an account of the application cannot sign in (S3).
type userFault struct {
	check  idmap.CheckName // the check of a sign-in that it fails
	code   idmap.Code
	warns  bool // a mapping may be made before the reason is gone
	has    func(idmap.Account) bool
	reason string
	cure   string // for those who look at the account in the application
}

var userFaults = []userFault{
	{
		idmap.CheckApplicationAccountEnabled, idmap.CodeUserCannotSignIn, false, idmap.Account.Deleted,
		"the account was deleted. Map a user who is still there, or restore the account",
		"Restore the account in the application, or let the person sign in as a user who is still there.",
	},
	{
		idmap.CheckUserTypeMaySignIn, idmap.CodeUserCannotSignIn, false,
		func(a idmap.Account) bool { return a.UserType == idmap.UserTypeStub },
		"the account is a stub, which only ever owns records. Map the person's real account",
		"Let the person sign in as the user of the real account; a stub never can.",
	},
	{
		idmap.CheckApplicationAccountEnabled, idmap.CodeUserCannotSignIn, false,
		func(a idmap.Account) bool { return a.Disabled },
		"the account is disabled. Enable it in the application first",
		"Enable the account in the application.",
	},
	{
		idmap.CheckUserTypeMaySignIn, idmap.CodeNonInteractiveUser, true,
		func(a idmap.Account) bool { return a.UserType == idmap.UserTypeNonInteractive },
		"the user is non-interactive: it may use web services only",
		"Give the user interactive access in the application.",
	},
	{
		idmap.CheckLicensed, idmap.CodeUnlicensedUser, true,
		func(a idmap.Account) bool { return a.UserType == idmap.UserTypeSynchronized },
		"the user is synchronized but not licensed, and cannot sign in until it is",
		"License the user in the application.",
	},
}

// checkCanSignIn refuses a user that can never sign in, and warns of one that cannot yet, or not everywhere (S3). The
// first reason is enough.
func checkCanSignIn(c *candidate, _ *others, r *report) {
	if c.user == nil || c.presented { // of somebody who comes, the checks of the sign-in tell all
		return
	}
	for _, fault := range userFaults {
		if !fault.has(*c.user) {
			continue
		}
		if fault.warns {
			r.warnings = append(r.warnings, c.cannotSignIn(fault))
		} else {
			r.violations = append(r.violations, c.cannotSignIn(fault))
		}
		return
	}
}

func (c *candidate) cannotSignIn(fault userFault) idmap.Violation {
	return idmap.Violation{
		Code: fault.code, Field: fieldUserID, Conflict: &idmap.Conflict{Kind: "account", ID: c.user.ID, Holder: c.user.Label()},
		Description: fmt.Sprintf("User %s of connection %q cannot sign in: %s.", c.user.Label(), c.destination.Name, fault.reason),
	}
}

// checkKnown refuses what an authoritative directory does not know.
func checkKnown(c *candidate, _ *others, r *report) {
	const text = "Connection %q is authoritative and does not know %s %q. %s, or bring the directory up to date."
	const spelling = "Check the spelling"
	isGroup := c.w.directory(c.source.ID).groups[c.m.EmailCanonical] != nil // which is another refusal
	if c.source.Authoritative && c.emailChanged() && c.m.EmailCanonical != "" && len(c.holders) == 0 && !isGroup {
		r.refuse(idmap.CodeUnknownEmail, fieldEmail, nil, text, c.source.Name, "the email", clip(c.m.Email), spelling)
	}
	if c.destination.Authoritative && c.userChanged() && c.userKey != "" && c.named == nil {
		cure := spelling
		if c.ownName() != "" {
			cure = fmt.Sprintf("It calls the mapping's user %q: give that user id", c.ownName())
		}
		r.refuse(idmap.CodeUnknownUserID, fieldUserID, nil, text, c.destination.Name, "the user id", clip(c.m.UserID), cure)
	}
}

// ownName returns what the directory calls the mapping's own user, where the wanted user id is nobody's name in it.
func (c *candidate) ownName() string {
	if c.before == nil || c.named != nil || c.user == nil || c.user.Deleted() {
		return ""
	}
	return c.user.UserID()
}

// checkPins refuses a pinned account that is not the one which the email, or the user id, belongs to.
func checkPins(c *candidate, _ *others, r *report) {
	mail, app := c.w.directory(c.source.ID), c.w.directory(c.destination.ID)
	if c.pinSource != "" && (c.emailChanged() || c.before.Source.Account == nil) && c.m.EmailCanonical != "" {
		pinned := mail.accounts[c.pinSource]
		c.checkPin(r, fieldSourceAccount, c.pinSource, pinned, c.source, c.holders, "email", c.m.Email, c.before == nil || c.before.Source.Account == nil)
	}
	if c.pinDest != "" && (c.userChanged() || c.before.Destination.Account == nil) && c.userKey != "" {
		pinned, named := app.accounts[c.pinDest], []*idmap.Account(nil)
		if c.named != nil {
			named = append(named, c.named)
		}
		c.checkPin(r, fieldDestinationAccount, c.pinDest, pinned, c.destination, named, "user id", c.m.UserID, c.before == nil || c.before.Destination.Account == nil)
	}
}

// checkPin compares a pinned account with those that have the value. A pin that nobody knows is believed, unless the
// directory is authoritative or the value is another's. binds: the pin is what binds the mapping, so the account must
// have the value; a mapping that is bound may have a value that its directory does not know yet.
func (c *candidate) checkPin(r *report, field, pin string, pinned *idmap.Account, in *idmap.Connection, have []*idmap.Account, what, value string, binds bool) {
	isPinned := func(a *idmap.Account) bool { return a.ID == pin }
	switch {
	case slices.ContainsFunc(have, isPinned):
	case len(have) > 0:
		r.refuse(idmap.CodeAccountMismatch, field, &idmap.Conflict{Kind: "account", ID: have[0].ID, Holder: have[0].Label()},
			"Account %q is pinned, but the %s %q belongs to account %q (%s) in connection %q. Correct one of the two.",
			clip(pin), what, clip(value), have[0].ID, have[0].Label(), in.Name)
	case pinned != nil && binds:
		r.refuse(idmap.CodeAccountMismatch, field, &idmap.Conflict{Kind: "account", ID: pinned.ID, Holder: pinned.Label()},
			"Account %q (%s) is pinned, but in connection %q it does not have the %s %q. Correct one of the two.",
			clip(pin), pinned.Label(), in.Name, what, clip(value))
	case pinned == nil && in.Authoritative:
		r.refuse(idmap.CodeAccountMismatch, field, nil,
			"Account %q is pinned, but connection %q is authoritative and does not know it. Check the id.", clip(pin), in.Name)
	}
}

// warnOfAlias names the primary address where the mapping uses another one of its account.
func warnOfAlias(c *candidate, _ *others, r *report) {
	if c.owner == nil || c.owner.Email == "" || !c.emailChanged() {
		return
	}
	if slices.Contains(c.owner.AddressKeys(), c.m.EmailCanonical) && !idmap.SameEmail(c.owner.Email, c.m.EmailCanonical) {
		r.warn(idmap.CodeEmailIsAlias, fieldEmail, "Email %q is an alias of %s, whose primary address is %q.", clip(c.m.Email), c.owner.Label(), c.owner.Email)
	}
}
