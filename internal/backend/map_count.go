package backend

import (
	"context"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxCounts is how many maps are known by the number of their items.
const maxCounts = 1000

// countCache remembers how many items maps have. To count them takes the longer the more there are, and whoever makes a
// map grow item by item would ask each time. The zero cache is empty.
type countCache struct {
	mu    sync.Mutex
	known map[string]countedMap
}

// countedMap is how many items a map has at a revision, which is that of its items too.
type countedMap struct {
	revision int64
	counts   rules.ItemCounts
}

func (c *countCache) get(m idmap.Map) (rules.ItemCounts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.known[m.ID]
	return known.counts, known.revision == m.Revision && m.Revision > 0
}

// keep MUST NOT be told of a write that may still come to nothing.
func (c *countCache) keep(m idmap.Map, counts rules.ItemCounts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCounts {
		c.known = map[string]countedMap{}
	}
	c.known[m.ID] = countedMap{m.Revision, counts}
}

// storedCounts counts the stored items of a map.
func (b *Backend) storedCounts(ctx context.Context, r store.Reader, m idmap.Map) (rules.ItemCounts, error) {
	if counts, known := b.counts.get(m); known {
		return counts, nil
	}
	exceptions, err := r.CountMapItems(ctx, m.ID, idmap.MapItemFilter{Roles: []idmap.ItemRole{idmap.RoleException}})
	if err != nil {
		return rules.ItemCounts{}, err
	}
	exclusions, err := r.CountMapItems(ctx, m.ID, idmap.MapItemFilter{
		Roles: []idmap.ItemRole{idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion},
	})
	return rules.ItemCounts{Exceptions: exceptions, Exclusions: exclusions}, err
}

// restOf counts the stored items of a map that it does not bring along.
func (b *Backend) restOf(ctx context.Context, r store.Reader, m idmap.Map) (rules.ItemCounts, error) {
	all, err := b.storedCounts(ctx, r, m)
	return all.Minus(countsOf(m)), err
}

// countsOf counts the items that a map brings along.
func countsOf(m idmap.Map) (counts rules.ItemCounts) {
	if m.Exceptions != nil {
		counts.Exceptions = len(*m.Exceptions)
	}
	if m.Exclusions != nil {
		counts.Exclusions = len(*m.Exclusions)
	}
	return counts
}
