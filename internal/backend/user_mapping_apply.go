package backend

import (
	"context"
	"encoding/json"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// request is an intent in the name of its caller.
type request struct {
	call   Call
	intent idmap.UserMappingIntent
	// change makes the wanted mapping of the stored one; nil where the intent has it.
	change func(idmap.UserMapping) (idmap.UserMapping, error)
	// pair names the connections, where requests of others wait in a queue.
	pair string
}

// requestsOf returns the intents of one caller, as made together.
func requestsOf(call Call, intents []idmap.UserMappingIntent) []request {
	requests := make([]request, len(intents))
	for i, in := range intents {
		in.Group = 0
		requests[i] = request{call: call, intent: in}
	}
	return requests
}

// plan is a set of requests with all that is needed to judge them. Validate stops there, apply goes on to write.
type plan struct {
	b        *Backend
	requests []request
	changes  []rules.Change
	world    *rules.World
	// settled are verdicts that need no judgement by the rules: an item that cannot be, or one that was done before.
	settled []*idmap.UserMappingVerdict
	failed  map[int]error             // what the settled verdict does not tell
	records []store.IdempotencyRecord // of the creates that have a key
}

func (b *Backend) prepare(ctx context.Context, r store.Reader, requests []request, proposed []idmap.ProposedDirectory) (*plan, error) {
	p := &plan{
		b: b, requests: requests, failed: map[int]error{},
		changes: make([]rules.Change, len(requests)), settled: make([]*idmap.UserMappingVerdict, len(requests)),
		records: make([]store.IdempotencyRecord, len(requests)),
	}
	if err := p.loadStored(ctx, r); err != nil {
		return nil, err
	}
	world, err := gather(ctx, r, p.changes, proposed)
	if err != nil {
		return nil, err
	}
	p.world = world
	// The keys come last: where a request is judged by what an earlier one of its key wrote, the answer is there to be seen.
	return p, p.recallAnswers(ctx, r)
}

// loadStored finds the mappings that the requests are about, and settles the requests that name none.
func (p *plan) loadStored(ctx context.Context, r store.Reader) error {
	ids := keySet{}
	for _, q := range p.requests {
		ids.add("", q.intent.ID)
	}
	found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: ids.of("")})
	if err != nil {
		return err
	}
	l := loading{stored: map[string]*idmap.UserMapping{}, named: map[itemOf]int{}, sizes: map[int]int{}}
	for i := range found {
		l.stored[found[i].ID] = &found[i].UserMapping
	}
	for i := range p.requests {
		if err := p.load(i, l); err != nil {
			p.settle(i, idmap.UserMappingVerdict{Violations: idmap.ViolationsOf(err)})
			p.failed[i] = err
		}
	}
	return nil
}

// loading is what is known while requests are loaded one by one.
type loading struct {
	stored map[string]*idmap.UserMapping
	named  map[itemOf]int // the places of mappings in their groups
	sizes  map[int]int    // of the groups so far
}

type itemOf struct {
	group int
	id    string
}

func (p *plan) load(i int, l loading) error {
	in, change := p.requests[i].intent, &p.changes[i]
	change.Group = in.Group
	place := l.sizes[in.Group]
	l.sizes[in.Group]++
	if in.Operation != idmap.OperationCreate {
		at := itemOf{in.Group, in.ID}
		if first, twice := l.named[at]; twice {
			return idmap.Refusef(idmap.CodeDuplicateItem, "id", "Items %d and %d are both about mapping %q. One call does one thing to a mapping.", first, place, in.ID)
		}
		l.named[at] = place
		if change.Before = l.stored[in.ID]; change.Before == nil {
			return idmap.NotFound(kindUserMapping, in.ID)
		}
	}
	if in.Operation == idmap.OperationDelete {
		return nil
	}
	wanted, err := p.wanted(i)
	change.After = wanted
	return err
}

// wanted returns the mapping that a create or an update wants.
func (p *plan) wanted(i int) (*idmap.UserMapping, error) {
	q := p.requests[i]
	if q.change != nil {
		after, err := q.change(*p.changes[i].Before)
		if err != nil {
			return nil, err
		}
		q.intent.UserMapping = &after
	}
	if q.intent.UserMapping == nil {
		return nil, idmap.Refusef(idmap.CodeInvalid, "user_mapping", "The mapping that is wanted is missing.")
	}
	after := *q.intent.UserMapping
	after.ID, after.RenamedTo = q.intent.ID, ""
	return &after, nil
}

func (p *plan) settle(i int, verdict idmap.UserMappingVerdict) {
	p.settled[i] = &verdict
	p.changes[i] = rules.Change{Group: p.changes[i].Group}
}

// recallAnswers settles the creates that would only repeat a request which was answered before.
func (p *plan) recallAnswers(ctx context.Context, r store.Reader) error {
	keys := keySet{}
	for i, q := range p.requests {
		if q.intent.Operation == idmap.OperationCreate && q.intent.IdempotencyKey != "" && p.settled[i] == nil {
			p.records[i] = p.b.record(q.call, q.intent.IdempotencyKey, q.intent.UserMapping)
			keys.add(q.call.Token.ID, q.intent.IdempotencyKey)
		}
	}
	earlier := map[keyOf]store.IdempotencyRecord{}
	for actor := range keys {
		found, err := r.IdempotencyRecords(ctx, actor, keys.of(actor))
		if err != nil {
			return err
		}
		for _, record := range found {
			earlier[keyOf{record.Actor, record.Key}] = record
		}
	}
	for i, record := range p.records {
		if err := p.recall(i, earlier[keyOf{record.Actor, record.Key}]); err != nil {
			return err
		}
	}
	return nil
}

