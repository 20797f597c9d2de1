package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var ledgerTests = map[string]func(world){
	"a claim begins an entry":                                    testClaimBegins,
	"a claim adds holders that the entry does not have":          testClaimAdds,
	"a claim of the same holder refreshes it":                    testClaimRefreshes,
	"a claim of another holder is refused and changes no holder": testClaimRefused,
	"a claim names several holders of which one is another":      testClaimPartlyRefused,
	"claims of one call see each other":                          testClaimsOfOneCall,
	"account ids decide where both are known":                    testClaimSame,
	"a claim after a release begins a new entry":                 testClaimAfterRelease,
	"an entry remembers when it was seen first and last":         testClaimSeen,
	"ReleaseEmailAssignment wants the stored revision":           testReleaseRevision,
	"EmailAssignment answers NotFound if there is none":          testEntryMissing,
	"RenameHolder renames in every unreleased entry":             testRenameHolder,
	"RenameHolder leaves other accounts of that user id alone":   testRenameHolderOfAccount,
	"holders are in the order of their connections":              testHolderOrder,
	"thousands are claimed at once":                              testManyClaims,
	"addresses are of one mail connection":                       testClaimConnection,
	"EmailAssignments finds what a mailbox holds, each once":     testHeldBy,
}

func testHeldBy(w world) {
	w.claim(claim("e1", "a@example.com", holder("mail", "box", ""), holder("app", "user", "u")), claim("e2", "b@example.com", holder("mail", "box", "")),
		claim("e3", "c@example.com", holder("mail", "other", "")), claim("e4", "d@example.com", holder("app", "box", "")))
	released := w.entry("b@example.com")
	released.Revision++
	released.Released = &idmap.Release{On: *at(20), By: "admin"}
	w.update(func(tx store.Tx) error { return tx.ReleaseEmailAssignment(w.ctx, released) })
	found := func(connectionID string, keys store.DirectoryKeys) []idmap.EmailAssignment {
		return read(w, func(r store.Reader) ([]idmap.EmailAssignment, error) {
			found, err := r.EmailAssignments(w.ctx, connectionID, keys)
			return sorted(found, func(e idmap.EmailAssignment) string { return e.ID }), err
		})
	}
	box := store.DirectoryKeys{IDs: []string{"box", "none"}}
	equal(w.t, "held", found("mail", box), w.entries("a@example.com"))
	nothing(w.t, "held in another connection", found("app", box))
	nothing(w.t, "held by nobody", found("mail", store.DirectoryKeys{}))
	box.AddressKeys = []string{"a@example.com", "b@example.com", "c@example.com"}
	equal(w.t, "held, or of an address", found("mail", box), w.entries("a@example.com", "c@example.com"))
}

func holder(connectionID, accountID, userKey string) idmap.EmailHolder {
	return idmap.EmailHolder{
		Connection: idmap.Ref{ID: connectionID}, Account: idmap.RefTo(accountID), UserID: userKey,
		Name: "Name of " + accountID + userKey,
	}
}

// claim claims an address of mail.
func claim(id, address string, holders ...idmap.EmailHolder) store.EmailClaim {
	key, err := idmap.CanonicalEmail(address)
	if err != nil {
		panic(err)
	}
	return store.EmailClaim{
		ID: id, ConnectionID: "mail", Address: address, AddressKey: key, Holders: holders, SeenBy: idmap.SeenByMapping,
	}
}

func (w world) claimAt(now time.Time, claims ...store.EmailClaim) (refused []int) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		refused, err = tx.ClaimEmails(w.ctx, claims, now)
		return err
	})
	return refused
}

// claim claims, and nothing may be refused.
func (w world) claim(claims ...store.EmailClaim) {
	w.t.Helper()
	nothing(w.t, "refused", w.claimAt(*at(10), claims...))
}

// entries returns the unreleased entries of addresses of mail, in the order of their ids.
func (w world) entries(keys ...string) []idmap.EmailAssignment {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.EmailAssignment, error) {
		found, err := r.EmailAssignments(w.ctx, "mail", store.DirectoryKeys{AddressKeys: keys})
		return sorted(found, func(e idmap.EmailAssignment) string { return e.ID }), err
	})
}

func (w world) entry(key string) idmap.EmailAssignment {
	w.t.Helper()
	found := w.entries(key)
	if len(found) != 1 {
		w.t.Fatalf("%q has %d unreleased entries, want 1", key, len(found))
	}
	return found[0]
}

