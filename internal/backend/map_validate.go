package backend

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// ValidateMaps judges writes without making them, and says what they would do. Proposed directories stand in for what
// is stored. The intents of one call see each other's names.
func (b *Backend) ValidateMaps(
	ctx context.Context, call Call, kind idmap.MapKind, intents []idmap.MapIntent, proposed []idmap.ProposedDirectory,
) ([]idmap.MapVerdict, error) {
	if err := checkProposed(proposed); err != nil {
		return nil, err
	}
	var verdicts []idmap.MapVerdict
	err := b.viewThrough(ctx, b.resolving, func(r store.Reader) error {
		v := &mapValidation{mapWorld: b.mapWorld(r, kind, proposed), intents: intents, named: map[string]int{}, names: map[string]*idmap.Map{}}
		v.suggest = true
		if err := v.recallAnswers(ctx, call); err != nil {
			return err
		}
		if err := v.loadStored(ctx); err != nil {
			return err
		}
		verdicts = make([]idmap.MapVerdict, len(intents))
		for i, in := range intents {
			var err error
			if verdicts[i], err = v.verdict(ctx, i, in); err != nil {
				return err
			}
		}
		return nil
	})
	return verdicts, err
}

// mapValidation judges the intents of one call, one after the other.
type mapValidation struct {
	*mapWorld
	intents []idmap.MapIntent
	stored  map[string]idmap.Map
	named   map[string]int            // the first intent about a map
	names   map[string]*idmap.Map     // names that intents before this one take
	answers map[int]*idmap.MapVerdict // what was answered before
}

func (v *mapValidation) loadStored(ctx context.Context) error {
	ids := keySet{}
	for _, in := range v.intents {
		ids.add("", in.ID)
	}
	found, err := v.r.Maps(ctx, v.kind, ids.of(""))
	v.stored = byID(found, func(m idmap.Map) string { return m.ID })
	return err
}

// recallAnswers finds the creates that would only repeat a request which was answered before.
func (v *mapValidation) recallAnswers(ctx context.Context, call Call) error {
	v.answers = map[int]*idmap.MapVerdict{}
	keys := keySet{}
	for _, in := range v.intents {
		keys.add("", in.IdempotencyKey)
	}
	found, err := v.r.IdempotencyRecords(ctx, call.Token.ID, keys.of(""))
	records := byID(found, func(r store.IdempotencyRecord) string { return r.Key })
	for i, in := range v.intents {
		if earlier, ok := records[in.IdempotencyKey]; ok && in.Operation == idmap.OperationCreate && in.Map != nil && err == nil {
			v.answers[i], err = v.b.recallMap(call, v.kind, in, earlier)
		}
	}
	return err
}

// recallMap returns nil where the answer has expired.
func (b *Backend) recallMap(call Call, kind idmap.MapKind, in idmap.MapIntent, earlier store.IdempotencyRecord) (*idmap.MapVerdict, error) {
	if earlier.Answer == nil || earlier.CreatedOn.Before(b.now().Add(-keepAnswers)) {
		return nil, nil
	}
	var verdict idmap.MapVerdict
	if earlier.RequestHash != b.record(call, in.IdempotencyKey, mapRequest{kind, *in.Map}).RequestHash {
		verdict.Violations = idmap.ViolationsOf(keyReused(in.IdempotencyKey))
		return &verdict, nil
	}
	return &verdict, json.Unmarshal(earlier.Answer, &verdict)
}

func (v *mapValidation) verdict(ctx context.Context, i int, in idmap.MapIntent) (idmap.MapVerdict, error) {
	if v.answers[i] != nil {
		return *v.answers[i], nil
	}
	if refused := v.misfit(i, in); refused != nil {
		return idmap.MapVerdict{Violations: []idmap.Violation{*refused}}, nil
	}
	switch in.Operation {
	case idmap.OperationDelete:
		return v.judgeDelete(ctx, in)
	case idmap.OperationCreate:
		return v.judgeCreate(ctx, i, in)
	default:
		return v.judgeUpdate(ctx, in)
	}
}

// misfit reports why an intent cannot be judged by the rules.
func (v *mapValidation) misfit(i int, in idmap.MapIntent) *idmap.Violation {
	if in.Operation != idmap.OperationCreate {
		if first, twice := v.named[in.ID]; twice {
			return &idmap.Violation{Code: idmap.CodeDuplicateItem, Field: "id", Description: fmt.Sprintf("Items %d and %d are both about map %q. One call does one thing to a map.", first, i, in.ID)}
		}
		v.named[in.ID] = i
		if _, known := v.stored[in.ID]; !known {
			return &idmap.Violation{Code: idmap.CodeNotFound, Description: fmt.Sprintf("There is no %s %q.", v.kind, in.ID)}
		}
	}
	if in.Operation != idmap.OperationDelete && in.Map == nil {
		return &idmap.Violation{Code: idmap.CodeInvalid, Field: "map", Description: "The map that is wanted is missing."}
	}
	return nil
}

func (v *mapValidation) judgeDelete(ctx context.Context, in idmap.MapIntent) (idmap.MapVerdict, error) {
	stored := v.stored[in.ID]
	violations, err := mapInUse(ctx, v.r, v.kind, stored)
	if in.Revision != 0 && in.Revision != stored.Revision {
		violations = append(violations, revisionConflict(string(v.kind), in.ID, stored.Revision, in.Revision))
	}
	return idmap.MapVerdict{Violations: violations}, err
}

