package rules

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Fields of a mapping as violations name them: the paths of the wire form.
const (
	fieldEmail                 = "email"
	fieldUserID                = "user_id"
	fieldSourceConnection      = "source.connection.id"
	fieldDestinationConnection = "destination.connection.id"
	fieldSourceAccount         = "source.account.id"
	fieldDestinationAccount    = "destination.account.id"
)

// CheckEmail reports why email is no address.
func CheckEmail(email string) []idmap.Violation {
	if _, err := idmap.CanonicalEmail(email); err != nil {
		return []idmap.Violation{{
			Code: idmap.CodeInvalidEmail, Field: fieldEmail,
			Description: fmt.Sprintf("%q is not an email address: %s. An address looks like jane.doe@example.com.", clip(email), err),
		}}
	}
	return nil
}

// CheckUserID reports why userID cannot be a user id.
func CheckUserID(userID string) []idmap.Violation {
	if _, err := idmap.CanonicalUserID(userID); err != nil {
		return []idmap.Violation{{
			Code: idmap.CodeInvalidUserID, Field: fieldUserID,
			Description: fmt.Sprintf("%q cannot be a user id: %s. A user id is what the application calls the user, such as JDOE.", clip(userID), err),
		}}
	}
	return nil
}

// Change is one mapping as it is stored and as somebody wants it. A create has no Before, a delete no After.
type Change struct {
	Before, After *idmap.UserMapping
	// Group parts the changes: those of one group are made together, those of another group do not exist for them.
	Group int
}

// CheckUserMappings judges changes: each is judged against the world as it is after all changes of its group. A verdict
// without violations carries the mapping completed: canonical email, bound accounts, email source.
func CheckUserMappings(w *World, changes []Change) []idmap.UserMappingVerdict {
	w.indexMailboxes()
	candidates := make([]*candidate, len(changes))
	groups := map[int][]int{}
	for i, change := range changes {
		if change.After != nil {
			candidates[i] = newCandidate(w, change.Before, CompleteEmail(w, *change.After))
		}
		groups[change.Group] = append(groups[change.Group], i)
	}
	stored := newOthers(w)
	verdicts := make([]idmap.UserMappingVerdict, len(changes))
	for _, group := range groups {
		others := stored.beside(changes, candidates, group)
		for _, i := range group {
			if c := candidates[i]; c != nil {
				verdicts[i] = c.judge(others)
			}
		}
	}
	return verdicts
}

// CompleteEmail returns the mapping with the email that it is going to have: the explicit one, else the username of
// the application account at the mail connection's domain (S1). Where that cannot be told the email stays empty.
func CompleteEmail(w *World, m idmap.UserMapping) idmap.UserMapping {
	if m.Email != "" && m.EmailSource != idmap.EmailFromUsername {
		m.EmailSource = idmap.EmailExplicit
	} else {
		m.EmailSource, m.Email = idmap.EmailFromUsername, ""
		if c := w.connection(m.Source.Connection.ID); c != nil && c.MailDomain != "" {
			m.Email = username(w, m) + "@" + c.MailDomain
		}
	}
	m.EmailCanonical, _ = idmap.CanonicalEmail(m.Email)
	return m
}

func username(w *World, m idmap.UserMapping) string {
	account := w.UserAccount(m.Destination.Connection.ID, m.Destination.AccountID(), m.UserID)
	if account == nil || account.Username == "" || !idmap.SameUserID(account.Username, m.UserID) {
		return m.UserID
	}
	return account.Username
}

// candidate is a mapping that wants to be stored, with all that the rules read about it.
type candidate struct {
	w           *World
	before      *idmap.UserMapping // nil for a create
	m           idmap.UserMapping
	source      *idmap.Connection // nil: does not exist
	destination *idmap.Connection
	userKey     string           // "" if invalid
	holders     []*idmap.Account // live accounts with the email, the primary holder first
	named       *idmap.Account   // the account that the user id names
	owner, user *idmap.Account   // the bound accounts, where the directory knows them
	keys        uniqueKeys       // none where the destination does not exist
	pinSource   string           // as asked
	pinDest     string
	// presented: somebody comes with the email and the user id, so both are judged as if they were new; that they are
	// those of the mapping proves nothing where the directory knows better.
	presented bool
}

