package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// SignInVerdict is what the rules make of an attempt to sign in.
type SignInVerdict struct {
	// Checks are all of them, in their order. The attempt is denied if one failed.
	Checks []idmap.SignInCheck
	// UserMapping is the mapping that the attempt goes through: a stored one or, where Creates, the one to store,
	// completed. Nil where there is none and none may be made.
	UserMapping *idmap.UserMapping
	Creates     bool
	// Claims are the keys of what only one mapping may have, where Creates: see idmap.UserMappingVerdict.
	Claims   []string
	Warnings []idmap.Violation // where Creates: those of the new mapping
}

// Allowed reports whether the attempt was judged, and no check failed.
func (v SignInVerdict) Allowed() bool {
	return len(v.Checks) > 0 && !slices.ContainsFunc(v.Checks, func(c idmap.SignInCheck) bool { return c.Status == idmap.CheckFailed })
}

// MappingsOfUsers returns for each attempt the mapping of the world that it goes through: that of its user, by the user
// id or by the application account that the user id names; nil where the user has none.
func MappingsOfUsers(w *World, attempts []idmap.UserMapping) []*idmap.UserMapping {
	o := newOthers(w)
	found := make([]*idmap.UserMapping, len(attempts))
	for i, m := range attempts {
		found[i] = mappingOfUser(w, o, m)
	}
	return found
}

func mappingOfUser(w *World, o *others, m idmap.UserMapping) *idmap.UserMapping {
	key := m.UserKey()
	if key == "" {
		return nil
	}
	if found := o.users[between(m)+key]; len(found) > 0 {
		return found[0].m
	}
	if user := w.directory(m.Destination.Connection.ID).users[key]; user != nil {
		if found := o.accounts[between(m)+user.ID]; len(found) > 0 {
			return found[0].m
		}
	}
	return nil
}

// AsMapped reports whether an attempt comes with the email and the user id of its mapping, and no directory knows one of
// them as another account's than the mapping links. Of such an attempt the rules look at no other mapping, since none can
// have the email, the mailbox, the user or its account besides, and at no other address of the mailbox.
func AsMapped(w *World, before *idmap.UserMapping, attempt idmap.UserMapping) bool {
	email, err := idmap.CanonicalEmail(attempt.Email)
	if err != nil || before == nil || email != before.EmailCanonical || attempt.UserKey() != before.UserKey() {
		return false
	}
	for _, holder := range w.directory(attempt.Source.Connection.ID).holders[email] {
		if holder.ID != before.Source.AccountID() {
			return false
		}
	}
	user := w.directory(attempt.Destination.Connection.ID).users[attempt.UserKey()]
	return user == nil || user.ID == before.Destination.AccountID()
}

// CheckSignIns judges attempts, each as if it came alone. The world must hold what CheckUserMappings needs for changes
// from MappingsOfUsers to the attempts, but for what AsMapped spares. Their connections must exist, and differ.
func CheckSignIns(w *World, attempts []idmap.UserMapping) []SignInVerdict {
	w.indexMailboxes()
	o := newOthers(w)
	verdicts := make([]SignInVerdict, len(attempts))
	for i, m := range attempts {
		verdicts[i] = newSignIn(w, o, m).verdict()
	}
	return verdicts
}

// DiagnoseSignIn judges an attempt of which the email or the user id may be empty: then the mapping of the other tells
// it and, where there is none, the checks that need it are unknown. The code is that of CheckSignIns, and so is what it
// needs of the world.
func DiagnoseSignIn(w *World, request idmap.DiagnosisRequest) idmap.Diagnosis {
	w.indexMailboxes()
	o := newOthers(w)
	m := idmap.SignInAttempt{Source: request.Source, Destination: request.Destination, Email: request.Email, UserID: request.UserID}.UserMapping()
	if m.Email == "" {
		if found := mappingOfUser(w, o, m); found != nil {
			m.Email = found.Email
		}
	}
	if m.UserID == "" {
		if found := mappingOfEmail(w, o, m); found != nil {
			m.UserID = found.UserID
		}
	}
	s := newSignIn(w, o, m)
	s.noEmail, s.noUser = m.Email == "", m.UserID == ""
	verdict := s.verdict()
	d := idmap.Diagnosis{DiagnosisRequest: request, Checks: verdict.Checks, UserMapping: s.c.before}
	d.Email, d.UserID = m.Email, m.UserID
	switch {
	case !verdict.Allowed():
		d.Outcome = idmap.OutcomeDenied
	case s.noEmail || s.noUser:
		d.Outcome = idmap.OutcomeUnknown
	default:
		d.Outcome = idmap.OutcomeAllowed
	}
	d.Summary = s.summary(d)
	return d
}

