package backend_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// interrupted is a store that lets something else happen between what a sign-in reads and the lock of its mapping. Only
// PostgreSQL lets anybody write there.
type interrupted struct {
	store.Store

	once    *sync.Once
	between func()
}

func (s interrupted) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(interruptedTx{tx, s}) })
}

type interruptedTx struct {
	store.Tx

	s interrupted
}

func (tx interruptedTx) TryLockUserMappings(ctx context.Context, ids []string) ([]store.UserMapping, error) {
	tx.s.once.Do(tx.s.between)
	return tx.Tx.TryLockUserMappings(ctx, ids)
}

// TestSignInSeesWhatIsOver: who was let in by what was read is not let in when that is over before the mapping is locked:
// whoever changed it may have revoked the sessions already.
func TestSignInSeesWhatIsOver(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	for _, c := range []struct {
		name   string
		change func(t *testing.T, b *backend.Backend, id string)
		denied idmap.Code
	}{
		{"nothing", func(*testing.T, *backend.Backend, string) {}, ""},
		{"sign-ins are switched off", func(t *testing.T, b *backend.Backend, _ string) {
			t.Helper()
			_, err := b.UpdateConnection(t.Context(), admin, rulestest.Sales, 0, func(c idmap.Connection) (idmap.Connection, error) {
				c.SignInDisabled = true
				return c, nil
			})
			if err != nil {
				t.Error(err)
			}
		}, idmap.CodeSignInDisabled},
		{"the mailbox is disabled", func(t *testing.T, b *backend.Backend, _ string) {
			t.Helper()
			importAccounts(t, b, rulestest.Mail, []idmap.Account{{ID: "m-jane", Email: "jane.doe@contoso.com", Disabled: true}})
		}, idmap.CodeMailboxDisabled},
		{"the mapping is renamed", func(t *testing.T, b *backend.Backend, id string) {
			t.Helper()
			if err := update(t, b, id, func(m *idmap.UserMapping) { m.Email = "jane.smith@contoso.com" }); err != nil {
				t.Error(err)
			}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := acctest.OpenPostgres(t)
			other := backend.New(s, backend.Options{})
			acctest.Stage(t, other, admin)
			made := create(t, other, jane)
			b := backend.New(interrupted{s, &sync.Once{}, func() { c.change(t, other, made.ID) }}, backend.Options{})
			if c.denied != "" {
				denied(t, b, attempt(jane, ""), c.denied)
				return
			}
			answer := admitted(t, b, attempt(jane, ""))
			if stored := reread(t, other, made.ID); text(t, stored) != text(t, *answer.UserMapping) || answer.Session.Email != stored.Email {
				t.Errorf("the answer has\n%s\nwith a session of %s, and stored is\n%s", text(t, answer.UserMapping), answer.Session.Email, text(t, stored))
			}
		})
	}
}

// TestLockedMappingKeepsNobodyElseWaiting: whose mapping somebody else has locked waits, with those who need the same
// connections unchanged; all others come in meanwhile.
func TestLockedMappingKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	s := acctest.OpenPostgres(t)
	b := backend.New(s, backend.Options{})
	acctest.Stage(t, b, admin)
	ann := create(t, b, open("ann@example.com", "ann"))
	create(t, b, open("bob@example.com", "bob"))
	var waiting sync.WaitGroup
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.LockUserMappings(t.Context(), []string{ann.ID}); err != nil {
			return err
		}
		waiting.Go(func() { admitted(t, b, attempt(open("ann@example.com", "ann"), "")) })
		time.Sleep(100 * time.Millisecond)
		started := time.Now()
		admitted(t, b, attempt(open("bob@example.com", "bob"), ""))
		admitted(t, b, attempt(rulestest.Mapping("jane.doe@contoso.com", "JDOE"), "")) // makes a mapping, elsewhere
		denied(t, b, attempt(rulestest.Mapping("off@contoso.com", "JROE"), ""), idmap.CodeMailboxDisabled)
		if took := time.Since(started); took > 10*time.Second {
			t.Errorf("others waited %s for a mapping that is not theirs", took)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
}

// TestRepeatedAgainstTheFacts: an answer that let somebody in is repeated only while it is true.
func TestRepeatedAgainstTheFacts(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		call := addin
		call.IdempotencyKey = "1"
		jane := attempt(rulestest.Mapping("jane.doe@contoso.com", "JDOE"), "")
		if first, err := b.SignIn(t.Context(), call, jane); err != nil || first.Session == nil {
			t.Fatalf("got %+v, %v", first, err)
		}
		importAccounts(t, b, rulestest.Mail, []idmap.Account{{ID: "m-jane", Email: "jane.doe@contoso.com"}, {ID: "m-other", Email: "other@contoso.com"}})
		if _, err := b.UpdateConnection(t.Context(), admin, rulestest.Sales, 0, func(c idmap.Connection) (idmap.Connection, error) {
			c.SignInDisabled = true
			return c, nil
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			again, err := b.SignIn(t.Context(), call, jane)
			if err != nil || again.Session != nil || again.SignIn.Outcome != idmap.OutcomeDenied {
				t.Errorf("repeated after sign-ins were switched off: %s, %v, want a denial", text(t, again), err)
			}
		}
		if n := len(history(t, b, idmap.SignInFilter{Outcome: idmap.OutcomeDenied})); n != 1 {
			t.Errorf("the history has %d denials, want the one that was then repeated", n)
		}
	})
}

// TestOldKeysAreForgotten: a key is as good as new after its time, also where no sweep came to it.
func TestOldKeysAreForgotten(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, openStore func(testing.TB) store.Store) {
		now := time.Now()
		b := backend.New(openStore(t), backend.Options{Clock: func() time.Time { return now }})
		acctest.Stage(t, b, admin)
		signInWith := func(key string) idmap.SignInAnswer {
			call := addin
			call.IdempotencyKey = key
			answer, err := b.SignIn(t.Context(), call, attempt(open("ann@example.com", "ann"), ""))
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}
		var last idmap.SignInAnswer
		for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"} {
			now = now.Add(time.Second)
			last = signInWith(key)
		}
		now = now.Add(72 * time.Hour)
		if again := signInWith("z"); again.SignIn.ID == last.SignIn.ID {
			t.Error("a key of three days ago gave its answer again")
		}
		made, err := b.CreateConnection(t.Context(), keyed("z"), idmap.Connection{Name: "Another", Platform: idmap.PlatformRef{ID: "generic"}})
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(72 * time.Hour)
		if _, err := b.CreateConnection(t.Context(), keyed("z"), idmap.Connection{Name: "Yet Another", Platform: idmap.PlatformRef{ID: "generic"}}); err != nil {
			t.Errorf("a key of three days ago, which made %s, is refused: %v", made.ID, err)
		}
	})
}

func keyed(key string) backend.Call {
	call := admin
	call.IdempotencyKey = key
	return call
}
