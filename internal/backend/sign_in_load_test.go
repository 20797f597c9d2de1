package backend_test

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// twoServers runs a test with two backends that share a database, on both engines.
func twoServers(t *testing.T, test func(t *testing.T, servers [2]*backend.Backend)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := t.TempDir() + "/idmap.db"
		test(t, serve(t, func() (store.Store, error) { return sqlite.Open(t.Context(), path) }))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := testenv.PostgresDatabase(t)
		test(t, serve(t, func() (store.Store, error) { return postgres.Open(t.Context(), url) }))
	})
}

// serve returns two backends of what open opens, in the world of the rules' cases.
func serve(t *testing.T, open func() (store.Store, error)) (servers [2]*backend.Backend) {
	t.Helper()
	for i := range servers {
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		servers[i] = backend.New(s, backend.Options{})
	}
	acctest.Stage(t, servers[0], admin)
	return servers
}

// crowd signs people in at once, half of them at each server, and returns the answers.
func crowd(t *testing.T, servers [2]*backend.Backend, n int, who func(i int) idmap.SignInAttempt) []idmap.SignInAnswer {
	t.Helper()
	answers := make([]idmap.SignInAnswer, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = servers[i%2].SignIn(t.Context(), addin, who(i)); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	return answers
}

func TestThousandOfOneUser(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		const n = 1000
		ann := attempt(open("ann@example.com", "ann"), "outlook")
		created := 0
		mappings := map[string]bool{}
		for _, answer := range crowd(t, servers, n, func(int) idmap.SignInAttempt { return ann }) {
			if answer.Session == nil || answer.UserMapping == nil {
				t.Fatalf("got %s", text(t, answer))
			}
			mappings[answer.UserMapping.ID] = true
			if answer.SignIn.MappingCreated {
				created++
			}
		}
		sessions := liveSessions(t, servers[0])
		if created != 1 || len(mappings) != 1 || len(sessions) != 1 || sessions[0].UseCount != n {
			t.Errorf("%d made a mapping, there are %d mappings, and the sessions are %+v", created, len(mappings), sessions)
		}
	})
}

func TestThousandForOneAddress(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		const n = 1000
		let, refused := 0, 0
		for _, answer := range crowd(t, servers, n, func(i int) idmap.SignInAttempt {
			return attempt(open("ann@example.com", "u"+strconv.Itoa(i)), "")
		}) {
			switch {
			case answer.SignIn.MappingCreated:
				let++
			case slices.Contains(rulestest.CodesOf(answer.SignIn.Reasons), idmap.CodeEmailInUse):
				refused++
			}
		}
		if let != 1 || refused != n-1 {
			t.Errorf("%d were let in and %d refused in the words of the rule, want 1 and %d", let, refused, n-1)
		}
		if entries := history(t, servers[1], idmap.SignInFilter{Outcome: idmap.OutcomeDenied}); len(entries) != n-1 {
			t.Errorf("the history has %d denials, want %d", len(entries), n-1)
		}
	})
}

func TestThousandNewcomers(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		const n = 1000
		answers := crowd(t, servers, n, func(i int) idmap.SignInAttempt { // two of each, one at each server
			name := "u" + strconv.Itoa(i/2)
			return attempt(open(name+"@example.com", name), "")
		})
		for pair := range slices.Chunk(answers, 2) {
			one, other := pair[0], pair[1]
			if one.Session == nil || other.Session == nil {
				t.Fatalf("got %s and %s, want both let in", text(t, one), text(t, other))
			}
			if one.SignIn.MappingCreated == other.SignIn.MappingCreated || one.UserMapping.ID != other.UserMapping.ID || one.Session.ID != other.Session.ID {
				t.Errorf("got %s and %s, want a mapping that one of them made, and one session", text(t, one), text(t, other))
			}
		}
		found, err := servers[0].UserMappings(t.Context(), idmap.UserMappingFilter{Origin: idmap.OriginSignIn}, idmap.Page{Limit: 1})
		if err != nil || found.Total != n/2 {
			t.Errorf("there are %d mappings (%v), want %d", found.Total, err, n/2)
		}
	})
}

// TestSignInsBesideWrites: whatever comes between, a session has a mapping, and an address its holder.
func TestSignInsBesideWrites(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		removing(t, servers[0], rulestest.App)
		var done atomic.Bool
		var all, writers sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				b := servers[i%2]
				for n := 0; !done.Load(); n++ {
					answer, err := b.SignIn(t.Context(), addin, attempt(open("ann@example.com", "ann"), strconv.Itoa(i%3)))
					if err != nil || answer.Session == nil {
						t.Errorf("got %s, %v", text(t, answer), err)
						return
					}
					if n%3 == i%3 {
						if err := b.SignOut(t.Context(), addin, answer.Session.ID); err != nil && !idmap.IsNotFound(err) {
							t.Error(err)
						}
					}
				}
			})
		}
		for i := range 2 {
			writers.Go(func() {
				for n := range 40 {
					writeBeside(t, servers[(i+n)%2], n)
				}
			})
		}
		writers.Wait()
		done.Store(true)
		all.Wait()
		checkWhole(t, servers[0])
	})
}

