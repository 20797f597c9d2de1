package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var signInTests = map[string]func(world){
	"an entry is found as it was stored":                           testSignInRoundTrip,
	"entries are found newest first, filtered and counted":         testSignInFilter,
	"entries are found by a time from, until, exclusive":           testSignInTimes,
	"a reason that is no code finds nothing":                       testSignInReason,
	"emails and user ids in odd scripts and cases, and what is no": testSignInIdentifiers,
	"long emails and user ids with one beginning are told apart":   testSignInLongKeys,
	"entries of one moment are in the order of their ids":          testSignInEqualTimes,
	"a Page.After that is none finds nothing":                      testSignInAfterNone,
	"CountSignIns counts no further than asked":                    testSignInCount,
	"pages of the history while entries come and go":               testSignInWalk,
	"SignInConnections answers each destination once":              testSignInConnections,
	"DeleteSignIns removes the oldest of one destination":          testSignInDelete,
	"the history outlives mappings and connections":                testSignInOutlives,
	"what cannot be text, or is no entry, is not stored":           testSignInNotText,
	"a duplicate entry is ErrConflict":                             testSignInDuplicate,
	"thousands of entries are stored at once":                      testManySignIns,
}

// signIn returns an entry of somebody who was let in from mail to app.
func signIn(id string, second int) idmap.SignIn {
	e := idmap.SignIn{ID: id, On: *at(second), Outcome: idmap.OutcomeAllowed, UserMapping: idmap.RefTo("m")}
	e.Source.Connection.ID, e.Destination.Connection.ID = "mail", "app"
	e.Email, e.UserID, e.Client, e.SourceAddress = "A@Example.com", "A", "outlook", "192.0.2.1"
	return e
}

// denial returns an entry of somebody who was denied for the codes.
func denial(id string, second int, codes ...idmap.Code) idmap.SignIn {
	e := signIn(id, second)
	e.Outcome, e.UserMapping = idmap.OutcomeDenied, nil
	for _, code := range codes {
		e.Reasons = append(e.Reasons, idmap.Violation{Code: code, Description: `says "code":"invalid_email" and %`})
	}
	return e
}

func (w world) addSignIns(entries ...idmap.SignIn) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.InsertSignIns(w.ctx, entries) })
}

func (w world) signIns(f idmap.SignInFilter) []idmap.SignIn {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.SignIn, error) { return r.ListSignIns(w.ctx, f, all) })
}

func (w world) checkSignIns(want string, f idmap.SignInFilter) {
	w.t.Helper()
	checkList(w, want, f, func(e idmap.SignIn) string { return e.ID },
		func(r store.Reader) ([]idmap.SignIn, error) { return r.ListSignIns(w.ctx, f, all) },
		func(r store.Reader) (int, error) { return r.CountSignIns(w.ctx, f, math.MaxInt32) })
}

func (w world) deleteSignIns(connectionID string, before time.Time, limit int) (n int) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		n, err = tx.DeleteSignIns(w.ctx, connectionID, before, limit)
		return err
	})
	return n
}

func testSignInRoundTrip(w world) {
	full := filledSignIn()
	full.Reasons[0].Conflict = &idmap.Conflict{Kind: "user_mapping", ID: "m2", Holder: `B"o\b`, Releasable: true}
	complete(w.t, full)
	complete(w.t, full.Reasons[0])
	var bare idmap.SignIn
	bare.ID, bare.On, bare.Outcome = "bare", *at(2), idmap.OutcomeAllowed
	w.addSignIns(bare, full)
	equal(w.t, "stored", w.signIns(idmap.SignInFilter{}), []idmap.SignIn{full, bare})
}