// keyOf is an idempotency key of an actor.
type keyOf struct{ actor, key string }

func (p *plan) recall(i int, earlier store.IdempotencyRecord) error {
	if earlier.Answer == nil || earlier.CreatedOn.Before(p.b.now().Add(-keepAnswers)) {
		return nil
	}
	if earlier.RequestHash != p.records[i].RequestHash {
		p.refuseReused(i)
		return nil
	}
	var verdict idmap.UserMappingVerdict
	err := json.Unmarshal(earlier.Answer, &verdict)
	p.settle(i, verdict)
	return err
}

func (p *plan) refuseReused(i int) {
	p.settle(i, idmap.UserMappingVerdict{Violations: idmap.ViolationsOf(keyReused(p.records[i].Key))})
}

// refuseSharedKeys settles the creates whose key an earlier item of the same call has for another request.
func (p *plan) refuseSharedKeys() {
	hashes := map[keyOf]string{}
	for i, record := range p.records {
		if record.Key == "" || p.settled[i] != nil {
			continue
		}
		key := keyOf{record.Actor, record.Key}
		if hash, shared := hashes[key]; shared && hash != record.RequestHash {
			p.refuseReused(i)
		} else {
			hashes[key] = record.RequestHash
		}
	}
}

// judge returns the verdict of every intent, in their order.
func (p *plan) judge() []idmap.UserMappingVerdict {
	verdicts := rules.CheckUserMappings(p.world, p.changes)
	for i := range verdicts {
		if p.settled[i] != nil {
			verdicts[i] = *p.settled[i]
			continue
		}
		p.stamp(i, &verdicts[i])
	}
	return verdicts
}

// stamp completes the verdict with what is not the rules' business: ids, revisions, times.
func (p *plan) stamp(i int, verdict *idmap.UserMappingVerdict) {
	before, in := p.changes[i].Before, p.requests[i].intent
	if m := verdict.UserMapping; m != nil {
		now := p.b.now()
		m.ID, m.Origin, m.LastSignInOn, m.Revision, m.CreatedOn, m.ModifiedOn = "", idmap.OriginAPI, nil, 1, &now, &now
		if before != nil {
			m.ID, m.Origin, m.LastSignInOn, m.Revision, m.CreatedOn = before.ID, before.Origin, before.LastSignInOn, before.Revision+1, before.CreatedOn
			if unchangedMapping(*before, *m) {
				*m = *before
			}
		}
	}
	// An update that changes nothing succeeds at every revision: it may repeat one whose answer was lost.
	same := before != nil && verdict.UserMapping != nil && verdict.UserMapping.Revision == before.Revision
	if in.Revision != 0 && before != nil && before.Revision != in.Revision && !same {
		verdict.Violations = append(verdict.Violations, revisionConflict(kindUserMapping, in.ID, before.Revision, in.Revision))
		verdict.UserMapping, verdict.Claims = nil, nil
	}
}

func unchangedMapping(before, after idmap.UserMapping) bool {
	return before.Email == after.Email && before.EmailSource == after.EmailSource && before.UserID == after.UserID &&
		before.Source.AccountID() == after.Source.AccountID() && before.Destination.AccountID() == after.Destination.AccountID()
}

// why returns the reason of a change, which the audit keeps.
type why func(idmap.UserMappingVerdict) string

// apply judges the intents and, if none is refused, writes them all. With violations nothing is written, and the
// caller must end the transaction with an error.
func (b *Backend) apply(ctx context.Context, tx store.Tx, call Call, intents []idmap.UserMappingIntent, reason string) ([]idmap.UserMappingVerdict, error) {
	return b.applyWhy(ctx, tx, call, intents, func(idmap.UserMappingVerdict) string { return reason })
}

// applyWhy is apply with a reason of its own for each change.
func (b *Backend) applyWhy(ctx context.Context, tx store.Tx, call Call, intents []idmap.UserMappingIntent, reason why) ([]idmap.UserMappingVerdict, error) {
	requests := requestsOf(call, intents)
	if err := shareConnections(ctx, tx, requests); err != nil {
		return nil, err
	}
	p, err := b.prepare(ctx, tx, requests, nil)
	if err != nil {
		return nil, err
	}
	p.refuseSharedKeys()
	verdicts := p.judge()
	var open []int
	for i, v := range verdicts {
		if len(v.Violations) > 0 {
			return verdicts, nil
		}
		if p.settled[i] == nil {
			open = append(open, i)
		}
	}
	return verdicts, p.write(ctx, tx, verdicts, open, reason)
}

// shareConnections keeps the directories that the requests are judged by from changing until they are written: an import
// that ran beside would neither bind nor rename a mapping that it cannot see yet.
func shareConnections(ctx context.Context, tx store.Tx, requests []request) error {
	ids, connections := keySet{}, keySet{}
	add := func(m idmap.UserMapping) { connections.add("", m.Source.Connection.ID, m.Destination.Connection.ID) }
	for _, q := range requests {
		ids.add("", q.intent.ID)
		if q.intent.UserMapping != nil {
			add(*q.intent.UserMapping)
		}
	}
	stored, err := tx.UserMappings(ctx, store.UserMappingKeys{IDs: ids.of("")})
	if err != nil {
		return err
	}
	for _, m := range stored {
		add(m.UserMapping)
	}
	return tx.ShareConnections(ctx, connections.of(""))
}
