package backend_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// Jane Doe marries. Both directories rename her, and each is imported for itself.

// janesMailbox is the directory of the mail connection, in which Jane has one more address.
func janesMailbox(address string) []idmap.Account {
	return edited(rulestest.Mail, "m-jane", func(a *idmap.Account) {
		a.Aliases = append([]string{address}, a.Aliases...)
	})
}

// entriesOf counts the audit entries of a mapping.
func entriesOf(t *testing.T, b *backend.Backend, id string) int {
	t.Helper()
	return len(actionsOn(t, b, "user_mapping", id))
}

func TestRenameInBothDirectories(t *testing.T) {
	t.Parallel()
	mail := func(t *testing.T, b *backend.Backend) idmap.ImportReport {
		t.Helper()
		return importAccounts(t, b, rulestest.Mail, janesMailbox("jsmith@contoso.com"))
	}
	app := func(t *testing.T, b *backend.Backend) idmap.ImportReport {
		t.Helper()
		return renamed(t, b, "u-jane", "JSMITH")
	}
	for name, order := range map[string][]func(*testing.T, *backend.Backend) idmap.ImportReport{
		"the mail directory first": {mail, app}, "the application's directory first": {app, mail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			staged(t, func(t *testing.T, b *backend.Backend) {
				m := create(t, b, rulestest.Mapping("", "JDOE"))
				order[0](t, b)
				report := order[1](t, b)
				entry, before, after := lastEntry(t, b, m.ID)
				if entry.Action != "update" || before.Label() != "JDOE@contoso.com ↔ JDOE" || after.Label() != "JSMITH@contoso.com ↔ JSMITH" {
					t.Errorf("%s: %s, then %s: %s", entry.Action, before.Label(), after.Label(), idmap.Sentences(report.Warnings))
				}
				if now := reread(t, b, m.ID); now.RenamedTo != "" || now.Source.AccountID() != "m-jane" || now.Destination.AccountID() != "u-jane" {
					t.Errorf("the mapping is %+v", now)
				}
				wantWords(t, entry.Reason, `followed the directory of connection "Sales"`, `"JSMITH"`)
			})
		})
	}
}

// TestRefusedRenameIsJudgedAgain: by every import and by a change of its own mailbox, and the audit tells of it once.
func TestRefusedRenameIsJudgedAgain(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		renamed(t, b, "u-jane", "JSMITH")
		entries := entriesOf(t, b, m.ID)
		if entry, _, _ := lastEntry(t, b, m.ID); entry.Action != "refuse" {
			t.Fatalf("the audit has %s", entry.Action)
		}
		for _, again := range []func() idmap.ImportReport{
			func() idmap.ImportReport { return renamed(t, b, "u-jane", "JSMITH") },
			func() idmap.ImportReport {
				return importAccounts(t, b, rulestest.Mail, rulestest.Accounts()[rulestest.Mail])
			},
		} {
			report := again()
			if codes := rulestest.CodesOf(report.Warnings); !slices.Contains(codes, idmap.CodeUnknownEmail) || slices.Contains(codes, idmap.CodeAccountMismatch) {
				t.Errorf("the import warned of %v", codes)
			}
			wantWords(t, idmap.Sentences(report.Warnings), `called "JSMITH" now`, "The next import of either directory tries again")
		}
		if n := entriesOf(t, b, m.ID); n != entries {
			t.Errorf("the audit has %d entries, want the %d of before", n, entries)
		}
		if now := reread(t, b, m.ID); now.RenamedTo != "JSMITH" || now.UserID != "JDOE" {
			t.Errorf("the mapping is %+v", now)
		}
		jane := janesMailbox("jsmith@contoso.com")[0]
		if _, _, err := b.PutAccount(t.Context(), admin, rulestest.Mail, jane, 0); err != nil {
			t.Fatal(err)
		}
		entry, _, after := lastEntry(t, b, m.ID)
		if entry.Action != "update" || after.Label() != "JSMITH@contoso.com ↔ JSMITH" {
			t.Errorf("%s: %s", entry.Action, after.Label())
		}
		wantWords(t, entry.Reason, `the directory of connection "Contoso Mail" allows it now`)
	})
}

