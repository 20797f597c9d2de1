package backend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

func stored(kind idmap.MapKind, id string) backend.MapSubject {
	return backend.MapSubject{Kind: kind, ID: id}
}

// wantResolutions checks rows by the ids of their sources: source, resolution, destination, and so on.
func wantResolutions(t *testing.T, rows map[string]idmap.Resolution, want ...string) {
	t.Helper()
	for row := range slices.Chunk(want, 3) {
		got, destination := rows[row[0]], ""
		if got.Destination != nil {
			destination = got.Destination.ID
		}
		if string(got.Resolution) != row[1] || destination != row[2] || got.Message == "" {
			t.Errorf("%s resolves to %s %q (%s), want %s %q", row[0], got.Resolution, destination, got.Message, row[1], row[2])
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "ollie.off"), exclusion(idmap.LocationSource, "lea.ver"),
			exclusion(idmap.LocationDestination, "john.roe"), func(m *idmap.Map) { m.MapBy.ExternalPassthrough = true }))
		totals, rows := report(t, b, stored(idmap.AccountMap, m.ID), rulestest.OldFiles)
		wantResolutions(t, rows,
			"s-jane", "Exception", "d-off", "s-john", "Unresolved", "", "s-lea", "Excluded", "", "s-guest", "External", "",
			"s-twin-1", "Username", "d-twin-1", "s-stub", "Username", "d-stub", "s-odd", "Unresolved", "")
		if totals.Stubs != 1 || totals.Disabled != 1 || totals.ByReason[idmap.ReasonDestinationExcluded] != 1 {
			t.Errorf("totals: %+v", totals)
		}
		if rows["s-gone"].ID != "" {
			t.Error("the report has one who has left")
		}
		groups := createMap(t, b, idmap.GroupMap, staffMap(idmap.GroupMap))
		_, rows = report(t, b, stored(idmap.GroupMap, groups.ID), rulestest.OldFiles)
		wantResolutions(t, rows, "sg-sales", "Name", "dg-sales", "sg-off", "Unresolved", "")
		if _, err := b.ReportMap(t.Context(), stored(idmap.GroupMap, m.ID), idmap.ResolutionFilter{}, idmap.Page{Limit: 5}); !idmap.IsNotFound(err) {
			t.Errorf("the report of a map of the other kind: %v", err)
		}
	})
}

func TestReportIsFiltered(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"), exclusion(idmap.LocationDestination, "john.roe"))).ID
		for _, c := range []struct {
			filter idmap.ResolutionFilter
			want   []string
		}{
			{idmap.ResolutionFilter{Resolved: []idmap.Resolved{idmap.ResolvedException}}, []string{"s-jane"}},
			{idmap.ResolutionFilter{Resolved: []idmap.Resolved{idmap.ResolvedUsername}}, []string{"s-lea", "s-stub", "s-twin-1", "s-twin-2"}},
			{idmap.ResolutionFilter{Resolved: []idmap.Resolved{idmap.Unresolved}, Reason: idmap.ReasonDestinationExcluded}, []string{"s-john"}},
			{idmap.ResolutionFilter{Query: "lea.ver@fabrikam"}, []string{"s-jane", "s-lea"}},
			{idmap.ResolutionFilter{Query: "nobody is called like that"}, nil},
		} {
			var all []string
			for page := (idmap.Page{Limit: 1}); ; {
				r, err := b.ReportMap(t.Context(), stored(idmap.AccountMap, id), c.filter, page)
				if err != nil {
					t.Fatal(err)
				}
				if page.After == "" {
					checkTotals(t, b, idmap.AccountMap, rulestest.OldFiles, *r.Totals)
					if r.Rows.Total != len(c.want) {
						t.Errorf("%+v: %d rows are announced, want %d", c.filter, r.Rows.Total, len(c.want))
					}
				}
				for _, row := range r.Rows.Items {
					all, page.After = append(all, row.ID), row.ID
				}
				if !r.Rows.More {
					break
				}
			}
			if !slices.Equal(all, c.want) {
				t.Errorf("%+v: got %v, want %v", c.filter, all, c.want)
			}
			if got := exported(t, b, stored(idmap.AccountMap, id), c.filter); !slices.Equal(got, c.want) {
				t.Errorf("%+v: exported %v, want %v", c.filter, got, c.want)
			}
		}
	})
}

