package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type signInCommands struct {
	Diagnose diagnoseCommand `cmd:"" help:"Say why somebody can or cannot sign in, and what to do about it."`
}

type diagnoseCommand struct {
	target
	Source     given `required:"" placeholder:"NAME" help:"Name or id of the mail connection."`
	Connection given `required:"" placeholder:"NAME" help:"Name or id of the application connection."`
	Email      given `placeholder:"ADDRESS" help:"Address of the mailbox. Default: that of the user's mapping."`
	User       given `placeholder:"USER_ID" help:"User id in the application. Default: that of the mapping of the address."`
}

// Help is what the help of the command says beyond its flags.
func (diagnoseCommand) Help() string {
	return "Runs the checks of a sign-in without signing in. Give --email, --user or both. " +
		"The exit code is 1 if the sign-in would be denied. On a server it takes a token with the scope read."
}

// Run fails where the sign-in would be denied, so that a script need not read what it prints.
func (c diagnoseCommand) Run(ctx context.Context, p *Program) error {
	if c.Email == "" && c.User == "" {
		return usagef("nothing says who is meant; give --email, --user or both")
	}
	return c.withExisting(ctx, p, func(api *client.Client) error {
		request, err := c.request(ctx, api)
		if err != nil {
			return err
		}
		found, err := api.Diagnose(ctx, request)
		if err != nil {
			return err
		}
		if err := printDiagnosis(p.Stdout, found); err != nil {
			return err
		}
		if found.Outcome == idmap.OutcomeDenied {
			return errors.New("a sign-in would be denied; the checks that failed say why, and what to do about it")
		}
		return nil
	})
}

func (c diagnoseCommand) request(ctx context.Context, api *client.Client) (idmap.DiagnosisRequest, error) {
	request := idmap.DiagnosisRequest{Email: string(c.Email), UserID: string(c.User)}
	source, err := connectionOf(ctx, api, c.Source)
	if err != nil {
		return request, err
	}
	destination, err := connectionOf(ctx, api, c.Connection)
	request.Source.Connection.ID, request.Destination.Connection.ID = source.ID, destination.ID
	return request, err
}

// printDiagnosis prints the summary, then a check on each line, and below it the cure.
func printDiagnosis(to io.Writer, found idmap.Diagnosis) error {
	fmt.Fprintf(to, "%s\n\n", found.Summary)
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CHECK\tSTATUS\tFINDING")
	for _, c := range found.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.Status, c.Finding)
		if c.Cure != "" {
			fmt.Fprintf(table, "\t\tCure: %s\n", c.Cure)
		}
	}
	return table.Flush()
}
