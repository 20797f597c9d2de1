package acctest_test

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// filesMap maps the old file server's accounts (groups) to SharePoint's.
func filesMap(kind idmap.MapKind) idmap.Map {
	m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	m.Name, m.MapBy = "Files", idmap.MapBy{ID: true, Username: true}
	if kind == idmap.GroupMap {
		m.MapBy = idmap.MapBy{ID: true, Name: true}
	}
	return m
}

func named(name string) idmap.Principal { return idmap.Principal{Name: name} }

func exceptions(pairs ...string) *[]idmap.MapException {
	all := []idmap.MapException{}
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, idmap.MapException{Source: named(pair[0]), Destination: named(pair[1])})
	}
	return &all
}

func exclusions(source, destination string) *[]idmap.MapExclusion {
	return &[]idmap.MapExclusion{{Location: idmap.LocationSource, SID: named(source)}, {Location: idmap.LocationDestination, SID: named(destination)}}
}

// pairsOf returns who an exception is from and to, by id.
func pairsOf(m idmap.Map) []string {
	var all []string
	for _, e := range *m.Exceptions {
		all = append(all, e.Source.ID+">"+e.Destination.ID)
	}
	slices.Sort(all)
	return all
}

func wantPairs(t *testing.T, m idmap.Map, pairs ...string) {
	t.Helper()
	if got := pairsOf(m); !slices.Equal(got, pairs) {
		t.Errorf("the exceptions are %q, want %q", got, pairs)
	}
}

// TestMapsThroughTheClient walks the life of a map: client and server agree on every route.
func TestMapsThroughTheClient(t *testing.T) {
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		t.Run(string(kind), func(t *testing.T) {
			s := acctest.NewServer(t)
			acctest.StageMaps(t, s.Backend, backend.Call{})
			people := []string{"jane.doe", "john.roe", "s-jane>d-john", "lea.ver", "off"}
			if kind == idmap.GroupMap {
				people = []string{"sales", "eng", "sg-sales>dg-eng", "team1", "team2"}
			}
			life(t, s.Client, kind, people)
		})
	}
}

func life(t *testing.T, c *client.Client, kind idmap.MapKind, people []string) {
	t.Helper()
	ctx := t.Context()
	m := filesMap(kind)
	m.Exceptions, m.Exclusions = exceptions(people[0], people[1]), exclusions(people[3], people[3])
	if kind == idmap.GroupMap {
		m.Exclusions = exclusions(people[3], people[4])
	}
	verdicts, err := c.ValidateMaps(ctx, kind, []idmap.MapIntent{{Operation: idmap.OperationCreate, Map: &m}}, nil)
	if err != nil || len(verdicts[0].Violations) > 0 || len(verdicts[0].Warnings) == 0 || verdicts[0].Effect == nil {
		t.Fatalf("validated as %+v, %v", verdicts, err)
	}
	created, warnings, err := c.CreateMap(ctx, kind, "key", m)
	if err != nil || created.ID == "" || created.Revision == 0 || created.Exceptions != nil {
		t.Fatalf("created %+v, %v, %v", created, warnings, err)
	}
	again, _, err := c.CreateMap(ctx, kind, "key", m)
	if err != nil || again.ID != created.ID {
		t.Fatalf("created again as %+v, %v", again, err)
	}
	read, err := c.Map(ctx, kind, created.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, read, people[2])
	if len(*read.Exclusions) != 2 {
		t.Errorf("excluded are %+v", *read.Exclusions)
	}
	checkReport(t, c, kind, created.ID, verdicts[0].Effect.Totals)
	listed := 0
	for m, err := range c.Maps(ctx, kind, client.MapFilter{Name: "FILES", SourceConnection: rulestest.OldFiles}) {
		if listed++; err != nil || m.ID != created.ID {
			t.Errorf("listed %+v, %v", m, err)
		}
	}
	created.Name, created.Exceptions = "Renamed", exceptions()
	updated, _, err := c.UpdateMap(ctx, kind, created)
	if err != nil || updated.Revision <= created.Revision || listed != 1 {
		t.Fatalf("updated to %+v, %v", updated, err)
	}
	if _, _, err = c.UpdateMap(ctx, kind, created); err == nil {
		created.Name = "Otherwise"
		_, _, err = c.UpdateMap(ctx, kind, created)
	}
	if !idmap.IsKind(err, idmap.KindRevision) {
		t.Errorf("a revision that is past: %v", err)
	}
	if err := c.DeleteMap(ctx, kind, created.ID, updated.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Map(ctx, kind, created.ID); !idmap.IsNotFound(err) {
		t.Errorf("deleted: %v", err)
	}
}

// checkReport: the rows are those that the totals count, and a filter selects some of them.
func checkReport(t *testing.T, c *client.Client, kind idmap.MapKind, id string, totals idmap.MapTotals) {
	t.Helper()
	got, err := c.MapTotals(t.Context(), kind, id)
	if err != nil || got.Sources != totals.Sources {
		t.Errorf("totals %+v, %v, validated with %+v", got, err, totals)
	}
	count := func(f idmap.ResolutionFilter) (n int) {
		for _, err := range c.MapReport(t.Context(), kind, id, f) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := count(idmap.ResolutionFilter{}); n != totals.Sources || n == 0 {
		t.Errorf("%d rows of %d", n, totals.Sources)
	}
	some := idmap.ResolutionFilter{Resolved: []idmap.Resolved{idmap.ResolvedException, idmap.ResolvedExcluded}}
	if n := count(some); n != 2 {
		t.Errorf("%d rows of exceptions and exclusions", n)
	}
}
