package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// foreseeLoss warns where a new directory takes something away from a mapping that stays: one of the two accounts, which the
// file does not have any more or disables, or the email. The rules let the mapping be, since each may be restored, but
// nobody signs in through it meanwhile.
func (p *userMappingPlan) foreseeLoss(ctx context.Context, stored idmap.UserMapping) {
	p.foreseeLostAccounts(ctx, stored)
	p.foreseeLostEmail(ctx, stored)
}

func (p *userMappingPlan) foreseeLostAccounts(ctx context.Context, stored idmap.UserMapping) {
	for _, side := range []struct {
		attribute, what string
		end             idmap.MappingEnd
		code            idmap.Code
	}{
		{"email", "mail account", stored.Source, idmap.CodeMailboxDisabled},
		{"user_id", "application account", stored.Destination, idmap.CodeUserCannotSignIn},
	} {
		after, in := p.walk.pendingAccount(side.end)
		if in.ID == "" || after != nil && !after.Disabled {
			continue
		}
		now, err := p.accountNow(ctx, side.end)
		if err != nil && !idmap.IsNotFound(err) {
			p.report(err)
		}
		if err != nil || now.Deleted() || now.Disabled && after != nil {
			continue // nothing that this plan changes
		}
		loss := "does not have it any more, which counts as deleted"
		if after != nil {
			loss = "disables it"
		}
		p.diags.AddAttributeWarning(path.Root(side.attribute), "Account Is Lost", fmt.Sprintf(
			"The mapping of %s is that of the %s %s of connection %q, and the connection's new accounts file %s. "+
				"The mapping stays, but with the upload its sessions end, and nobody signs in through it.\n\n"+
				"If the person has left, %s as well. If not, bring the account back in the file, under the same id: another id is another account.\n\nCode: %s",
			stored.Label(), side.what, now.Label(), in.Name, loss, p.wayToRemove(), side.code))
	}
}

// wayToRemove says what to do in the configuration for the mapping to go.
func (p *userMappingPlan) wayToRemove() string {
	if p.entry != "" {
		return "take this entry out"
	}
	return "remove this resource"
}

// foreseeLostEmail warns where the mail account stays, in a directory that knows every address, and is not to have the email
// any more.
func (p *userMappingPlan) foreseeLostEmail(ctx context.Context, stored idmap.UserMapping) {
	after, in := p.walk.pendingAccount(stored.Source)
	if after == nil || !in.Authoritative || stored.EmailSource == idmap.EmailFromUsername || slices.Contains(after.AddressKeys(), stored.EmailCanonical) {
		return // an email that follows the username goes where that goes
	}
	now, err := p.accountNow(ctx, stored.Source)
	if err != nil && !idmap.IsNotFound(err) {
		p.report(err)
	}
	if err != nil || !slices.Contains(now.AddressKeys(), stored.EmailCanonical) {
		return // nothing that this plan changes
	}
	p.diags.AddAttributeWarning(path.Root("email"), "Email Is Lost", fmt.Sprintf(
		"The new accounts file of connection %q does not give %s the address %s any more. The mapping of %s keeps it, and could not be made anew.\n\n"+
			"Give the mapping an address that the account has. If the address is to stay, add it to the account's aliases in the file.\n\nCode: %s",
		in.Name, now.Label(), stored.Email, stored.Label(), idmap.CodeUnknownEmail))
}