// newCandidate takes the mapping with its email completed.
func newCandidate(w *World, before *idmap.UserMapping, m idmap.UserMapping) *candidate {
	c := &candidate{
		w: w, before: before, m: m,
		source: w.connection(m.Source.Connection.ID), destination: w.connection(m.Destination.Connection.ID),
		userKey: m.UserKey(), pinSource: m.Source.AccountID(), pinDest: m.Destination.AccountID(),
	}
	mail, app := w.directory(m.Source.Connection.ID), w.directory(m.Destination.Connection.ID)
	if m.EmailCanonical != "" {
		c.holders = mail.holders[m.EmailCanonical]
	}
	if c.userKey != "" {
		c.named = app.users[c.userKey]
	}
	c.bind(mail, app)
	if c.destination != nil {
		c.keys = keysOf(*c.destination, c.m)
	}
	return c
}

// bind says to which accounts the mapping is bound: those that it has been bound to, else those that the email and the
// user id name, else the pinned ones. A pin that says otherwise than the directory is refused as such, by checkPins;
// bound to the directory's account the mapping does not seem to take that account's address away besides.
func (c *candidate) bind(mail, app *Directory) {
	var source, destination string
	if c.before != nil {
		source, destination = c.before.Source.AccountID(), c.before.Destination.AccountID()
	}
	if source == "" {
		source = c.pinSource
		isPinned := func(a *idmap.Account) bool { return a.ID == source }
		if len(c.holders) > 0 && !slices.ContainsFunc(c.holders, isPinned) {
			source = c.holders[0].ID
		}
	}
	if destination == "" {
		destination = c.pinDest
		if c.named != nil {
			destination = c.named.ID
		}
	}
	c.owner, c.user = mail.accounts[source], app.accounts[destination]
	c.m.Source.Account, c.m.Destination.Account = idmap.RefTo(source), idmap.RefTo(destination)
}

func (c *candidate) emailChanged() bool {
	return c.before == nil || c.presented || c.before.EmailCanonical != c.m.EmailCanonical
}

func (c *candidate) userChanged() bool {
	return c.before == nil || c.presented || c.before.UserKey() != c.userKey
}

// judge runs all rules. An update that only changes the spelling is judged by its form alone: what was stored under
// older facts must stay writable.
func (c *candidate) judge(others *others) idmap.UserMappingVerdict {
	report := c.report(others)
	if len(report.violations) > 0 {
		return idmap.UserMappingVerdict{Violations: report.violations} // what is refused needs no warnings
	}
	return idmap.UserMappingVerdict{UserMapping: &c.m, Warnings: report.warnings, Claims: c.claims()}
}

func (c *candidate) report(others *others) *report {
	report := &report{}
	for _, r := range userMappingRules {
		if r.alone || c.source != nil && c.destination != nil && c.changed() {
			r.check(c, others, report)
		}
	}
	return report
}

func (c *candidate) changed() bool {
	return c.before == nil || c.emailChanged() || c.userChanged() ||
		c.repinned(c.before.Source, c.pinSource) || c.repinned(c.before.Destination, c.pinDest) ||
		c.before.Source.Connection != c.m.Source.Connection || c.before.Destination.Connection != c.m.Destination.Connection
}

func (c *candidate) repinned(before idmap.MappingEnd, pin string) bool {
	return pin != "" && pin != before.AccountID()
}

func (c *candidate) claims() []string { return c.keys.claims() }

// Claims returns the keys of what a stored mapping of the world has, and no other mapping may have: those that the
// verdict about it had, see idmap.UserMappingVerdict.
func Claims(w *World, m idmap.UserMapping) []string {
	if destination := w.connection(m.Destination.Connection.ID); destination != nil {
		return keysOf(*destination, m).claims()
	}
	return nil
}

