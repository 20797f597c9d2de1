package provider

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// callsAtOnce is how many calls for parts of one resource are under way at the same time.
const callsAtOnce = 4

// askedChange is a change with what the backend says of it.
type askedChange struct {
	mappingChange
	intent  idmap.UserMappingIntent
	beside  string // id of a mapping whose deletion is judged together with the change
	verdict idmap.UserMappingVerdict
	takes   []string           // claims of a mapping that is taken over
	repeats *idmap.UserMapping // that an earlier run has made
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

// mappingsByID looks mappings up, in the order of the ids; nil for those that do not exist.
func (w *walk) mappingsByID(ctx context.Context, ids []string) ([]*idmap.UserMapping, error) {
	found := make([]*idmap.UserMapping, len(ids))
	parts := slices.Collect(slices.Chunk(ids, idmap.MaxBatch))
	err := atOnce(len(parts), func(n int) error {
		keys := make([]idmap.UserMappingKey, len(parts[n]))
		for i, id := range parts[n] {
			keys[i].ID = id
		}
		answer, err := w.client.LookupUserMappings(ctx, keys)
		if err == nil {
			copy(found[n*idmap.MaxBatch:], answer)
		}
		return err
	})
	return found, err
}

// atOnce makes calls, a few of them at the same time. After an error none begins, and those under way are waited for, so
// that what they do is known. It returns the first error.
func atOnce(calls int, do func(n int) error) error {
	var (
		running sync.WaitGroup
		failed  atomic.Bool
	)
	errs, slots := make([]error, calls), make(chan struct{}, callsAtOnce)
	for n := range calls {
		slots <- struct{}{}
		if failed.Load() {
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			if errs[n] = do(n); errs[n] != nil {
				failed.Store(true)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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

// askTogether asks again about what is refused because of a mapping that this resource changes or deletes itself: all that
// depend on each other together.
func (p *userMappingsPlan) askTogether(ctx context.Context) error {
	own := make(map[string]*askedChange, len(p.asked)+len(p.leaving))
	for _, a := range p.leaving {
		own[a.owned.ID] = a
	}
	for _, a := range p.asked {
		if !a.creates() {
			own[a.owned.ID] = a
		}
	}
	t := together[*askedChange]{}
	for {
		joined := false
		for _, a := range p.refusals(func(*askedChange) bool { return true }) {
			for _, v := range a.verdict.Violations {
				id := conflictOf(v)
				if p.going[id] && a.beside == "" {
					a.beside, joined = id, true
					t.join(a, a)
				} else if other := own[id]; other != nil && t.join(a, other) {
					joined = true
				}
			}
		}
		if !joined {
			return nil
		}
		groups := slices.DeleteFunc(t.groups(append(slices.Clone(p.asked), p.leaving...)), p.tellTooMany)
		if err := p.judge(ctx, groups); err != nil {
			return err
		}
	}
}

// tellTooMany reports, of changes that depend on each other, that they are more than the backend makes at once. They stay
// refused.
func (p *userMappingsPlan) tellTooMany(group []*askedChange) bool {
	if sizeOf(group...) <= idmap.MaxBatch {
		return false
	}
	told := slices.ContainsFunc(group, func(a *askedChange) bool { return a.tooMany })
	for _, a := range group {
		a.tooMany = true
	}
	if !told && !p.silent {
		p.report.tooManyTogether(len(group), group[0].key(), group[len(group)-1].key())
	}
	return true
}

// together parts what is refused into those that depend on each other: of each it has one that stands for all of them.
type together[T comparable] map[T]T

func (t together[T]) find(a T) T {
	for {
		next, has := t[a]
		if !has || next == a {
			return a
		}
		a = next
	}
}

// join is true where the two were not together yet.
func (t together[T]) join(a, b T) bool {
	rootA, rootB := t.find(a), t.find(b)
	_, hasA := t[a]
	_, hasB := t[b]
	t[rootA], t[rootB] = rootA, rootA
	return !hasA || !hasB || rootA != rootB
}

// groups returns them in the order of all, without those that depend on nothing.
func (t together[T]) groups(all []T) [][]T {
	index := map[T]int{}
	var groups [][]T
	for _, a := range all {
		if _, has := t[a]; !has {
			continue
		}
		root := t.find(a)
		n, has := index[root]
		if !has {
			n = len(groups)
			index[root], groups = n, append(groups, nil)
		}
		groups[n] = append(groups[n], a)
	}
	return groups
}

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
		if stored[i] != nil && p.plan.one(*a.to).says(*stored[i]) && !p.plan.Adopt {
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

// mayTake reports whether a create is right although the mapping exists, and then lets it be judged beside its deletion.
func (p *userMappingsPlan) mayTake(ctx context.Context, a *askedChange, stored idmap.UserMapping, repeated bool) bool {
	_, seen := p.walk.seenMapping(stored.ID)
	same := p.plan.one(*a.to).says(stored)
	switch {
	case same && repeated:
		if !seen {
			a.repeats = &stored
		}
	case same && (p.plan.Adopt || seen), !same && seen && !p.isPlanned(ctx, stored.ID):
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

// holder returns the mapping that alone stands in the way; "" if there is none.
func (a *askedChange) holder() string {
	return (&userMappingPlan{}).ownHolder(a.verdict.Violations)
}
