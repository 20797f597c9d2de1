package backend

import (
	"context"
	"slices"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// What is kept of directories and maps for those who ask next.
const (
	maxIndexes   = 8
	maxResolvers = 8         // for each index
	maxKept      = 2_000_000 // entries and items in all; what was made last is kept however large it is
)

// indexCache keeps indexes of whole directories, and what resolves maps by them. What it answers is what its caller's
// snapshot has: the version of the directory is part of the key. The zero cache is empty.
type indexCache struct {
	mu       sync.Mutex
	clock    uint64
	kept     []*keptIndex // the one that was used last comes last
	building map[indexKey]*indexBuild
}

type indexKey struct {
	connectionID string
	kind         idmap.MapKind
	version      string
}

type keptIndex struct {
	key       indexKey
	index     *match.Index
	seen      uint64 // when the last snapshot that has this version began
	size      int    // entries, and items of the resolvers
	resolvers []keptResolver
}

// indexBuild is an index that somebody is making.
type indexBuild struct {
	done    chan struct{}
	index   *match.Index // when it is done; nil where it failed
	entries int
}

// began is the time of a snapshot that is about to begin. It tells which of two versions of a directory is the older
// one: they say nothing about that themselves.
func (c *indexCache) began() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	return c.clock
}

// get returns the index of that key, which a snapshot has that began then. Of those who ask for one at the same time,
// one builds it; should it fail, which may be for its own reasons, the next one tries.
func (c *indexCache) get(ctx context.Context, key indexKey, began uint64, build func() (*match.Index, int, error)) (*match.Index, error) {
	for {
		index, theirs, mine := c.useOrBuild(key, began)
		if index != nil {
			return index, nil
		}
		if mine != nil {
			return c.make(key, began, mine, build)
		}
		select {
		case <-theirs.done:
			if theirs.index != nil {
				return theirs.index, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// useOrBuild returns what is kept, or who is building it, or what the caller is to build himself.
func (c *indexCache) useOrBuild(key indexKey, began uint64) (kept *match.Index, theirs, mine *indexBuild) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.use(key); k != nil {
		k.seen = max(k.seen, began)
		return k.index, nil, nil
	}
	if theirs = c.building[key]; theirs != nil {
		return nil, theirs, nil
	}
	if c.building == nil {
		c.building = map[indexKey]*indexBuild{}
	}
	mine = &indexBuild{done: make(chan struct{})}
	c.building[key] = mine
	return nil, nil, mine
}

// make lets those go on who wait, even where build panics: that is the caller's to live with.
func (c *indexCache) make(key indexKey, began uint64, mine *indexBuild, build func() (*match.Index, int, error)) (*match.Index, error) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.building, key)
		if mine.index != nil {
			c.keep(&keptIndex{key: key, index: mine.index, seen: began, size: mine.entries})
		}
		close(mine.done)
	}()
	index, entries, err := build()
	if err == nil {
		mine.index, mine.entries = index, entries
	}
	return index, err
}

// use returns nil for what is not kept.
func (c *indexCache) use(key indexKey) *keptIndex {
	i := slices.IndexFunc(c.kept, func(k *keptIndex) bool { return k.key == key })
	if i < 0 {
		return nil
	}
	used := c.kept[i]
	c.kept = append(slices.Delete(c.kept, i, i+1), used)
	return used
}

// keep forgets what the directory was before, since nobody is likely to ask for that again. An index that was long in
// the making may itself be of before.
func (c *indexCache) keep(made *keptIndex) {
	same := func(k *keptIndex) bool {
		return k.key.connectionID == made.key.connectionID && k.key.kind == made.key.kind
	}
	if slices.ContainsFunc(c.kept, func(k *keptIndex) bool { return same(k) && k.seen > made.seen }) {
		return
	}
	c.kept = append(slices.DeleteFunc(c.kept, same), made)
	c.shrink()
}

// shrink forgets what was not used for the longest time.
func (c *indexCache) shrink() {
	sum := 0
	for _, k := range c.kept {
		sum += k.size
	}
	gone := 0
	for ; gone < len(c.kept)-1 && (sum > maxKept || len(c.kept)-gone > maxIndexes); gone++ {
		sum -= c.kept[gone].size
	}
	c.kept = slices.Delete(c.kept, 0, gone)
}

func (d mapDirectory) buildIndex(ctx context.Context, r store.Reader) (*match.Index, int, error) {
	var entries []match.Entry
	page := idmap.Page{Limit: idmap.MaxPageSize}
	for {
		list, err := d.list(ctx, r, idmap.DirectoryFilter{}, page)
		if err != nil {
			return nil, 0, err
		}
		more := make([]match.Entry, list.count)
		if err := inParallel(ctx, list.count, func(i int) { more[i] = list.entry(i) }); err != nil {
			return nil, 0, err
		}
		entries = append(entries, more...)
		if list.count < page.Limit {
			return match.NewIndex(d.kind, entries), len(entries), nil
		}
		page.After = entries[len(entries)-1].Principal.ID
	}
}
