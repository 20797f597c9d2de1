package postgres_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/store/storetest"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func open(t *testing.T, databaseURL string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// with sets a parameter of the URL, which PostgreSQL takes as a setting of the session.
func with(t *testing.T, databaseURL, name, value string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // pgx takes a + as it is
	return u.String()
}

// isolations are what updates run at: the default, and the one that stands in for distributed engines.
var isolations = []string{"read committed", "serializable"}

func TestConformance(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			t.Cleanup(func() { goleak.VerifyNone(t) })
			database := with(t, testenv.PostgresDatabase(t), "default_transaction_isolation", isolation)
			open(t, database)
			storetest.Run(t, func(t *testing.T) store.Store {
				empty(t, database)
				return open(t, database)
			}, nil)
		})
	}
}

// empty removes every row but those of goose, which takes a tenth of the time of a new database.
func empty(t *testing.T, databaseURL string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const tables = `connections, accounts, groups, directory_addresses, user_mappings, email_assignments,
		email_assignment_holders, audit, tokens, idempotency_keys, maps, map_items, map_revisions, jobs,
		sign_ins, sessions`
	if _, err := conn.Exec(t.Context(), "TRUNCATE "+tables); err != nil {
		t.Fatal(err)
	}
}

func TestReopen(t *testing.T) {
	database := testenv.PostgresDatabase(t)
	storetest.Reopen(t, func(t *testing.T) store.Store { return open(t, database) })
}
