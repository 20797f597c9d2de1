package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var sessionTests = map[string]func(world){
	"a session is found as it was begun":                             testSessionRoundTrip,
	"a session is continued, and its times never move inwards":       testSessionContinue,
	"UseSessions answers in the order asked":                         testSessionOrder,
	"a session has the email and the user id that its mapping has":   testSessionMapping,
	"two sessions of one mapping and client in one call are refused": testSessionTwice,
	"a session of a mapping that does not exist is ErrConflict":      testSessionMissingMapping,
	"a session id that another session has is ErrConflict":           testSessionID,
	"clients in odd scripts and cases are told apart":                testSessionClients,
	"lists are in byte order, filtered, counted":                     testSessionFilter,
	"EndSessions removes what it answers, in order, up to a limit":   testSessionEnd,
	"EndSessions of no mappings ends none":                           testSessionEndNone,
	"EndSessions also of mappings that are deleted":                  testSessionEndDeleted,
	"after EndSessions a session begins anew":                        testSessionAnew,
	"sessions of thousands of mappings at once":                      testManySessions,
	"what cannot be text finds no session and is not stored":         testSessionNotText,
}

// userSession returns a session that was used once, of a mapping from mail to app.
func userSession(id, mappingID, client string) idmap.Session {
	u := idmap.Session{ID: id, UserMapping: idmap.Ref{ID: mappingID}, Client: client, SourceAddress: "192.0.2.1", UseCount: 1}
	u.Source.Connection.ID, u.Destination.Connection.ID = "mail", "app"
	u.FirstUsedOn, u.LastUsedOn = *at(2), *at(4)
	return u
}

func (w world) use(sessions ...idmap.Session) (used []idmap.Session) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		used, err = tx.UseSessions(w.ctx, sessions)
		return err
	})
	return used
}

func (w world) end(f idmap.SessionFilter, limit int) (ended []idmap.Session) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		ended, err = tx.EndSessions(w.ctx, f, limit)
		return err
	})
	return ended
}

func (w world) sessions() []idmap.Session {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Session, error) {
		return r.ListSessions(w.ctx, idmap.SessionFilter{}, all)
	})
}

// sessionsOf returns sessions by id, in their order.
func (w world) sessionsOf(ids ...string) []idmap.Session {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Session, error) {
		found, err := r.Sessions(w.ctx, ids)
		return sorted(found, func(u idmap.Session) string { return u.ID }), err
	})
}

func sessionIDs(sessions []idmap.Session) []string {
	list, _ := ids(sessions, nil, func(u idmap.Session) string { return u.ID })
	return list
}

func (w world) checkSessions(want string, f idmap.SessionFilter) {
	w.t.Helper()
	checkList(w, want, f, func(u idmap.Session) string { return u.ID },
		func(r store.Reader) ([]idmap.Session, error) { return r.ListSessions(w.ctx, f, all) },
		func(r store.Reader) (int, error) { return r.CountSessions(w.ctx, f) })
}

// withMapping returns a world with one mapping, "m".
func (w world) withMapping() world {
	w.t.Helper()
	w.connections().insert(mapping("m", "a@example.com", "a"))
	return w
}

func testSessionRoundTrip(w world) {
	want := filledSession()
	complete(w.t, want)
	given := want
	given.Email, given.UserID, given.Source.Connection.ID = "other", "", "" // it has those of its mapping
	equal(w.t, "begun", w.withMapping().use(given), []idmap.Session{want})
	equal(w.t, "listed", w.sessions(), []idmap.Session{want})
	equal(w.t, "found", w.sessionsOf("s", "none", "s", "S", "\x00"), []idmap.Session{want})
	nothing(w.t, "no keys", w.sessionsOf())
}

func testSessionContinue(w world) {
	want := filledSession()
	w.withMapping().use(want)
	for i, c := range []struct{ first, last, wantFirst, wantLast int }{
		{6, 6, 2, 6}, {7, 5, 2, 6}, {1, 1, 1, 6}, {3, 9, 1, 9}, {1, 9, 1, 9},
	} {
		next := userSession(fmt.Sprint("another", i), "m", "outlook")
		next.FirstUsedOn, next.LastUsedOn, next.UseCount = *at(c.first), *at(c.last), int64(i)
		next.SourceAddress = fmt.Sprint("192.0.2.", i)
		want.FirstUsedOn, want.LastUsedOn, want.SourceAddress = *at(c.wantFirst), *at(c.wantLast), next.SourceAddress
		want.UseCount += int64(i)
		equal(w.t, "continued", w.use(next), []idmap.Session{want})
		equal(w.t, "stored", w.sessions(), []idmap.Session{want})
	}
}

func testSessionOrder(w world) {
	w.connections().insert(people(3)...)
	w.use(userSession("old", "mu0001", "x"))
	used := w.use(userSession("c", "mu0002", ""), userSession("b", "mu0001", "x"), userSession("d", "mu0000", "z"), userSession("a", "mu0000", "B"))
	equal(w.t, "used", sessionIDs(used), []string{"c", "old", "d", "a"})
	equal(w.t, "email", used[2].Email, "u0000@example.com")
	equal(w.t, "stored", sessionIDs(w.sessions()), []string{"a", "c", "d", "old"})
}

