package backend_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// The tests of this file tell stories in which the order of events matters, which the cases of the rules cannot.

func remove(t *testing.T, b *backend.Backend, id string) {
	t.Helper()
	if err := b.DeleteUserMapping(t.Context(), admin, id, 0); err != nil {
		t.Fatal(err)
	}
}

func open(email, user string) idmap.UserMapping {
	return rulestest.Between(rulestest.OpenMail, rulestest.App, email, user)
}

func TestLedgerLearnsWhoTheUserWas(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, open("ann@example.com", "ann"))
		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "7", Username: "ann"}})
		remove(t, b, m.ID)
		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "7", Username: "ann.old"}, {ID: "8", Username: "ann"}})
		_, err := b.CreateUserMapping(t.Context(), admin, open("ann@example.com", "ann"))
		wantCode(t, err, idmap.CodeEmailPreviouslyAssigned)
		create(t, b, open("ann@example.com", "ann.old")) // the same account comes back under its new name
	})
}

func TestSpellingStaysWritable(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, open("ann@example.com", "ann"))
		entries, err := b.EmailAssignments(t.Context(), idmap.EmailAssignmentFilter{AddressKey: "ann@example.com"}, idmap.Page{Limit: 10})
		if err != nil || len(entries.Items) != 1 {
			t.Fatal(entries, err)
		}
		if _, err := b.ReleaseEmail(t.Context(), admin, entries.Items[0].ID, "a test"); err != nil {
			t.Fatal(err)
		}
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "other", Email: "someone@example.com", Aliases: []string{"ann@example.com"}}})
		if err := update(t, b, m.ID, func(m *idmap.UserMapping) { m.Email = "Ann@example.com" }); err != nil {
			t.Errorf("another spelling: %v", err)
		}
	})
}

func TestEarlierAddressAfterARename(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, open("one@example.com", "ann"))
		for _, edit := range []func(*idmap.UserMapping){
			func(m *idmap.UserMapping) { m.Email = "two@example.com" },
			func(m *idmap.UserMapping) { m.UserID = "ann.b" },
			func(m *idmap.UserMapping) { m.Email = "one@example.com" },
		} {
			if err := update(t, b, m.ID, edit); err != nil {
				t.Fatalf("the same person, step by step: %v", err)
			}
		}
	})
}

func TestRenamesFarApartInOneFile(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		people := make([]idmap.Account, 2500) // more than two chunks of an import
		for i := range people {
			people[i] = idmap.Account{ID: fmt.Sprintf("p%04d", i), Username: fmt.Sprintf("user%04d", i)}
		}
		importAccounts(t, b, rulestest.App, people)
		first, last := create(t, b, open("first@example.com", "user0000")), create(t, b, open("last@example.com", "user2499"))
		people[0].Username, people[2499].Username = people[2499].Username, people[0].Username
		report := importAccounts(t, b, rulestest.App, people)
		if m, n := reread(t, b, first.ID), reread(t, b, last.ID); m.UserID != "user2499" || n.UserID != "user0000" || len(report.Warnings) > 0 {
			t.Errorf("got %s and %s, with %v", m.Label(), n.Label(), report.Warnings)
		}
	})
}

func TestSharedAddressBindsNobody(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, open("desk@example.com", "desk"))
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{
			{ID: "1", Email: "one@example.com", Aliases: []string{"desk@example.com"}}, {ID: "2", Email: "desk@example.com"},
		})
		if got := reread(t, b, m.ID).Source.AccountID(); got != "" {
			t.Errorf("an address of two accounts bound the mapping to %q", got)
		}
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{
			{ID: "1", Email: "one@example.com", Aliases: []string{"desk@example.com"}, Name: "Desk"}, {ID: "2", Email: "two@example.com"},
		})
		if got := reread(t, b, m.ID).Source.AccountID(); got != "1" {
			t.Errorf("bound to %q, want the one account that has the address now, and had it first", got)
		}
	})
}