func (w world) release(e idmap.EmailAssignment) idmap.EmailAssignment {
	w.t.Helper()
	e.Revision++
	e.Released = &idmap.Release{On: *at(30), By: "admin", Reason: "left in 2019"}
	w.update(func(tx store.Tx) error { return tx.ReleaseEmailAssignment(w.ctx, e) })
	return e
}

func (w world) entryByID(id string) idmap.EmailAssignment {
	w.t.Helper()
	return read(w, func(r store.Reader) (idmap.EmailAssignment, error) { return r.EmailAssignment(w.ctx, id) })
}

func testClaimBegins(w world) {
	holders := []idmap.EmailHolder{holder("app", "", "alice"), holder("mail", "a1", "")}
	w.claim(claim("e1", "Alice@Example.com", holders...))
	want := idmap.EmailAssignment{
		ID: "e1", Connection: idmap.Ref{ID: "mail"}, Address: "Alice@Example.com", AddressCanonical: "alice@example.com",
		Holders: holders, SeenBy: idmap.SeenByMapping, FirstSeenOn: *at(10), LastSeenOn: *at(10), Revision: 1,
	}
	equal(w.t, "by address", w.entries("alice@example.com", "bob@example.com"), []idmap.EmailAssignment{want})
	equal(w.t, "by id", w.entryByID("e1"), want)
	nothing(w.t, "by another spelling", w.entries("Alice@Example.com"))
}

func testClaimAdds(w world) {
	w.claim(claim("e1", "a@example.com"))
	equal(w.t, "none yet", w.entry("a@example.com").Holders, []idmap.EmailHolder{})
	w.claim(claim("e2", "a@example.com", holder("mail", "a1", "")))
	w.claim(claim("e3", "a@example.com", holder("mail", "a1", ""), holder("app", "", "alice")))
	w.claim(claim("e4", "a@example.com", holder("app2", "x", "al")))
	e := w.entry("a@example.com")
	equal(w.t, "id", e.ID, "e1")
	equal(w.t, "holders", e.Holders, []idmap.EmailHolder{
		holder("app", "", "alice"), holder("app2", "x", "al"), holder("mail", "a1", ""),
	})
}

func testClaimRefreshes(w world) {
	unnamed := holder("app", "", "alice")
	unnamed.Name = ""
	w.claim(claim("e1", "a@example.com", unnamed))
	w.claim(claim("e2", "A@example.com", holder("app", "x", "alice")))
	learned := holder("app", "x", "alice")
	equal(w.t, "account and name are filled in", w.entry("a@example.com").Holders, []idmap.EmailHolder{learned})

	w.claim(claim("e3", "a@example.com", holder("app", "x", "alicia")))
	learned.UserID = "alicia"
	equal(w.t, "a new user id of the account replaces the old, the first name stays",
		w.entry("a@example.com").Holders, []idmap.EmailHolder{learned})

	w.claim(claim("e4", "a@example.com", holder("app", "", "alicia")), claim("e5", "a@example.com", holder("app", "x", "")))
	e := w.entry("a@example.com")
	equal(w.t, "what a claim does not know stays", e.Holders, []idmap.EmailHolder{learned})
	equal(w.t, "the address as first seen", e.Address, "a@example.com")
}

func testClaimRefused(w world) {
	w.claim(claim("e1", "a@example.com", holder("app", "x", "alice")), claim("e2", "b@example.com", holder("app", "", "bob")))
	before := w.entry("a@example.com").Holders
	refused := w.claimAt(*at(11),
		claim("e3", "new@example.com", holder("app", "y", "y")),
		claim("e4", "a@example.com", holder("app", "y", "alice")),
		claim("e5", "b@example.com", holder("app", "", "bob")),
		claim("e6", "b@example.com", holder("app", "", "bobby")))
	equal(w.t, "refused", refused, []int{1, 3})
	equal(w.t, "holders", w.entry("a@example.com").Holders, before)
	equal(w.t, "holders", w.entry("b@example.com").Holders, []idmap.EmailHolder{holder("app", "", "bob")})
	equal(w.t, "the others are stored", w.entry("new@example.com").ID, "e3")
}

