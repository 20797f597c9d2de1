package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const (
	// maxSignInBatch is how many attempts share a transaction: as many as SQLite looks up with one statement.
	maxSignInBatch = 100
	// signInTimeout ends a batch that somebody else's transaction keeps waiting.
	signInTimeout = 30 * time.Second
)

// signInCall is an attempt in the name of a caller.
type signInCall struct {
	Call
	asked   idmap.SignInAttempt // to the letter, for the idempotency key
	attempt idmap.SignInAttempt
}

// signInResult is what a lane makes of an attempt. Undecided: the lane leaves it to the next, and wrote nothing of it.
type signInResult struct {
	answer    idmap.SignInAnswer
	err       error // of this attempt alone
	undecided bool
}

// signInItem is an attempt in its batch.
type signInItem struct {
	signInCall
	verdict rules.SignInVerdict
	result  signInResult
	record  store.IdempotencyRecord // where there is a key
	sameAs  *signInItem             // the item with the same key, whose result it gets
}

// signInBatch is the attempts that share a transaction.
type signInBatch struct {
	b     *Backend
	tx    store.Tx
	now   time.Time
	items []*signInItem
	world *rules.World
}

// signInLane returns what runs batches of attempts: each batch is one transaction, in which decide settles what it can.
func (b *Backend) signInLane(decide func(context.Context, *signInBatch) error) *batcher[signInCall, signInResult] {
	run := func(ctx context.Context, calls []signInCall) (results []signInResult, err error) {
		err = b.update(ctx, func(tx store.Tx) error {
			s := b.newSignInBatch(tx, calls)
			if err := decide(ctx, s); err != nil {
				return err
			}
			results = s.results()
			return nil
		})
		return results, err
	}
	return &batcher[signInCall, signInResult]{run: run, size: maxSignInBatch, timeout: signInTimeout, gathers: true}
}

func (b *Backend) newSignInBatch(tx store.Tx, calls []signInCall) *signInBatch {
	s := &signInBatch{b: b, tx: tx, now: b.now(), items: make([]*signInItem, len(calls))}
	for i, c := range calls {
		s.items[i] = &signInItem{signInCall: c, result: signInResult{undecided: true}}
	}
	return s
}

func (s *signInBatch) results() []signInResult {
	results := make([]signInResult, len(s.items))
	for i, item := range s.items {
		if item.sameAs != nil {
			item = item.sameAs
		}
		results[i] = item.result
	}
	return results
}

// pairOf names the queue of those who need two connections unchanged, so that an import of a directory keeps nobody
// waiting who is about others.
func pairOf(source, destination idmap.Ref) string {
	return strconv.Quote(source.ID) + strconv.Quote(destination.ID)
}

// decideKnown is the first lane: it lets in who comes through a mapping that is there. It waits for nobody: whose mapping
// is locked is left to the second lane, and so is everybody else. What was read before the mappings were locked may have
// changed meanwhile; who is let in by what was true before a change that is over is left to the second lane as well.
func decideKnown(ctx context.Context, s *signInBatch) error {
	before, err := s.versions(ctx)
	if err != nil {
		return err
	}
	open, err := s.judge(ctx, s.items)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(item *signInItem) bool { return !item.verdict.Allowed() || item.verdict.Creates })
	if open, err = s.lockKnown(ctx, open); err != nil || len(open) == 0 {
		return err
	}
	after, err := s.versions(ctx)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(item *signInItem) bool {
		source, destination := item.attempt.Source.Connection.ID, item.attempt.Destination.Connection.ID
		return before[source] != after[source] || before[destination] != after[destination]
	})
	if open, err = s.claimKeys(ctx, open); err != nil {
		return err
	}
	return s.write(ctx, signInRound{admitted: open})
}

// versions tells whether the connections of the attempts, and their directories, are those of an earlier look.
func (s *signInBatch) versions(ctx context.Context) (map[string]string, error) {
	return s.tx.ConnectionVersions(ctx, s.connections())
}

func (s *signInBatch) connections() []string {
	ids := keySet{}
	for _, item := range s.items {
		ids.add("", item.attempt.Source.Connection.ID, item.attempt.Destination.Connection.ID)
	}
	return ids.of("")
}

// lockKnown locks the mappings that items come through, and returns the items whose mapping was free, and is as it was
// when they were judged.
func (s *signInBatch) lockKnown(ctx context.Context, items []*signInItem) ([]*signInItem, error) {
	locked, err := s.tx.TryLockUserMappings(ctx, throughWhich(items))
	return unchangedSince(items, locked), err
}

// throughWhich returns the ids of the mappings that items come through.
func throughWhich(items []*signInItem) []string {
	ids := keySet{}
	for _, item := range items {
		ids.add("", item.verdict.UserMapping.ID)
	}
	return ids.of("")
}

