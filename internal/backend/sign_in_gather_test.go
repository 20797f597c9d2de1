package backend_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// TestMappingThatARenameLeftBehind: a user whose mapping could not follow the directory is still judged by the accounts
// that the mapping is bound to, under the old name and under the new one.
func TestMappingThatARenameLeftBehind(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		m := create(t, b, rulestest.Mapping("", "JDOE"))
		renamed(t, b, "u-jane", "JSMITH") // whose address would be jsmith@contoso.com, which is nobody's
		if behind := reread(t, b, m.ID); behind.UserID != "JDOE" || behind.RenamedTo != "JSMITH" {
			t.Fatalf("the mapping is %s, and not behind", text(t, behind))
		}
		if answer := admitted(t, b, attempt(rulestest.Mapping("jane.doe@contoso.com", "JSMITH"), "")); answer.UserMapping.ID != m.ID {
			t.Errorf("got %s, want the mapping of the account", text(t, answer))
		}
		denied(t, b, attempt(rulestest.Mapping("john.roe@contoso.com", "JSMITH"), ""), idmap.CodeAccountRepointed)
		// The directory does not tie the address of the mapping to its mailbox any more.
		importAccounts(t, b, rulestest.Mail, edited(rulestest.Mail, "m-jane", func(a *idmap.Account) { a.Disabled, a.Aliases = true, nil }))
		for _, user := range []string{"JDOE", "JSMITH"} {
			denied(t, b, attempt(rulestest.Mapping("jdoe@contoso.com", user), ""), idmap.CodeMailboxDisabled)
		}
	})
}

// TestRenamedUserIsDisabled: whoever is called JDOE now is nobody; the mapping knows which account that was.
func TestRenamedUserIsDisabled(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		create(t, b, rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
		importAccounts(t, b, rulestest.Sales, edited(rulestest.Sales, "u-jane", func(a *idmap.Account) { a.Username, a.Disabled = "JSMITH", true }))
		for _, user := range []string{"JDOE", "JSMITH"} {
			denied(t, b, attempt(rulestest.Mapping("jane.doe@contoso.com", user), ""), idmap.CodeUserCannotSignIn)
		}
	})
}

// remade is a store in which, in the first few transactions, a mapping is deleted and comes back as another one after it
// was read. Only PostgreSQL lets anybody write there.
type remade struct {
	store.Store

	left  *atomic.Int64
	again func()
}

func (s remade) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(remadeTx{tx, s, &sync.Once{}}) })
}

type remadeTx struct {
	store.Tx

	s    remade
	once *sync.Once
}

func (tx remadeTx) UserMappingsOf(ctx context.Context, connectionID string, keys store.DirectoryKeys) ([]store.UserMapping, error) {
	found, err := tx.Tx.UserMappingsOf(ctx, connectionID, keys)
	tx.once.Do(func() {
		if tx.s.left.Add(-1) >= 0 {
			tx.s.again()
		}
	})
	return found, err
}

// TestNobodyIsDeniedBetweenTwoMappings: a mapping that is gone and the one that came for it are two of the same user only
// for who reads one before and the other after. Each lane meets that once.
func TestNobodyIsDeniedBetweenTwoMappings(t *testing.T) {
	t.Parallel()
	s := acctest.OpenPostgres(t)
	other := backend.New(s, backend.Options{})
	acctest.Stage(t, other, admin)
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	ids := []string{create(t, other, jane).ID}
	var left atomic.Int64
	left.Store(2)
	b := backend.New(remade{s, &left, func() {
		remove(t, other, ids[len(ids)-1])
		ids = append(ids, create(t, other, jane).ID)
	}}, backend.Options{})
	alias := attempt(rulestest.Mapping("jane.smith@contoso.com", "JDOE"), "") // of what is as it is mapped, less is read
	if answer := admitted(t, b, alias); len(ids) != 3 || answer.UserMapping.ID != ids[2] {
		t.Errorf("let in through %s, want the last of %v", answer.UserMapping.ID, ids)
	}
	if n := len(history(t, other, idmap.SignInFilter{})); n != 1 {
		t.Errorf("the history has %d entries, want 1", n)
	}
}