func exported(t *testing.T, b *backend.Backend, subject backend.MapSubject, f idmap.ResolutionFilter) []string {
	t.Helper()
	var all []string
	err := b.ExportMap(t.Context(), subject, f, func(row idmap.Resolution) error {
		all = append(all, row.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExportStopsWhereItsReaderDoes(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)).ID
		rows, enough := 0, errors.New("enough")
		err := b.ExportMap(t.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, func(idmap.Resolution) error {
			rows++
			return enough
		})
		if !errors.Is(err, enough) || rows != 1 {
			t.Errorf("got %v after %d rows", err, rows)
		}
	})
}

// TestSlowReadersHoldNobodyBack: many exports whose readers all dawdle at once, and others work.
func TestSlowReadersHoldNobodyBack(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)).ID
		var dawdling, wait sync.WaitGroup
		for range 20 {
			dawdling.Add(1)
			wait.Go(func() {
				first := true
				err := b.ExportMap(t.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, func(idmap.Resolution) error {
					if first {
						first = false
						dawdling.Done()
						dawdling.Wait() // for all others to be here too
						_, err := b.ReportMap(t.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, idmap.Page{Limit: 1})
						return err
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	})
}

// TestReportSeesDirectories: what a report knows of the directories is of its own moment, whoever asked before.
func TestReportSeesDirectories(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("lea.ver", "john.roe"))).ID
		rows := func() map[string]idmap.Resolution {
			t.Helper()
			_, rows := report(t, b, stored(idmap.AccountMap, id), rulestest.OldFiles)
			return rows
		}
		wantResolutions(t, rows(), "s-jane", "Username", "d-jane", "s-lea", "Exception", "d-john")
		play(t, b, rulestest.MapEvent{Connection: rulestest.NewFiles, Account: &idmap.Account{ID: "d-jane", Username: "jane.smith"}})
		wantResolutions(t, rows(), "s-jane", "Unresolved", "", "s-lea", "Exception", "d-john")
		play(t, b, rulestest.MapEvent{Connection: rulestest.NewFiles, Account: &idmap.Account{ID: "d-john"}, Leaves: true})
		if r := rows(); r["s-lea"].Reason != idmap.ReasonDestinationDeleted {
			t.Errorf("the exception's destination has left: %+v", r["s-lea"])
		}
		play(t, b, rulestest.MapEvent{Connection: rulestest.OldFiles, Account: &idmap.Account{ID: "s-new", Username: "jane.smith"}})
		wantResolutions(t, rows(), "s-new", "Username", "d-jane")
	})
}

func TestReportsAtOnce(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		ids := map[idmap.MapKind][]string{}
		for _, kind := range bothKinds {
			for _, c := range rulestest.MapConnections()[1:] { // more destinations than indexes are kept
				m := staffMap(kind, func(m *idmap.Map) { m.Name, m.Destination.Connection.ID = c.Name, c.ID })
				ids[kind] = append(ids[kind], createMap(t, b, kind, m).ID)
			}
		}
		var wait sync.WaitGroup
		for i := range 32 {
			wait.Go(func() {
				kind := bothKinds[i%2]
				r, err := b.ReportMap(t.Context(), stored(kind, ids[kind][i/2%len(ids[kind])]), idmap.ResolutionFilter{}, idmap.Page{Limit: 100})
				if err != nil || r.Totals.ByResolution[idmap.Unresolved] == r.Totals.Sources {
					t.Errorf("got %+v, %v", r.Totals, err)
				}
			})
		}
		wait.Wait()
	})
}

