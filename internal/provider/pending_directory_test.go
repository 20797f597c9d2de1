package provider

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestProposals(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	w.expect(&pendingDirectory{
		connection: idmap.Connection{ID: "mail", Name: "Mail", MailDomain: "example.com"},
		accounts: indexDirectory([]idmap.Account{
			{ID: "1", Username: "jane", Email: "jane@example.com", Aliases: []string{"SMTP:J.Doe@example.com"}},
			{ID: "2", Username: "joan", Email: "joan@example.com"},
		}, accountKeys),
		groups: indexDirectory([]idmap.Group{{ID: "g", Addresses: []string{"staff@example.com"}}}, groupKeys),
	})
	w.expect(&pendingDirectory{connection: idmap.Connection{ID: "app", Name: "App"}}) // no file: what is stored counts
	mapping := func(email, user, pin string) idmap.UserMapping {
		return idmap.UserMapping{
			Source:      idmap.MappingEnd{Connection: idmap.Ref{ID: "mail"}, Account: idmap.RefTo(pin)},
			Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: "app"}}, Email: email, UserID: user,
		}
	}
	for name, test := range map[string]struct {
		mapping          idmap.UserMapping
		accounts, groups int
	}{
		"by address":                         {mapping("JANE@example.com", "X", ""), 1, 0},
		"by alias":                           {mapping("j.doe@example.com", "X", ""), 1, 0},
		"by user id":                         {mapping("nobody@example.com", "JOAN", ""), 1, 0},
		"by pin":                             {mapping("nobody@example.com", "X", "2"), 1, 0},
		"two persons":                        {mapping("jane@example.com", "joan", ""), 2, 0},
		"one person by all":                  {mapping("jane@example.com", "jane", "1"), 1, 0},
		"by a group's address":               {mapping("Staff@example.com", "X", ""), 0, 1},
		"by an email that follows the name":  {mapping("", "J.DOE", ""), 1, 0},
		"nobody, which is an answer as well": {mapping("nobody@example.com", "X", ""), 0, 0},
	} {
		proposals := w.proposals(test.mapping)
		if len(proposals) != 2 || proposals[0].Connection.ID != "app" || proposals[1].Connection.ID != "mail" {
			t.Fatalf("%s: %+v", name, proposals)
		}
		if app := proposals[0]; app.Accounts != nil || app.Groups != nil {
			t.Errorf("%s: a connection without a file proposes to replace its directory", name)
		}
		if mail := proposals[1]; len(*mail.Accounts) != test.accounts || len(*mail.Groups) != test.groups {
			t.Errorf("%s: %d accounts and %d groups, want %d and %d", name, len(*mail.Accounts), len(*mail.Groups), test.accounts, test.groups)
		}
	}
	w.arrived("mail")
	w.arrived("app")
	if proposals := w.proposals(mapping("jane@example.com", "jane", "")); len(proposals) != 0 {
		t.Errorf("stored connections are still proposed: %+v", proposals)
	}
}
