package backend_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// staged runs a test on both engines, in the world of the rules' cases.
func staged(t *testing.T, test func(t *testing.T, b *backend.Backend)) {
	t.Helper()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		b := backend.New(open(t), backend.Options{})
		acctest.Stage(t, b, admin)
		test(t, b)
	})
}

func importAccounts(t *testing.T, b *backend.Backend, connection string, accounts []idmap.Account) idmap.ImportReport {
	t.Helper()
	report, err := b.ImportAccounts(t.Context(), admin, connection, backend.Import[idmap.Account]{Rows: accounts, SHA256: "again"})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// edited returns the accounts of a connection of the world with one of them changed.
func edited(connection, id string, edit func(*idmap.Account)) []idmap.Account {
	accounts := slices.Clone(rulestest.Accounts()[connection])
	for i := range accounts {
		if accounts[i].ID == id {
			edit(&accounts[i])
		}
	}
	return accounts
}

func reread(t *testing.T, b *backend.Backend, id string) idmap.UserMapping {
	t.Helper()
	m, err := b.UserMapping(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantCode(t *testing.T, err error, code idmap.Code) {
	t.Helper()
	if !slices.Contains(rulestest.CodesOf(idmap.ViolationsOf(err)), code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestMappingsFollowRenames(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		follows := create(t, b, rulestest.Mapping("", "JDOE"))
		explicit := create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		accounts := edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username = "JANE.SMITH" })
		for i := range accounts {
			if accounts[i].ID == "u-john" {
				accounts[i].Username = "JOHNNY"
			}
		}
		report := importAccounts(t, b, rulestest.Sales, accounts)

		m := reread(t, b, follows.ID)
		if m.UserID != "JANE.SMITH" || m.EmailCanonical != "jane.smith@contoso.com" || m.Revision != 2 || m.Destination.AccountID() != "u-jane" {
			t.Errorf("the email did not follow the username: %+v", m)
		}
		m = reread(t, b, explicit.ID)
		if m.UserID != "JOHNNY" || m.EmailCanonical != "john.roe@contoso.com" {
			t.Errorf("an explicit email must stay and its user id follow: %+v", m)
		}
		if codes := rulestest.CodesOf(report.Warnings); !slices.Contains(codes, idmap.CodeOptedOut) {
			t.Errorf("the import warned of %v, want opted_out among it", codes)
		}
		// The old name is free for the next account, and the next account does not get the mapping.
		wantCode(t, update(t, b, follows.ID, func(m *idmap.UserMapping) { m.UserID = "JDOE" }), idmap.CodeUnknownUserID)
	})
}

func update(t *testing.T, b *backend.Backend, id string, edit func(*idmap.UserMapping)) error {
	t.Helper()
	_, err := b.UpdateUserMapping(t.Context(), admin, id, 0, func(m idmap.UserMapping) (idmap.UserMapping, error) {
		edit(&m)
		return m, nil
	})
	return err
}

func TestRenameThatTheRulesRefuseIsReported(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		follows := create(t, b, rulestest.Mapping("", "JDOE"))
		report := importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username = "john.roe" }))
		if m := reread(t, b, follows.ID); m.UserID != "JDOE" || m.EmailCanonical != "jdoe@contoso.com" {
			t.Errorf("the mapping took somebody else's address: %+v", m)
		}
		if codes := rulestest.CodesOf(report.Warnings); !slices.Contains(codes, idmap.CodeAccountRepointed) {
			t.Errorf("the import warned of %v, want account_repointed among it", codes)
		}
	})
}

func TestMappingsAreBoundWhenTheDirectoryLearns(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", "ann"))
		importAccounts(t, b, rulestest.OpenMail, []idmap.Account{{ID: "x1", Email: "Ann@example.com", Aliases: []string{"ann.b@example.com"}}})
		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "x2", Username: "ANN"}})
		bound := reread(t, b, m.ID)
		if bound.Source.AccountID() != "x1" || bound.Destination.AccountID() != "x2" || bound.Revision != m.Revision {
			t.Errorf("got %+v, want it bound to x1 and x2, at the same revision", bound)
		}
		if err := update(t, b, m.ID, func(m *idmap.UserMapping) { m.Email = "ann.b@example.com" }); err != nil {
			t.Errorf("a rename that the directory now proves: %v", err)
		}
		importAccounts(t, b, rulestest.App, []idmap.Account{{ID: "x2", Username: "ANN"}, {ID: "x3", Username: "bob"}})
		wantCode(t, update(t, b, m.ID, func(m *idmap.UserMapping) { m.UserID = "bob" }), idmap.CodeAccountRepointed)
	})
}