// TestImpatientReaders: one who gives up while he makes what others wait for does not take it from them.
func TestImpatientReaders(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		people := make([]idmap.Account, 3000)
		for i := range people {
			people[i] = idmap.Account{ID: fmt.Sprintf("p%04d", i), Username: fmt.Sprintf("p%04d", i)}
		}
		importAccounts(t, b, rulestest.NewFiles, people)
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)).ID
		for round := range 4 {
			play(t, b, rulestest.MapEvent{Connection: rulestest.NewFiles, Account: &idmap.Account{ID: "x", Username: fmt.Sprint("round", round)}})
			var wait sync.WaitGroup
			for i := range 6 {
				wait.Go(func() {
					impatient, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
					defer cancel()
					_, err := b.ReportMap(impatient, stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, idmap.Page{Limit: 1})
					if err == nil && i == 0 {
						t.Error("a report that nobody waited for was made")
					}
				})
				wait.Go(func() {
					if _, err := b.ReportMap(t.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, idmap.Page{Limit: 1}); err != nil {
						t.Errorf("a patient reader got %v", err)
					}
				})
			}
			wait.Wait()
		}
	})
}

func TestPreview(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		wanted := staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"))
		_, rows := report(t, b, backend.MapSubject{Kind: idmap.AccountMap, Proposed: &wanted}, rulestest.OldFiles)
		wantResolutions(t, rows, "s-jane", "Exception", "d-lea", "s-john", "Username", "d-john")

		id := createMap(t, b, idmap.AccountMap, wanted).ID
		change := wanted
		change.Exceptions, change.MapBy = nil, idmap.MapBy{Email: true} // the stored exception stays
		_, rows = report(t, b, backend.MapSubject{Kind: idmap.AccountMap, ID: id, Proposed: &change}, rulestest.OldFiles)
		wantResolutions(t, rows, "s-jane", "Exception", "d-lea", "s-john", "Unresolved", "")

		_, err := b.ReportMap(t.Context(), backend.MapSubject{Kind: idmap.AccountMap, Proposed: &wanted}, idmap.ResolutionFilter{}, idmap.Page{Limit: 5})
		wantCode(t, err, idmap.CodeNameInUse)
		bad := staffMap(idmap.AccountMap, exception("jane.do", "lea.ver"))
		err = b.ExportMap(t.Context(), backend.MapSubject{Kind: idmap.AccountMap, ID: id, Proposed: &bad}, idmap.ResolutionFilter{}, func(idmap.Resolution) error { return nil })
		wantCode(t, err, idmap.CodeUnknownAccount)

		// With a directory that is not there yet.
		target := idmap.ProposedDirectory{
			Connection: idmap.Connection{ID: "soon", Name: "Soon", Platform: idmap.PlatformRef{ID: "generic"}},
			Accounts:   &[]idmap.Account{{ID: "x2", Username: "john.roe"}, {ID: "x1", Username: "JANE.DOE"}},
		}
		source := idmap.ProposedDirectory{
			Connection: idmap.Connection{ID: rulestest.OldFiles, Name: "Old Files", Platform: idmap.PlatformRef{ID: "network_file_share"}},
			Accounts:   &[]idmap.Account{{ID: "n2", Username: "nobody"}, {ID: "n1", Username: "jane.doe"}, {ID: "n0", Username: "n0"}},
		}
		soon := rulestest.MapBetween(rulestest.OldFiles, "soon")
		soon.Name, soon.MapBy, soon.Destination.Default = "Soon", idmap.MapBy{Username: true}, &idmap.Principal{Name: "john.roe"}
		subject := backend.MapSubject{Kind: idmap.AccountMap, Proposed: &soon, Directories: []idmap.ProposedDirectory{target, source}}
		page, err := b.ReportMap(t.Context(), subject, idmap.ResolutionFilter{}, idmap.Page{Limit: 2})
		if err != nil || page.Totals.Sources != 3 || page.Totals.ByResolution[idmap.ResolvedDefault] != 2 || !page.Rows.More {
			t.Fatalf("got %+v, %v", page, err)
		}
		if got := exported(t, b, subject, idmap.ResolutionFilter{}); !slices.Equal(got, []string{"n0", "n1", "n2"}) {
			t.Errorf("exported %v", got)
		}
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"))).ID
		called := func(names ...string) (asked []idmap.Principal) {
			for _, name := range names {
				asked = append(asked, idmap.Principal{Name: name})
			}
			return asked
		}
		rows, err := b.ResolveMap(t.Context(), idmap.AccountMap, id, called("john.roe", "JDOE@contoso.com", "s-twin-1", "Odd Name"))
		if err != nil || len(rows) != 4 {
			t.Fatalf("got %+v, %v", rows, err)
		}
		byID := map[string]idmap.Resolution{}
		for i, want := range []string{"s-john", "s-jane", "s-twin-1", "s-odd"} {
			if byID[want] = rows[i]; rows[i].ID != want {
				t.Errorf("row %d is about %s, want %s", i, rows[i].ID, want)
			}
		}
		wantResolutions(t, byID, "s-john", "Username", "d-john", "s-jane", "Exception", "d-lea", "s-odd", "Unresolved", "")

		_, err = b.ResolveMap(t.Context(), idmap.AccountMap, id, append(called("john.roe", "nobody", "Sam Twin", "gail.gone"), idmap.Principal{ID: "s-jane", Email: "john.roe@contoso.com"}))
		var got []string
		for _, v := range idmap.ViolationsOf(err) {
			got = append(got, v.Field+" "+string(v.Code))
		}
		if want := []string{"items[1] unknown_account", "items[2] ambiguous_account", "items[3] unknown_account", "items[4] account_mismatch"}; !slices.Equal(got, want) {
			t.Errorf("refused %v, want %v", got, want)
		}
	})
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		b := backend.New(open(t), backend.Options{})
		stageMaps(t, b)
		_, created := b.CreateMap(t.Context(), admin, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.do@contoso.com", "lea.ver")))
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)).ID
		_, updated := updateMap(t, b, id, 0, func(m *idmap.Map) { *m = staffMap(idmap.AccountMap, exception("jane.do@contoso.com", "lea.ver")) })
		_, written := put(t, b, id, exceptions, true, exception("jane.do@contoso.com", "lea.ver"))
		for i, err := range []error{created, updated, written} {
			wantCode(t, err, idmap.CodeUnknownAccount)
			if v := idmap.ViolationsOf(err); len(v) != 1 || !suggests(v[0], "jane.doe@contoso.com") {
				t.Errorf("%d: the refusal suggests nobody: %+v", i, v)
			}
		}
	})
}

