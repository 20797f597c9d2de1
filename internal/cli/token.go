package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type tokenCommands struct {
	Create tokenCreateCommand `cmd:"" help:"Create a token, and print its secret."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke a token at once."`
}

type tokenCreateCommand struct {
	target
	Name      string        `required:"" placeholder:"NAME" help:"Who will use the token. It stands in the audit log."`
	Scope     []idmap.Scope `default:"write" enum:"sign_in,read,write,admin" placeholder:"SCOPE" help:"What the token allows: sign_in (an integration signs users in and out, and does nothing else), read, write (and read) or admin (everything). Default: ${default}, which Terraform needs."`
	ExpiresIn time.Duration `placeholder:"DURATION" help:"How long the token is valid, such as 720h. Default: until it is revoked."`
}

// Run prints the secret alone on standard output, for scripts, and what it is on standard error.
func (c tokenCreateCommand) Run(ctx context.Context, p *Program) error {
	token := idmap.Token{Name: c.Name, Scopes: c.Scope}
	switch {
	case idmap.Fold(c.Name) == "":
		return usagef("--name is empty; give the token the name of who will use it")
	case c.ExpiresIn < 0:
		return usagef("--expires-in is %s; it must be a duration above zero, such as 720h", c.ExpiresIn)
	case c.ExpiresIn > 0:
		expires := time.Now().Add(c.ExpiresIn).UTC()
		token.ExpiresOn = &expires
	}
	return c.with(ctx, p, func(api *client.Client) error {
		made, err := api.CreateToken(ctx, token)
		if err != nil {
			return err
		}
		fmt.Fprintln(p.Stdout, made.Secret)
		fmt.Fprintf(p.Stderr, "Created token %q (id %s, scopes %s, expires: %s). Its secret is on standard output and is not shown again.\n",
			made.Name, made.ID, scopesOf(made), timeOf(made.ExpiresOn))
		return nil
	})
}

type tokenListCommand struct{ target }

// Run prints a table, a token on each line.
func (c tokenListCommand) Run(ctx context.Context, p *Program) error {
	return c.withExisting(ctx, p, func(api *client.Client) error {
		table := tabwriter.NewWriter(p.Stdout, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tSCOPES\tCREATED\tEXPIRES")
		now := time.Now()
		for t, err := range api.Tokens(ctx) {
			if err != nil {
				return err
			}
			expires := timeOf(t.ExpiresOn)
			if t.Expired(now) {
				expires += " (expired)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, scopesOf(t), timeOf(t.CreatedOn), expires)
		}
		return table.Flush()
	})
}

type tokenRevokeCommand struct {
	target
	ID string `arg:"" help:"Id of the token, as token list shows it."`
}

// Run looks the token up first: a wrong id must not look like a token that was revoked.
func (c tokenRevokeCommand) Run(ctx context.Context, p *Program) error {
	return c.withExisting(ctx, p, func(api *client.Client) error {
		token, err := tokenOf(ctx, api, c.ID)
		if err != nil {
			return err
		}
		if err := api.DeleteToken(ctx, token.ID); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Revoked token %q (id %s).\n", token.Name, token.ID)
		return nil
	})
}

func tokenOf(ctx context.Context, api *client.Client, id string) (idmap.Token, error) {
	for t, err := range api.Tokens(ctx) {
		if err != nil || t.ID == id {
			return t, err
		}
	}
	return idmap.Token{}, fmt.Errorf("there is no token with the id %q; `%s token list` shows the ids", id, name)
}

func scopesOf(t idmap.Token) string {
	names := make([]string, 0, len(t.Scopes))
	for _, s := range idmap.Scopes() {
		if slices.Contains(t.Scopes, s) {
			names = append(names, string(s))
		}
	}
	return strings.Join(names, ",")
}

func timeOf(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
