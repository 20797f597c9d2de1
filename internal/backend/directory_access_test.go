package backend_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// Jane and John are signed in, and a directory learns that one of them may not be.

func without(accounts []idmap.Account, id string) []idmap.Account {
	return slices.DeleteFunc(accounts, func(a idmap.Account) bool { return a.ID == id })
}

func TestDirectoryEndsAccess(t *testing.T) {
	t.Parallel()
	put := func(connection, id string, edit func(*idmap.Account)) func(*testing.T, *backend.Backend) {
		return func(t *testing.T, b *backend.Backend) {
			t.Helper()
			accounts := edited(connection, id, edit)
			a := accounts[slices.IndexFunc(accounts, func(a idmap.Account) bool { return a.ID == id })]
			if _, _, err := b.PutAccount(t.Context(), admin, connection, a, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	load := func(connection, id string, edit func(*idmap.Account)) func(*testing.T, *backend.Backend) {
		return func(t *testing.T, b *backend.Backend) {
			t.Helper()
			importAccounts(t, b, connection, edited(connection, id, edit))
		}
	}
	disable := func(a *idmap.Account) { a.Disabled = true }
	stub := func(a *idmap.Account) { a.UserType = idmap.UserTypeStub }
	forbid := func(a *idmap.Account) { a.SignInPermitted = new(false) }
	for name, c := range map[string]struct {
		change func(*testing.T, *backend.Backend)
		stays  bool
	}{
		"a file disables the user":                         {change: load(rulestest.Sales, "u-jane", disable)},
		"a file makes the user a stub":                     {change: load(rulestest.Sales, "u-jane", stub)},
		"a file forbids the user":                          {change: load(rulestest.Sales, "u-jane", forbid)},
		"a file disables the mailbox":                      {change: load(rulestest.Mail, "m-jane", disable)},
		"a call disables the user":                         {change: put(rulestest.Sales, "u-jane", disable)},
		"a call makes the user a stub":                     {change: put(rulestest.Sales, "u-jane", stub)},
		"a call forbids the user":                          {change: put(rulestest.Sales, "u-jane", forbid)},
		"a call disables the mailbox":                      {change: put(rulestest.Mail, "m-jane", disable)},
		"a mailbox that is forbidden what only users need": {change: load(rulestest.Mail, "m-jane", forbid), stays: true},
		"a file that changes a name":                       {change: load(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Name = "Jane D." }), stays: true},
		"a file without the user": {change: func(t *testing.T, b *backend.Backend) {
			t.Helper()
			importAccounts(t, b, rulestest.Sales, without(rulestest.Accounts()[rulestest.Sales], "u-jane"))
		}},
		"a file without the mailbox": {change: func(t *testing.T, b *backend.Backend) {
			t.Helper()
			importAccounts(t, b, rulestest.Mail, without(rulestest.Accounts()[rulestest.Mail], "m-jane"))
		}},
		"a call deletes the mailbox": {change: func(t *testing.T, b *backend.Backend) {
			t.Helper()
			if err := b.DeleteAccount(t.Context(), admin, rulestest.Mail, "m-jane", 0); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			staged(t, func(t *testing.T, b *backend.Backend) {
				jane := admitted(t, b, attempt(rulestest.Mapping("jane.doe@contoso.com", "JDOE"), "outlook"))
				john := admitted(t, b, attempt(rulestest.Mapping("john.roe@contoso.com", "JROE"), "outlook"))
				c.change(t, b)
				live := liveSessions(t, b)
				if c.stays {
					if len(live) != 2 {
						t.Errorf("the sessions are %+v", live)
					}
					return
				}
				if len(live) != 1 || live[0].ID != john.Session.ID {
					t.Errorf("the sessions are %+v, want John's", live)
				}
				audit, err := b.Audit(t.Context(), idmap.AuditFilter{Kind: "session", ObjectID: jane.Session.ID}, idmap.Page{Limit: 9})
				if err != nil || len(audit.Items) != 1 || audit.Items[0].Action != "revoke" {
					t.Fatalf("the audit has %+v, %v", audit.Items, err)
				}
				wantWords(t, audit.Items[0].Reason, "the directory of connection", "may not sign in any more")
				reread(t, b, jane.UserMapping.ID) // on_sign_out = keep
			})
		})
	}
}

// TestDirectoryEndsMappingsOfSignIns: where they go with their last session, whatever ends it.
func TestDirectoryEndsMappingsOfSignIns(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		removing(t, b, rulestest.Sales)
		made := admitted(t, b, attempt(rulestest.Mapping("jane.doe@contoso.com", "JDOE"), "outlook"))
		managed := create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		admitted(t, b, attempt(managed, "outlook"))
		accounts := edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Disabled, a.Username = true, "JSMITH" })
		importAccounts(t, b, rulestest.Sales, without(accounts, "u-john"))
		if live := liveSessions(t, b); len(live) != 0 {
			t.Errorf("the sessions are %+v", live)
		}
		if _, err := b.UserMapping(t.Context(), made.UserMapping.ID); !idmap.IsNotFound(err) {
			t.Errorf("the mapping that a sign-in made: %v", err)
		}
		reread(t, b, managed.ID)
	})
}

// TestFirstDirectoryEndsAccess: a mapping that nobody knew is bound to an account that may not sign in.
func TestFirstDirectoryEndsAccess(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		admitted(t, b, attempt(open("ann@example.com", "ann"), ""))
		bob := admitted(t, b, attempt(open("bob@example.com", "bob"), ""))
		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "1", Username: "ann", Disabled: true}, {ID: "2", Username: "bob"}})
		if live := liveSessions(t, b); len(live) != 1 || live[0].ID != bob.Session.ID {
			t.Errorf("the sessions are %+v, want Bob's", live)
		}
	})
}

// TestManyLoseAccessAtOnce: more than one step ends.
func TestManyLoseAccessAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		const n = 1200
		accounts, intents := make([]idmap.Account, n), make([]idmap.UserMappingIntent, n)
		for i := range accounts {
			name := fmt.Sprintf("u%04d", i)
			accounts[i] = idmap.Account{ID: "id-" + name, Username: name}
			m := open(name+"@example.com", name)
			intents[i] = idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m}
		}
		importAccounts(t, b, rulestest.App, accounts)
		if _, err := b.ApplyUserMappings(t.Context(), admin, intents); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			admitted(t, b, attempt(*intents[i].UserMapping, ""))
		}
		for i := 1; i < n; i++ {
			accounts[i].Disabled = true
		}
		began := time.Now()
		importAccounts(t, b, rulestest.App, accounts)
		t.Logf("%d lost access in %s", n-1, time.Since(began))
		if live := liveSessions(t, b); len(live) != 1 || live[0].UserID != "u0000" {
			t.Errorf("%d sessions are live, want that of u0000", len(live))
		}
	})
}
