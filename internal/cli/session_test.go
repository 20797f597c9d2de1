package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// clients are where users of Sales are signed in, as "user@client".
func (o office) clients(t *testing.T) string {
	t.Helper()
	var all []string
	for s, err := range o.Sessions(t.Context(), idmap.SessionFilter{ConnectionID: "sales"}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s.UserID+"@"+s.Client)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	one := o.signIn(t, "jane@contoso.com", "jane", "teams").Session.ID
	o.signIn(t, "bob@contoso.com", "bob", "addin")
	o.signIn(t, "zoe@contoso.com", "zoë", "addin")
	o.signIn(t, "zoe@contoso.com", "zoë", "teams")

	list := mustRun(t, o.env, "session", "list", "--connection", "Sales").stdout.String()
	wantText(t, "the list", list, "ID", "LAST USED", one, "jane@contoso.com", "zoë", "UTC")
	if lines := strings.Count(list, "\n"); lines != 6 {
		t.Errorf("%d lines, want a header and 5 sessions:\n%s", lines, list)
	}
	list = mustRun(t, o.env, "session", "list", "--connection", "contoso", "--user", "JANE").stdout.String()
	if strings.Count(list, "\n") != 3 || strings.Contains(list, "bob") {
		t.Errorf("the sessions of one user:\n%s", list)
	}

	for _, step := range []struct {
		args []string
		want string
		left string
	}{
		{[]string{"--id", one}, "Revoked 1 session, that of jane", "bob@addin jane@addin zoë@addin zoë@teams"},
		{[]string{"--connection", "Sales", "--user", "nobody"}, `Revoked 0 sessions of the connection "Sales", user "nobody": nothing matched. ` + "`terraform-provider-idmap session list`", "bob@addin jane@addin zoë@addin zoë@teams"},
		{[]string{"--connection", "Sales", "--user", "ZOË"}, `Revoked 2 sessions of the connection "Sales", user "ZOË".`, "bob@addin jane@addin"},
		{[]string{"--connection", "Contoso", "--email", "SMTP:Bob@Contoso.com"}, `Revoked 1 session of the connection "Contoso", email "SMTP:Bob@Contoso.com".`, "jane@addin"},
		{[]string{"--connection", "Sales"}, `Revoked 1 session of the connection "Sales".`, ""},
		{[]string{"--connection", "Sales"}, `Revoked 0 sessions of the connection "Sales": nothing matched.`, ""},
	} {
		p := mustRun(t, o.env, append([]string{"session", "revoke"}, step.args...)...)
		wantText(t, strings.Join(step.args, " "), p.stdout.String(), step.want)
		if left := o.clients(t); left != step.left {
			t.Errorf("%q: left are %q, want %q", step.args, left, step.left)
		}
	}
}

// A user who comes from two mail connections is there twice, and the list says why.
func TestSessionsFromTwoMailConnections(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	fabrikam := idmap.Connection{ID: "fabrikam", Name: "Fabrikam", Platform: idmap.PlatformRef{ID: "microsoft365"}}
	if _, err := o.CreateConnection(t.Context(), client.NewKey(), fabrikam); err != nil {
		t.Fatal(err)
	}
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	attempt := idmap.SignInAttempt{Email: "jane@fabrikam.com", UserID: "jane", Client: "addin"}
	attempt.Source.Connection.ID, attempt.Destination.Connection.ID = fabrikam.ID, "sales"
	if answer, err := o.SignIn(t.Context(), client.NewKey(), attempt); err != nil || answer.Session == nil {
		t.Fatalf("%v, %+v", err, answer.SignIn.Reasons)
	}
	list := strings.Join(strings.Fields(mustRun(t, o.env, "session", "list", "--connection", "Sales").stdout.String()), " ")
	wantText(t, "the list", list, "MAIL CONNECTION APPLICATION", "jane@contoso.com addin Contoso Sales", "jane@fabrikam.com addin Fabrikam Sales")
}

// A script whose variable is not set must not revoke what everybody has.
func TestSessionRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"nothing":            {nil, 2, []string{"--connection", "--id"}},
		"a user alone":       {[]string{"--user", "jane"}, 2, []string{"--connection"}},
		"an id and more":     {[]string{"--id", "x", "--connection", "Sales"}, 2, []string{"--id", "--connection", "together"}},
		"an id and a user":   {[]string{"--id", "x", "--user", "jane"}, 2, []string{"--id", "--user", "together"}},
		"empty connection":   {[]string{"--connection="}, 2, []string{"--connection", "is empty"}},
		"empty user":         {[]string{"--connection", "Sales", "--user="}, 2, []string{"--user", "is empty"}},
		"blank email":        {[]string{"--connection", "Sales", "--email", " "}, 2, []string{"--email", "is empty"}},
		"empty id":           {[]string{"--id="}, 2, []string{"--id", "is empty"}},
		"no address":         {[]string{"--connection", "Sales", "--email", "jane"}, 2, []string{"--email", "no @"}},
		"unknown connection": {[]string{"--connection", "Sails"}, 1, []string{`"Sails"`, `"Sales"`}},
		"unknown id":         {[]string{"--id", "none"}, 1, []string{`"none"`, "session list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, o.env, append([]string{"session", "revoke"}, c.args...)...)
			if p.code != c.code || p.stdout.String() != "" {
				t.Errorf("exit code %d, want %d; standard output:\n%s", p.code, c.code, &p.stdout)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ")...)
			if left := o.clients(t); left != "jane@addin" {
				t.Errorf("left are %q", left)
			}
		})
	}
}
