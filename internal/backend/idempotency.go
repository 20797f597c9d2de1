package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// keepAnswers is how long the answer to an idempotency key is kept.
const keepAnswers = 24 * time.Hour

// sweepKeys is how many answers that are too old each new key takes away, so that they do not pile up.
const sweepKeys = 10

// once runs do, unless the call's idempotency key was answered before: then it gives that answer again. The answer is
// stored in the transaction that makes the object, and forgotten when the object is deleted. Refusals are not stored:
// nothing happened, so the same request is simply judged anew.
func once[T any](ctx context.Context, b *Backend, tx store.Tx, call Call, request any, do func() (T, string, error)) (T, error) {
	var answer T
	record := b.record(call, call.IdempotencyKey, request)
	if record.Key != "" {
		earlier, err := b.claim(ctx, tx, record)
		if err != nil {
			return answer, err
		}
		if earlier != nil {
			return answer, json.Unmarshal(earlier.Answer, &answer)
		}
	}
	answer, id, err := do()
	if err != nil || record.Key == "" {
		return answer, err
	}
	record.ObjectID, record.Answer = id, document(answer)
	return answer, tx.AnswerIdempotencyKey(ctx, record)
}

// record describes a request under a key. Keys belong to the token that uses them.
func (b *Backend) record(call Call, key string, request any) store.IdempotencyRecord {
	hash := sha256.Sum256(document(request))
	return store.IdempotencyRecord{Actor: call.Token.ID, Key: key, RequestHash: hex.EncodeToString(hash[:]), CreatedOn: b.now()}
}

// claim takes the key, or returns the record of the request that took it before.
func (b *Backend) claim(ctx context.Context, tx store.Tx, record store.IdempotencyRecord) (*store.IdempotencyRecord, error) {
	if err := tx.ExpireIdempotencyKeys(ctx, b.now().Add(-keepAnswers), sweepKeys); err != nil {
		return nil, err
	}
	earlier, err := b.claimLive(ctx, tx, record)
	if err != nil || earlier == nil {
		return nil, err
	}
	if earlier.RequestHash != record.RequestHash {
		return nil, keyReused(record.Key)
	}
	return earlier, nil
}

// claimLive takes the key, or returns the record that has it and is not out of date. A record that is, and that no sweep
// has come to yet, is removed with all that are older.
func (b *Backend) claimLive(ctx context.Context, tx store.Tx, record store.IdempotencyRecord) (*store.IdempotencyRecord, error) {
	const step = 1000
	expiry := b.now().Add(-keepAnswers)
	for {
		earlier, err := tx.ClaimIdempotencyKey(ctx, record)
		if err != nil || earlier == nil || !earlier.CreatedOn.Before(expiry) {
			return earlier, err
		}
		if err := tx.ExpireIdempotencyKeys(ctx, expiry, step); err != nil {
			return nil, err
		}
	}
}

func keyReused(key string) error {
	return idmap.Refusef(idmap.CodeIdempotencyKeyReused, "", "The Idempotency-Key %q was used for another request. Use a new key for each request, and the same key only to repeat one.", key)
}