func testSessionMapping(w world) {
	w.withMapping().use(filledSession())
	m := updated("m", "New@Example.com", "RENAMED")
	w.update(func(tx store.Tx) error { return tx.UpdateUserMappings(w.ctx, []store.UserMapping{m}) })
	want := filledSession()
	want.Email, want.UserID = "New@Example.com", "RENAMED"
	equal(w.t, "found", w.sessionsOf("s"), []idmap.Session{want})
	w.checkSessions("s", idmap.SessionFilter{EmailKey: "new@example.com", UserKey: "renamed"})
	w.checkSessions("", idmap.SessionFilter{UserKey: "a"})
	equal(w.t, "ended", w.end(idmap.SessionFilter{EmailKey: "new@example.com"}, 9), []idmap.Session{want})
}

func testSessionTwice(w world) {
	w.withMapping()
	err := w.s.Update(w.ctx, func(tx store.Tx) error {
		_, err := tx.UseSessions(w.ctx, []idmap.Session{userSession("a", "m", "x"), userSession("b", "m", "y"), userSession("c", "m", "x")})
		return err
	})
	if err == nil || errors.Is(err, store.ErrConflict) {
		w.t.Errorf("it answers %v, want an error that no repetition cures", err)
	}
	nothing(w.t, "stored", w.sessions())
}

func testSessionMissingMapping(w world) {
	w.withMapping()
	for _, id := range []string{"none", "M", ""} {
		w.refused(store.ErrConflict, func(tx store.Tx) error {
			_, err := tx.UseSessions(w.ctx, []idmap.Session{userSession("a", "m", ""), userSession("b", id, "")})
			return err
		})
	}
	nothing(w.t, "stored", w.sessions())
}

func testSessionID(w world) {
	w.withMapping().use(userSession("s", "m", "x"))
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		_, err := tx.UseSessions(w.ctx, []idmap.Session{userSession("s", "m", "y")})
		return err
	})
	equal(w.t, "clients", w.sessions()[0].Client, "x")
}

func testSessionClients(w world) {
	w.withMapping()
	var sessions []idmap.Session
	for i, client := range append(slices.Clone(oddIDs), "") {
		u := userSession(fmt.Sprintf("s%03d", i), "m", client)
		u.Email, u.UserID = "a@example.com", "a"
		sessions = append(sessions, u)
	}
	w.use(sessions...)
	for i := range sessions {
		sessions[i].UseCount++
	}
	again := slices.Clone(sessions)
	for i := range again {
		again[i].ID, again[i].UseCount = "again", 1
	}
	equal(w.t, "continued", w.use(again...), sessions)
	for _, u := range sessions[:len(sessions)-1] {
		w.checkSessions(u.ID, idmap.SessionFilter{Client: u.Client})
	}
}

func testSessionFilter(w world) {
	one, two, three := mapping("m1", "Alice@Example.com", "AL"), mapping("m2", "bob@müller.de", "bob"), mapping("m3", "alice@example.com", "al")
	three.Source.Connection.ID, three.Destination.Connection.ID, three.EmailScope = "app", "app2", "app2"
	w.connections().insert(one, two, three)
	w.use(userSession("1a", "m1", "outlook"), userSession("1b", "m1", "teams"), userSession("2", "m2", "outlook"), userSession("3", "m3", "outlook"))
	for _, c := range []struct {
		want   string
		filter idmap.SessionFilter
	}{
		{"1a 1b 2 3", idmap.SessionFilter{}},
		{"1b", idmap.SessionFilter{ID: "1b"}},
		{"", idmap.SessionFilter{ID: "1B"}},
		{"1a 1b 3", idmap.SessionFilter{UserMappingIDs: []string{"m3", "m1", "none", "m1"}}},
		{"3", idmap.SessionFilter{UserMappingIDs: []string{"m3", "m1"}, UserKey: "al", DestinationConnectionID: "app2"}},
		{"1a 1b 2 3", idmap.SessionFilter{ConnectionID: "app"}},
		{"1a 1b 2", idmap.SessionFilter{ConnectionID: "mail"}},
		{"3", idmap.SessionFilter{SourceConnectionID: "app"}},
		{"1a 1b 2", idmap.SessionFilter{DestinationConnectionID: "app"}},
		{"1a 1b 3", idmap.SessionFilter{EmailKey: "alice@example.com"}},
		{"", idmap.SessionFilter{EmailKey: "Alice@Example.com"}},
		{"1a 1b 3", idmap.SessionFilter{UserKey: "al"}},
		{"2", idmap.SessionFilter{EmailKey: "bob@xn--mller-kva.de"}},
		{"1a 2 3", idmap.SessionFilter{Client: "outlook"}},
		{"1b", idmap.SessionFilter{Client: "teams", UserKey: "al", ConnectionID: "mail"}},
		{"", idmap.SessionFilter{ID: "2", Client: "teams"}},
	} {
		w.checkSessions(c.want, c.filter)
	}
}

