package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// foreseeLoss warns where a new directory takes one of the two accounts away from a mapping that stays: the file does not
// have it any more, or disables it. The rules let the mapping be, since both may be restored, but nobody signs in through
// it meanwhile.
func (p *userMappingPlan) foreseeLoss(ctx context.Context, stored idmap.UserMapping) {
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
		now, err := p.walk.client.Account(ctx, side.end.Connection.ID, side.end.AccountID())
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
				"If the person has left, remove this resource as well. If not, bring the account back in the file, under the same id: another id is another account.\n\nCode: %s",
			stored.Label(), side.what, now.Label(), in.Name, loss, side.code))
	}
}
