package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// askedChange is a change with what the backend says of it.
type askedChange struct {
	mappingChange
	intent  idmap.UserMappingIntent
	beside  string // id of a mapping whose deletion is judged together with the change
	verdict idmap.UserMappingVerdict
	takes   []string           // claims of a mapping that is taken over
	repeats *idmap.UserMapping // that an earlier run has made
	adopts  *idmap.UserMapping // that is taken over if adopt_existing turns out to be true
	inPlace *idmap.UserMapping // that alone stands in the way of a create
	tooMany bool               // it depends on too many others, which was told
}

func stringOf(id string) types.String { return types.StringValue(id) }

// conflictOf returns the mapping that a finding is about.
func conflictOf(v idmap.Violation) string {
	if v.Conflict == nil || v.Conflict.Kind != "user_mapping" {
		return ""
	}
	return v.Conflict.ID
}

// ask asks the backend about all changes. What is refused is asked about again where it may be right all the same.
func (p *userMappingsPlan) ask(ctx context.Context) error {
	var groups [][]*askedChange
	for part := range slices.Chunk(p.asked, idmap.MaxBatch) {
		groups = append(groups, part)
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.judge(ctx, groups) },
		p.askPassed, p.askWithHolders, p.askTogether, p.askInPlace,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// judge gets the verdicts on changes. Those of one group see each other; a call takes several groups.
func (p *userMappingsPlan) judge(ctx context.Context, groups [][]*askedChange) error {
	calls := []askedCall{{}}
	next := func(size int) *askedCall {
		if last := &calls[len(calls)-1]; len(last.intents)+size <= idmap.MaxBatch || len(last.intents) == 0 {
			return last
		}
		calls = append(calls, askedCall{})
		return &calls[len(calls)-1]
	}
	for n, group := range groups {
		next(sizeOf(group...)) // in one call, if it fits
		for _, a := range group {
			next(sizeOf(a)).add(a, n+1)
		}
	}
	if len(calls[0].intents) == 0 {
		return nil
	}
	return atOnce(len(calls), func(n int) error { return p.validate(ctx, calls[n]) })
}

// askedCall is what one call asks.
type askedCall struct {
	intents []idmap.UserMappingIntent
	asked   []*askedChange // of each intent; nil for one beside
}

func (c *askedCall) add(a *askedChange, group int) {
	in := a.intent
	in.Group = group
	c.intents, c.asked = append(c.intents, in), append(c.asked, a)
	if a.beside != "" {
		beside := idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: a.beside, Group: group}
		c.intents, c.asked = append(c.intents, beside), append(c.asked, nil)
	}
}

func sizeOf(group ...*askedChange) int {
	size := len(group)
	for _, a := range group {
		if a.beside != "" {
			size++
		}
	}
	return size
}

func (p *userMappingsPlan) validate(ctx context.Context, c askedCall) error {
	verdicts, err := p.walk.client.ValidateUserMappings(ctx, c.intents, p.walk.proposals(p.touched(c.asked)...))
	if err != nil {
		return err
	}
	for i, a := range c.asked {
		if a != nil {
			a.verdict = verdicts[i]
		}
	}
	return nil
}

// touched returns the mappings by whose values directories are searched, as [userMappingPlan.touched] does.
func (p *userMappingsPlan) touched(asked []*askedChange) []idmap.UserMapping {
	if !p.walk.expects(p.plan.Source.ValueString()) && !p.walk.expects(p.plan.Destination.ValueString()) {
		return nil
	}
	var all []idmap.UserMapping
	for _, a := range asked {
		if a == nil {
			continue
		}
		if a.to != nil {
			all = append(all, p.plan.one(*a.to).toAPI())
		}
		if a.from != nil {
			all = append(all, p.plan.one(*a.from).toAPI())
		}
		if stored, seen := p.walk.seenMapping(a.owned.ID); seen {
			all = append(all, stored)
		}
		for _, v := range a.verdict.Violations {
			if holder, has := p.inTheWay[conflictOf(v)]; has {
				all = append(all, holder)
			}
		}
	}
	return all
}

// refusals returns the changes that are refused and of which it holds.
func (p *userMappingsPlan) refusals(holds func(*askedChange) bool) []*askedChange {
	var found []*askedChange
	for _, a := range p.asked {
		if len(a.verdict.Violations) > 0 && holds(a) {
			found = append(found, a)
		}
	}
	return found
}

// alone makes every change a group of its own.
func alone(asked []*askedChange) [][]*askedChange {
	groups := make([][]*askedChange, len(asked))
	for i := range asked {
		groups[i] = asked[i : i+1]
	}
	return groups
}

// askPassed asks again about mappings that have changed since they were read, and yet are what the plan shows.
func (p *userMappingsPlan) askPassed(ctx context.Context) error {
	passed := p.refusals(func(a *askedChange) bool {
		return slices.ContainsFunc(a.verdict.Violations, func(v idmap.Violation) bool { return v.Code == idmap.CodeRevisionConflict })
	})
	ids := make([]string, len(passed))
	for i, a := range passed {
		ids[i] = a.owned.ID
	}
	stored, err := p.walk.mappingsByID(ctx, ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	var again []*askedChange
	for i, a := range passed {
		if stored[i] != nil && a.shows(*stored[i]) {
			a.intent.Revision = 0
			again = append(again, a)
		}
	}
	return p.judge(ctx, alone(again))
}

// shows reports whether a mapping is what the plan showed of it, before or after.
func (c mappingChange) shows(stored idmap.UserMapping) bool {
	now := entryOf(stored, mappingEntry{})
	shown := []*mappingEntry{c.from}
	if c.to != nil {
		shown = append(shown, c.to)
	}
	return slices.ContainsFunc(shown, func(e *mappingEntry) bool { return e.user == now.user }) &&
		slices.ContainsFunc(shown, func(e *mappingEntry) bool { return e.follows == now.follows && (e.follows || e.mail == now.mail) })
}

// askWithHolders looks at the mappings that stand in the way where the plan brings a new directory: their users may have
// other names in it.
func (p *userMappingsPlan) askWithHolders(ctx context.Context) error {
	if !p.walk.expects(p.plan.Source.ValueString()) && !p.walk.expects(p.plan.Destination.ValueString()) {
		return nil
	}
	var ids []string
	again := p.refusals(func(a *askedChange) bool {
		before := len(ids)
		for _, v := range a.verdict.Violations {
			if id := conflictOf(v); id != "" {
				ids = append(ids, id)
			}
		}
		return len(ids) > before
	})
	found, err := p.walk.mappingsByID(ctx, ids)
	if err != nil {
		return err
	}
	p.inTheWay = map[string]idmap.UserMapping{}
	for _, m := range found {
		if m != nil {
			p.inTheWay[m.ID] = *m
		}
	}
	return p.judge(ctx, alone(again))
}

// holder returns the mapping that alone stands in the way; "" if there is none.
func (a *askedChange) holder() string {
	return (&userMappingPlan{}).ownHolder(a.verdict.Violations)
}