// writeBeside creates, updates and deletes the mapping that others sign in through. It may come too late for each.
func writeBeside(t *testing.T, b *backend.Backend, n int) {
	t.Helper()
	m := open("ann@example.com", "ann")
	v, err := b.CreateUserMapping(t.Context(), admin, m)
	if err != nil {
		wantCode(t, err, idmap.CodeEmailInUse)
	} else {
		m = *v.UserMapping
	}
	found, err := b.UserMappings(t.Context(), idmap.UserMappingFilter{}, idmap.Page{Limit: 10})
	if err != nil || len(found.Items) > 1 {
		t.Errorf("there are %s (%v), want one mapping at most", text(t, found.Items), err)
	}
	if len(found.Items) == 1 {
		m = found.Items[0]
	}
	if err := update(t, b, m.ID, func(m *idmap.UserMapping) { m.UserID = []string{"ann", "ANN"}[n%2] }); err != nil && !idmap.IsNotFound(err) {
		t.Error(err)
	}
	if n%2 == 0 {
		if err := b.DeleteUserMapping(t.Context(), admin, m.ID, 0); err != nil && !idmap.IsNotFound(err) {
			t.Error(err)
		}
	}
}

// checkWhole looks for what is left half done.
func checkWhole(t *testing.T, b *backend.Backend) {
	t.Helper()
	mappings, err := b.UserMappings(t.Context(), idmap.UserMappingFilter{}, idmap.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]bool{}
	for _, m := range mappings.Items {
		live[m.ID] = true
	}
	sessions := liveSessions(t, b)
	uses := map[string]int{}
	for _, s := range sessions {
		if !live[s.UserMapping.ID] {
			t.Errorf("session %s is of mapping %s, which is gone", s.ID, s.UserMapping.ID)
		}
	}
	for after, more := "", true; more; {
		page, err := b.SignIns(t.Context(), idmap.SignInFilter{}, idmap.Page{After: after, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			if after = e.Key(); e.Session == nil {
				t.Errorf("the history has %s", text(t, e))
				continue
			}
			uses[e.Session.ID]++
		}
		more = page.More
	}
	for _, s := range sessions {
		if int64(uses[s.ID]) != s.UseCount {
			t.Errorf("session %s was used %d times, and the history has %d", s.ID, s.UseCount, uses[s.ID])
		}
	}
	ledger, err := b.EmailAssignments(t.Context(), idmap.EmailAssignmentFilter{AddressKey: "ann@example.com"}, idmap.Page{Limit: 10})
	if err != nil || len(ledger.Items) != 1 || len(ledger.Items[0].Holders) != 1 {
		t.Errorf("the ledger has %s, %v", text(t, ledger.Items), err)
	}
}

// TestLastSessionsAtOnce: of two sessions that end at the same time one is the last, and takes the mapping along.
func TestLastSessionsAtOnce(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		removing(t, servers[0], rulestest.App)
		for n := range 15 {
			m := open("ann"+strconv.Itoa(n)+"@example.com", "ann"+strconv.Itoa(n))
			outlook, teams := admitted(t, servers[0], attempt(m, "outlook")), admitted(t, servers[1], attempt(m, "teams"))
			var all sync.WaitGroup
			for i, id := range []string{outlook.Session.ID, teams.Session.ID} {
				all.Go(func() {
					if err := servers[i].SignOut(t.Context(), addin, id); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if _, err := servers[0].UserMapping(t.Context(), outlook.UserMapping.ID); !idmap.IsNotFound(err) {
				t.Fatalf("%d: the mapping outlives both of its sessions: %v", n, err)
			}
		}
	})
}

// TestImportKeepsNoMappedUserWaiting: while a directory is written, only those wait who need it unchanged. SQLite has
// one writer, who is never waited for long.
func TestImportKeepsNoMappedUserWaiting(t *testing.T) {
	t.Parallel()
	s := acctest.OpenPostgres(t)
	b := backend.New(s, backend.Options{})
	acctest.Stage(t, b, admin)
	create(t, b, open("ann@example.com", "ann"))
	var newcomer sync.WaitGroup
	var in atomic.Bool
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.LockConnection(t.Context(), rulestest.App); err != nil {
			return err
		}
		newcomer.Go(func() {
			_, err := b.SignIn(t.Context(), addin, attempt(open("new@example.com", "new"), ""))
			in.Store(true)
			if err != nil {
				t.Error(err)
			}
		})
		for range 3 {
			admitted(t, b, attempt(open("ann@example.com", "ann"), ""))
		}
		time.Sleep(100 * time.Millisecond)
		if in.Load() {
			t.Error("a mapping was made beside the import, which cannot bind it then")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	newcomer.Wait()
}
