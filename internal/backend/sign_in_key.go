package backend

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
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

// claimKey takes the key that the items have, and returns the one of them that is to be written, if any. An answer that
// let somebody in is given again only as long as it is true: the facts may have changed, and the same words would let
// somebody else in.
func (s *signInBatch) claimKey(ctx context.Context, items []*signInItem) ([]*signInItem, error) {
	first := items[0]
	earlier, err := s.b.claimLive(ctx, s.tx, first.record)
	if err != nil {
		return nil, err
	}
	holder := cmp.Or(earlier, &first.record)
	for _, item := range items {
		if item.record.RequestHash != holder.RequestHash {
			item.result = signInResult{err: keyReused(item.IdempotencyKey)}
		}
	}
	items = slices.DeleteFunc(slices.Clone(items), func(item *signInItem) bool { return item.result.err != nil })
	var answer idmap.SignInAnswer
	if earlier != nil && len(items) > 0 {
		if err := json.Unmarshal(earlier.Answer, &answer); err != nil {
			return nil, err
		}
	}
	if len(items) == 0 || earlier != nil && stillTrue(answer, items[0].verdict) {
		for _, item := range items {
			item.result = signInResult{answer: answer}
		}
		return nil, nil
	}
	for _, item := range items[1:] {
		item.sameAs = items[0]
	}
	return items[:1], nil
}

// stillTrue reports whether an earlier answer would not let in who is denied by now, nor through another mapping.
func stillTrue(earlier idmap.SignInAnswer, now rules.SignInVerdict) bool {
	if earlier.Session == nil {
		return true
	}
	return now.Allowed() && !now.Creates && now.UserMapping.ID == earlier.UserMapping.ID
}
