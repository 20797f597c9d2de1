package backend

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxIndexes is how many whole directories are kept for those who ask next.
const maxIndexes = 4

// indexCache keeps indexes of whole directories. What it answers is what its caller's snapshot has: the version of the
// directory is part of the key. The zero cache is empty.
type indexCache struct {
	mu       sync.Mutex
	kept     []keptIndex // the one that was used last comes last
	building singleflight.Group
}

type indexKey struct {
	connectionID string
	kind         idmap.MapKind
	version      string
}

type keptIndex struct {
	key   indexKey
	index *match.Index
}

// get returns the index of that key. Of those who ask for one at the same time, one builds it; should it fail, which
// may be for its own reasons, the next one tries.
func (c *indexCache) get(key indexKey, build func() (*match.Index, error)) (*match.Index, error) {
	for {
		if index := c.use(key); index != nil {
			return index, nil
		}
		mine := false
		built, err, _ := c.building.Do(fmt.Sprintf("%q", key), func() (any, error) {
			mine = true
			index, err := build()
			if err == nil {
				c.keep(keptIndex{key, index})
			}
			return index, err
		})
		if index, ok := built.(*match.Index); mine || err == nil && ok {
			return index, err
		}
	}
}

func (c *indexCache) use(key indexKey) *match.Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(k keptIndex) bool { return k.key == key })
	if i < 0 {
		return nil
	}
	used := c.kept[i]
	c.kept = append(slices.Delete(c.kept, i, i+1), used)
	return used.index
}

// keep also forgets what the directory was before, since nobody is likely to ask for that again.
func (c *indexCache) keep(made keptIndex) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(slices.DeleteFunc(c.kept, func(k keptIndex) bool {
		return k.key.connectionID == made.key.connectionID && k.key.kind == made.key.kind
	}), made)
	c.kept = slices.Delete(c.kept, 0, max(0, len(c.kept)-maxIndexes))
}

// index returns the index of a whole directory, deleted entries too.
func (b *Backend) index(ctx context.Context, r store.Reader, d mapDirectory) (*match.Index, error) {
	if d.proposed() {
		return d.buildIndex(ctx, r)
	}
	version, err := r.DirectoryVersion(ctx, d.connectionID)
	if err != nil {
		return nil, err
	}
	return b.indexes.get(indexKey{d.connectionID, d.kind, version}, func() (*match.Index, error) { return d.buildIndex(ctx, r) })
}

func (d mapDirectory) buildIndex(ctx context.Context, r store.Reader) (*match.Index, error) {
	var entries []match.Entry
	page := idmap.Page{Limit: idmap.MaxPageSize}
	for {
		list, err := d.list(ctx, r, idmap.DirectoryFilter{}, page)
		if err != nil {
			return nil, err
		}
		more := make([]match.Entry, list.count)
		inParallel(list.count, func(i int) { more[i] = list.entry(i) })
		entries = append(entries, more...)
		if list.count < page.Limit {
			return match.NewIndex(entries), nil
		}
		page.After = entries[len(entries)-1].Principal.ID
	}
}
