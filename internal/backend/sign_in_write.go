package backend

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// write stores a round: times and mappings, then sessions, history, and the answers to idempotency keys. The number of
// statements does not depend on how many attempts there are, keys apart.
func (s *signInBatch) write(ctx context.Context, round signInRound) error {
	if err := s.touch(ctx, round.admitted); err != nil {
		return err
	}
	if err := s.makeMappings(ctx, round.made); err != nil {
		return err
	}
	if err := s.useSessions(ctx, slices.Concat(round.admitted, round.made)); err != nil {
		return err
	}
	all := slices.Concat(round.denied, round.admitted, round.made)
	if len(all) == 0 {
		return nil
	}
	history := make([]idmap.SignIn, len(all))
	for i, item := range all {
		history[i] = s.answer(item)
	}
	if err := s.tx.InsertSignIns(ctx, history); err != nil {
		return err
	}
	return s.answerKeys(ctx, all)
}

// touch records the sign-ins with their mappings, and so locks these.
func (s *signInBatch) touch(ctx context.Context, admitted []*signInItem) error {
	ids := keySet{}
	for _, item := range admitted {
		m := *item.verdict.UserMapping // others may have the same one
		if m.LastSignInOn == nil || m.LastSignInOn.Before(s.now) {
			m.LastSignInOn = &s.now
		}
		item.result.answer.UserMapping = &m
		ids.add("", m.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	return s.tx.TouchUserMappings(ctx, ids.of(""), s.now)
}

// makeMappings stores the mappings that first sign-ins make, each in the name of its caller. They are in one order
// everywhere, so that two servers do not wait for each other.
func (s *signInBatch) makeMappings(ctx context.Context, made []*signInItem) error {
	if len(made) == 0 {
		return nil
	}
	slices.SortStableFunc(made, func(a, b *signInItem) int { return slices.Compare(a.verdict.Claims, b.verdict.Claims) })
	var w writes
	for _, item := range made {
		m := *item.verdict.UserMapping
		m.Origin, m.LastSignInOn, m.Revision, m.CreatedOn, m.ModifiedOn = idmap.OriginSignIn, &s.now, 1, &s.now, &s.now
		p := &plan{b: s.b, call: item.Call, world: s.world}
		w.add(p, rules.Change{After: &m}, &idmap.UserMappingVerdict{UserMapping: &m}, "")
		item.result.answer.UserMapping = &m
	}
	if err := w.storeMappings(ctx, s.tx); err != nil {
		return err
	}
	if err := w.storeLedger(ctx, s.tx, s.b); err != nil {
		return err
	}
	return s.tx.AppendAudit(ctx, w.audit)
}

// useSessions begins or continues the sessions of those who are let in: of a mapping and a client, one.
func (s *signInBatch) useSessions(ctx context.Context, items []*signInItem) error {
	if len(items) == 0 {
		return nil
	}
	type key struct{ userMappingID, client string }
	at := make(map[key]int, len(items))
	var sessions []idmap.Session
	for _, item := range items {
		m := item.result.answer.UserMapping
		k := key{m.ID, item.attempt.Client}
		if _, known := at[k]; !known {
			at[k] = len(sessions)
			sessions = append(sessions, idmap.Session{ID: s.b.opts.NewID(), FirstUsedOn: s.now})
		}
		use := &sessions[at[k]]
		use.UserMapping, use.Client, use.SourceAddress = idmap.Ref{ID: m.ID}, item.attempt.Client, item.attempt.SourceAddress
		use.LastUsedOn, use.UseCount = s.now, use.UseCount+1
	}
	stored, err := s.tx.UseSessions(ctx, sessions)
	if err != nil {
		return err
	}
	for _, item := range items {
		m := item.result.answer.UserMapping
		item.result.answer.Session = &stored[at[key{m.ID, item.attempt.Client}]]
	}
	return nil
}

// answer completes the answer to an item, and returns its entry of the history.
func (s *signInBatch) answer(item *signInItem) idmap.SignIn {
	entry := idmap.SignIn{ID: s.b.opts.NewID(), On: s.now, SignInAttempt: item.attempt, Outcome: idmap.OutcomeAllowed}
	entry.Email, entry.UserID = recorded(entry.Email), recorded(entry.UserID)
	answer := &item.result.answer
	if m := cmp.Or(answer.UserMapping, item.verdict.UserMapping); m != nil {
		entry.UserMapping = idmap.RefTo(m.ID)
	}
	if answer.Session == nil {
		entry.Outcome, entry.Reasons = idmap.OutcomeDenied, idmap.ReasonsOf(item.verdict.Checks)
	} else {
		entry.Session = &idmap.Ref{ID: answer.Session.ID}
		entry.MappingCreated = item.verdict.Creates
		answer.Warnings = item.verdict.Warnings
	}
	answer.SignIn = entry
	item.result.undecided = false
	return entry
}

// recorded returns an email or a user id as the history keeps it, whatever it is: without what no database stores, and
// as short as it can be looked for.
func recorded(text string) string {
	const limit = 320
	text = clipped(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"), limit)
	for n := limit; utf8.RuneCountInString(idmap.Fold(text)) > limit; {
		n /= 2
		text = clipped(text, n)
	}
	return text
}

// bounded returns an email or a user id that is far too long in a length that costs nothing to judge. It stays too
// long, and so refused: what follows the cut is no blank, which would be trimmed.
func bounded(text string) string {
	const limit = 8 << 10
	if text = strings.TrimSpace(text); len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// clipped returns the first characters of a text.
func clipped(text string, limit int) string {
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i]
		}
	}
	return text
}

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
