package provider

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

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
