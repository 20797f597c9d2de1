package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type sessionCommands struct {
	List   sessionListCommand   `cmd:"" help:"List who is signed in to a connection, since when and how often."`
	Revoke sessionRevokeCommand `cmd:"" help:"Revoke a session, those of a user, or all of a connection."`
}

type sessionListCommand struct {
	target
	Connection given `required:"" placeholder:"NAME" help:"Name or id of the application connection, or of the mail connection."`
	User       given `placeholder:"USER_ID" help:"Only the sessions of this user."`
	Email      given `placeholder:"ADDRESS" help:"Only the sessions of this mailbox."`
}

// Run prints a table, a session on each line.
func (c sessionListCommand) Run(ctx context.Context, p *Program) error {
	return c.withExisting(ctx, p, func(api *client.Client) error {
		_, filter, err := sessionsOf(ctx, api, c.Connection, c.User, c.Email)
		if err != nil {
			return err
		}
		names, err := namesOfConnections(ctx, api)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.Stdout, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "ID\tUSER\tEMAIL\tCLIENT\tMAIL CONNECTION\tAPPLICATION\tFIRST USED\tLAST USED\tSIGN-INS")
		for s, err := range api.Sessions(ctx, filter) {
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", s.ID, s.UserID, s.Email, s.Client,
				names[s.Source.Connection.ID], names[s.Destination.Connection.ID], timeOf(&s.FirstUsedOn), timeOf(&s.LastUsedOn), s.UseCount)
		}
		return table.Flush()
	})
}

// namesOfConnections returns the names by id: a user who comes from two mail connections has sessions that differ in
// nothing else that people know.
func namesOfConnections(ctx context.Context, api *client.Client) (map[string]string, error) {
	names := map[string]string{}
	for c, err := range api.Connections(ctx, client.ConnectionFilter{}) {
		if err != nil {
			return nil, err
		}
		names[c.ID] = c.Name
	}
	return names, nil
}

type sessionRevokeCommand struct {
	target
	Connection given `xor:"sessions" placeholder:"NAME" help:"Name or id of the application connection, or of the mail connection."`
	User       given `xor:"user" placeholder:"USER_ID" help:"Only the sessions of this user."`
	Email      given `xor:"email" placeholder:"ADDRESS" help:"Only the sessions of this mailbox."`
	ID         given `xor:"sessions,user,email" placeholder:"SESSION" help:"One session, by its id, as session list shows it."`
}

// Help is what the help of the command says beyond its flags.
func (sessionRevokeCommand) Help() string {
	return "Give --connection, alone or with --user or --email, or give --id. A user whose session is revoked may sign in again. To keep somebody out, disable the account in the directory of the " +
		"application connection, or set sign_in_mapping = \"require\" on the connection and delete the mapping. " +
		"On a server it takes a token with the scope write."
}

// Run says how many sessions there were: none may mean that the wrong user was named.
func (c sessionRevokeCommand) Run(ctx context.Context, p *Program) error {
	if c.Connection == "" && c.ID == "" {
		return usagef("nothing says which sessions are meant; give --connection, alone or with --user or --email, or give --id")
	}
	return c.withExisting(ctx, p, func(api *client.Client) error {
		if c.ID != "" {
			return c.revokeOne(ctx, p, api)
		}
		connection, filter, err := sessionsOf(ctx, api, c.Connection, c.User, c.Email)
		if err != nil {
			return err
		}
		count, err := api.RevokeSessions(ctx, filter)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Revoked %s of the connection %q%s", sessionCount(count), connection.Name, c.filtered())
		if count == 0 {
			fmt.Fprintf(p.Stdout, ": nothing matched. `%s session list` shows who is signed in", name)
		}
		fmt.Fprintln(p.Stdout, ".")
		return nil
	})
}

// filtered repeats what narrows the sessions of the connection down.
func (c sessionRevokeCommand) filtered() string {
	words := ""
	if c.User != "" {
		words += fmt.Sprintf(", user %q", c.User)
	}
	if c.Email != "" {
		words += fmt.Sprintf(", email %q", c.Email)
	}
	return words
}

// revokeOne looks the session up first: a wrong id must not look like a session that was revoked.
func (c sessionRevokeCommand) revokeOne(ctx context.Context, p *Program, api *client.Client) error {
	session, err := api.Session(ctx, string(c.ID))
	if idmap.IsNotFound(err) {
		return fmt.Errorf("there is no session with the id %q, or it is over; `%s session list` shows those that are not", c.ID, name)
	}
	if err != nil {
		return err
	}
	if err := api.RevokeSession(ctx, session.ID); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Revoked 1 session, that of %s (id %s).\n", session.UserID, session.ID)
	return nil
}

func sessionCount(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// sessionsOf returns the filter that selects the sessions of a connection or, where given, of one user or mailbox.
func sessionsOf(ctx context.Context, api *client.Client, named, user, email given) (idmap.Connection, idmap.SessionFilter, error) {
	filter := idmap.SessionFilter{UserKey: idmap.Fold(string(user))}
	if email != "" {
		key, err := idmap.CanonicalEmail(string(email))
		if err != nil {
			return idmap.Connection{}, filter, usagef("--email %q is no address: %w; give it an address such as alice@example.com", email, err)
		}
		filter.EmailKey = key
	}
	connection, err := connectionOf(ctx, api, named)
	filter.ConnectionID = connection.ID
	return connection, filter, err
}
