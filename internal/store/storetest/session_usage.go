package storetest

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var sessionUsageTests = map[string]func(world){
	"usage sums up the sessions of a mapping":       testUsageSums,
	"usage is of the sessions that a filter finds":  testUsageFilter,
	"usage of the sessions of thousands of clients": testUsageMany,
}

func (w world) checkUsage(want string, f idmap.SessionFilter) {
	w.t.Helper()
	checkList(w, want, f, func(u idmap.SessionUsage) string { return u.UserMapping.ID },
		func(r store.Reader) ([]idmap.SessionUsage, error) { return r.ListSessionUsage(w.ctx, f, all) },
		func(r store.Reader) (int, error) { return r.CountSessionUsage(w.ctx, f) })
}

func (w world) usage(f idmap.SessionFilter, page idmap.Page) []idmap.SessionUsage {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.SessionUsage, error) { return r.ListSessionUsage(w.ctx, f, page) })
}

func testUsageSums(w world) {
	w.connections().insert(mapping("m1", "Å@example.com", "A"), mapping("m2", "b@example.com", "b"), mapping("m3", "c@example.com", "c"))
	early, late := userSession("e", "m1", "outlook"), userSession("l", "m1", "teams")
	early.FirstUsedOn, early.LastUsedOn, early.UseCount = *at(1), *at(9), 1<<40
	late.FirstUsedOn, late.LastUsedOn, late.UseCount = *at(3), *at(8), 5
	w.use(late, early, userSession("o", "m3", ""))
	want := idmap.SessionUsage{
		UserMapping: idmap.Ref{ID: "m1"}, Source: early.Source, Destination: early.Destination, Email: "Å@example.com", UserID: "A",
		FirstUsedOn: *at(1), LastUsedOn: *at(9), UseCount: 1<<40 + 5, SessionCount: 2,
	}
	complete(w.t, want)
	equal(w.t, "of the first", w.usage(idmap.SessionFilter{}, idmap.Page{Limit: 1}), []idmap.SessionUsage{want})
	w.checkUsage("m1 m3", idmap.SessionFilter{})
	w.end(idmap.SessionFilter{ID: "e"}, 1)
	want.FirstUsedOn, want.LastUsedOn, want.UseCount, want.SessionCount = *at(3), *at(8), 5, 1
	equal(w.t, "of the sessions that are left", w.usage(idmap.SessionFilter{UserKey: "a"}, all), []idmap.SessionUsage{want})
	w.end(idmap.SessionFilter{ID: "l"}, 1)
	w.checkUsage("m3", idmap.SessionFilter{})
}

func testUsageFilter(w world) {
	three := mapping("m3", "a@example.com", "a")
	three.Source.Connection.ID, three.Destination.Connection.ID, three.EmailScope = "app", "app2", "app2"
	w.connections().insert(mapping("m1", "a@example.com", "a"), mapping("m2", "b@example.com", "b"), three)
	w.use(userSession("9", "m1", "x"), userSession("8", "m1", "y"), userSession("7", "m2", "x"), userSession("6", "m3", "x"))
	for _, c := range []struct {
		want   string
		filter idmap.SessionFilter
	}{
		{"m1 m2 m3", idmap.SessionFilter{}},
		{"m1", idmap.SessionFilter{Client: "y"}},
		{"m1 m2", idmap.SessionFilter{ConnectionID: "mail"}},
		{"m1 m2 m3", idmap.SessionFilter{ConnectionID: "app"}},
		{"m3", idmap.SessionFilter{SourceConnectionID: "app"}},
		{"m1 m2", idmap.SessionFilter{DestinationConnectionID: "app", Client: "x"}},
		{"m1 m3", idmap.SessionFilter{EmailKey: "a@example.com"}},
		{"m2", idmap.SessionFilter{UserKey: "b"}},
		{"m1", idmap.SessionFilter{ID: "9"}},
		{"m1 m3", idmap.SessionFilter{UserMappingIDs: []string{"m3", "m1", "none"}}},
		{"", idmap.SessionFilter{UserMappingIDs: []string{}}},
	} {
		w.checkUsage(c.want, c.filter)
	}
	equal(w.t, "sessions from one client", w.usage(idmap.SessionFilter{Client: "x"}, all)[0].SessionCount, 1)
}

func testUsageMany(w world) {
	const n = 1200
	w.connections().insert(people(n)...)
	var sessions []idmap.Session
	var mappings []string
	for i, m := range people(n) {
		sessions = append(sessions, userSession(fmt.Sprint("a", i), m.ID, "x"), userSession(fmt.Sprint("b", i), m.ID, "y"))
		mappings = append(mappings, m.ID)
	}
	w.use(sessions...)
	shuffled := append(slices.Clone(mappings[700:]), mappings[:700]...)
	for _, f := range []idmap.SessionFilter{{}, {UserMappingIDs: mappings}, {UserMappingIDs: shuffled}} {
		equal(w.t, "count", read(w, func(r store.Reader) (int, error) { return r.CountSessionUsage(w.ctx, f) }), n)
		page := w.usage(f, idmap.Page{After: mappings[400], Limit: 600})
		equal(w.t, "page", len(page), 600)
		for i, u := range page {
			equal(w.t, "mapping", u.UserMapping.ID, mappings[401+i])
			equal(w.t, "sessions", u.SessionCount, 2)
		}
	}
}
