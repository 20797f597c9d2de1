package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var idempotencyTests = map[string]func(world){
	"a claimed key is found with its answer":                           testIdempotencyRoundTrip,
	"the second claim answers the record that is there":                testIdempotencyClaim,
	"a claim waits for the transaction that has claimed the key":       testIdempotencyWait,
	"a claim after a rollback of the first one is the first":           testIdempotencyWaitRollback,
	"ForgetIdempotencyKeys removes the records of objects":             testIdempotencyForget,
	"ExpireIdempotencyKeys removes at most limit from before then":     testIdempotencyExpire,
	"AddIdempotencyRecords stores answers, and lets old ones make way": testIdempotencyAdd,
	"records to add conflict with one of another transaction":          testIdempotencyAddBehind,
	"an answer needs a claim":                                          testIdempotencyAnswerUnclaimed,
}

func record(actor, key string) store.IdempotencyRecord {
	return store.IdempotencyRecord{Actor: actor, Key: key, RequestHash: "h-" + key, CreatedOn: *at(1)}
}

func answered(r store.IdempotencyRecord, objectID string) store.IdempotencyRecord {
	r.ObjectID, r.Answer = objectID, []byte(`{"id": "`+objectID+`"}`)
	return r
}

// request claims a key and answers it.
func (w world) request(r store.IdempotencyRecord, objectID string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		if found, err := tx.ClaimIdempotencyKey(w.ctx, r); err != nil || found != nil {
			return fmt.Errorf("the key has the record %v already, or %w", found, err)
		}
		return tx.AnswerIdempotencyKey(w.ctx, answered(r, objectID))
	})
}

func (w world) records(actor string, keys ...string) []store.IdempotencyRecord {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]store.IdempotencyRecord, error) {
		found, err := r.IdempotencyRecords(w.ctx, actor, keys)
		return sorted(found, func(r store.IdempotencyRecord) string { return r.Key }), err
	})
}

func testIdempotencyRoundTrip(w world) {
	w.request(record("t1", "k1"), "o1")
	w.request(record("t1", "K1"), "o2")
	w.request(record("t2", "k1"), "o3")
	equal(w.t, "t1", w.records("t1", "k1", "K1", "k1", "none"), []store.IdempotencyRecord{
		answered(record("t1", "K1"), "o2"), answered(record("t1", "k1"), "o1"),
	})
	equal(w.t, "t2", w.records("t2", "k1", "K1"), []store.IdempotencyRecord{answered(record("t2", "k1"), "o3")})
	nothing(w.t, "t3", w.records("t3", "k1"))
}

func testIdempotencyClaim(w world) {
	w.request(record("t", "k"), "o")
	again := record("t", "k")
	again.RequestHash = "another"
	var found *store.IdempotencyRecord
	w.update(func(tx store.Tx) (err error) {
		found, err = tx.ClaimIdempotencyKey(w.ctx, again)
		return err
	})
	if found == nil {
		w.t.Fatal("the key was claimed twice")
	}
	equal(w.t, "record", *found, answered(record("t", "k"), "o"))
	equal(w.t, "stored", w.records("t", "k"), []store.IdempotencyRecord{answered(record("t", "k"), "o")})
}

func testIdempotencyWait(w world) {
	found, early := w.claimBehind(nil)
	if early {
		w.t.Error("the second claim did not wait")
	}
	if found == nil {
		w.t.Fatal("the key was claimed twice")
	}
	equal(w.t, "record", *found, answered(record("t", "k"), "o"))
}

func testIdempotencyWaitRollback(w world) {
	found, early := w.claimBehind(errRollBack)
	if early {
		w.t.Error("the second claim did not wait")
	}
	if found != nil {
		w.t.Fatalf("the claim finds %v, which was rolled back", found)
	}
}

// claimBehind claims a key while another transaction has claimed it, which then ends with end. It reports what the
// claim found, and whether it answered before the other transaction ended.
func (w world) claimBehind(end error) (found *store.IdempotencyRecord, early bool) {
	var ended atomic.Bool
	second := make(chan error, 1)
	err := w.s.Update(w.ctx, func(tx store.Tx) error {
		if _, err := tx.ClaimIdempotencyKey(w.ctx, record("t", "k")); err != nil {
			return err
		}
		go func() {
			second <- w.retry(func(tx store.Tx) (err error) {
				found, err = tx.ClaimIdempotencyKey(w.ctx, record("t", "k"))
				early = early || !ended.Load()
				return err
			})
		}()
		time.Sleep(overtake)
		ended.Store(true)
		return errors.Join(tx.AnswerIdempotencyKey(w.ctx, answered(record("t", "k"), "o")), end)
	})
	if !errors.Is(err, end) {
		w.t.Fatalf("first transaction: %v", err)
	}
	equal(w.t, "second transaction", <-second, nil)
	return found, early
}

