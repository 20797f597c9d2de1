package cli

import (
	"context"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

type emailCommands struct {
	Release emailReleaseCommand `cmd:"" help:"Release an address, so that its next holder may be somebody else."`
}

type emailReleaseCommand struct {
	target
	ID     string `arg:"" help:"Id of the entry of the address ledger, as the refusal says it."`
	Reason string `required:"" placeholder:"TEXT" help:"Who asked for it, and why it is safe. The audit keeps it."`
}

// Run releases one entry of the address ledger. On a server it takes a token with the scope admin.
func (c emailReleaseCommand) Run(ctx context.Context, p *Program) error {
	return c.withExisting(ctx, p, func(api *client.Client) error {
		released, err := api.ReleaseEmail(ctx, client.NewKey(), c.ID, c.Reason)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Released %s. Its history stays in the ledger (id %s).\n", released.Address, released.ID)
		return nil
	})
}
