package backend

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// answerKeys stores the answers to the requests that came with an idempotency key.
func (s *signInBatch) answerKeys(ctx context.Context, items []*signInItem) error {
	for _, item := range items {
		if item.record.Key == "" {
			continue
		}
		item.record.Answer = document(item.result.answer)
		if session := item.result.answer.Session; session != nil {
			item.record.ObjectID = session.ID
		}
		if err := s.tx.AnswerIdempotencyKey(ctx, item.record); err != nil {
			return err
		}
	}
	return nil
}

// claimKeys takes the idempotency keys of items, in one order everywhere, and returns the items that are to be written.
// The others are settled: by the answer that their key has, by that of another item with the key, or refused.
func (s *signInBatch) claimKeys(ctx context.Context, items []*signInItem) ([]*signInItem, error) {
	var open, keyed []*signInItem
	for _, item := range items {
		if item.IdempotencyKey == "" {
			open = append(open, item)
			continue
		}
		item.record = s.b.signInRecord(item.signInCall)
		keyed = append(keyed, item)
	}
	if len(keyed) == 0 {
		return open, nil
	}
	slices.SortStableFunc(keyed, func(a, b *signInItem) int {
		return cmp.Or(strings.Compare(a.record.Actor, b.record.Actor), strings.Compare(a.record.Key, b.record.Key))
	})
	if err := s.tx.ExpireIdempotencyKeys(ctx, s.now.Add(-keepAnswers), sweepKeys*len(keyed)); err != nil {
		return nil, err
	}
	for len(keyed) > 0 {
		same := sameKey(keyed)
		keyed = keyed[len(same):]
		claimed, err := s.claimKey(ctx, same)
		if err != nil {
			return nil, err
		}
		open = append(open, claimed...)
	}
	return open, nil
}

// signInRecord wraps the attempt, which else could have the form of another request under the same key.
func (b *Backend) signInRecord(c signInCall) store.IdempotencyRecord {
	request := struct {
		SignIn idmap.SignInAttempt `json:"sign_in"`
	}{c.asked}
	return b.record(c.Call, c.IdempotencyKey, request)
}

// sameKey returns the first items that have one key.
func sameKey(items []*signInItem) []*signInItem {
	for i, item := range items {
		if item.record.Actor != items[0].record.Actor || item.record.Key != items[0].record.Key {
			return items[:i]
		}
	}
	return items
}

// claimKey takes the key that the items have, and returns the one of them that is to be written, if any.
func (s *signInBatch) claimKey(ctx context.Context, items []*signInItem) ([]*signInItem, error) {
	first := items[0]
	earlier, err := s.tx.ClaimIdempotencyKey(ctx, first.record)
	if err != nil {
		return nil, err
	}
	holder := cmp.Or(earlier, &first.record)
	for _, item := range items {
		switch {
		case item.record.RequestHash != holder.RequestHash:
			item.result = signInResult{err: keyReused(item.IdempotencyKey)}
		case earlier == nil:
			item.sameAs = first
		default:
			item.result = signInResult{}
			if err := json.Unmarshal(earlier.Answer, &item.result.answer); err != nil {
				return nil, err
			}
		}
	}
	if earlier != nil {
		return nil, nil
	}
	return items[:1], nil
}
