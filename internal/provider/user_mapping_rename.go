package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// formerUserKey is the key of private state under which stands the user id that a mapping had before it was renamed
// outside of Terraform. Terraform itself does not tell a plan what its refresh has changed.
const formerUserKey = "former_user_id"

// renamedUser is the headline of all that is said of a rename outside of Terraform.
const renamedUser = "User Was Renamed"

// sawRename remembers the user id that Terraform knew, where a refresh finds another one. An email that stays although it
// could have followed is told here: this is the one time that Terraform sees the change.
func (r *userMappingResource) sawRename(ctx context.Context, state userMappingModel, m idmap.UserMapping, private privateState, diags *diag.Diagnostics) {
	former := state.UserID.ValueString()
	if former == "" || idmap.SameUserID(former, m.UserID) {
		return
	}
	remember(ctx, private, formerUserKey, former, diags)
	if m.EmailSource != idmap.EmailExplicit || !idmap.SameEmail(state.Email.ValueString(), m.Email) {
		return
	}
	if mail, err := r.walk.client.Connection(ctx, m.Source.Connection.ID); err != nil || mail.MailDomain == "" {
		return // there is nothing to follow
	}
	userMappingNoun.addWarnings([]idmap.Violation{{
		Code: idmap.CodeOptedOut, Field: "email",
		Description: fmt.Sprintf("Outside of Terraform the user was renamed from %q to %q. The email stays %q, since it was given explicitly. Leave the email out to let it follow the username.",
			former, m.UserID, m.Email),
	}}, diags)
}

// goesBack reports whether the plan would give the user the name again that it had before a rename outside of Terraform:
// the configuration has not learned of it.
func (p *userMappingPlan) goesBack() bool {
	return p.prior != nil && p.former != "" && idmap.SameUserID(p.former, p.plan.UserID.ValueString()) &&
		!p.plan.UserID.same(p.prior.UserID.StringValue)
}

// tellRename says what the backend finds about a name of before as what it is, and returns what is left to say. An email
// that follows has nothing to say of its own then, and that an explicit one stays the refresh has said.
func (p *userMappingPlan) tellRename(findings []idmap.Violation, tell func(at path.Path, summary, detail string)) []idmap.Violation {
	if !p.goesBack() {
		return findings
	}
	var named, rest []idmap.Violation
	for _, v := range findings {
		switch {
		case v.Field == "user_id":
			named = append(named, v)
		case v.Code != idmap.CodeOptedOut && (v.Field != "email" || !p.plan.follows()):
			rest = append(rest, v)
		}
	}
	if len(named) == 0 {
		return findings // the directory agrees with the configuration, so this is a change like any other
	}
	renamed := p.prior.UserID.ValueString()
	tell(path.Root("user_id"), renamedUser, fmt.Sprintf(
		"Outside of Terraform the mapping's user was renamed from %q to %q, and the configuration still says %q, so this plan goes back to it. %s\n\n"+
			"To keep the new name, set user_id = %q: then there is nothing to change.\n\nCode: %s",
		p.former, renamed, p.plan.UserID.ValueString(), idmap.Sentences(named), renamed, codesOf(named)))
	return rest
}

// codesOf lists the codes of findings, each once.
func codesOf(findings []idmap.Violation) string {
	var codes []string
	for _, v := range findings {
		codes = append(codes, string(v.Code))
	}
	return strings.Join(slices.Compact(codes), ", ")
}

// foresee warns of a rename that a new directory brings in this very apply, where the configuration of the mapping stays
// as it is: the mapping follows, and the next plan would find it changed.
func (p *userMappingPlan) foresee(ctx context.Context) {
	stored, seen := p.walk.seenMapping(p.prior.ID.ValueString())
	if !seen || !p.walk.checks() {
		return
	}
	called, in := p.walk.pendingName(stored.Destination)
	if called == "" || idmap.SameUserID(called, stored.UserID) {
		return
	}
	now, err := p.walk.client.Account(ctx, in.ID, stored.Destination.AccountID())
	switch {
	case idmap.IsNotFound(err):
		return
	case err != nil:
		p.report(err)
		return
	case idmap.SameUserID(now.UserID(), called), !in.Authoritative && !idmap.SameUserID(now.UserID(), stored.UserID):
		return // no rename, or one that a mapping which is ahead of the directory does not follow
	}
	wanted := stored
	wanted.UserID = called
	verdict, err := p.validate(ctx, idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: stored.ID, UserMapping: &wanted}, "")
	if err != nil {
		p.report(err)
		return
	}
	p.diags.AddAttributeWarning(path.Root("user_id"), "User Is Renamed", fmt.Sprintf(
		"The new accounts file of connection %q calls the user %q. %s", in.Name, called, whatFollows(stored, verdict)))
}

// whatFollows says what becomes of a mapping when its user is renamed.
func whatFollows(stored idmap.UserMapping, verdict idmap.UserMappingVerdict) string {
	after := verdict.UserMapping
	if len(verdict.Violations) > 0 || after == nil {
		return fmt.Sprintf("The mapping of %s cannot follow, and stays as it is when the file is uploaded. %s\n\nCode: %s",
			stored.Label(), idmap.Sentences(verdict.Violations), codesOf(verdict.Violations))
	}
	email := fmt.Sprintf("the email stays %q", after.Email)
	if !idmap.SameEmail(stored.Email, after.Email) {
		email = fmt.Sprintf("the email becomes %q", after.Email)
	}
	if after.EmailSource == idmap.EmailExplicit {
		email += ", since it was given explicitly"
	}
	return fmt.Sprintf("The mapping follows when the file is uploaded: the user id %q becomes %q, and %s.\n\nSet user_id = %q in the configuration, else the next plan finds the mapping changed.",
		stored.UserID, after.UserID, email, after.UserID)
}

// pendingName returns what the new directory of a connection calls the account of a mapping, and the connection as this
// walk plans it; "" where it does not say.
func (w *walk) pendingName(end idmap.MappingEnd) (string, idmap.Connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.pending[end.Connection.ID]
	if d == nil || end.AccountID() == "" {
		return "", idmap.Connection{}
	}
	for _, a := range d.accounts[idKey(end.AccountID())] {
		return a.UserID(), d.connection
	}
	return "", d.connection
}