func (v *mapValidation) judgeCreate(ctx context.Context, i int, in idmap.MapIntent) (idmap.MapVerdict, error) {
	same, err := v.sameName(ctx, *in.Map, fmt.Sprintf("items[%d]", i))
	if err != nil {
		return idmap.MapVerdict{}, err
	}
	verdict, err := v.judge(ctx, rules.MapChange{After: *in.Map, SameName: same})
	if err != nil || verdict.Map == nil {
		return verdict, err
	}
	after, now := *verdict.Map, v.b.now()
	after.ID, after.Revision, after.CreatedOn, after.ModifiedOn = "", 1, &now, &now
	if verdict.Effect, err = v.effect(ctx, nil, after); err != nil {
		return verdict, err
	}
	verdict.Warnings = append(verdict.Warnings, rules.WarnOfEffect(v.kind, after, *verdict.Effect, true)...)
	*verdict.Map = withoutItems(after)
	return verdict, nil
}

func (v *mapValidation) judgeUpdate(ctx context.Context, in idmap.MapIntent) (idmap.MapVerdict, error) {
	same, err := v.sameName(ctx, *in.Map, in.ID)
	if err != nil {
		return idmap.MapVerdict{}, err
	}
	p, err := v.proposeAs(ctx, v.stored[in.ID], *in.Map, same)
	if err != nil {
		return idmap.MapVerdict{}, err
	}
	p.checkRevision(v.kind, in.Revision)
	if p.verdict.Map == nil {
		return p.verdict, nil
	}
	if !p.changed {
		p.verdict.Effect, err = v.directoryEffect(ctx, p.before)
		if p.verdict.Effect != nil {
			p.verdict.Warnings = append(p.verdict.Warnings, rules.WarnOfEffect(v.kind, p.before, *p.verdict.Effect, false)...)
		}
		return p.verdict, err
	}
	if p.verdict.Effect, err = v.effect(ctx, p, p.after); err != nil {
		return p.verdict, err
	}
	p.verdict.Warnings = append(p.verdict.Warnings, rules.WarnOfEffect(v.kind, p.after, *p.verdict.Effect, false)...)
	return p.verdict, nil
}

// sameName finds another map that is going to have the name: one of an intent before this one, or a stored one that no
// intent is about. A map that is new is known by its place in the call.
func (v *mapValidation) sameName(ctx context.Context, m idmap.Map, id string) (*idmap.Map, error) {
	key := m.Key()
	if earlier := v.names[key]; earlier != nil && key != "" {
		return earlier, nil
	}
	m.ID = id
	v.names[key] = &m
	same, err := mapNamed(ctx, v.r, v.kind, key, id)
	if same != nil && v.givesUp(*same) {
		return nil, err
	}
	return same, err
}

// givesUp reports whether an intent deletes a map, or gives it another name.
func (v *mapValidation) givesUp(m idmap.Map) bool {
	for _, in := range v.intents {
		if in.ID == m.ID && in.Operation != idmap.OperationCreate {
			return in.Operation == idmap.OperationDelete || in.Map != nil && in.Map.Key() != m.Key()
		}
	}
	return false
}

// effect resolves all sources by a map and, where an update may have other results than the stored map, by that too.
func (v *mapValidation) effect(ctx context.Context, update *mapProposal, after idmap.Map) (*idmap.MapEffect, error) {
	is, err := v.resultsOf(ctx, after)
	if err != nil {
		return nil, err
	}
	effect := &idmap.MapEffect{Totals: idmap.NewMapTotals()}
	if update != nil && (len(update.changes) > 0 || !sameResults(update.before, after)) {
		if is.before, err = v.resolverBefore(ctx, update.before); err != nil {
			return nil, err
		}
		if effect.Jobs, err = v.r.CountJobs(ctx, idmap.JobFilter{MapID: update.before.ID}); err != nil {
			return nil, err
		}
	}
	err = is.scan(ctx, v.r, idmap.MaxPageSize, func(row idmap.Resolution, changed bool) bool {
		effect.Totals.Add(row)
		if changed {
			effect.Changed++
		}
		return true
	})
	return effect, err
}

// directoryEffect compares what a map that does not change makes of proposed directories with what it makes of the stored
// ones. It is nil where nothing is proposed. Of those who come or leave there is nothing to compare.
func (v *mapValidation) directoryEffect(ctx context.Context, m idmap.Map) (*idmap.MapEffect, error) {
	if !v.directory(m.Source.Connection.ID).proposed() && !v.directory(m.Destination.Connection.ID).proposed() {
		return nil, nil
	}
	was := map[string]idmap.Resolution{}
	stored, err := v.b.mapWorld(v.r, v.kind, nil).resultsOf(ctx, m)
	if err != nil {
		return nil, err
	}
	err = stored.scan(ctx, v.r, idmap.MaxPageSize, func(row idmap.Resolution, _ bool) bool {
		was[row.ID] = row
		return true
	})
	if err != nil {
		return nil, err
	}
	effect := &idmap.MapEffect{Totals: idmap.NewMapTotals()}
	is, err := v.resultsOf(ctx, m)
	if err != nil {
		return nil, err
	}
	return effect, is.scan(ctx, v.r, idmap.MaxPageSize, func(row idmap.Resolution, _ bool) bool {
		effect.Totals.Add(row)
		if before, known := was[row.ID]; known && !match.SameResult(before, row) {
			effect.Changed++
		}
		return true
	})
}

func (v *mapValidation) resolverBefore(ctx context.Context, before idmap.Map) (*match.Resolver, error) {
	return v.storedResolver(ctx, mapRevision{before.ID, before.Revision}, before.Destination.Connection.ID,
		func() (idmap.Map, error) { return before, nil })
}
