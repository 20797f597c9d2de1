package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var ledgerModelTests = map[string]func(world){
	"any sequence of claims, renames and releases does what the model does": testLedgerModel,
}

// ledgerModel is the ledger of one mail connection as the port describes it, in memory.
type ledgerModel struct {
	connectionID string
	ids          int
	open         map[string]*idmap.EmailAssignment // by address
	released     map[string]idmap.EmailAssignment  // by id
}

// claim returns whether a holder is another than the stored one.
func (m *ledgerModel) claim(c store.EmailClaim) (refused bool) {
	e := m.open[c.AddressKey]
	if e == nil {
		e = &idmap.EmailAssignment{ID: c.ID, Address: c.Address, Holders: []idmap.EmailHolder{}, Revision: 1}
		m.open[c.AddressKey] = e
	}
	for _, h := range c.Holders {
		i := slices.IndexFunc(e.Holders, func(has idmap.EmailHolder) bool { return has.Connection == h.Connection })
		switch {
		case i < 0:
			e.Holders = append(e.Holders, h)
		case e.Holders[i].Same(h):
			refresh(&e.Holders[i], h)
		default:
			refused = true
		}
	}
	return refused
}

func refresh(stored *idmap.EmailHolder, h idmap.EmailHolder) {
	if h.Account != nil {
		stored.Account = h.Account
	}
	if h.UserID != "" {
		stored.UserID = h.UserID
	}
	if stored.Name == "" {
		stored.Name = h.Name
	}
}

func (m *ledgerModel) rename(r store.HolderRename) {
	for _, e := range m.open {
		for i := range e.Holders {
			h := &e.Holders[i]
			same := h.AccountID() == "" || h.AccountID() == r.AccountID
			if same && h.Connection.ID == r.ConnectionID && h.UserID == r.OldUserKey {
				h.UserID = r.NewUserKey
			}
		}
	}
}

// ledgerRun is one sequence, on the store and on the model.
type ledgerRun struct {
	world
	*ledgerModel
	rt *rapid.T
}

// testLedgerModel gives each sequence a mail connection of its own, so that all can share one store.
func testLedgerModel(w world) {
	runs := 0
	rapid.Check(w.t, func(rt *rapid.T) {
		runs++
		run := ledgerRun{w, &ledgerModel{
			connectionID: fmt.Sprint("mail", runs), open: map[string]*idmap.EmailAssignment{}, released: map[string]idmap.EmailAssignment{},
		}, rt}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				run.renameSome()
			case 1:
				run.releaseOne()
			default:
				run.claimSome()
			}
		}
		run.compare()
	})
}

func (r ledgerRun) address() string {
	return rapid.SampledFrom([]string{"a@example.com", "b@example.com", "c@example.com"}).Draw(r.rt, "address")
}

func (r ledgerRun) userKey() string {
	return rapid.SampledFrom([]string{"", "u", "v"}).Draw(r.rt, "user")
}

func (r ledgerRun) claimSome() {
	holders := rapid.Custom(func(t *rapid.T) idmap.EmailHolder {
		return idmap.EmailHolder{
			Connection: idmap.Ref{ID: rapid.SampledFrom([]string{"app", "mail"}).Draw(t, "connection")},
			Account:    idmap.RefTo(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "account")),
			UserID:     rapid.SampledFrom([]string{"", "u", "v"}).Draw(t, "user"),
			Name:       rapid.SampledFrom([]string{"", "n", "o"}).Draw(t, "name"),
		}
	})
	var claims []store.EmailClaim
	var want []int
	for i := range rapid.IntRange(1, 5).Draw(r.rt, "claims") {
		r.ids++
		c := claim(fmt.Sprintf("%s-%04d", r.connectionID, r.ids), r.address(), rapid.SliceOfN(holders, 0, 3).Draw(r.rt, "holders")...)
		c.ConnectionID = r.connectionID
		claims = append(claims, c)
		if r.claim(c) {
			want = append(want, i)
		}
	}
	var refused []int
	err := r.s.Update(r.ctx, func(tx store.Tx) (err error) {
		refused, err = tx.ClaimEmails(r.ctx, claims, *at(10))
		return err
	})
	equal(r.rt, "error", err, nil)
	equal(r.rt, "refused", len(refused), len(want))
	equal(r.rt, "refused", append(refused, -1), append(want, -1))
}

func (r ledgerRun) claim(c store.EmailClaim) bool { return r.ledgerModel.claim(c) }

func (r ledgerRun) renameSome() {
	rename := store.HolderRename{
		MailConnectionID: r.connectionID, ConnectionID: "app",
		AccountID:  rapid.SampledFrom([]string{"", "x", "y"}).Draw(r.rt, "account"),
		OldUserKey: r.userKey(), NewUserKey: r.userKey(),
	}
	r.rename(rename)
	equal(r.rt, "error", r.s.Update(r.ctx, func(tx store.Tx) error { return tx.RenameHolder(r.ctx, rename) }), nil)
}

func (r ledgerRun) releaseOne() {
	key := r.address()
	e := r.open[key]
	if e == nil {
		return
	}
	e.Released = &idmap.Release{On: *at(40), By: "admin", Reason: "because"}
	e.Revision++
	r.released[e.ID] = *e
	delete(r.open, key)
	equal(r.rt, "error", r.s.Update(r.ctx, func(tx store.Tx) error { return tx.ReleaseEmailAssignment(r.ctx, *e) }), nil)
}

// compare compares every entry that the run has made.
func (r ledgerRun) compare() {
	want := maps.Clone(r.released)
	for _, e := range r.open {
		want[e.ID] = *e
	}
	var got []idmap.EmailAssignment
	err := r.s.View(r.ctx, func(reader store.Reader) (err error) {
		got, err = reader.ListEmailAssignments(r.ctx, idmap.EmailAssignmentFilter{ConnectionID: r.connectionID}, all)
		return err
	})
	equal(r.rt, "error", err, nil)
	equal(r.rt, "entries", len(got), len(want))
	for _, e := range got {
		w, ok := want[e.ID]
		if !ok {
			r.rt.Fatalf("the model has no entry %s", e.ID)
		}
		slices.SortFunc(w.Holders, func(a, b idmap.EmailHolder) int { return strings.Compare(a.Connection.ID, b.Connection.ID) })
		equal(r.rt, "holders of "+e.ID, e.Holders, w.Holders)
		equal(r.rt, "release of "+e.ID, e.Released, w.Released)
		equal(r.rt, "revision of "+e.ID, e.Revision, w.Revision)
	}
}
