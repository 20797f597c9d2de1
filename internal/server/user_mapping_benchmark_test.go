package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/server"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// BenchmarkUserMappings times a batch of 1,000 creates, and look-ups of 1,000, through the handler of the API, on both
// engines, between two directories that know everybody.
func BenchmarkUserMappings(b *testing.B) {
	for name, open := range map[string]func(testing.TB) store.Store{"sqlite": acctest.OpenSQLite, "postgres": acctest.OpenPostgres} {
		b.Run(name, func(b *testing.B) {
			const size, batches = 1000, 50
			handler := peopled(b, open(b), size*batches)
			post := func(b *testing.B, path, body string) []byte {
				b.Helper()
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer benchmark")
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d: %.500s", w.Code, w.Body)
				}
				return w.Body.Bytes()
			}
			var items, ids []string
			for n := range size {
				items = append(items, fmt.Sprintf(`{"operation":"create","user_mapping":{"source":{"connection":{"id":"mail"}},`+
					`"destination":{"connection":{"id":"sales"}},"email":"person%%[1]d%[1]d@example.com","user_id":"user%%[1]d%[1]d"}}`, n+100_000))
			}
			text := `{"items":[` + strings.Join(items, ",") + `]}`
			made := 0
			b.Run("batch", func(b *testing.B) {
				for b.Loop() {
					answer := post(b, "/v1/user_mappings/batch", strings.ReplaceAll(text, "%[1]d", fmt.Sprint(made%batches)))
					if made++; len(ids) == 0 {
						for _, m := range bytes.Split(answer, []byte(`"user_mapping":{"id":"`))[1:] {
							ids = append(ids, `{"id":"`+string(m[:36])+`"}`)
						}
					}
				}
			})
			lookup := `{"items":[` + strings.Join(ids, ",") + `]}`
			b.Run("lookup", func(b *testing.B) {
				for b.Loop() {
					if found := bytes.Count(post(b, "/v1/user_mappings/lookup", lookup), []byte(`"user_id"`)); found != size {
						b.Fatalf("found %d", found)
					}
				}
			})
		})
	}
}

// peopled returns a server whose two directories know so many people, who are not mapped.
func peopled(b *testing.B, s store.Store, people int) http.Handler {
	b.Helper()
	core := backend.New(s, backend.Options{BootstrapToken: "benchmark"})
	call := backend.Call{Token: idmap.Token{ID: "bench", Name: "bench", Scopes: []idmap.Scope{idmap.ScopeAdmin}}}
	for id, platform := range map[string]string{"mail": "microsoft365", "sales": "oracle_sales"} {
		c := idmap.Connection{ID: id, Name: id, Platform: idmap.PlatformRef{ID: platform}, Authoritative: true}
		if _, err := core.CreateConnection(b.Context(), call, c); err != nil {
			b.Fatal(err)
		}
		accounts := make([]idmap.Account, people)
		for i := range accounts {
			name := fmt.Sprintf("%d%d", i/1000, 100_000+i%1000)
			accounts[i] = idmap.Account{ID: "a" + name, Username: "user" + name, Name: "Person " + name, Email: "person" + name + "@example.com", UserType: idmap.UserTypeFull}
			if id == "sales" {
				accounts[i].Email = ""
			}
		}
		if _, err := core.ImportAccounts(b.Context(), call, id, backend.Import[idmap.Account]{Rows: accounts, SHA256: id}); err != nil {
			b.Fatal(err)
		}
	}
	return server.New(core, server.Options{})
}
