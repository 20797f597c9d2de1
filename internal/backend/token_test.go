package backend_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestManyTokensAtOnce: requests that are looked up together each get their own token, or none; and one that was revoked
// is not known to whoever comes after.
func TestManyTokensAtOnce(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		made := map[string]idmap.Token{}
		for _, name := range []string{"ann", "bob"} {
			token, err := b.CreateToken(t.Context(), admin, idmap.Token{Name: name, Scopes: []idmap.Scope{idmap.ScopeRead}})
			if err != nil {
				t.Fatal(err)
			}
			made[token.Secret] = token
		}
		var all sync.WaitGroup
		for i := range 200 {
			for secret, token := range made {
				all.Go(func() {
					if got, err := b.Authenticate(t.Context(), secret); err != nil || got.ID != token.ID {
						t.Errorf("%s is taken for %q, %v", token.Name, got.Name, err)
					}
				})
			}
			all.Go(func() {
				_, err := b.Authenticate(t.Context(), fmt.Sprintf("none %d", i))
				wantCode(t, err, idmap.CodeUnauthorized)
			})
		}
		all.Wait()
		for secret, token := range made {
			if err := b.DeleteToken(t.Context(), admin, token.ID); err != nil {
				t.Fatal(err)
			}
			_, err := b.Authenticate(t.Context(), secret)
			wantCode(t, err, idmap.CodeUnauthorized)
		}
	})
}
