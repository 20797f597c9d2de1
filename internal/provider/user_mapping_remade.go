package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// misses remembers a mapping that Terraform had in its state and that a refresh does not find any more. To its resource
// Terraform then says nothing but that it is to be created.
func (w *walk) misses(m userMappingModel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missing[m.user()] = m
}

// missed returns the mapping of the user that a refresh of this walk did not find.
func (w *walk) missed(user mappedUser) (userMappingModel, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, gone := w.missing[user]
	return m, gone
}

// mappedUser is what a mapping is for: a user has one between two connections.
type mappedUser struct{ sourceConnection, destinationConnection, user string }

// lock is what the creates and deletes of one walk take that are about the user, in whatever spelling.
func (u mappedUser) lock() string {
	return "user_mapping\x00" + u.sourceConnection + "\x00" + u.destinationConnection + "\x00" + u.user
}

func (m userMappingModel) user() mappedUser { return userOf(m.toAPI()) }

func userOf(m idmap.UserMapping) mappedUser {
	return mappedUser{m.Source.Connection.ID, m.Destination.Connection.ID, m.UserKey()}
}

// tellRemade says of a create that is refused because of a mapping which was made in the place of the resource's own one
// that it is so, and returns what is left to say. An import alone does not help: Terraform skips that of a resource which
// its state has, and the state has the old mapping until a refresh is applied, which the refused plan prevents.
func (p *userMappingPlan) tellRemade(ctx context.Context, findings []idmap.Violation) []idmap.Violation {
	holder := p.ownHolder(findings)
	old, gone := p.walk.missed(p.plan.user())
	if holder == "" || !gone {
		return findings
	}
	now, err := p.walk.client.UserMapping(ctx, holder)
	if err != nil || userOf(now) != old.user() {
		return findings
	}
	maker := "somebody"
	if now.Origin == idmap.OriginSignIn {
		maker = "a sign-in"
	}
	p.diags.AddAttributeError(path.Root("user_id"), "Mapping Was Made Anew", fmt.Sprintf(
		"Mapping %s (%s ↔ %s), which this resource had, was deleted outside of Terraform. On %s %s made mapping %s (%s) of the same user, who can have one only, so this one cannot be created.\n\n"+
			"To manage what is there now, first let Terraform forget the old mapping. While it is in the state, Terraform skips the import:\n\n"+
			"  terraform apply -refresh-only\n\nThen import the new one:\n\n%s\n\nCode: %s",
		old.ID.ValueString(), old.Email.ValueString(), old.UserID.ValueString(), timeString(now.CreatedOn).ValueString(), maker, now.ID, now.Label(),
		importBlock(userMappingNoun.resource, now.ID), codesOf(findings)))
	return nil
}
