package backend_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// TestRevokedTogether: of sessions that end in one step, some are of mappings that sign-ins made and some of mappings
// that the API made. These stay.
func TestRevokedTogether(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		removing(t, b, rulestest.App)
		managed := create(t, b, open("bob@example.com", "bob"))
		admitted(t, b, attempt(open("bob@example.com", "bob"), ""))
		made := admitted(t, b, attempt(open("ann@example.com", "ann"), "")).UserMapping
		kept := admitted(t, b, attempt(rulestest.Between(rulestest.OpenMail, rulestest.CRM, "ann@example.com", "ann"), "")).UserMapping
		if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{ConnectionID: rulestest.OpenMail}); err != nil || n != 3 {
			t.Errorf("revoked %d, %v, want 3", n, err)
		}
		if _, err := b.UserMapping(t.Context(), made.ID); !idmap.IsNotFound(err) {
			t.Errorf("the mapping that a sign-in made outlives its last session: %v", err)
		}
		reread(t, b, managed.ID)
		reread(t, b, kept.ID) // the connection keeps it
	})
}

// beforeLock is a store that lets something else happen between what is read of mappings and their lock.
type beforeLock struct {
	store.Store

	once    *sync.Once
	between func()
}

func (s beforeLock) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(beforeLockTx{tx, s}) })
}

type beforeLockTx struct {
	store.Tx

	s beforeLock
}

func (tx beforeLockTx) LockUserMappings(ctx context.Context, ids []string) error {
	tx.s.once.Do(tx.s.between)
	return tx.Tx.LockUserMappings(ctx, ids)
}

// TestRevokedWhileOthersSignIn: who comes before the mapping is locked is thrown out too, and who comes through another
// mapping, which nobody locked, stays with it.
func TestRevokedWhileOthersSignIn(t *testing.T) {
	t.Parallel()
	s := acctest.OpenPostgres(t)
	other := backend.New(s, backend.Options{})
	acctest.Stage(t, other, admin)
	removing(t, other, rulestest.App)
	ann := admitted(t, other, attempt(open("ann@example.com", "ann"), "outlook"))
	var bob idmap.SignInAnswer
	b := backend.New(beforeLock{s, &sync.Once{}, func() {
		admitted(t, other, attempt(open("ann@example.com", "ann"), "teams"))
		bob = admitted(t, other, attempt(open("bob@example.com", "bob"), ""))
	}}, backend.Options{})
	if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{ConnectionID: rulestest.App}); err != nil || n != 2 {
		t.Errorf("revoked %d, %v, want both of ann's", n, err)
	}
	if _, err := other.UserMapping(t.Context(), ann.UserMapping.ID); !idmap.IsNotFound(err) {
		t.Errorf("the mapping outlives its last session: %v", err)
	}
	if left := liveSessions(t, other); bob.Session == nil || len(left) != 1 || left[0].ID != bob.Session.ID {
		t.Errorf("the sessions %s are left, want bob's", text(t, left))
	}
}

// TestDeletingAMappingOfManySessions: all end, though not in one step; of a mapping that is gone no list shows one.
func TestDeletingAMappingOfManySessions(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, openStore func(testing.TB) store.Store) {
		const clients = 520 // more than one step
		s := openStore(t)
		b := backend.New(s, backend.Options{})
		acctest.Stage(t, b, admin)
		m := create(t, b, open("ann@example.com", "ann"))
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				if _, err := b.SignIn(t.Context(), addin, attempt(open("ann@example.com", "ann"), strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(liveSessions(t, b)); n != clients {
			t.Fatalf("there are %d sessions, want %d", n, clients)
		}
		remove(t, b, m.ID)
		err := s.Update(t.Context(), func(tx store.Tx) error {
			left, err := tx.EndSessions(t.Context(), idmap.SessionFilter{UserMappingIDs: []string{m.ID}}, clients)
			if len(left) > 0 {
				t.Errorf("%d sessions outlive their mapping", len(left))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