// TestNewReasonIsAudited: of a mailbox that changed, and is still not enough.
func TestNewReasonIsAudited(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		renamed(t, b, "u-jane", "JSMITH")
		entries := entriesOf(t, b, m.ID)
		importAccounts(t, b, rulestest.Mail, janesMailbox("j.smith@contoso.com"))
		if entry, _, _ := lastEntry(t, b, m.ID); entry.Action != "refuse" || entriesOf(t, b, m.ID) != entries+1 {
			t.Errorf("the audit has %d entries, the last %s", entriesOf(t, b, m.ID), entry.Action)
		}
	})
}

// TestMappingAheadOfItsDirectoryStays: a directory that may lack somebody does not take a name back.
func TestMappingAheadOfItsDirectoryStays(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := []idmap.Account{{ID: "7", Username: "ann"}}
		importAccounts(t, b, rulestest.App, ann)
		m := create(t, b, open("ann@example.com", "ann"))
		if err := update(t, b, m.ID, func(m *idmap.UserMapping) { m.UserID = "ann.b" }); err != nil {
			t.Fatal(err)
		}
		importAccounts(t, b, rulestest.App, ann)
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "o-1", Email: "ann@example.com"}})
		if now := reread(t, b, m.ID); now.UserID != "ann.b" || now.RenamedTo != "" {
			t.Errorf("the mapping is %+v", now)
		}
	})
}

// TestRenamedToIsReadEverywhere: and cannot be written.
func TestRenamedToIsReadEverywhere(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		other := create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		renamed(t, b, "u-jane", "JSMITH")
		found, _, err := b.LookupUserMappings(t.Context(), []idmap.UserMappingKey{{ID: m.ID}, {ID: "none"}, {ID: other.ID}}, nil)
		if err != nil || found[0].RenamedTo != "JSMITH" || found[1] != nil || found[2].RenamedTo != "" {
			t.Errorf("looked up: %v, %v", found, err)
		}
		listed, err := b.UserMappings(t.Context(), idmap.UserMappingFilter{UserKey: "jdoe"}, idmap.Page{Limit: 10})
		if err != nil || len(listed.Items) != 1 || listed.Items[0].RenamedTo != "JSMITH" {
			t.Errorf("listed: %v, %v", listed, err)
		}
		written, err := b.UpdateUserMapping(t.Context(), admin, other.ID, 0, func(m idmap.UserMapping) (idmap.UserMapping, error) {
			m.Email, m.RenamedTo = "JOHN.ROE@contoso.com", "EVE"
			return m, nil
		})
		if err != nil || written.UserMapping.RenamedTo != "" {
			t.Errorf("written: %v, %v", written.UserMapping, err)
		}
	})
}

// TestRenameInBothDirectoriesAtOnce: as Terraform uploads the files of two connections.
func TestRenameInBothDirectoriesAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		renamed(t, b, "u-john", "john.roe")
		other := create(t, b, rulestest.Mapping("", "john.roe"))
		renamed(t, b, "u-john", "JROE") // which John's mapping cannot follow, so each import wants the other connection
		uploads := map[string][]idmap.Account{
			rulestest.Mail:  janesMailbox("jsmith@contoso.com"),
			rulestest.Sales: edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username = "JSMITH" }),
		}
		var all sync.WaitGroup
		for connection, accounts := range uploads {
			all.Go(func() {
				file := backend.Import[idmap.Account]{Rows: accounts, SHA256: "at once"}
				if _, err := b.ImportAccounts(t.Context(), admin, connection, file); err != nil {
					t.Errorf("%s: %v", connection, err)
				}
			})
		}
		all.Wait()
		if now := reread(t, b, m.ID); now.Label() != "JSMITH@contoso.com ↔ JSMITH" {
			t.Errorf("the mapping is %s", now.Label())
		}
		if now := reread(t, b, other.ID); now.RenamedTo != "JROE" {
			t.Errorf("John's mapping is %+v", now)
		}
	})
}
