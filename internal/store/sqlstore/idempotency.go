package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const idempotencyColumns = `actor, request_key, request_hash, object_id, answer, created_on`

var idempotencyKeys = table[store.IdempotencyRecord]{
	name: "idempotency_keys", columns: idempotencyColumns, scan: scanIdempotencyRecord,
	id: func(r store.IdempotencyRecord) string { return r.Key },
}

func scanIdempotencyRecord(r row) (record store.IdempotencyRecord, err error) {
	var answer string
	err = r.Scan(&record.Actor, &record.Key, &record.RequestHash, &record.ObjectID, &answer, instant{&record.CreatedOn})
	record.Answer = rawJSON(answer)
	return record, err
}

func idempotencyValues(r store.IdempotencyRecord) []any {
	return []any{r.Actor, r.Key, r.RequestHash, r.ObjectID, string(r.Answer), micros(&r.CreatedOn)}
}

func (s *session) IdempotencyRecords(ctx context.Context, actor string, keys []string) ([]store.IdempotencyRecord, error) {
	l := newLookup(s, idempotencyKeys)
	l.any(ctx, keys, "actor = ? AND request_key IN (*)", actor)
	return l.answer()
}

// ClaimIdempotencyKey inserts first and reads only what it lost against: the insert waits for another transaction that
// has inserted the key.
func (s *session) ClaimIdempotencyKey(ctx context.Context, r store.IdempotencyRecord) (*store.IdempotencyRecord, error) {
	n, err := s.exec(ctx, `INSERT INTO idempotency_keys (`+idempotencyColumns+`) VALUES (?, ?, ?, ?, ?, ?) `+
		`ON CONFLICT (actor, request_key) DO NOTHING`, idempotencyValues(r)...)
	if err != nil || n == 1 {
		return nil, err
	}
	found, err := s.IdempotencyRecords(ctx, r.Actor, []string{r.Key})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 { // it has been removed since
		return nil, s.fail(ctx, store.ErrConflict)
	}
	return &found[0], nil
}

func (s *session) AnswerIdempotencyKey(ctx context.Context, r store.IdempotencyRecord) error {
	return s.execExactly(ctx, 1, `UPDATE idempotency_keys SET object_id = ?, answer = ? `+
		`WHERE actor = ? AND request_key = ?`, r.ObjectID, string(r.Answer), r.Actor, r.Key)
}

func (s *session) AddIdempotencyRecords(ctx context.Context, records []store.IdempotencyRecord, keep time.Duration) error {
	records = slices.SortedFunc(slices.Values(records), func(a, b store.IdempotencyRecord) int {
		return cmp.Or(strings.Compare(a.Actor, b.Actor), strings.Compare(a.Key, b.Key))
	})
	rows := make([][]any, len(records))
	for i, r := range records {
		rows[i] = idempotencyValues(r)
	}
	tail := fmt.Sprintf(`ON CONFLICT (actor, request_key) DO UPDATE SET `+overwrite(idempotencyColumns, "actor", "request_key")+
		` WHERE idempotency_keys.created_on < excluded.created_on - %d RETURNING request_key`, keep.Microseconds())
	stored := 0
	err := s.insert(ctx, "idempotency_keys", idempotencyColumns, tail, rows, func(r row) error {
		stored++
		var key string
		return r.Scan(&key)
	})
	if err == nil && stored < len(records) {
		err = s.fail(ctx, store.ErrConflict)
	}
	return err
}

func (s *session) ForgetIdempotencyKeys(ctx context.Context, objectIDs []string) error {
	return s.execEach(ctx, objectIDs, `DELETE FROM idempotency_keys WHERE object_id IN (*)`)
}

func (s *session) ExpireIdempotencyKeys(ctx context.Context, before time.Time, limit int) error {
	_, err := s.exec(ctx, `DELETE FROM idempotency_keys WHERE (actor, request_key) IN (`+
		`SELECT actor, request_key FROM idempotency_keys WHERE created_on < ? ORDER BY created_on LIMIT ?)`,
		micros(&before), limit)
	return err
}
