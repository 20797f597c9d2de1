package storetest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// behindRun is a sequence of writes to a connection of its own, on the store and in memory.
type behindRun struct {
	world
	rt         *rapid.T
	connection idmap.Connection
	accounts   map[string]idmap.Account
	mappings   map[string]store.UserMapping
}

// testBehindModel holds what is told after each of some writes against what the port says of their outcome.
func testBehindModel(w world) {
	w.connections()
	runs := 0
	rapid.Check(w.t, func(rt *rapid.T) {
		runs++
		r := behindRun{w, rt, connection(fmt.Sprint("model", runs)), map[string]idmap.Account{}, map[string]store.UserMapping{}}
		r.write(func(tx store.Tx) error { return tx.InsertConnection(r.ctx, r.connection) })
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			r.step()
			r.compare()
		}
	})
}

func (r behindRun) write(fn func(store.Tx) error) {
	equal(r.rt, "error", r.s.Update(r.ctx, fn), nil)
}

func (r behindRun) draw(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(r.rt, label)
}

func (r behindRun) put(accounts ...idmap.Account) {
	for _, a := range accounts {
		r.accounts[a.ID] = a
	}
	r.write(func(tx store.Tx) error { return tx.PutAccounts(r.ctx, r.connection.ID, accounts) })
}

// step makes a write. Each of two mappings has two accounts and two user ids that it may have, so none is refused.
func (r *behindRun) step() {
	n := r.draw("number", "0", "1")
	id := r.connection.ID + "-" + n
	m, there := r.mappings[id]
	switch r.draw("step", "account", "account", "mapping", "mapping", "bind", "delete", "authoritative") {
	case "account":
		a := idmap.Account{ID: r.draw("account", "a"+n, "b"+n), Username: r.draw("username", "u"+n, "U"+n, "v"+n, "")}
		if rapid.Bool().Draw(r.rt, "deleted") {
			a.DeletedOn = at(1)
		}
		r.put(a)
	case "mapping":
		next := mapping(id, id+"@example.com", r.draw("user id", "u"+n, "V"+n))
		next.Destination.Connection.ID, next.EmailScope = r.connection.ID, r.connection.ID
		next.Destination.Account = idmap.RefTo(r.draw("bound to", "", "a"+n, "b"+n))
		next.Revision = m.Revision + 1
		r.mappings[id] = next
		r.write(func(tx store.Tx) error {
			if there {
				return tx.UpdateUserMappings(r.ctx, []store.UserMapping{next})
			}
			return tx.InsertUserMappings(r.ctx, []store.UserMapping{next})
		})
	case "bind":
		account := idmap.RefTo(r.draw("bound to", "a"+n, "b"+n))
		if there && m.Destination.Account == nil {
			m.Destination.Account = account
			r.mappings[id] = m
		}
		bound := idmap.UserMapping{ID: id, Destination: idmap.MappingEnd{Account: account}}
		r.write(func(tx store.Tx) error { return tx.BindUserMappings(r.ctx, []idmap.UserMapping{bound}) })
	case "delete":
		if there {
			delete(r.mappings, id)
			r.write(func(tx store.Tx) error { return tx.DeleteUserMappings(r.ctx, []idmap.UserMapping{m.UserMapping}) })
		}
	case "authoritative":
		r.connection.Authoritative = !r.connection.Authoritative
		r.connection.Revision++
		r.write(func(tx store.Tx) error { return tx.UpdateConnection(r.ctx, r.connection) })
	}
}

// renamedTo is what the port says of a mapping.
func (r behindRun) renamedTo(m store.UserMapping) string {
	a, known := r.accounts[m.Destination.AccountID()]
	if !r.connection.Authoritative || !known || a.Deleted() || a.UserKey() == m.UserKey() {
		return ""
	}
	return a.UserID()
}

func (r behindRun) compare() {
	var told, behind []idmap.UserMapping
	err := r.s.View(r.ctx, func(reader store.Reader) (err error) {
		f := idmap.UserMappingFilter{DestinationConnectionID: r.connection.ID}
		if told, err = reader.ListUserMappings(r.ctx, f, all); err == nil {
			behind, err = reader.UserMappingsBehind(r.ctx, r.connection.ID, nil)
		}
		return err
	})
	equal(r.rt, "error", err, nil)
	equal(r.rt, "mappings", len(told), len(r.mappings))
	found := map[string]string{}
	for _, m := range behind {
		found[m.ID] = m.RenamedTo
	}
	for _, m := range told {
		want := r.renamedTo(r.mappings[m.ID])
		equal(r.rt, "told of "+m.ID, m.RenamedTo, want)
		equal(r.rt, "behind of "+m.ID, found[m.ID], want)
	}
}
