package backend

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// plan is a set of intents with all that is needed to judge them. Validate stops there, apply goes on to write.
type plan struct {
	b       *Backend
	call    Call
	intents []idmap.UserMappingIntent
	changes []rules.Change
	world   *rules.World
	// settled are verdicts that need no judgement by the rules: an item that cannot be, or one that was done before.
	settled []*idmap.UserMappingVerdict
}

func (b *Backend) prepare(
	ctx context.Context, r store.Reader, call Call, intents []idmap.UserMappingIntent, proposed []idmap.ProposedDirectory,
) (*plan, error) {
	p := &plan{
		b: b, call: call, intents: intents,
		changes: make([]rules.Change, len(intents)), settled: make([]*idmap.UserMappingVerdict, len(intents)),
	}
	if err := p.loadStored(ctx, r); err != nil {
		return nil, err
	}
	world, err := gather(ctx, r, p.changes, proposed)
	p.world = world
	return p, err
}

// loadStored finds the mappings that the intents are about, and settles the intents that name none.
func (p *plan) loadStored(ctx context.Context, r store.Reader) error {
	ids := keySet{}
	for _, in := range p.intents {
		ids.add("", in.ID)
	}
	found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: ids.of("")})
	if err != nil {
		return err
	}
	stored := map[string]*idmap.UserMapping{}
	for _, m := range found {
		stored[m.ID] = &m.UserMapping
	}
	named := map[string]int{}
	for i, in := range p.intents {
		if v := p.load(i, in, stored, named); v != nil {
			p.settle(i, idmap.UserMappingVerdict{Violations: []idmap.Violation{*v}})
		}
	}
	return nil
}

func (p *plan) load(i int, in idmap.UserMappingIntent, stored map[string]*idmap.UserMapping, named map[string]int) *idmap.Violation {
	if in.Operation != idmap.OperationCreate {
		if first, twice := named[in.ID]; twice {
			return &idmap.Violation{Code: idmap.CodeDuplicateItem, Field: "id", Description: fmt.Sprintf("Items %d and %d are both about mapping %q. One call does one thing to a mapping.", first, i, in.ID)}
		}
		named[in.ID] = i
		if p.changes[i].Before = stored[in.ID]; p.changes[i].Before == nil {
			return &idmap.Violation{Code: idmap.CodeNotFound, Description: fmt.Sprintf("There is no user_mapping %q.", in.ID)}
		}
	}
	if in.Operation == idmap.OperationDelete {
		return nil
	}
	if in.UserMapping == nil {
		return &idmap.Violation{Code: idmap.CodeInvalid, Field: "user_mapping", Description: "The mapping that is wanted is missing."}
	}
	after := *in.UserMapping
	after.ID, after.RenamedTo = in.ID, ""
	p.changes[i].After = &after
	return nil
}

func (p *plan) settle(i int, verdict idmap.UserMappingVerdict) {
	p.settled[i] = &verdict
	p.changes[i] = rules.Change{}
}

// recallAnswers settles the creates that would only repeat a request which was answered before.
func (p *plan) recallAnswers(ctx context.Context, r store.Reader) error {
	records := map[string]store.IdempotencyRecord{}
	for _, in := range p.intents {
		if in.IdempotencyKey != "" {
			records[in.IdempotencyKey] = store.IdempotencyRecord{}
		}
	}
	if len(records) == 0 {
		return nil
	}
	keys := make([]string, 0, len(records))
	for key := range records {
		keys = append(keys, key)
	}
	found, err := r.IdempotencyRecords(ctx, p.call.Token.ID, keys)
	if err != nil {
		return err
	}
	for _, record := range found {
		records[record.Key] = record
	}
	for i, in := range p.intents {
		if err := p.recall(i, in, records[in.IdempotencyKey]); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) recall(i int, in idmap.UserMappingIntent, earlier store.IdempotencyRecord) error {
	if in.Operation != idmap.OperationCreate || earlier.Answer == nil || p.settled[i] != nil || earlier.CreatedOn.Before(p.b.now().Add(-keepAnswers)) {
		return nil
	}
	if earlier.RequestHash != p.b.record(p.call, in.IdempotencyKey, in.UserMapping).RequestHash {
		p.settle(i, idmap.UserMappingVerdict{Violations: idmap.ViolationsOf(keyReused(in.IdempotencyKey))})
		return nil
	}
	var verdict idmap.UserMappingVerdict
	err := json.Unmarshal(earlier.Answer, &verdict)
	p.settle(i, verdict)
	return err
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
	before, in := p.changes[i].Before, p.intents[i]
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
	if err := shareConnections(ctx, tx, intents); err != nil {
		return nil, err
	}
	p, err := b.prepare(ctx, tx, call, intents, nil)
	if err != nil {
		return nil, err
	}
	if err := p.claimKeys(ctx, tx); err != nil {
		return nil, err
	}
	verdicts := p.judge()
	for _, v := range verdicts {
		if len(v.Violations) > 0 {
			return verdicts, nil
		}
	}
	return verdicts, p.write(ctx, tx, verdicts, reason)
}

// shareConnections keeps the directories that the intents are judged by from changing until they are written: an import
// that ran beside would neither bind nor rename a mapping that it cannot see yet.
func shareConnections(ctx context.Context, tx store.Tx, intents []idmap.UserMappingIntent) error {
	ids, connections := keySet{}, keySet{}
	add := func(m idmap.UserMapping) { connections.add("", m.Source.Connection.ID, m.Destination.Connection.ID) }
	for _, in := range intents {
		ids.add("", in.ID)
		if in.UserMapping != nil {
			add(*in.UserMapping)
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

// claimKeys takes the idempotency keys of creates, and settles those that were answered before.
func (p *plan) claimKeys(ctx context.Context, tx store.Tx) error {
	for i, in := range p.intents {
		if in.Operation != idmap.OperationCreate || in.IdempotencyKey == "" || p.settled[i] != nil {
			continue
		}
		earlier, err := p.b.claim(ctx, tx, p.b.record(p.call, in.IdempotencyKey, in.UserMapping))
		if err != nil {
			return err
		}
		if earlier != nil {
			if err := p.recall(i, in, *earlier); err != nil {
				return err
			}
		}
	}
	return nil
}