func testSignInFilter(w world) {
	one, two, three := signIn("1", 1), denial("2", 2, idmap.CodeEmailInUse, idmap.CodeAccountMismatch), signIn("3", 3)
	two.Email, two.UserID, two.Client = "b@müller.de", "b", "teams"
	three.Source.Connection.ID, three.Destination.Connection.ID, three.UserMapping = "app", "app2", idmap.RefTo("M")
	four := denial("4", 4, idmap.CodeMappingRequired)
	four.UserID, four.Email = "denied", "allowed" // which are outcomes too
	w.addSignIns(three, one, four, two)
	for _, c := range []struct {
		want   string
		filter idmap.SignInFilter
	}{
		{"4 3 2 1", idmap.SignInFilter{}},
		{"4 3 2 1", idmap.SignInFilter{ConnectionID: "app"}},
		{"4 2 1", idmap.SignInFilter{ConnectionID: "mail"}},
		{"3", idmap.SignInFilter{ConnectionID: "app2"}},
		{"", idmap.SignInFilter{ConnectionID: "none"}},
		{"4 2 1", idmap.SignInFilter{SourceConnectionID: "mail"}},
		{"4 2 1", idmap.SignInFilter{DestinationConnectionID: "app"}},
		{"3", idmap.SignInFilter{SourceConnectionID: "app", DestinationConnectionID: "app2", ConnectionID: "app"}},
		{"", idmap.SignInFilter{SourceConnectionID: "app", ConnectionID: "mail"}},
		{"", idmap.SignInFilter{SourceConnectionID: "app", DestinationConnectionID: "app"}},
		{"1", idmap.SignInFilter{UserMappingID: "m"}},
		{"3", idmap.SignInFilter{UserMappingID: "M"}},
		{"3 1", idmap.SignInFilter{EmailKey: "a@example.com"}},
		{"", idmap.SignInFilter{EmailKey: "A@Example.com"}},
		{"2", idmap.SignInFilter{EmailKey: "b@xn--mller-kva.de"}},
		{"4", idmap.SignInFilter{EmailKey: "allowed"}},
		{"3 1", idmap.SignInFilter{UserKey: "a"}},
		{"4", idmap.SignInFilter{UserKey: "denied"}},
		{"", idmap.SignInFilter{UserKey: "denied", Outcome: idmap.OutcomeAllowed}},
		{"1", idmap.SignInFilter{UserKey: "a", EmailKey: "a@example.com", UserMappingID: "m", ConnectionID: "mail", Client: "outlook", Outcome: idmap.OutcomeAllowed}},
		{"2", idmap.SignInFilter{UserKey: "b", SourceConnectionID: "mail", Outcome: idmap.OutcomeDenied}},
		{"3 1", idmap.SignInFilter{Outcome: idmap.OutcomeAllowed}},
		{"4 2", idmap.SignInFilter{Outcome: idmap.OutcomeDenied}},
		{"4 2", idmap.SignInFilter{Outcome: idmap.OutcomeDenied, ConnectionID: "app", DestinationConnectionID: "app"}},
		{"", idmap.SignInFilter{Outcome: idmap.OutcomeUnknown}},
		{"2", idmap.SignInFilter{Client: "teams"}},
		{"2", idmap.SignInFilter{Client: "teams", ConnectionID: "app"}},
		{"", idmap.SignInFilter{Client: "Teams"}},
		{"2", idmap.SignInFilter{Reason: idmap.CodeEmailInUse}},
		{"2", idmap.SignInFilter{Reason: idmap.CodeAccountMismatch, ConnectionID: "mail"}},
		{"4", idmap.SignInFilter{Reason: idmap.CodeMappingRequired, Outcome: idmap.OutcomeDenied}},
		{"", idmap.SignInFilter{Reason: idmap.CodeMappingRequired, Outcome: idmap.OutcomeAllowed}},
		{"", idmap.SignInFilter{Reason: idmap.CodeMappingRequired, ConnectionID: "app2"}},
		{"", idmap.SignInFilter{Reason: idmap.CodeInvalidEmail}}, // of which only a description speaks
	} {
		w.checkSignIns(c.want, c.filter)
	}
}

func testSignInTimes(w world) {
	w.addSignIns(signIn("1", 1), signIn("2", 2), signIn("3", 3))
	for want, f := range map[string]idmap.SignInFilter{
		"3 2": {From: at(2)}, "1": {To: at(2)}, "2": {From: at(2), To: at(3)}, "": {From: at(3), To: at(3)},
		"2 1": {To: at(3), UserKey: "a"}, "3": {From: at(3), ConnectionID: "app"},
	} {
		w.checkSignIns(want, f)
	}
}

