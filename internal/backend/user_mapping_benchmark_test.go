package backend_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// onEngines runs a benchmark in the world of the rules' cases; SQLite is on disk.
func onEngines(b *testing.B, bench func(b *testing.B, s *backend.Backend)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), b.TempDir()+"/idmap.db")
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // it is thrown away
		served := backend.New(s, backend.Options{})
		acctest.Stage(b, served, admin)
		bench(b, served)
	})
	b.Run("postgres", func(b *testing.B) {
		served := backend.New(acctest.OpenPostgres(b), backend.Options{})
		acctest.Stage(b, served, admin)
		bench(b, served)
	})
}

func numbered(n int64) idmap.UserMapping {
	return rulestest.Between(rulestest.OpenMail, rulestest.App, fmt.Sprintf("user%d@example.com", n), fmt.Sprintf("user%d", n))
}

// importPeople tells the directories of those whom numbered maps.
func importPeople(b *testing.B, s *backend.Backend, n int64) {
	b.Helper()
	var mail, app []idmap.Account
	for i := range n {
		m := numbered(i)
		mail = append(mail, idmap.Account{ID: "m" + m.UserID, Username: m.UserID, Email: m.Email})
		app = append(app, idmap.Account{ID: "a" + m.UserID, Username: m.UserID})
	}
	for id, accounts := range map[string][]idmap.Account{rulestest.OpenMail: mail, rulestest.App: app} {
		if _, err := s.ImportAccounts(b.Context(), admin, id, backend.Import[idmap.Account]{Rows: accounts, SHA256: "people"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatchCreates makes 1,000 mappings with each call: of people whom no directory knows, and of the first 30,000
// where both do.
func BenchmarkBatchCreates(b *testing.B) {
	for _, mode := range []struct{ separate, known bool }{{}, {separate: true}, {separate: true, known: true}} {
		separate := mode.separate
		b.Run(fmt.Sprintf("separate=%t/known=%t", separate, mode.known), func(b *testing.B) {
			onEngines(b, func(b *testing.B, s *backend.Backend) {
				const each = 1000
				if mode.known {
					importPeople(b, s, 30_000)
				}
				n := int64(0)
				for b.Loop() {
					intents := make([]idmap.UserMappingIntent, each)
					for i := range intents {
						n++
						m := numbered(n)
						intents[i] = idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m}
						if separate {
							intents[i].IdempotencyKey = fmt.Sprint("key ", n)
						}
					}
					apply := s.ApplyUserMappings
					if separate {
						apply = s.ApplySeparately
					}
					if _, err := apply(b.Context(), admin, intents); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "creates/s")
			})
		})
	}
}

// BenchmarkSingleCreates makes mappings one by one, as many clients at once.
func BenchmarkSingleCreates(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			onEngines(b, func(b *testing.B, s *backend.Backend) {
				var next atomic.Int64
				var mu sync.Mutex
				var took []time.Duration
				b.ResetTimer()
				var all sync.WaitGroup
				for range clients {
					all.Go(func() {
						var own []time.Duration
						for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
							call := admin
							call.IdempotencyKey = fmt.Sprint("key ", n)
							began := time.Now()
							if _, err := s.CreateUserMapping(b.Context(), call, numbered(n)); err != nil {
								b.Error(err)
								return
							}
							own = append(own, time.Since(began))
						}
						mu.Lock()
						defer mu.Unlock()
						took = append(took, own...)
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
				if slices.Sort(took); len(took) > 0 {
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				}
			})
		})
	}
}
