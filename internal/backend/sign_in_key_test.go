package backend_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestSignInKeys(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		with := func(key string, a idmap.SignInAttempt) (idmap.SignInAnswer, error) {
			call := addin
			call.IdempotencyKey = key
			return b.SignIn(t.Context(), call, a)
		}
		ann := attempt(open("ann@example.com", "ann"), "outlook")
		first, err := with("1", ann)
		if err != nil {
			t.Fatal(err)
		}
		again, err := with("1", ann)
		if err != nil || text(t, again) != text(t, first) {
			t.Errorf("posted twice: %s, %v, want %s", text(t, again), err, text(t, first))
		}
		other := ann
		other.Client = "teams"
		_, err = with("1", other)
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
		if n := len(history(t, b, idmap.SignInFilter{})); n != 1 {
			t.Errorf("the history has %d entries, want 1", n)
		}

		bob := attempt(open("ann@example.com", "bob"), "")
		refused, err := with("2", bob)
		if err != nil || refused.SignIn.Outcome != idmap.OutcomeDenied {
			t.Fatalf("got %s, %v", text(t, refused), err)
		}
		if again, err := with("2", bob); err != nil || text(t, again) != text(t, refused) {
			t.Errorf("a denial posted twice: %s, %v, want %s", text(t, again), err, text(t, refused))
		}

		// The answer goes with the session: it would let in who has been thrown out.
		if err := b.RevokeSession(t.Context(), admin, first.Session.ID); err != nil {
			t.Fatal(err)
		}
		if after, err := with("1", ann); err != nil || after.Session == nil || after.Session.ID == first.Session.ID {
			t.Errorf("after the session was revoked: %s, %v, want a new one", text(t, after), err)
		}
	})
}

// TestKeyOfAnotherRequest: without a client an attempt reads like the mapping that it would make.
func TestKeyOfAnotherRequest(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		call := admin
		call.IdempotencyKey = "k"
		m := open("ann@example.com", "ann")
		if _, err := b.CreateUserMapping(t.Context(), call, m); err != nil {
			t.Fatal(err)
		}
		_, err := b.SignIn(t.Context(), call, attempt(m, ""))
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
	})
}

func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		create(t, b, open("ann@example.com", "ann"))
		call := addin
		for _, m := range []idmap.UserMapping{open("ann@example.com", "ann"), open("new@example.com", "new"), open("ann@example.com", "bob")} {
			call.IdempotencyKey = m.Email + m.UserID
			before := len(history(t, b, idmap.SignInFilter{}))
			answers := make([]string, 40)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					a := attempt(m, "")
					if i%4 == 3 {
						a.Client = "another"
					}
					answer, err := b.SignIn(t.Context(), call, a)
					answers[i] = answer.SignIn.ID
					if err != nil {
						answers[i] = string(rulestest.CodesOf(idmap.ViolationsOf(err))[0])
					}
				})
			}
			all.Wait()
			slices.Sort(answers)
			if kinds := slices.Compact(answers); len(kinds) != 2 || kinds[1] != string(idmap.CodeIdempotencyKeyReused) {
				t.Errorf("%s: got the answers %v, want one, and refusals of the reused key", m.Label(), kinds)
			}
			if n := len(history(t, b, idmap.SignInFilter{})) - before; n != 1 {
				t.Errorf("%s: the history has %d entries more, want 1", m.Label(), n)
			}
		}
	})
}

func TestSignInThatIsGivenUp(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		create(t, b, open("ann@example.com", "ann"))
		var all sync.WaitGroup
		for i := range 60 {
			ctx, cancel := context.WithCancel(t.Context())
			all.Go(func() {
				_, err := b.SignIn(ctx, addin, attempt(open("ann@example.com", "ann"), ""))
				if gaveUp := i%3 == 0; err != nil && (!gaveUp || !errors.Is(err, context.Canceled)) {
					t.Errorf("%d: %v", i, err)
				}
			})
			if i%3 == 0 {
				cancel()
			}
			defer cancel()
		}
		all.Wait()
		sessions, err := b.Sessions(t.Context(), idmap.SessionFilter{}, idmap.Page{Limit: 10})
		n := len(history(t, b, idmap.SignInFilter{}))
		if err != nil || n < 40 || len(sessions.Items) != 1 || sessions.Items[0].UseCount != int64(n) {
			t.Errorf("the history has %d entries, and the sessions are %+v (%v)", n, sessions.Items, err)
		}
	})
}