func TestPlanSeesNamesThatAFileSwaps(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		jane := create(t, b, rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
		create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		sales, err := b.Connection(t.Context(), rulestest.Sales)
		if err != nil {
			t.Fatal(err)
		}
		proposal := idmap.ProposedDirectory{Connection: sales, Accounts: &[]idmap.Account{{ID: "u-jane", Username: "JROE"}, {ID: "u-john", Username: "JDOE"}}}
		wanted := rulestest.Mapping("jane.doe@contoso.com", "JROE")
		intents := []idmap.UserMappingIntent{{Operation: idmap.OperationUpdate, ID: jane.ID, UserMapping: &wanted}}
		verdicts, err := b.ValidateUserMappings(t.Context(), admin, intents, []idmap.ProposedDirectory{proposal})
		if err != nil || len(verdicts[0].Violations) > 0 {
			t.Errorf("with the file that swaps their names: %v, %v", verdicts, err)
		}
		verdicts, err = b.ValidateUserMappings(t.Context(), admin, intents, nil)
		if err != nil || !slices.Contains(rulestest.CodesOf(verdicts[0].Violations), idmap.CodeAccountRepointed) {
			t.Errorf("without it the same is a repoint: %v, %v", verdicts, err)
		}
	})
}

func TestWarningsOfAnImportComeOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "1", Email: "one@example.com"}})
		report := importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "2", Email: "one@example.com"}})
		if codes := rulestest.CodesOf(report.Warnings); len(codes) != 1 || codes[0] != idmap.CodeEmailPreviouslyAssigned {
			t.Errorf("got %v", report.Warnings)
		}
	})
}

func TestMailboxStaysWithItsUserWhenItsAddressChanges(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "box", Email: "old@example.com"}})
		m := create(t, b, open("old@example.com", "ann"))
		remove(t, b, m.ID)
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "box", Email: "new@example.com"}})
		_, err := b.CreateUserMapping(t.Context(), admin, open("new@example.com", "bob"))
		wantCode(t, err, idmap.CodeEmailPreviouslyAssigned)
		create(t, b, open("new@example.com", "ann"))
	})
}

func TestUsersDoNotExchangeNamesWithoutADirectory(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		one, two := create(t, b, open("one@example.com", "ann")), create(t, b, open("two@example.com", "bob"))
		swap := func(m idmap.UserMapping, user string) idmap.UserMappingIntent {
			m.UserID = user
			return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: m.ID, UserMapping: &m}
		}
		_, err := b.ApplyUserMappings(t.Context(), admin, []idmap.UserMappingIntent{swap(one, "bob"), swap(two, "ann")})
		wantCode(t, err, idmap.CodeAccountRepointed)
	})
}

func TestPinMustOwnTheValue(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "box", Email: "box@example.com"}})
		m := create(t, b, open("ann@example.com", "ann"))
		wantCode(t, update(t, b, m.ID, func(m *idmap.UserMapping) { m.Source.Account = idmap.RefTo("box") }), idmap.CodeAccountMismatch)
		if err := update(t, b, m.ID, func(m *idmap.UserMapping) { m.Source.Account = idmap.RefTo("nobody-knows") }); err != nil {
			t.Errorf("a pin that no directory knows: %v", err)
		}
	})
}

func TestRenameThatWasRefusedIsFollowedLater(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
		rename := func(disabled bool) idmap.ImportReport {
			return importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username, a.Disabled = "JSMITH", disabled }))
		}
		if codes := rulestest.CodesOf(rename(true).Warnings); !slices.Contains(codes, idmap.CodeUserCannotSignIn) {
			t.Errorf("the import says %v, and not why the mapping was left behind", codes)
		}
		if got := reread(t, b, m.ID); got.UserID != "JDOE" {
			t.Errorf("a disabled user was followed: %+v", got)
		}
		rename(false)
		if got := reread(t, b, m.ID); got.UserID != "JSMITH" {
			t.Errorf("got %+v, want the mapping to follow now that it can", got)
		}
	})
}

// TestMappingIsNotBoundToTheNextHolder: the ledger knows whose mailbox the address was, also where the mapping was made
// while no directory did.
func TestMappingIsNotBoundToTheNextHolder(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "m1", Email: "ann@example.com"}})
		first := create(t, b, open("ann@example.com", "ann"))
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "m2", Email: "other@example.com"}})
		denied(t, b, attempt(open("ann@example.com", "ann"), ""), idmap.CodeMailboxDisabled)
		remove(t, b, first.ID)
		denied(t, b, attempt(open("ann@example.com", "ann"), ""), idmap.CodeMailboxDisabled)

		again := create(t, b, open("ann@example.com", "ann")) // an administrator may know better
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "m2", Email: "other@example.com"}, {ID: "m9", Email: "ann@example.com"}})
		if stored := reread(t, b, again.ID); stored.Source.Account != nil {
			t.Errorf("the mapping is bound to %s, whose the address never was", stored.Source.AccountID())
		}
		denied(t, b, attempt(open("ann@example.com", "ann"), ""), idmap.CodeAccountRepointed)
	})
}
