package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// The load: so many users sign in, each from one of so many clients of the API, in a history of so many rows.
const (
	signInUsers   = 2_000
	signInClients = 32
	signIns       = 20_000
)

// BenchmarkSignIn times sign-ins of mapped users over HTTP, by 32 clients on this same machine, each of which waits for
// its answer; every answer is durable. IDMAP_BENCH_HISTORY is how many rows the history has before, none if not set.
func BenchmarkSignIn(b *testing.B) {
	history, err := strconv.Atoi(os.Getenv("IDMAP_BENCH_HISTORY"))
	if err != nil {
		history = 0
	}
	for _, engine := range []struct {
		name   string
		open   func(testing.TB) (database string, s store.Store)
		settle func(t testing.TB, database string)
	}{{"sqlite", sqliteDatabase, func(testing.TB, string) {}}, {"postgres", durablePostgresDatabase, analyze}} {
		for _, keys := range []string{"without_keys", "with_keys"} {
			b.Run(engine.name+"/"+keys, func(b *testing.B) {
				database, s := engine.open(b)
				server := startServer(b, database)
				token, source, destination := stageUsers(b, server.url)
				fillHistory(b, s, source, destination, history)
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				engine.settle(b, database)
				l := &load{url: server.url, token: token, source: source, destination: destination, keys: keys == "with_keys"}
				l.run(b, 2_000, "warm")
				b.ResetTimer()
				for b.Loop() {
					started := time.Now()
					spent := l.run(b, signIns, "timed")
					b.ReportMetric(signIns/time.Since(started).Seconds(), "sign_ins/s")
					slices.Sort(spent)
					b.ReportMetric(float64(spent[len(spent)/2].Microseconds())/1000, "p50_ms")
					b.ReportMetric(float64(spent[len(spent)*99/100].Microseconds())/1000, "p99_ms")
					b.ReportMetric(float64(spent[len(spent)-1].Microseconds())/1000, "max_ms")
				}
			})
		}
	}
}

func sqliteDatabase(t testing.TB) (string, store.Store) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "idmap.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return path, s
}

// durablePostgresDatabase makes the cluster of the tests write as one in use does.
func durablePostgresDatabase(t testing.TB) (string, store.Store) {
	t.Helper()
	url := testenv.PostgresDatabase(t)
	alter := func(ctx context.Context, how string) {
		err := execute(ctx, url,
			fmt.Sprintf(how, "fsync"), fmt.Sprintf(how, "synchronous_commit"), fmt.Sprintf(how, "full_page_writes"), "SELECT pg_reload_conf()")
		if err != nil {
			t.Error(err)
		}
	}
	alter(t.Context(), "ALTER SYSTEM SET %s = on")
	t.Cleanup(func() { alter(context.WithoutCancel(t.Context()), "ALTER SYSTEM RESET %s") })
	s, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return url, s
}

// analyze gives the planner what autovacuum would give it within a minute.
func analyze(t testing.TB, database string) {
	t.Helper()
	if err := execute(t.Context(), database, "ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

func execute(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func signInUser(i int) (email, userID string) {
	return fmt.Sprintf("user%05d@example.com", i), fmt.Sprintf("USER%05d", i)
}

// stageUsers stores two connections with directories that know everybody, a mapping for each user, and the token of an
// integration.
func stageUsers(t testing.TB, url string) (token, source, destination string) {
	t.Helper()
	c, err := client.New(client.Config{Endpoint: url, Token: adminToken})
	if err != nil {
		t.Fatal(err)
	}
	mail, app := []string{"id,username,email,name"}, []string{"id,username,name,user_type"}
	var intents []idmap.UserMappingIntent
	for i := range signInUsers {
		email, user := signInUser(i)
		mail = append(mail, fmt.Sprintf("m-%d,%s,%s,User %d", i, email, email, i))
		app = append(app, fmt.Sprintf("a-%d,%s,User %d,full", i, user, i))
		intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &idmap.UserMapping{Email: email, UserID: user}})
	}
	connect := func(name string, accounts []string) string {
		made, err := c.CreateConnection(t.Context(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: "generic"}, Authoritative: true})
		if err == nil {
			_, err = c.ImportAccounts(t.Context(), made.ID, 0, "text/csv", []byte(strings.Join(accounts, "\n")))
		}
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	source, destination = connect("Mail", mail), connect("App", app)
	for chunk := range slices.Chunk(intents, idmap.MaxBatch) {
		for _, in := range chunk {
			in.UserMapping.Source.Connection.ID, in.UserMapping.Destination.Connection.ID = source, destination
		}
		if _, err := c.ApplyUserMappings(t.Context(), client.NewKey(), chunk); err != nil {
			t.Fatal(err)
		}
	}
	made, err := c.CreateToken(t.Context(), idmap.Token{Name: "integration", Scopes: []idmap.Scope{idmap.ScopeSignIn}})
	if err != nil {
		t.Fatal(err)
	}
	return made.Secret, source, destination
}

// fillHistory writes rows as years of sign-ins would have.
func fillHistory(t testing.TB, s store.Store, source, destination string, rows int) {
	t.Helper()
	const step = 20_000
	now := time.Now().Add(-time.Duration(rows) * time.Second)
	for first := 0; first < rows; first += step {
		entries := make([]idmap.SignIn, min(step, rows-first))
		for i := range entries {
			n := first + i
			email, user := signInUser(n * 7919 % signInUsers)
			entries[i] = idmap.SignIn{
				ID: fmt.Sprintf("old-%09d", n), On: now.Add(time.Duration(n) * time.Second), Outcome: idmap.OutcomeAllowed,
				SignInAttempt: idmap.SignInAttempt{
					Source: idmap.SignInEnd{Connection: idmap.Ref{ID: source}}, Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: destination}},
					Email: email, UserID: user, Client: "addin",
				},
				UserMapping: idmap.RefTo(fmt.Sprintf("mapping-%05d", n*7919%signInUsers)), Session: idmap.RefTo("gone"),
			}
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.InsertSignIns(t.Context(), entries) }); err != nil {
			t.Fatal(err)
		}
	}
}

// load is a number of clients that sign users in, one after the other.
type load struct {
	url, token, source, destination string
	keys                            bool
}

// run signs in so many times and returns how long each took.
func (l *load) run(t testing.TB, times int, name string) []time.Duration {
	t.Helper()
	api := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: signInClients}, Timeout: time.Minute}
	defer api.CloseIdleConnections()
	spent, errs := make([]time.Duration, times), make([]error, signInClients)
	var wg sync.WaitGroup
	for worker := range signInClients {
		wg.Go(func() {
			for n := worker; n < times && errs[worker] == nil; n += signInClients {
				started := time.Now()
				errs[worker] = l.signIn(t.Context(), api, n, name)
				spent[n] = time.Since(started)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return spent
}

func (l *load) signIn(ctx context.Context, api *http.Client, n int, name string) error {
	email, user := signInUser(n * 7919 % signInUsers)
	body := fmt.Sprintf(`{"source":{"connection":{"id":%q}},"destination":{"connection":{"id":%q}},"email":%q,"user_id":%q,"client":"addin","source_address":"192.0.2.7"}`,
		l.source, l.destination, email, user)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/sign_ins", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+l.token)
	request.Header.Set("Content-Type", "application/json")
	if l.keys {
		request.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d-%d", name, time.Now().UnixNano(), n))
	}
	response, err := api.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer idmap.SignInAnswer
	if err := json.Unmarshal(text, &answer); err != nil || answer.Session == nil {
		return fmt.Errorf("sign-in %d is answered %s: %.500s", n, response.Status, text)
	}
	return nil
}