// unchangedSince returns the items whose mapping is among those of now, as it was when they were judged.
func unchangedSince(items []*signInItem, now []store.UserMapping) []*signInItem {
	same := map[string]store.UserMapping{}
	for _, m := range now {
		same[m.ID] = m
	}
	return slices.DeleteFunc(items, func(item *signInItem) bool {
		m, known := same[item.verdict.UserMapping.ID]
		return !known || m.Revision != item.verdict.UserMapping.Revision || !unchangedMapping(*item.verdict.UserMapping, m.UserMapping)
	})
}

// decideAny is the second lane. It keeps the directories from changing until it is through, as every create of a
// mapping does: see shareConnections.
func decideAny(ctx context.Context, s *signInBatch) error {
	if err := s.tx.ShareConnections(ctx, s.connections()); err != nil {
		return err
	}
	open, err := s.judge(ctx, s.items)
	if err != nil {
		return err
	}
	if open, err = s.claimKeys(ctx, open); err != nil {
		return err
	}
	return s.settle(ctx, open)
}

// settle writes attempts round by round. Each attempt was judged as if it came alone; of those that would make mappings
// which cannot both be, the first makes its own, and the others are judged again in the world that has it.
func (s *signInBatch) settle(ctx context.Context, open []*signInItem) error {
	for len(open) > 0 {
		var round signInRound
		round, open = newSignInRound(open)
		if err := s.lockAdmitted(ctx, round.admitted); err != nil {
			return err
		}
		if err := s.write(ctx, round); err != nil {
			return err
		}
		var err error
		if open, err = s.judge(ctx, open); err != nil {
			return err
		}
	}
	return nil
}

// lockAdmitted locks the mappings that items come through, and fails where one changed while it waited: all are judged
// again then.
func (s *signInBatch) lockAdmitted(ctx context.Context, items []*signInItem) error {
	ids := throughWhich(items)
	if len(ids) == 0 {
		return nil
	}
	if err := s.tx.LockUserMappings(ctx, ids); err != nil {
		return err
	}
	now, err := s.tx.UserMappings(ctx, store.UserMappingKeys{IDs: ids})
	if err == nil && len(unchangedSince(slices.Clone(items), now)) < len(items) {
		err = fmt.Errorf("a mapping changed while somebody signed in through it: %w", store.ErrConflict)
	}
	return err
}

// judge asks the rules about items, and returns those that can be judged. The others are settled.
func (s *signInBatch) judge(ctx context.Context, items []*signInItem) ([]*signInItem, error) {
	if len(items) == 0 {
		return nil, nil
	}
	attempts := attemptsOf(items)
	world, err := gatherSignIns(ctx, s.tx, attempts)
	if err != nil {
		return nil, err
	}
	s.world = world
	known := items[:0:0]
	for _, item := range items {
		if err := idmap.Refuse(unknownConnections(world, item.attempt.Source, item.attempt.Destination)...); err != nil {
			item.result = signInResult{err: err}
			continue
		}
		known = append(known, item)
	}
	for i, verdict := range rules.CheckSignIns(world, attemptsOf(known)) {
		known[i].verdict = verdict
	}
	return known, nil
}

func attemptsOf(items []*signInItem) []idmap.UserMapping {
	attempts := make([]idmap.UserMapping, len(items))
	for i, item := range items {
		attempts[i] = item.attempt.UserMapping()
	}
	return attempts
}

// unknownConnections refuses ends that do not exist.
func unknownConnections(w *rules.World, source, destination idmap.SignInEnd) []idmap.Violation {
	var found []idmap.Violation
	check := func(field, id string) {
		if _, known := w.Connections[id]; !known {
			found = append(found, idmap.Violation{Code: idmap.CodeUnknownConnection, Field: field, Description: fmt.Sprintf(
				"There is no connection %q. Create it first, or name one that exists by its id.", clipped(id, 100))})
		}
	}
	check("source.connection.id", source.Connection.ID)
	check(fieldDestination, destination.Connection.ID)
	return found
}

// signInRound is attempts that can be written together.
type signInRound struct {
	denied, admitted, made []*signInItem
}

// newSignInRound takes the attempts of a round, and returns those that have to wait for its outcome.
func newSignInRound(open []*signInItem) (round signInRound, again []*signInItem) {
	taken := map[string]bool{}
	for _, item := range open {
		switch {
		case !item.verdict.Allowed():
			round.denied = append(round.denied, item)
		case !item.verdict.Creates:
			round.admitted = append(round.admitted, item)
		case slices.ContainsFunc(item.verdict.Claims, func(claim string) bool { return taken[claim] }):
			again = append(again, item)
		default:
			round.made = append(round.made, item)
			for _, claim := range item.verdict.Claims {
				taken[claim] = true
			}
		}
	}
	return round, again
}