func testSessionEnd(w world) {
	w.connections().insert(people(3)...)
	begun := w.use(userSession("d", "mu0000", "1"), userSession("c", "mu0000", "2"), userSession("B", "mu0001", ""), userSession("ä", "mu0002", ""))
	nothing(w.t, "of no limit", w.end(idmap.SessionFilter{}, 0))
	nothing(w.t, "of another client", w.end(idmap.SessionFilter{Client: "3"}, 9))
	equal(w.t, "the first two", w.end(idmap.SessionFilter{}, 2), []idmap.Session{begun[2], begun[1]})
	equal(w.t, "left", sessionIDs(w.sessions()), []string{"d", "ä"})
	nothing(w.t, "a second time", w.end(idmap.SessionFilter{ID: "B"}, 9))
	equal(w.t, "by id", w.end(idmap.SessionFilter{ID: "ä"}, 9), begun[3:])
	equal(w.t, "the rest", w.end(idmap.SessionFilter{ConnectionID: "app"}, 9), begun[:1])
	nothing(w.t, "left", w.sessions())
}

func testSessionEndNone(w world) {
	w.withMapping().use(filledSession())
	for _, f := range []idmap.SessionFilter{{UserMappingIDs: []string{}}, {UserMappingIDs: []string{"\x00"}}} {
		nothing(w.t, "ended", w.end(f, 9))
		w.checkSessions("", f)
	}
	equal(w.t, "left", w.sessions(), []idmap.Session{filledSession()})
}

func testSessionEndDeleted(w world) {
	w.withMapping().use(filledSession())
	w.update(func(tx store.Tx) error {
		if err := tx.DeleteUserMappings(w.ctx, []idmap.UserMapping{{ID: "m", Revision: 1}}); err != nil {
			return err
		}
		found, err := tx.Sessions(w.ctx, []string{"s"})
		nothing(w.t, "found", found)
		ended, err2 := tx.EndSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: []string{"m"}}, 9)
		equal(w.t, "ended", sessionIDs(ended), []string{"s"})
		return errors.Join(err, err2)
	})
	w.insert(mapping("m", "a@example.com", "a"))
	nothing(w.t, "of another mapping with its id", w.sessions())
}

func testSessionAnew(w world) {
	w.withMapping().use(filledSession())
	equal(w.t, "ended", len(w.end(idmap.SessionFilter{UserMappingIDs: []string{"m"}}, 1)), 1)
	anew := userSession("s2", "m", "outlook")
	anew.Email, anew.UserID = "a@example.com", "a"
	equal(w.t, "begun", w.use(anew), []idmap.Session{anew})
	w.end(idmap.SessionFilter{ID: "s2"}, 1)
	equal(w.t, "its id is free again", w.use(anew), []idmap.Session{anew})
}

func testManySessions(w world) {
	const n = 1500
	w.connections().insert(people(n)...)
	sessions := make([]idmap.Session, n)
	mappings := make([]string, n)
	for i, m := range people(n) {
		sessions[i], mappings[i] = userSession(fmt.Sprintf("s%04d", n-i), m.ID, ""), m.ID
		sessions[i].Email, sessions[i].UserID = m.Email, m.UserID
	}
	equal(w.t, "begun", w.use(sessions...), sessions)
	f := idmap.SessionFilter{UserMappingIDs: mappings[1:]}
	slices.Reverse(sessions) // in the order of their ids
	equal(w.t, "count", read(w, func(r store.Reader) (int, error) { return r.CountSessions(w.ctx, f) }), n-1)
	equal(w.t, "listed", read(w, func(r store.Reader) ([]idmap.Session, error) {
		return r.ListSessions(w.ctx, f, idmap.Page{After: "s0100", Limit: 700})
	}), sessions[100:800])
	equal(w.t, "ended", w.end(f, 700), sessions[:700])
	equal(w.t, "ended", w.end(f, n), sessions[700:n-1])
	equal(w.t, "left", w.sessions(), sessions[n-1:])
}

func testSessionNotText(w world) {
	w.withMapping().use(filledSession())
	for _, bad := range []string{"a\x00b", "\xff"} {
		for _, f := range []idmap.SessionFilter{
			{ID: bad},
			{UserMappingIDs: []string{bad}},
			{ConnectionID: bad},
			{SourceConnectionID: bad},
			{DestinationConnectionID: bad},
			{EmailKey: bad},
			{UserKey: bad},
			{Client: bad},
		} {
			w.checkSessions("", f)
			w.checkUsage("", f)
			nothing(w.t, "ended", w.end(f, 9))
		}
		err := w.s.Update(w.ctx, func(tx store.Tx) error {
			_, err := tx.UseSessions(w.ctx, []idmap.Session{userSession("b", "m", bad)})
			return err
		})
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
			w.t.Errorf("a session from %q answers %v, want an error that no repetition cures", bad, err)
		}
	}
	equal(w.t, "left", w.sessions(), []idmap.Session{filledSession()})
}