func (k uniqueKeys) claims() []string {
	claims := make([]string, 0, 4)
	for _, claim := range [][2]string{{"email|", k.email}, {"user|", k.user}, {"mailbox|", k.mailbox}, {"account|", k.account}} {
		if claim[1] != "" {
			claims = append(claims, claim[0]+claim[1])
		}
	}
	return claims
}

// rule is one entry of the table below.
type rule struct {
	alone bool // needs nothing but the mapping and its two connections' platforms
	check func(*candidate, *others, *report)
}

// userMappingRules are the rules of the design's table, in its order.
var userMappingRules = []rule{
	{true, checkConnections},
	{true, checkEmailForm},
	{true, checkUserIDForm},
	{true, checkPinForm},
	{false, checkEmailInUse},
	{false, checkUserAlreadyMapped},
	{false, checkPreviouslyAssigned},
	{false, checkAliasOfAnother},
	{false, checkRepointed},
	{false, checkCanSignIn},
	{false, checkKnown},
	{false, checkPins},
	{false, warnOfAlias},
	{false, warnOfOptOut},
}

// report gathers what the rules find.
type report struct {
	violations, warnings []idmap.Violation
}

func (r *report) refuse(code idmap.Code, field string, conflict *idmap.Conflict, format string, args ...any) {
	r.violations = append(r.violations, idmap.Violation{Code: code, Field: field, Description: fmt.Sprintf(format, args...), Conflict: conflict})
}

func (r *report) warn(code idmap.Code, field, format string, args ...any) {
	r.warnings = append(r.warnings, idmap.Violation{Code: code, Field: field, Description: fmt.Sprintf(format, args...)})
}

func checkConnections(c *candidate, _ *others, r *report) {
	const missing = "There is no connection %q. Create it first, or name one that exists by its id."
	if c.source == nil {
		r.refuse(idmap.CodeUnknownConnection, fieldSourceConnection, nil, missing, clip(c.m.Source.Connection.ID))
	}
	if c.destination == nil {
		r.refuse(idmap.CodeUnknownConnection, fieldDestinationConnection, nil, missing, clip(c.m.Destination.Connection.ID))
	}
	if c.source != nil && c.destination != nil && c.source.ID == c.destination.ID {
		r.refuse(idmap.CodeInvalid, fieldDestinationConnection, nil,
			"Connection %q is both source and destination. A mapping links an email of one connection with a user of another.", c.source.Name)
	}
}

func checkEmailForm(c *candidate, _ *others, r *report) {
	if c.m.Email == "" && !c.presented {
		if c.source != nil {
			r.refuse(idmap.CodeInvalidEmail, fieldEmail, nil,
				"The email is left out, so it follows the username, but connection %q has no mail domain. Give the email, or set the connection's mail_domain.", c.source.Name)
		}
		return
	}
	r.violations = append(r.violations, CheckEmail(c.m.Email)...)
	for _, end := range []*idmap.Connection{c.source, c.destination} {
		if end == nil {
			continue
		}
		p, known := idmap.PlatformByID(end.Platform.ID)
		if n := utf8.RuneCountInString(c.m.EmailCanonical); known && n > p.EmailMax {
			r.refuse(idmap.CodeInvalidEmail, fieldEmail, nil,
				"The email has %d characters, and platform %s of connection %q takes at most %d.", n, p.ID, end.Name, p.EmailMax)
		}
	}
}

func checkUserIDForm(c *candidate, _ *others, r *report) {
	r.violations = append(r.violations, CheckUserID(c.m.UserID)...)
}

func checkPinForm(c *candidate, _ *others, r *report) {
	for _, pin := range []struct{ field, id string }{{fieldSourceAccount, c.pinSource}, {fieldDestinationAccount, c.pinDest}} {
		if err := idmap.PlainText(pin.id, maxIDLength); err != nil {
			r.refuse(idmap.CodeInvalid, pin.field, nil, "The id of the pinned account cannot be stored: %s.", err)
		}
	}
}
