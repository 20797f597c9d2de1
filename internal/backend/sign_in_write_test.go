package backend_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// TestWarningsOfAFirstSignIn: whoever asked learns what a create of the mapping would have warned of, and only then.
func TestWarningsOfAFirstSignIn(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		alias := attempt(rulestest.Mapping("jdoe@contoso.com", "JDOE"), "")
		for _, want := range [][]idmap.Code{{idmap.CodeEmailIsAlias}, nil} {
			if answer := admitted(t, b, alias); !slices.Equal(rulestest.CodesOf(answer.Warnings), want) {
				t.Errorf("got the warnings %s, want %v", text(t, answer.Warnings), want)
			}
		}
	})
}

// TestWhatIsCutIsStillTooLong: what stands before the cut must not pass for somebody.
func TestWhatIsCutIsStillTooLong(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		tail := strings.Repeat(" ", 1<<20) + "x"
		for code, m := range map[idmap.Code]idmap.UserMapping{
			idmap.CodeInvalidEmail:  open("ann@example.com"+tail, "ann"),
			idmap.CodeInvalidUserID: open("ann@example.com", "ann"+tail),
		} {
			a := attempt(m, "")
			denied(t, b, a, code)
			d, err := b.Diagnose(t.Context(), idmap.DiagnosisRequest{Source: a.Source, Destination: a.Destination, Email: a.Email, UserID: a.UserID})
			if err != nil || !slices.Contains(rulestest.CodesOf(idmap.ReasonsOf(d.Checks)), code) {
				t.Errorf("the diagnosis is %.300s, %v, want %s", text(t, d), err, code)
			}
			if n := len(text(t, d)); n > 100_000 {
				t.Errorf("the diagnosis repeats what it was given, in %d bytes", n)
			}
		}
	})
}

// TestSignInsSweepOldKeys: who signs in under a key takes answers away that nobody asks for any more.
func TestSignInsSweepOldKeys(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, openStore func(testing.TB) store.Store) {
		now := time.Now()
		s := openStore(t)
		b := backend.New(s, backend.Options{Clock: func() time.Time { return now }})
		acctest.Stage(t, b, admin)
		call := addin
		for _, call.IdempotencyKey = range []string{"old", "new"} {
			if _, err := b.SignIn(t.Context(), call, attempt(open("ann@example.com", "ann"), "")); err != nil {
				t.Fatal(err)
			}
			now = now.Add(72 * time.Hour)
		}
		err := s.Update(t.Context(), func(tx store.Tx) error {
			left, err := tx.ClaimIdempotencyKey(t.Context(), store.IdempotencyRecord{Actor: addin.Token.ID, Key: "old", RequestHash: "x", CreatedOn: now})
			if left != nil {
				t.Errorf("the answer of %s is still there", left.CreatedOn)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
