package provider

import (
	"context"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// askInPlace asks again about creates that a mapping stands in the way of which may be the resource's own, or may be taken
// over: made by an interrupted apply, tainted, or let go by another resource.
func (p *userMappingsPlan) askInPlace(ctx context.Context) error {
	held := p.refusals(func(a *askedChange) bool { return a.creates() && a.beside == "" && a.holder() != "" })
	ids := make([]string, len(held))
	for i, a := range held {
		ids[i] = a.holder()
	}
	stored, err := p.walk.mappingsByID(ctx, ids)
	if err != nil || len(held) == 0 {
		return err
	}
	var repeats []*askedChange
	refusals := map[*askedChange]idmap.UserMappingVerdict{}
	for i, a := range held {
		a.inPlace = stored[i]
		if stored[i] != nil && p.plan.one(*a.to).says(*stored[i]) && !p.plan.Adopt.ValueBool() {
			refusals[a] = a.verdict
			a.intent.IdempotencyKey = p.walk.mappingKey(p.plan.one(*a.to))
			repeats = append(repeats, a)
		}
	}
	if err := p.judge(ctx, alone(repeats)); err != nil {
		return err
	}
	var again []*askedChange
	for i, a := range held {
		repeated := a.intent.IdempotencyKey != "" && len(a.verdict.Violations) == 0
		if refused, asked := refusals[a]; asked {
			a.intent.IdempotencyKey, a.verdict = "", refused
		}
		if stored[i] == nil || p.mayTake(ctx, a, *stored[i], repeated) {
			again = append(again, a)
		}
	}
	return p.judge(ctx, alone(again))
}

// mayTake reports whether a create is right although the mapping exists, and then lets it be judged beside its deletion. Of
// one that it takes over it does not matter whether a resource of this walk deletes it: that either comes before the create,
// or leaves the mapping to it.
func (p *userMappingsPlan) mayTake(ctx context.Context, a *askedChange, stored idmap.UserMapping, repeated bool) bool {
	_, seen := p.walk.seenMapping(stored.ID)
	same := p.plan.one(*a.to).says(stored)
	if same && len(a.verdict.Violations) > 0 {
		a.verdict.Violations = tellNewName(a.verdict.Violations)
	}
	switch {
	case same && repeated:
		if !seen {
			a.repeats = &stored
		}
	case same && p.plan.Adopt.ValueBool():
	case same && p.plan.Adopt.IsUnknown():
		a.adopts = &stored
	case same && seen, !same && seen && !p.isPlanned(ctx, stored.ID):
		if !p.walk.awaits(stored.ID, a.verdict.Violations) {
			return false
		}
	default:
		return false
	}
	a.beside, a.takes = stored.ID, []string{mappingClaim(stored.ID)}
	return true
}

// isPlanned is that of the walk, which waits for the plan of another resource, but only once for all entries.
func (p *userMappingsPlan) isPlanned(ctx context.Context, id string) bool {
	if p.waited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, time.Now())
		defer cancel()
	}
	p.waited = true
	return p.walk.isPlanned(ctx, id)
}