func testSignInReason(w world) {
	w.addSignIns(denial("1", 1, idmap.CodeEmailInUse))
	for _, code := range []idmap.Code{
		"email", "in_use", "EMAIL_IN_USE", "email%", "email_in_us_", "email_in_use\"", "%", "_", "e", "\x00", "\xff", " ", `email_in_use","`,
		"email_in_use\n", `invalid_email\`, idmap.Code(strings.Repeat("a", 1<<20)),
	} {
		w.checkSignIns("", idmap.SignInFilter{Reason: code})
	}
	w.checkSignIns("1", idmap.SignInFilter{Reason: idmap.CodeEmailInUse})
}

// testSignInIdentifiers stores what somebody may post, and finds it by its canonical form, or, where it has none, folded.
func testSignInIdentifiers(w world) {
	odd := append(slices.Clone(oddIDs), "", strings.Repeat("\ufdfa", 320), strings.Repeat("\U00020000", 320), "a@b", "SMTP:x@Example.com")
	for i, id := range odd {
		e := denial(fmt.Sprintf("%03d", i), i%3, idmap.CodeInvalidEmail)
		e.Email, e.UserID, e.Client, e.SourceAddress = id, id, id, id
		w.addSignIns(e)
	}
	equal(w.t, "stored", len(w.signIns(idmap.SignInFilter{})), len(odd))
	for i, id := range odd {
		for _, f := range []idmap.SignInFilter{{EmailKey: idmap.EmailKey(id)}, {UserKey: idmap.Fold(id)}, {Client: id}} {
			holds := func(e idmap.SignIn) bool { return e.ID == fmt.Sprintf("%03d", i) && e.Email == id && e.Client == id }
			if !slices.ContainsFunc(w.signIns(f), holds) {
				w.t.Errorf("%+v does not find the sign-in of %q", f, id)
			}
		}
	}
}

// testSignInLongKeys stores keys that no index takes as they are, with one beginning.
func testSignInLongKeys(w world) {
	const long = "\ufdfa" // folding makes 18 characters of it
	for _, end := range []string{"a", "b"} {
		e := denial(end, 1, idmap.CodeInvalidEmail)
		e.Email, e.UserID = strings.Repeat(long, 300)+end, strings.Repeat(long, 300)+end
		w.addSignIns(e)
		for _, text := range []string{e.Email, strings.ToUpper(e.Email)} {
			w.checkSignIns(end, idmap.SignInFilter{EmailKey: idmap.Fold(text)})
			w.checkSignIns(end, idmap.SignInFilter{UserKey: idmap.Fold(text)})
		}
	}
	w.checkSignIns("", idmap.SignInFilter{EmailKey: idmap.Fold(strings.Repeat(long, 300))})
}

func testSignInEqualTimes(w world) {
	for _, id := range []string{"b", "B", "ä", "a-", "a", "a,1"} {
		w.addSignIns(signIn(id, 5))
	}
	w.addSignIns(signIn("z", 4), signIn("0", 6))
	for _, f := range []idmap.SignInFilter{{}, {ConnectionID: "app"}, {UserKey: "a"}, {DestinationConnectionID: "app"}} {
		w.checkSignIns("0 ä b a- a,1 a B z", f)
	}
}

func testSignInAfterNone(w world) {
	w.addSignIns(signIn("a", 1), signIn("b", 2))
	key := signIn("b", 2).Key()
	for _, after := range []string{
		"a", ",", "1", "1,", ",a", "x,a", "+" + key, "0" + key, " " + key, strings.Repeat("9", 30) + ",a", "\x00", key + "\x00", "\xff," + key,
		"999999999999999999,\xff",
	} {
		for _, f := range []idmap.SignInFilter{{}, {ConnectionID: "app"}} {
			nothing(w.t, fmt.Sprintf("after %q", after), read(w, func(r store.Reader) ([]idmap.SignIn, error) {
				return r.ListSignIns(w.ctx, f, idmap.Page{After: after, Limit: 9})
			}))
		}
	}
}

func testSignInCount(w world) {
	w.addSignIns(signIn("a", 1), signIn("b", 2), denial("c", 3), signIn("d", 4))
	reverse := signIn("e", 5)
	reverse.Source, reverse.Destination = reverse.Destination, reverse.Source
	w.addSignIns(reverse)
	for _, c := range []struct {
		filter idmap.SignInFilter
		all    int
	}{{idmap.SignInFilter{}, 5}, {idmap.SignInFilter{ConnectionID: "app"}, 5}, {idmap.SignInFilter{Outcome: idmap.OutcomeDenied}, 1}, {idmap.SignInFilter{Client: "none"}, 0}} {
		for _, atMost := range []int{-1, 0, 1, 4, 5, 6, math.MaxInt32} {
			n := read(w, func(r store.Reader) (int, error) { return r.CountSignIns(w.ctx, c.filter, atMost) })
			equal(w.t, fmt.Sprint("entries, but at most ", atMost), n, max(0, min(c.all, atMost)))
		}
	}
}

func testSignInConnections(w world) {
	known := func() []string {
		return read(w, func(r store.Reader) ([]string, error) { return r.SignInConnections(w.ctx) })
	}
	nothing(w.t, "of an empty history", known())
	want := oddInOrder()
	for i, id := range oddIDs {
		e, other := signIn(fmt.Sprint(i), i%7), signIn(fmt.Sprint("again", i), i%5)
		e.Destination.Connection.ID, other.Destination.Connection.ID = id, id
		w.addSignIns(e, other)
	}
	equal(w.t, "destinations", known(), want)
	w.deleteSignIns(want[1], *at(59), 2)
	equal(w.t, "left", known(), slices.Delete(want, 1, 2))
}

func testSignInDelete(w world) {
	w.addSignIns(signIn("a", 1), signIn("b", 2), signIn("c", 3), signIn("d", 4))
	other := signIn("o", 1)
	other.Source.Connection.ID, other.Destination.Connection.ID = "app", "app2"
	w.addSignIns(other)
	for _, c := range []struct {
		connection    string
		before, limit int
		removed       int
		left          string
	}{
		{"app", 1, 9, 0, "d c b o a"},
		{"app", 4, 0, 0, "d c b o a"},
		{"mail", 9, 9, 0, "d c b o a"},
		{"APP", 9, 9, 0, "d c b o a"},
		{"app", 4, 2, 2, "d c o"},
		{"app", 4, 2, 1, "d o"},
		{"app", 4, 2, 0, "d o"},
		{"app2", 9, 1, 1, "d"},
	} {
		equal(w.t, "removed", w.deleteSignIns(c.connection, *at(c.before), c.limit), c.removed)
		w.checkSignIns(c.left, idmap.SignInFilter{})
	}
}

func testSignInOutlives(w world) {
	m := mapping("m", "a@example.com", "a")
	w.connections().insert(m)
	w.addSignIns(signIn("1", 1))
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteUserMappings(w.ctx, plain([]store.UserMapping{m})) },
			func() error { return tx.DeleteConnection(w.ctx, "app") },
			func() error { return tx.DeleteConnection(w.ctx, "mail") },
		)
	})
	equal(w.t, "stored", w.signIns(idmap.SignInFilter{UserMappingID: "m"}), []idmap.SignIn{signIn("1", 1)})
}

func testSignInNotText(w world) {
	for _, bad := range []string{"a\x00b", "\xff", "a\xc3"} {
		for _, set := range []func(*idmap.SignIn){
			func(e *idmap.SignIn) { e.Email = bad },
			func(e *idmap.SignIn) { e.UserID = bad },
			func(e *idmap.SignIn) { e.Client = bad },
			func(e *idmap.SignIn) { e.Reasons[0].Description = bad },
			func(e *idmap.SignIn) { e.Outcome = idmap.OutcomeUnknown },
			func(e *idmap.SignIn) { e.ID = "" },
		} {
			e := denial("a", 1, idmap.CodeInvalidEmail)
			set(&e)
			err := w.s.Update(w.ctx, func(tx store.Tx) error { return tx.InsertSignIns(w.ctx, []idmap.SignIn{signIn("b", 1), e}) })
			if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
				w.t.Errorf("storing %+v answers %v, want an error that no repetition cures", e, err)
			}
		}
		for _, f := range []idmap.SignInFilter{
			{ConnectionID: bad},
			{SourceConnectionID: bad},
			{DestinationConnectionID: bad},
			{UserMappingID: bad},
			{EmailKey: bad},
			{UserKey: bad},
			{Client: bad},
			{Outcome: idmap.Outcome(bad)},
			{Reason: idmap.Code(bad)},
		} {
			w.checkSignIns("", f)
		}
	}
	w.checkSignIns("", idmap.SignInFilter{})
}

func testSignInDuplicate(w world) {
	w.addSignIns(signIn("a", 1), signIn("a", 2)) // told apart by their keys
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.InsertSignIns(w.ctx, []idmap.SignIn{signIn("b", 1), signIn("a", 2)})
	})
	w.checkSignIns("a a", idmap.SignInFilter{})
}

func testManySignIns(w world) {
	const n = 2500 // more than any engine takes in one statement
	entries := make([]idmap.SignIn, n)
	for i := range entries {
		entries[i] = signIn(fmt.Sprintf("s%05d", i), 1)
	}
	w.addSignIns(entries...)
	equal(w.t, "count", read(w, func(r store.Reader) (int, error) { return r.CountSignIns(w.ctx, idmap.SignInFilter{}, n+1) }), n)
	equal(w.t, "removed", w.deleteSignIns("app", *at(2), n+1), n)
}
