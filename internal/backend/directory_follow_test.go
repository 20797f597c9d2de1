package backend_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// renamed imports the directory of Sales with another username for one of its users.
func renamed(t *testing.T, b *backend.Backend, id, username string) idmap.ImportReport {
	t.Helper()
	return importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, id, func(a *idmap.Account) { a.Username = username }))
}

// lastEntry returns the newest audit entry of a mapping, and what it says the mapping was before and after.
func lastEntry(t *testing.T, b *backend.Backend, id string) (entry idmap.AuditEntry, before, after idmap.UserMapping) {
	t.Helper()
	entries, err := b.Audit(t.Context(), idmap.AuditFilter{Kind: "user_mapping", ObjectID: id}, idmap.Page{Limit: 1})
	if err != nil || len(entries.Items) == 0 {
		t.Fatalf("the audit has nothing of %s: %v", id, err)
	}
	entry = entries.Items[0]
	for text, m := range map[*json.RawMessage]*idmap.UserMapping{&entry.Before: &before, &entry.After: &after} {
		if err := json.Unmarshal(*text, m); err != nil {
			t.Fatalf("%s: %v", entry.Action, err)
		}
	}
	return entry, before, after
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

func TestAuditOfAFollowedRename(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		renamed(t, b, "u-jane", "JANE.SMITH")
		entry, before, after := lastEntry(t, b, m.ID)
		if entry.Action != "update" || before.Label() != "JDOE@contoso.com ↔ JDOE" || after.Label() != "JANE.SMITH@contoso.com ↔ JANE.SMITH" {
			t.Errorf("%s: %s, then %s", entry.Action, before.Label(), after.Label())
		}
		wantWords(t, entry.Reason, `followed the directory of connection "Sales"`, `"JANE.SMITH"`)
		if strings.Contains(entry.Reason, "email stays") {
			t.Errorf("the email followed, and the reason is %q", entry.Reason)
		}
	})
}

func TestAuditOfAnOptOut(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		report := renamed(t, b, "u-john", "JOHNNY")
		entry, before, after := lastEntry(t, b, m.ID)
		if entry.Action != "update" || before.UserID != "JROE" || after.Label() != "john.roe@contoso.com ↔ JOHNNY" {
			t.Errorf("%s: %s, then %s", entry.Action, before.Label(), after.Label())
		}
		wantWords(t, entry.Reason, `followed the directory of connection "Sales"`, "the email stays", "given explicitly", "opted out")
		if codes := rulestest.CodesOf(report.Warnings); !slices.Equal(codes, []idmap.Code{idmap.CodeOptedOut}) {
			t.Errorf("the import warned of %v, want opted_out", codes)
		}
	})
}

// TestExplicitEmailWithNothingToFollow: where the mail connection has no domain nobody opted out of anything.
func TestExplicitEmailWithNothingToFollow(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Between(rulestest.OpenMail, rulestest.Sales, "jane@home.example", "JDOE"))
		report := renamed(t, b, "u-jane", "JSMITH")
		entry, _, after := lastEntry(t, b, m.ID)
		if after.UserID != "JSMITH" || strings.Contains(entry.Reason, "opted out") || len(report.Warnings) > 0 {
			t.Errorf("%s, %q, %v", after.Label(), entry.Reason, report.Warnings)
		}
	})
}

func TestAuditOfARenameThatIsNotFollowed(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		report := renamed(t, b, "u-jane", "john.roe") // whose address is John's
		entry, before, after := lastEntry(t, b, m.ID)
		if entry.Action != "refuse" || before.Label() != after.Label() || after.Revision != m.Revision {
			t.Errorf("%s: %s, then %s", entry.Action, before.Label(), after.Label())
		}
		wantWords(t, entry.Reason, `did not follow the directory of connection "Sales"`, `"john.roe"`, "John Roe", "never change")
		wantWords(t, idmap.Sentences(report.Warnings), "JDOE@contoso.com ↔ JDOE", `called "john.roe" now`, "John Roe")
	})
}

// TestAuditOfAPreviouslyAssignedAddress: nobody comes by a former colleague's address by a rename (S1).
func TestAuditOfAPreviouslyAssignedAddress(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		leaver := create(t, b, rulestest.Mapping("lea.ver@contoso.com", "JROE"))
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		remove(t, b, leaver.ID)
		report := renamed(t, b, "u-jane", "lea.ver")
		entry, _, after := lastEntry(t, b, m.ID)
		codes := rulestest.CodesOf(report.Warnings)
		if entry.Action != "refuse" || after.UserID != "JDOE" || !slices.Contains(codes, idmap.CodeAccountRepointed) {
			t.Errorf("%s with %v: %s", entry.Action, codes, after.Label())
		}
	})
}

// TestPutAccountIsFollowedAlike: one account, written by itself.
func TestPutAccountIsFollowedAlike(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		_, warnings, err := b.PutAccount(t.Context(), admin, rulestest.Sales, idmap.Account{ID: "u-john", Username: "JOHNNY"}, 0)
		if codes := rulestest.CodesOf(warnings); err != nil || !slices.Equal(codes, []idmap.Code{idmap.CodeOptedOut}) {
			t.Errorf("warned of %v, %v", codes, err)
		}
		entry, _, after := lastEntry(t, b, m.ID)
		if entry.Action != "update" || after.UserID != "JOHNNY" {
			t.Errorf("%s: %s", entry.Action, after.Label())
		}
	})
}

// TestFollowedEmailIsNoSecondRename: of an email that follows, nothing is said beside the user id.
func TestFollowedEmailIsNoSecondRename(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		mail, err := b.Connection(t.Context(), rulestest.OpenMail)
		if err != nil {
			t.Fatal(err)
		}
		mail.MailDomain = "example.com"
		wanted := rulestest.Between(rulestest.OpenMail, rulestest.App, "", "ann.b")
		proposed := []idmap.ProposedDirectory{{Connection: mail}}
		if _, err := b.UpdateConnection(t.Context(), admin, mail.ID, 0, func(c idmap.Connection) (idmap.Connection, error) {
			c.MailDomain = mail.MailDomain
			return c, nil
		}); err != nil {
			t.Fatal(err)
		}
		m := create(t, b, rulestest.Between(rulestest.OpenMail, rulestest.App, "", "ann"))
		intents := []idmap.UserMappingIntent{{Operation: idmap.OperationUpdate, ID: m.ID, UserMapping: &wanted}}
		verdicts, err := b.ValidateUserMappings(t.Context(), admin, intents, proposed)
		if err != nil || len(verdicts[0].Violations) != 1 || verdicts[0].Violations[0].Field != "user_id" {
			t.Fatalf("got %v, %v", verdicts, err)
		}
		wantWords(t, verdicts[0].Violations[0].Description, `Give the email "ann@example.com" explicitly`)

		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "7", Username: "ann"}})
		verdicts, err = b.ValidateUserMappings(t.Context(), admin, intents, nil)
		if err != nil || len(verdicts[0].Violations) != 1 {
			t.Fatalf("got %v, %v", verdicts, err)
		}
		wantWords(t, verdicts[0].Violations[0].Description, `calls the mapping's user "ann"`)
	})
}