func testClaimPartlyRefused(w world) {
	w.claim(claim("e1", "a@example.com", holder("mail", "m1", ""), holder("app", "x", "alice")))
	refused := w.claimAt(*at(11), claim("e2", "a@example.com", holder("mail", "m1", ""), holder("app", "y", "yvonne")))
	equal(w.t, "refused", refused, []int{0})
	equal(w.t, "holders", w.entry("a@example.com").Holders, []idmap.EmailHolder{holder("app", "x", "alice"), holder("mail", "m1", "")})
}

func testClaimsOfOneCall(w world) {
	refused := w.claimAt(*at(10),
		claim("e1", "a@example.com", holder("app", "", "alice")),
		claim("e2", "A@example.com", holder("app", "x", "alice")),
		claim("e3", "a@example.com", holder("app", "", "bob")),
		claim("e4", "a@example.com", holder("mail", "m", "")),
		claim("e5", "a@example.com", holder("app", "x", "alicia"), holder("mail", "n", "")))
	equal(w.t, "refused", refused, []int{2, 4})
	want := holder("app", "x", "alicia")
	want.Name = "Name of alice"
	equal(w.t, "holders", w.entry("a@example.com").Holders, []idmap.EmailHolder{want, holder("mail", "m", "")})
}

// testClaimSame holds the store to idmap.EmailHolder.Same.
func testClaimSame(w world) {
	n := 0
	for _, stored := range [][2]string{{"x", "alice"}, {"x", ""}, {"", "alice"}, {"", ""}} {
		for _, claimed := range [][2]string{{"x", "alice"}, {"x", "bob"}, {"y", "alice"}, {"x", ""}, {"y", ""}, {"", "alice"}, {"", "bob"}, {"", ""}} {
			n++
			address := fmt.Sprintf("a%d@example.com", n)
			first, second := holder("app", stored[0], stored[1]), holder("app", claimed[0], claimed[1])
			w.claim(claim(fmt.Sprint("e", n), address, first))
			refused := w.claimAt(*at(11), claim("other", address, second))
			equal(w.t, fmt.Sprintf("accepted: %v over %v", claimed, stored), len(refused) == 0, first.Same(second))
		}
	}
}

func testClaimAfterRelease(w world) {
	w.claim(claim("e1", "a@example.com", holder("app", "x", "alice")))
	released := w.release(w.entry("a@example.com"))
	nothing(w.t, "unreleased", w.entries("a@example.com"))
	equal(w.t, "released", w.entryByID("e1"), released)

	w.claim(claim("e2", "a@example.com", holder("app", "y", "bob")))
	equal(w.t, "new entry", w.entry("a@example.com").ID, "e2")
	equal(w.t, "new holder", w.entry("a@example.com").Holders, []idmap.EmailHolder{holder("app", "y", "bob")})
	equal(w.t, "released as before", w.entryByID("e1"), released)
}

func testClaimSeen(w world) {
	w.claim(claim("e1", "a@example.com"))
	again := claim("e2", "a@example.com")
	again.SeenBy = idmap.SeenByDirectory
	nothing(w.t, "refused", w.claimAt(*at(20), again))
	nothing(w.t, "refused", w.claimAt(*at(15), again)) // a clock that is behind
	e := w.entry("a@example.com")
	equal(w.t, "first", e.FirstSeenOn, *at(10))
	equal(w.t, "last", e.LastSeenOn, *at(20))
	equal(w.t, "seen by", e.SeenBy, idmap.SeenByMapping)
	equal(w.t, "revision", e.Revision, 1)
}

func testReleaseRevision(w world) {
	w.claim(claim("e1", "a@example.com"))
	e := w.entry("a@example.com")
	for _, revision := range []int64{0, 1, 3} {
		wrong := e
		wrong.Revision, wrong.Released = revision, &idmap.Release{On: *at(30)}
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.ReleaseEmailAssignment(w.ctx, wrong) })
	}
	equal(w.t, "stored", w.entry("a@example.com"), e)
	e = w.release(e)
	e.Revision++
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.ReleaseEmailAssignment(w.ctx, e) }) // only once
}

func testEntryMissing(w world) {
	for _, id := range []string{"none", "", "\x00", "\xff"} {
		err := w.s.View(w.ctx, func(r store.Reader) error {
			_, err := r.EmailAssignment(w.ctx, id)
			return err
		})
		notFound(w.t, err)
	}
}