// mappingOfEmail returns the mapping between the two connections that has the email, or its mailbox.
func mappingOfEmail(w *World, o *others, m idmap.UserMapping) *idmap.UserMapping {
	destination := w.connection(m.Destination.Connection.ID)
	m.EmailCanonical, _ = idmap.CanonicalEmail(m.Email)
	if destination == nil || m.EmailCanonical == "" {
		return nil
	}
	candidates := o.emails[emailKey(*destination, m)]
	for _, holder := range w.directory(m.Source.Connection.ID).holders[m.EmailCanonical] {
		m.Source.Account = idmap.RefTo(holder.ID)
		candidates = append(slices.Clip(candidates), o.mailboxes[mailboxKey(*destination, m)]...)
	}
	for _, x := range candidates {
		if between(*x.m) == between(m) {
			return x.m
		}
	}
	return nil
}

// signIn is an attempt with all that the checks read about it.
type signIn struct {
	c               *candidate
	report          *report
	owner           *idmap.Account // of the mailbox
	creates         bool           // there is no mapping, and the connection lets a sign-in make one
	noEmail, noUser bool           // of a diagnosis: nobody said, and no mapping tells
}

func newSignIn(w *World, o *others, attempt idmap.UserMapping) *signIn {
	c := newCandidate(w, mappingOfUser(w, o, attempt), completeAttempt(w, attempt))
	c.presented = true
	s := &signIn{c: c, report: c.report(o), owner: cmp.Or(c.owner, c.lateOwner())}
	s.creates = c.before == nil && c.destination.SignInMapping != idmap.SignInRequires
	return s
}

// lateOwner returns the mail account that had the email when it was deleted, by the ledger; nil where there is none. The
// directory does not tell any more whose the address was, but whoever comes with it is not let in for that.
func (c *candidate) lateOwner() *idmap.Account {
	for _, holder := range c.w.Assignments[AddressKey{c.source.ID, c.m.EmailCanonical}].Holders {
		if holder.Connection.ID != c.source.ID {
			continue
		}
		if a := c.w.directory(c.source.ID).accounts[holder.AccountID()]; a != nil && a.Deleted() {
			return a
		}
	}
	return nil
}

// completeAttempt returns the mapping that a first sign-in makes. If its email is the username at the mail connection's
// domain, it follows the username from then on; any other was chosen for a reason, and stays (S1).
func completeAttempt(w *World, m idmap.UserMapping) idmap.UserMapping {
	m.EmailSource = idmap.EmailExplicit
	m.EmailCanonical, _ = idmap.CanonicalEmail(m.Email)
	following := m
	following.Email = ""
	if following = CompleteEmail(w, following); following.EmailCanonical != "" && following.EmailCanonical == m.EmailCanonical {
		return following
	}
	return m
}

func (s *signIn) verdict() SignInVerdict {
	v := SignInVerdict{UserMapping: s.c.before}
	for _, check := range signInChecks {
		v.Checks = append(v.Checks, s.run(check))
	}
	if s.creates && v.Allowed() {
		v.UserMapping, v.Creates, v.Claims = &s.c.m, true, s.c.claims()
		v.Warnings = slices.DeleteFunc(s.report.warnings, func(w idmap.Violation) bool { return w.Code == idmap.CodeUnprovenRename })
	}
	return v
}

// summary says in a line what the diagnosis found.
func (s *signIn) summary(d idmap.Diagnosis) string {
	var failed, unknown []string
	for _, check := range d.Checks {
		name := strings.ReplaceAll(string(check.Name), "_", " ")
		switch check.Status {
		case idmap.CheckFailed:
			failed = append(failed, name)
		case idmap.CheckUnknown:
			unknown = append(unknown, name)
		case idmap.CheckPassed:
		}
	}
	where, n := "connection "+quote(s.c.destination.Name), len(d.Checks)
	who := clip(d.Email) + " as " + quote(clip(d.UserID))
	switch {
	case s.noUser:
		who = "Email " + quote(clip(d.Email))
	case s.noEmail:
		who = "User " + quote(clip(d.UserID))
	}
	switch d.Outcome {
	case idmap.OutcomeDenied:
		return fmt.Sprintf("%s cannot sign in to %s: %d of %d checks failed (%s).", who, where, len(failed), n, strings.Join(failed, ", "))
	case idmap.OutcomeUnknown:
		missing := "the user id"
		if s.noEmail {
			missing = "the email"
		}
		return fmt.Sprintf("%s may sign in to %s or not: %s is not given, and no mapping tells it.", who, where, missing)
	case idmap.OutcomeAllowed:
	}
	if len(unknown) > 0 {
		return fmt.Sprintf("%s may sign in to %s: no check of %d failed, and %d cannot be told (%s).", who, where, n, len(unknown), strings.Join(unknown, ", "))
	}
	return fmt.Sprintf("%s may sign in to %s: all %d checks passed.", who, where, n)
}
