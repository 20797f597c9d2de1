package acctest

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// OpenPostgres opens a fresh database of the tests' PostgreSQL. It is closed with the test.
func OpenPostgres(tb testing.TB) store.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), testenv.PostgresDatabase(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Stage stores the connections and the directories of the world in which the cases of the rules play.
func Stage(tb testing.TB, b *backend.Backend, call backend.Call) {
	tb.Helper()
	stage(tb, b, call, rulestest.Connections(), rulestest.Accounts(), rulestest.Groups())
	leave(tb, rulestest.Deleted(), func(connection, id string) error { return b.DeleteAccount(tb.Context(), call, connection, id, 0) })
}

// StageMaps stores the connections and the directories of the world in which the cases of maps play.
func StageMaps(tb testing.TB, b *backend.Backend, call backend.Call) {
	tb.Helper()
	stage(tb, b, call, rulestest.MapConnections(), rulestest.MapAccounts(), rulestest.MapGroups())
	leave(tb, rulestest.MapDeleted(), func(connection, id string) error { return b.DeleteAccount(tb.Context(), call, connection, id, 0) })
	leave(tb, rulestest.MapDeletedGroups(), func(connection, id string) error { return b.DeleteGroup(tb.Context(), call, connection, id, 0) })
}

func stage(
	tb testing.TB, b *backend.Backend, call backend.Call,
	connections []idmap.Connection, accounts map[string][]idmap.Account, groups map[string][]idmap.Group,
) {
	tb.Helper()
	ctx := tb.Context()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, c := range connections {
		_, err := b.CreateConnection(ctx, call, c)
		must(err)
		if accounts := accounts[c.ID]; accounts != nil {
			_, err = b.ImportAccounts(ctx, call, c.ID, backend.Import[idmap.Account]{Rows: accounts, SHA256: "accounts"})
			must(err)
		}
		if groups := groups[c.ID]; groups != nil {
			_, err = b.ImportGroups(ctx, call, c.ID, backend.Import[idmap.Group]{Rows: groups, SHA256: "groups"})
			must(err)
		}
	}
}

func leave(tb testing.TB, ids map[string][]string, remove func(connection, id string) error) {
	tb.Helper()
	for connection, gone := range ids {
		for _, id := range gone {
			if err := remove(connection, id); err != nil {
				tb.Fatal(err)
			}
		}
	}
}