// users are the user ids of an entry's holders.
func (w world) users(id string) string {
	w.t.Helper()
	var texts []string
	for _, h := range w.entryByID(id).Holders {
		texts = append(texts, h.Connection.ID+"="+h.UserID)
	}
	return strings.Join(texts, " ")
}

// renameAlice renames alice of app to alicia.
func (w world) renameAlice(accountID string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		return tx.RenameHolder(w.ctx, store.HolderRename{
			MailConnectionID: "mail", ConnectionID: "app", AccountID: accountID, OldUserKey: "alice", NewUserKey: "alicia",
		})
	})
}

func testRenameHolder(w world) {
	w.claim(claim("e0", "a@example.com", holder("app", "", "alice")))
	released := w.release(w.entry("a@example.com"))
	w.claim(claim("e1", "a@example.com", holder("app", "", "alice"), holder("app2", "", "alice")),
		claim("e2", "b@example.com", holder("app", "", "alice")),
		claim("e3", "c@example.com", holder("app", "", "alice")),
		claim("e4", "d@example.com", holder("app", "", "bob")))
	other := claim("e5", "a@example.com", holder("app", "", "alice"))
	other.ConnectionID = "mail2"
	w.claim(other)
	w.renameAlice("")
	for id, want := range map[string]string{
		"e1": "app=alicia app2=alice", "e2": "app=alicia", "e3": "app=alicia", "e4": "app=bob", "e5": "app=alice",
	} {
		equal(w.t, "holders of "+id, w.users(id), want)
	}
	equal(w.t, "released", w.entryByID("e0"), released)
}

func testRenameHolderOfAccount(w world) {
	w.claim(claim("e1", "a@example.com", holder("app", "", "alice")),
		claim("e2", "b@example.com", holder("app", "x", "alice")),
		claim("e3", "c@example.com", holder("app", "y", "alice")),
		claim("e4", "d@example.com", holder("app", "x", "")))
	w.renameAlice("x")
	for id, want := range map[string]string{"e1": "app=alicia", "e2": "app=alicia", "e3": "app=alice", "e4": "app="} {
		equal(w.t, "holders of "+id, w.users(id), want)
	}
	w.renameAlice("") // of an account that nobody knows: those that are known are others
	equal(w.t, "holders of e3", w.users("e3"), "app=alice")
	equal(w.t, "account of e2", w.entryByID("e2").Holders[0].AccountID(), "x")
}

func testHolderOrder(w world) {
	w.claim(claim("e1", "a@example.com", holder("b", "", "u"), holder("B", "", "u"), holder("a", "", "u"), holder("ä", "", "u"), holder("a2", "", "u")))
	var ids []string
	for _, h := range w.entry("a@example.com").Holders {
		ids = append(ids, h.Connection.ID)
	}
	equal(w.t, "order", ids, []string{"B", "a", "a2", "b", "ä"})
}

func testManyClaims(w world) {
	const n = 1500
	claims := make([]store.EmailClaim, n)
	keys := make([]string, n)
	for i := range claims {
		keys[i] = fmt.Sprintf("a%04d@example.com", (i*7)%n)
		claims[i] = claim(fmt.Sprintf("e%04d", i), keys[i], holder("mail", keys[i], ""), holder("app", "", keys[i]))
	}
	w.claim(claims...)
	w.claim(claims...)
	for i := range claims {
		claims[i].Holders = []idmap.EmailHolder{holder("app", "", "thief")}
	}
	equal(w.t, "refused", len(w.claimAt(*at(12), claims...)), n)
	entries := w.entries(keys...)
	equal(w.t, "entries", len(entries), n)
	for i, e := range entries {
		equal(w.t, "holders", e.Holders, []idmap.EmailHolder{holder("app", "", keys[i]), holder("mail", keys[i], "")})
	}
}

func testClaimConnection(w world) {
	w.claim(claim("e1", "a@example.com", holder("app", "", "alice")))
	other := claim("e2", "a@example.com", holder("app", "", "bob"))
	other.ConnectionID = "mail2"
	w.claim(other)
	equal(w.t, "holders", w.entry("a@example.com").Holders, []idmap.EmailHolder{holder("app", "", "alice")})
	equal(w.t, "holders", w.entryByID("e2").Holders, []idmap.EmailHolder{holder("app", "", "bob")})
}