func testIdempotencyForget(w world) {
	for i := range 5 {
		w.request(record("t", fmt.Sprint("k", i)), fmt.Sprint("o", i/2))
	}
	w.update(func(tx store.Tx) error { return tx.ForgetIdempotencyKeys(w.ctx, []string{"o0", "o2", "O1", "none"}) })
	equal(w.t, "left", w.records("t", "k0", "k1", "k2", "k3", "k4"), []store.IdempotencyRecord{
		answered(record("t", "k2"), "o1"), answered(record("t", "k3"), "o1"),
	})
}

func testIdempotencyExpire(w world) {
	keys := []string{}
	for i := range 6 {
		r := record("t", fmt.Sprint("k", i))
		r.CreatedOn = *at(i)
		keys = append(keys, r.Key)
		w.request(r, "o")
	}
	expire := func(limit int) (left string) {
		w.update(func(tx store.Tx) error { return tx.ExpireIdempotencyKeys(w.ctx, *at(4), limit) })
		for _, r := range w.records("t", keys...) {
			left += r.Key
		}
		return left
	}
	equal(w.t, "after two", expire(2), "k2k3k4k5")
	equal(w.t, "after all", expire(100), "k4k5")
	equal(w.t, "after nothing", expire(100), "k4k5")
}

func testIdempotencyAnswerUnclaimed(w world) {
	w.refused(store.ErrConflict, func(tx store.Tx) error {
		return tx.AnswerIdempotencyKey(w.ctx, answered(record("t", "none"), "o"))
	})
}

func testIdempotencyAdd(w world) {
	const many = 1000 // more than one statement takes
	var records []store.IdempotencyRecord
	for i := range many {
		records = append(records, answered(record("t", fmt.Sprintf("k%04d", many-i)), fmt.Sprint("o", i)))
	}
	add := func(r []store.IdempotencyRecord) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.AddIdempotencyRecords(w.ctx, r, time.Hour) }
	}
	w.update(add(nil))
	w.update(add(records))
	equal(w.t, "one of many", w.records("t", "k0001"), records[many-1:])
	equal(w.t, "another", w.records("t", "k1000"), records[:1])

	other := []store.IdempotencyRecord{answered(record("t", "new"), "o"), answered(record("t", "k0500"), "later")}
	other[1].CreatedOn, other[1].RequestHash = at(1).Add(time.Hour), "another" // the stored one is an hour old, and not more
	w.refused(store.ErrConflict, add(other))
	nothing(w.t, "of the conflict", w.records("t", "new"))
	other[1].CreatedOn = other[1].CreatedOn.Add(time.Microsecond)
	w.update(add(other))
	equal(w.t, "in its place", w.records("t", "k0500"), other[1:])
	w.update(add([]store.IdempotencyRecord{answered(record("t2", "k0500"), "o")}))
}

// testIdempotencyAddBehind: two requests under one key never both do what they are about.
func testIdempotencyAddBehind(w world) {
	for _, end := range []error{nil, errRollBack} {
		key := fmt.Sprint("k", end)
		var lost atomic.Int32
		second := make(chan error, 1)
		err := w.s.Update(w.ctx, func(tx store.Tx) error {
			if err := tx.AddIdempotencyRecords(w.ctx, []store.IdempotencyRecord{answered(record("t", key), "first")}, time.Hour); err != nil {
				return err
			}
			go func() {
				second <- w.s.Update(w.ctx, func(tx store.Tx) error {
					err := tx.AddIdempotencyRecords(w.ctx, []store.IdempotencyRecord{answered(record("t", key), "second")}, time.Hour)
					if errors.Is(err, store.ErrConflict) {
						lost.Add(1)
					}
					return err
				})
			}()
			time.Sleep(overtake)
			return end
		})
		if !errors.Is(err, end) {
			w.t.Fatalf("first transaction: %v", err)
		}
		err = <-second
		if end == nil && (!errors.Is(err, store.ErrConflict) || lost.Load() == 0) {
			w.t.Errorf("the second of one key: %v, want a conflict", err)
		}
		if end != nil && err != nil {
			w.t.Errorf("behind a transaction that was rolled back: %v", err)
		}
		if found := w.records("t", key); len(found) != 1 || (end == nil) != (found[0].ObjectID == "first") {
			w.t.Errorf("the key has %v", found)
		}
	}
}
