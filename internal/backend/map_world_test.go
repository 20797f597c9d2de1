package backend_test

import (
	"context"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// mapped runs a test on both engines, in the world of the cases of maps.
func mapped(t *testing.T, test func(t *testing.T, b *backend.Backend)) {
	t.Helper()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		b := backend.New(open(t), backend.Options{})
		stageMaps(t, b)
		test(t, b)
	})
}

// stageMaps stores the connections and the directories of the world of maps.
func stageMaps(t *testing.T, b *backend.Backend) {
	t.Helper()
	for _, c := range rulestest.MapConnections() {
		if _, err := b.CreateConnection(t.Context(), admin, c); err != nil {
			t.Fatal(err)
		}
		importAccounts(t, b, c.ID, rulestest.MapAccounts()[c.ID])
		if _, err := b.ImportGroups(t.Context(), admin, c.ID, backend.Import[idmap.Group]{Rows: rulestest.MapGroups()[c.ID], SHA256: "groups"}); err != nil {
			t.Fatal(err)
		}
		for _, id := range rulestest.MapDeleted()[c.ID] {
			play(t, b, rulestest.MapEvent{Connection: c.ID, Account: &idmap.Account{ID: id}, Leaves: true})
		}
		for _, id := range rulestest.MapDeletedGroups()[c.ID] {
			play(t, b, rulestest.MapEvent{Connection: c.ID, Group: &idmap.Group{ID: id}, Leaves: true})
		}
	}
}

// play makes something happen in a directory.
func play(t *testing.T, b *backend.Backend, e rulestest.MapEvent) {
	t.Helper()
	var err error
	switch {
	case e.Account != nil && e.Leaves:
		err = b.DeleteAccount(t.Context(), admin, e.Connection, e.Account.ID, 0)
	case e.Account != nil:
		_, _, err = b.PutAccount(t.Context(), admin, e.Connection, *e.Account, 0)
	case e.Leaves:
		err = b.DeleteGroup(t.Context(), admin, e.Connection, e.Group.ID, 0)
	default:
		_, err = b.PutGroup(t.Context(), admin, e.Connection, *e.Group, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// staffMap returns a map between the two file platforms, by usernames (groups: by names).
func staffMap(kind idmap.MapKind, edits ...func(*idmap.Map)) idmap.Map {
	m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	if m.MapBy = (idmap.MapBy{Username: true}); kind == idmap.GroupMap {
		m.MapBy = idmap.MapBy{Name: true}
	}
	for _, edit := range edits {
		edit(&m)
	}
	return m
}

func exception(source, destination string) func(*idmap.Map) {
	return func(m *idmap.Map) {
		e := idmap.MapException{Source: idmap.Principal{Name: source}, Destination: idmap.Principal{Name: destination}}
		m.Exceptions = new(append(*m.Exceptions, e))
	}
}

func exclusion(location idmap.Location, who string) func(*idmap.Map) {
	return func(m *idmap.Map) {
		m.Exclusions = new(append(*m.Exclusions, idmap.MapExclusion{Location: location, SID: idmap.Principal{Name: who}}))
	}
}

func createMap(t *testing.T, b *backend.Backend, kind idmap.MapKind, m idmap.Map) idmap.Map {
	t.Helper()
	v, err := b.CreateMap(t.Context(), admin, kind, m)
	if err != nil {
		t.Fatalf("creating map %q: %v", m.Name, err)
	}
	return *v.Map
}

// updateMap changes an account map.
func updateMap(t *testing.T, b *backend.Backend, id string, revision int64, edit func(*idmap.Map)) (idmap.Map, error) {
	t.Helper()
	v, err := b.UpdateMap(t.Context(), admin, idmap.AccountMap, id, revision, func(m idmap.Map) (idmap.Map, error) {
		edit(&m)
		return m, nil
	})
	if err != nil {
		return idmap.Map{}, err
	}
	return *v.Map, nil
}

func rereadMap(t *testing.T, b *backend.Backend, kind idmap.MapKind, id string) idmap.Map {
	t.Helper()
	m, err := b.Map(t.Context(), kind, id, true)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// report reads all pages of a report and checks that they and its totals are whole: every source that lives is there
// once, and the counts add up to their number.
func report(t *testing.T, b *backend.Backend, subject backend.MapSubject, source string) (idmap.MapTotals, map[string]idmap.Resolution) {
	t.Helper()
	var totals idmap.MapTotals
	rows := map[string]idmap.Resolution{}
	page := idmap.Page{Limit: 3}
	for {
		r, err := b.ReportMap(t.Context(), subject, idmap.ResolutionFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		if first := page.After == ""; first != (r.Totals != nil) || first != (r.Rows.Total >= 0) {
			t.Fatalf("after %q: totals %v, count %d", page.After, r.Totals, r.Rows.Total)
		} else if first {
			totals = *r.Totals
			checkTotals(t, b, subject.Kind, source, totals)
		}
		for _, row := range r.Rows.Items {
			if row.ID <= page.After {
				t.Fatalf("%s comes after %s", row.ID, page.After)
			}
			rows[row.ID], page.After = row, row.ID
		}
		if !r.Rows.More {
			break
		}
	}
	if len(rows) != totals.Sources {
		t.Errorf("%d rows of %d sources", len(rows), totals.Sources)
	}
	return totals, rows
}

// checkTotals compares totals with how many live entries the source directory has.
func checkTotals(t *testing.T, b *backend.Backend, kind idmap.MapKind, source string, totals idmap.MapTotals) {
	t.Helper()
	sum := 0
	for _, n := range totals.ByResolution {
		sum += n
	}
	if live := liveEntries(t, b, kind, source); totals.Sources != live || sum != live {
		t.Errorf("the totals are of %d sources and add up to %d, and the directory has %d: %+v", totals.Sources, sum, live, totals)
	}
}

func liveEntries(t *testing.T, b *backend.Backend, kind idmap.MapKind, connection string) int {
	t.Helper()
	live := false
	f, page := idmap.DirectoryFilter{Deleted: &live}, idmap.Page{Limit: 1}
	if kind == idmap.GroupMap {
		return total(t, func(ctx context.Context) (backend.List[idmap.Group], error) {
			return b.Groups(ctx, connection, f, page)
		})
	}
	return total(t, func(ctx context.Context) (backend.List[idmap.Account], error) {
		return b.Accounts(ctx, connection, f, page)
	})
}

func total[T any](t *testing.T, list func(context.Context) (backend.List[T], error)) int {
	t.Helper()
	found, err := list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found.Total
}
