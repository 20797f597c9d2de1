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
	ctx := tb.Context()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, c := range rulestest.Connections() {
		_, err := b.CreateConnection(ctx, call, c)
		must(err)
		if accounts := rulestest.Accounts()[c.ID]; accounts != nil {
			_, err = b.ImportAccounts(ctx, call, c.ID, backend.Import[idmap.Account]{Rows: accounts, SHA256: "accounts"})
			must(err)
		}
		if groups := rulestest.Groups()[c.ID]; groups != nil {
			_, err = b.ImportGroups(ctx, call, c.ID, backend.Import[idmap.Group]{Rows: groups, SHA256: "groups"})
			must(err)
		}
		for _, id := range rulestest.Deleted()[c.ID] {
			must(b.DeleteAccount(ctx, call, c.ID, id, 0))
		}
	}
}
