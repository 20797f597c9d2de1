package storetest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var auditTests = map[string]func(world){
	"entries are listed as they were appended, newest first": testAuditRoundTrip,
	"entries are filtered and counted":                       testAuditFilter,
	"an id is appended once":                                 testAuditTwice,
	"an entry goes with its transaction":                     testAuditRollback,
	"thousands are appended at once":                         testManyAuditEntries,
}

func auditEntry(n int, kind, objectID string) idmap.AuditEntry {
	return idmap.AuditEntry{
		ID: fmt.Sprintf("0192-%04d", n), On: *at(n), Who: "who" + fmt.Sprint(n%2), Action: "update", Kind: kind, ObjectID: objectID,
		Before: json.RawMessage(`{"a": "\u0000 ` + "é" + `"}`), After: json.RawMessage("null"), Reason: "because %_\\",
	}
}

func (w world) append(entries ...idmap.AuditEntry) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.AppendAudit(w.ctx, entries) })
}

func (w world) audit() []idmap.AuditEntry {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.AuditEntry, error) { return r.ListAudit(w.ctx, idmap.AuditFilter{}, all) })
}

func testAuditRoundTrip(w world) {
	one, two := auditEntry(1, "user_mapping", "m1"), auditEntry(2, "connection", "c1")
	two.Before, two.After = nil, nil
	w.append(one, two)
	equal(w.t, "entries", w.audit(), []idmap.AuditEntry{two, one})
}

func testAuditFilter(w world) {
	for n := range 6 {
		e := auditEntry(n, []string{"user_mapping", "connection"}[n/3], fmt.Sprint("o", n%3))
		if n == 5 {
			e.Action = "delete"
		}
		w.append(e)
	}
	for _, c := range []struct {
		want   string
		filter idmap.AuditFilter
	}{
		{"5 4 3 2 1 0", idmap.AuditFilter{}},
		{"2 1 0", idmap.AuditFilter{Kind: "user_mapping"}},
		{"4 1", idmap.AuditFilter{ObjectID: "o1"}},
		{"1", idmap.AuditFilter{ObjectID: "o1", Kind: "user_mapping"}},
		{"5 3 1", idmap.AuditFilter{Who: "who1"}},
		{"5", idmap.AuditFilter{Action: "delete"}},
		{"5 4 3", idmap.AuditFilter{From: at(3)}},
		{"2 1 0", idmap.AuditFilter{To: at(3)}},
		{"3 2", idmap.AuditFilter{From: at(2), To: at(4)}},
		{"", idmap.AuditFilter{Kind: "User_mapping"}},
		{"", idmap.AuditFilter{ObjectID: "%"}},
	} {
		checkList(w, c.want, c.filter, func(e idmap.AuditEntry) string { return e.ID[len(e.ID)-1:] },
			func(r store.Reader) ([]idmap.AuditEntry, error) { return r.ListAudit(w.ctx, c.filter, all) },
			func(r store.Reader) (int, error) { return r.CountAudit(w.ctx, c.filter) })
	}
}

func testAuditTwice(w world) {
	w.append(auditEntry(1, "user_mapping", "m1"))
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.AppendAudit(w.ctx, []idmap.AuditEntry{auditEntry(2, "user_mapping", "m1"), auditEntry(1, "user_mapping", "m1")})
	})
	equal(w.t, "entries", len(w.audit()), 1)
}

func testAuditRollback(w world) {
	err := w.s.Update(w.ctx, func(tx store.Tx) error {
		return errors.Join(tx.AppendAudit(w.ctx, []idmap.AuditEntry{auditEntry(1, "user_mapping", "m1")}), errRollBack)
	})
	if !errors.Is(err, errRollBack) {
		w.t.Fatal(err)
	}
	nothing(w.t, "entries", w.audit())
}

func testManyAuditEntries(w world) {
	entries := make([]idmap.AuditEntry, 1000)
	for i := range entries {
		entries[i] = auditEntry(i, "user_mapping", "m1")
	}
	w.append(entries...)
	got := w.audit()
	equal(w.t, "entries", len(got), len(entries))
	equal(w.t, "newest", got[0], entries[len(entries)-1])
}
