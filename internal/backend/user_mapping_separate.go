package backend

import (
	"cmp"
	"context"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const (
	// maxWriteBatch is how many single writes share a transaction.
	maxWriteBatch = 200
	// writeTimeout ends a batch that somebody else's transaction keeps waiting.
	writeTimeout = 30 * time.Second
)

// outcome is what becomes of a request: the error says why it was not made.
type outcome struct {
	verdict idmap.UserMappingVerdict
	err     error
}

// ApplySeparately makes each of the writes that can be made, whatever becomes of the others. The verdicts are in the
// order of the intents; one with violations was not made. Of two that cannot both be, the first is made.
func (b *Backend) ApplySeparately(ctx context.Context, call Call, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	verdicts := make([]idmap.UserMappingVerdict, len(intents))
	err := b.update(ctx, func(tx store.Tx) error {
		outcomes, err := b.separately(ctx, tx, requestsOf(call, intents))
		for i, out := range outcomes {
			verdicts[i] = out.verdict
		}
		return err
	})
	return verdicts, err
}

// gatheredWrites makes single writes that came at the same time. What is about one mapping is made one after the other.
func (b *Backend) gatheredWrites(ctx context.Context, requests []request) (outcomes []outcome, err error) {
	err = b.update(ctx, func(tx store.Tx) error {
		outcomes = make([]outcome, len(requests))
		for rest := places(len(requests)); len(rest) > 0; {
			now, later := firstOfEachMapping(requests, rest)
			made, err := b.separately(ctx, tx, pick(requests, now))
			if err != nil {
				return err
			}
			for n, i := range now {
				outcomes[i] = made[n]
			}
			rest = later
		}
		return nil
	})
	return outcomes, err
}

// firstOfEachMapping splits requests into the first about each mapping and the others. Every create is about its own.
func firstOfEachMapping(requests []request, places []int) (first, others []int) {
	seen := map[string]bool{}
	for _, i := range places {
		id := requests[i].intent.ID
		if id != "" && seen[id] {
			others = append(others, i)
			continue
		}
		seen[id] = true
		first = append(first, i)
	}
	return first, others
}

func places(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func pick(requests []request, places []int) []request {
	picked := make([]request, len(places))
	for n, i := range places {
		picked[n] = requests[i]
	}
	return picked
}

// separately makes each of the requests that can be made. First they are judged together, since one may rely on what
// another does; then each of those that are left by itself, so that none is refused for a neighbour that is not made.
func (b *Backend) separately(ctx context.Context, tx store.Tx, requests []request) ([]outcome, error) {
	if err := shareConnections(ctx, tx, requests); err != nil {
		return nil, err
	}
	s := &separate{b: b, tx: tx, requests: requests, outcomes: make([]outcome, len(requests))}
	pending, err := s.round(ctx, places(len(requests)), len(requests) == 1)
	for err == nil && len(pending) > 0 {
		pending, err = s.round(ctx, pending, true)
	}
	return s.outcomes, err
}

// separate is requests of which each that can be made is made.
type separate struct {
	b        *Backend
	tx       store.Tx
	requests []request
	outcomes []outcome
}

// round judges pending requests and writes those that can be made, and returns those that wait for the next round. alone:
// each is judged by itself, and a refusal is final. Of those that are allowed one is made at least, so the rounds end.
func (s *separate) round(ctx context.Context, pending []int, alone bool) (later []int, err error) {
	requests := pick(s.requests, pending)
	if alone {
		for n := range requests {
			requests[n].intent.Group = n
		}
	}
	p, err := s.b.prepare(ctx, s.tx, requests, nil)
	if err != nil {
		return nil, err
	}
	verdicts := p.judge()
	taken := p.takeOneOfEach(verdicts, alone)
	if !alone {
		rules.LeaveOut(p.world, p.changes, verdicts, taken)
	}
	var made []int
	for n := range pending {
		if taken[n] {
			made = append(made, n)
		}
	}
	if len(made) > 0 {
		if err := p.write(ctx, s.tx, verdicts, made, func(idmap.UserMappingVerdict) string { return "" }); err != nil {
			return nil, err
		}
	}
	for n, i := range pending {
		refused := len(verdicts[n].Violations) > 0
		if taken[n] || p.settled[n] != nil || alone && refused {
			s.outcomes[i] = outcome{verdicts[n], cmp.Or(p.failed[n], idmap.Refuse(verdicts[n].Violations...))}
		} else {
			later = append(later, i)
		}
	}
	return later, nil
}

// takeOneOfEach takes the requests that are allowed, in their order, but of those that want one thing only the first: a
// claim, an idempotency key, or the same address for different holders. final: what is refused now will not be made; else
// it keeps its key from those after it.
func (p *plan) takeOneOfEach(verdicts []idmap.UserMappingVerdict, final bool) []bool {
	taken, claimed := make([]bool, len(verdicts)), map[string]bool{}
	keys, holders := map[keyOf]bool{}, map[holderOf]idmap.EmailHolder{}
	for i, verdict := range verdicts {
		refused := len(verdict.Violations) > 0
		if p.settled[i] != nil || refused && final {
			continue
		}
		key := keyOf{p.records[i].Actor, p.records[i].Key}
		first := !keys[key]
		keys[key] = key.key != ""
		if refused || !first || anyOf(claimed, verdict.Claims) || p.heldByAnother(verdict.UserMapping, holders) {
			continue
		}
		taken[i] = true
		for _, claim := range verdict.Claims {
			claimed[claim] = true
		}
	}
	return taken
}

func anyOf(set map[string]bool, keys []string) bool {
	for _, key := range keys {
		if set[key] {
			return true
		}
	}
	return false
}

// holderOf is the place of a holder in the ledger.
type holderOf struct {
	address      rules.AddressKey
	connectionID string
}

// heldByAnother reports whether the ledger could not take the holders of a mapping beside those of others, which it adds
// to.
func (p *plan) heldByAnother(m *idmap.UserMapping, others map[holderOf]idmap.EmailHolder) bool {
	if m == nil {
		return false
	}
	holders := rules.Holders(p.world, *m)
	at := func(h idmap.EmailHolder) holderOf {
		return holderOf{rules.AddressKey{ConnectionID: m.Source.Connection.ID, Address: m.EmailCanonical}, h.Connection.ID}
	}
	for _, holder := range holders {
		if other, held := others[at(holder)]; held && !other.Same(holder) {
			return true
		}
	}
	for _, holder := range holders {
		others[at(holder)] = holder
	}
	return false
}