// TestReportSeesItems: what a report kept of the map for the next one is not taken for what the map is now.
func TestReportSeesItems(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver")))
		job := createJob(t, b, transfer(&m, nil))
		rows := func() map[string]idmap.Resolution {
			t.Helper()
			_, rows := report(t, b, stored(idmap.AccountMap, m.ID), rulestest.OldFiles)
			return rows
		}
		wantResolutions(t, rows(), "s-jane", "Exception", "d-lea")
		added, err := put(t, b, m.ID, exceptions, true, exception("john.roe", "lea.ver"), exception("jane.doe", "john.roe"))
		wantReport(t, added, err, 1, 1, 0, "s-john", "s-jane")
		wantResolutions(t, rows(), "s-jane", "Exception", "d-john", "s-john", "Exception", "d-lea")
		if err := b.DeleteMapItem(t.Context(), admin, idmap.AccountMap, m.ID, exceptions, added.Items[0].ID); err != nil {
			t.Fatal(err)
		}
		wantResolutions(t, rows(), "s-jane", "Exception", "d-john", "s-john", "Username", "d-john")
		for range 2 { // the job keeps what it used, whatever was asked before
			used, err := b.SecurityMap(t.Context(), job.ID, idmap.ResolutionFilter{Resolved: []idmap.Resolved{idmap.ResolvedException}}, idmap.Page{Limit: 5})
			if err != nil || len(used.Items) != 1 || used.Items[0].Destination.ID != "d-lea" {
				t.Errorf("the job resolves %+v, %v", used.Items, err)
			}
		}
	})
}