func TestAddressOutlivesItsHolder(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		// Lea was never mapped. She leaves, and a new colleague gets her address in the directory.
		accounts := edited(rulestest.Mail, "m-john", func(a *idmap.Account) { a.Aliases = append(a.Aliases, "lea.ver@contoso.com") })
		accounts = slices.DeleteFunc(accounts, func(a idmap.Account) bool { return a.ID == "m-lea" })
		report := importAccounts(t, b, rulestest.Mail, accounts)
		if report.Deleted != 1 || !slices.Contains(rulestest.CodesOf(report.Warnings), idmap.CodeEmailPreviouslyAssigned) {
			t.Errorf("the import does not warn of the reused address: %+v", report)
		}
		_, err := b.CreateUserMapping(t.Context(), admin, rulestest.Mapping("lea.ver@contoso.com", "JROE"))
		wantCode(t, err, idmap.CodeEmailPreviouslyAssigned)

		conflict := idmap.ViolationsOf(err)[0].Conflict
		if conflict == nil || !conflict.Releasable || !strings.Contains(conflict.Holder, "Lea") {
			t.Fatalf("the refusal does not name the holder: %+v", conflict)
		}
		if _, err := b.ReleaseEmail(t.Context(), admin, conflict.ID, "Lea agreed"); err != nil {
			t.Fatal(err)
		}
		create(t, b, rulestest.Mapping("lea.ver@contoso.com", "JROE"))
	})
}

func TestProposedDirectories(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		wanted := rulestest.Between(rulestest.Mail, "pod-2", "jane.doe@contoso.com", "JDOE2")
		pod := idmap.Connection{ID: "pod-2", Name: "Pod 2", Platform: idmap.PlatformRef{ID: "dynamics_crm"}, Authoritative: true}
		judge := func(accounts ...idmap.Account) idmap.UserMappingVerdict {
			t.Helper()
			v, err := b.ValidateUserMappings(t.Context(), admin, []idmap.UserMappingIntent{{Operation: idmap.OperationCreate, UserMapping: &wanted}},
				[]idmap.ProposedDirectory{{Connection: pod, Accounts: &accounts}})
			if err != nil {
				t.Fatal(err)
			}
			return v[0]
		}
		rulestest.Check(t, rulestest.Case{Refused: []idmap.Code{idmap.CodeUnknownUserID}}, judge())
		rulestest.Check(t, rulestest.Case{Refused: []idmap.Code{idmap.CodeUserCannotSignIn}}, judge(idmap.Account{ID: "p1", Username: "jdoe2"}))
		rulestest.Check(t, rulestest.Case{}, judge(idmap.Account{ID: "p1", Username: "jdoe2", UserType: idmap.UserTypeFull}))
		if _, err := b.Connection(t.Context(), "pod-2"); !idmap.IsNotFound(err) {
			t.Errorf("validating stored the proposal: %v", err)
		}
	})
}

func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		const clients = 16
		var won, refused atomic.Int32
		var wait sync.WaitGroup
		for i := range clients {
			wait.Go(func() {
				_, err := b.CreateUserMapping(t.Context(), admin, rulestest.Between(rulestest.OpenMail, rulestest.App, "one@example.com", fmt.Sprint("user", i)))
				switch {
				case err == nil:
					won.Add(1)
				case slices.Contains(rulestest.CodesOf(idmap.ViolationsOf(err)), idmap.CodeEmailInUse):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 || refused.Load() != clients-1 {
			t.Errorf("%d won and %d were refused in the words of the rule, want 1 and %d", won.Load(), refused.Load(), clients-1)
		}
	})
}

func TestOneKeyManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		call := admin
		call.IdempotencyKey = "the same"
		ids := make([]string, 8)
		var wait sync.WaitGroup
		for i := range ids {
			wait.Go(func() {
				v, err := b.CreateUserMapping(t.Context(), call, rulestest.Between(rulestest.OpenMail, rulestest.App, "one@example.com", "one"))
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = v.UserMapping.ID
			})
		}
		wait.Wait()
		if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 1 {
			t.Errorf("one key made several mappings: %v", ids)
		}
	})
}

func TestIdempotencyKeyExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := backend.New(acctest.OpenSQLite(t), backend.Options{Clock: func() time.Time { return now }})
	acctest.Stage(t, b, admin)
	call := admin
	call.IdempotencyKey = "k"
	open := rulestest.Between(rulestest.OpenMail, rulestest.App, "one@example.com", "one")
	if _, err := b.CreateUserMapping(t.Context(), call, open); err != nil {
		t.Fatal(err)
	}
	now = now.Add(23 * time.Hour)
	if _, err := b.CreateUserMapping(t.Context(), call, open); err != nil {
		t.Errorf("within a day the key repeats: %v", err)
	}
	now = now.Add(2 * time.Hour)
	_, err := b.CreateUserMapping(t.Context(), call, open)
	wantCode(t, err, idmap.CodeEmailInUse)
}

func TestExchangeInOneBatch(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		jane, john := create(t, b, rulestest.Mapping("jane.doe@contoso.com", "JDOE")), create(t, b, rulestest.Mapping("john.roe@contoso.com", "JROE"))
		importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username = "TMP" }))
		if m := reread(t, b, jane.ID); m.UserID != "TMP" {
			t.Fatalf("got %+v", m)
		}
		// Both accounts change their names for each other's in one file: both mappings follow in one transaction.
		accounts := edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username = "JROE" })
		for i := range accounts {
			if accounts[i].ID == "u-john" {
				accounts[i].Username = "TMP"
			}
		}
		report := importAccounts(t, b, rulestest.Sales, accounts)
		m, n := reread(t, b, jane.ID), reread(t, b, john.ID)
		if m.UserID != "JROE" || m.Destination.AccountID() != "u-jane" || n.UserID != "TMP" || n.Destination.AccountID() != "u-john" {
			t.Errorf("got %+v and %+v (%v)", m, n, report.Warnings)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		first, err := b.FirstToken(t.Context())
		if err != nil || first == nil || !first.Allows(idmap.ScopeAdmin) {
			t.Fatalf("got %v, %v, want an administrator's token", first, err)
		}
		if again, err := b.FirstToken(t.Context()); err != nil || again != nil {
			t.Errorf("a second first token: %v, %v", again, err)
		}
		if got, err := b.Authenticate(t.Context(), first.Secret); err != nil || got.ID != first.ID || got.Secret != "" {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = b.Authenticate(t.Context(), first.Secret+"x")
		var refused *idmap.Error
		if !errors.As(err, &refused) || refused.Kind != idmap.KindUnauthorized {
			t.Errorf("got %v, want unauthorized", err)
		}
		audit, err := b.Audit(t.Context(), idmap.AuditFilter{Kind: "token"}, idmap.Page{Limit: 10})
		if err != nil || len(audit.Items) != 1 || strings.Contains(text(t, audit), first.Secret) {
			t.Errorf("the audit of a token: %+v, %v", audit, err)
		}
	})
}

// TestDirectoryAndMappingAtOnce: whichever of the two comes first, the mapping ends up bound to the account.
func TestDirectoryAndMappingAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		for i := range 15 {
			email, id := fmt.Sprintf("late%d@example.com", i), fmt.Sprint("late", i)
			var wait sync.WaitGroup
			wait.Go(func() {
				if _, _, err := b.PutAccount(t.Context(), admin, rulestest.OpenMail, idmap.Account{ID: id, Email: email}, 0); err != nil {
					t.Error(err)
				}
			})
			m := create(t, b, rulestest.Between(rulestest.OpenMail, rulestest.App, email, id))
			wait.Wait()
			if got := reread(t, b, m.ID).Source.AccountID(); got != id {
				t.Fatalf("the mapping of %s is bound to %q", email, got)
			}
		}
	})
}
