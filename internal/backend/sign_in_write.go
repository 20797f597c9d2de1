package backend

import (
	"cmp"
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
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
		p := &plan{b: s.b, world: s.world}
		w.add(p, item.Call, rules.Change{After: &m}, &idmap.UserMappingVerdict{UserMapping: &m}, "")
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
