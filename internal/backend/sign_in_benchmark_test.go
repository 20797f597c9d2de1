package backend_test

import (
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// BenchmarkSignIn times sign-ins of mapped users, of whom directories of 10,000 accounts know, at 32 clients. What is
// answered is on the disk.
func BenchmarkSignIn(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchmarkSignIns(b, acctest.OpenSQLite(b), func() {})
	})
	b.Run("postgres", func(b *testing.B) {
		s, database := openDurable(b)
		benchmarkSignIns(b, s, func() { execute(b, database, "ANALYZE") }) // as the server does by itself, within a minute
	})
}

func benchmarkSignIns(b *testing.B, s store.Store, settle func()) {
	b.Helper()
	server := backend.New(s, backend.Options{})
	attempts := stageUsers(b, server, 10_000)
	settle()
	for b.Loop() {
		measureSignIns(b, server, attempts, 32, 20_000)
	}
}

// measureSignIns reports how fast some clients sign users in, and how long each of them waits.
func measureSignIns(b *testing.B, server *backend.Backend, attempts []idmap.SignInAttempt, clients, signIns int) {
	b.Helper()
	waits := make([]time.Duration, signIns)
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range clients {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < signIns; i = int(next.Add(1)) - 1 {
				began := time.Now()
				answer, err := server.SignIn(b.Context(), addin, attempts[i*7919%len(attempts)])
				if err != nil || answer.Session == nil || answer.SignIn.MappingCreated {
					b.Errorf("got %+v, %v", answer, err)
					return
				}
				waits[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(float64(signIns)/took.Seconds(), "sign-ins/s")
	b.ReportMetric(ms(waits[signIns/2]), "p50-ms")
	b.ReportMetric(ms(waits[signIns*99/100]), "p99-ms")
}

// stageUsers stores users who have a mailbox, an application account and a mapping, and returns their attempts.
func stageUsers(b *testing.B, server *backend.Backend, users int) []idmap.SignInAttempt {
	b.Helper()
	acctest.Stage(b, server, admin)
	mail, sales := rulestest.Accounts()[rulestest.Mail], rulestest.Accounts()[rulestest.Sales]
	intents, attempts := make([]idmap.UserMappingIntent, users), make([]idmap.SignInAttempt, users)
	for i := range users {
		m := rulestest.Mapping(fmt.Sprintf("user%05d@contoso.com", i), fmt.Sprintf("U%05d", i))
		mail = append(mail, idmap.Account{ID: fmt.Sprint("m-", i), Name: m.UserID, Email: m.Email})
		sales = append(sales, idmap.Account{ID: fmt.Sprint("u-", i), Username: m.UserID, UserType: idmap.UserTypeFull, SignInPermitted: new(true)})
		intents[i] = idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m}
		attempts[i] = attempt(m, "outlook-addin")
		attempts[i].SourceAddress = "192.0.2.7"
	}
	for connection, accounts := range map[string][]idmap.Account{rulestest.Mail: mail, rulestest.Sales: sales} {
		if _, err := server.ImportAccounts(b.Context(), admin, connection, backend.Import[idmap.Account]{Rows: accounts, SHA256: "users"}); err != nil {
			b.Fatal(err)
		}
	}
	for chunk := range slices.Chunk(intents, idmap.MaxBatch) {
		if _, err := server.ApplyUserMappings(b.Context(), admin, chunk); err != nil {
			b.Fatal(err)
		}
	}
	return attempts
}

// openDurable opens a fresh database of the tests' PostgreSQL, which else cares for no crash.
func openDurable(b *testing.B) (s store.Store, database string) {
	b.Helper()
	u, err := url.Parse(testenv.PostgresDatabase(b))
	if err != nil {
		b.Fatal(err)
	}
	execute(b, u.String(), "ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET full_page_writes = on", "SELECT pg_reload_conf()")
	query := u.Query()
	query.Set("synchronous_commit", "on")
	u.RawQuery = query.Encode()
	if s, err = postgres.Open(b.Context(), u.String()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s, u.String()
}

func execute(b *testing.B, database string, statements ...string) {
	b.Helper()
	c, err := pgx.Connect(b.Context(), database)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context()) //nolint:errcheck // nothing is under way
	for _, statement := range statements {
		if _, err := c.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
}
