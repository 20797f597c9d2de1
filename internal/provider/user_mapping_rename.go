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

// formerUserKey is the key of private state under which stands the user id that a mapping had before it followed a
// rename. Terraform itself does not tell a plan what its refresh has changed.
const formerUserKey = "former_user_id"

// renamedUser is the headline of all that is said of a rename that has happened, by an upload of Terraform or by others.
const renamedUser = "User Was Renamed"

// movedKey is what to do besides, where the resource is called by the user id.
const movedKey = "Where user_id is also the for_each key of the resource, the new key is another resource: write a moved block from the old key to the new one, else Terraform deletes the mapping and creates another."

// sawRename remembers the user id that Terraform knew, where a refresh finds another one. An email that stays although it
// could have followed is told here: this is the one time that Terraform sees the change.
func (r *userMappingResource) sawRename(ctx context.Context, state userMappingModel, m idmap.UserMapping, private privateState, diags *diag.Diagnostics) {
	r.warnBehind(ctx, m, diags)
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
		Description: fmt.Sprintf("The user was renamed from %q to %q since Terraform last read the mapping. The email stays %q, since it was given explicitly. Leave the email out to let it follow the username.",
			former, m.UserID, m.Email),
	}}, diags)
}

// goesBack reports whether the plan would give the user the name again that it had before the mapping followed a
// rename: the configuration has not learned of it.
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
		"The mapping's user was renamed from %q to %q since Terraform last wrote the mapping, and the configuration still says %q, so this plan goes back to it. %s\n\n"+
			"To keep the new name, set user_id = %q: then there is nothing to change. %s\n\nCode: %s",
		p.former, renamed, p.plan.UserID.ValueString(), idmap.Sentences(named), renamed, movedKey, codesOf(named)))
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
