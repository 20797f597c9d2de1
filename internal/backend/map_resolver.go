package backend

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// mapRevision is a stored map as it is for good: whatever changes, or changes of its items, is another revision.
type mapRevision struct {
	id       string
	revision int64
}

// keptResolver is kept with the index of its destination, and goes with it.
type keptResolver struct {
	of       mapRevision
	resolver *match.Resolver
	items    int
}

// resolver returns nil for what is not kept.
func (c *indexCache) resolver(key indexKey, of mapRevision) *match.Resolver {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.use(key)
	if k == nil {
		return nil
	}
	i := slices.IndexFunc(k.resolvers, func(r keptResolver) bool { return r.of == of })
	if i < 0 {
		return nil
	}
	used := k.resolvers[i]
	k.resolvers = append(slices.Delete(k.resolvers, i, i+1), used)
	return used.resolver
}

// keepResolver keeps a resolver as long as its index.
func (c *indexCache) keepResolver(key indexKey, made keptResolver) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.use(key)
	if k == nil || slices.ContainsFunc(k.resolvers, func(r keptResolver) bool { return r.of == made.of }) {
		return
	}
	if len(k.resolvers) >= maxResolvers {
		k.size -= k.resolvers[0].items
		k.resolvers = slices.Delete(k.resolvers, 0, 1)
	}
	k.resolvers = append(k.resolvers, made)
	k.size += made.items
	c.shrink()
}

// index returns the index of a whole directory, deleted entries too, and the key under which it is kept.
func (w *mapWorld) index(ctx context.Context, d mapDirectory) (*match.Index, indexKey, error) {
	if d.proposed() {
		index, _, err := d.buildIndex(ctx, w.r)
		return index, indexKey{}, err
	}
	version, err := w.r.DirectoryVersion(ctx, d.connectionID)
	if err != nil {
		return nil, indexKey{}, err
	}
	key := indexKey{d.connectionID, d.kind, version}
	index, err := w.b.indexes.get(ctx, key, w.began, func() (*match.Index, int, error) { return d.buildIndex(ctx, w.r) })
	return index, key, err
}

// resultsOf returns what a map that may not be stored makes of its source.
func (w *mapWorld) resultsOf(ctx context.Context, m idmap.Map) (*mapResults, error) {
	index, err := w.wholeIndex(ctx, m.Destination.Connection.ID)
	if err != nil {
		return nil, err
	}
	source := w.directory(m.Source.Connection.ID).mapDirectory
	return &mapResults{directory: source, resolver: match.NewResolver(m, index)}, nil
}

// storedResults is resultsOf for a revision of a stored map between two connections. Its items are read only where
// nobody asked for them lately.
func (w *mapWorld) storedResults(ctx context.Context, of mapRevision, source, destination string, read func() (idmap.Map, error)) (*mapResults, error) {
	resolver, err := w.storedResolver(ctx, of, destination, read)
	return &mapResults{directory: w.directory(source).mapDirectory, resolver: resolver}, err
}

func (w *mapWorld) storedResolver(ctx context.Context, of mapRevision, destination string, read func() (idmap.Map, error)) (*match.Resolver, error) {
	index, err := w.wholeIndex(ctx, destination)
	if err != nil {
		return nil, err
	}
	key := w.directory(destination).wholeKey
	if kept := w.b.indexes.resolver(key, of); kept != nil {
		return kept, nil
	}
	m, err := read()
	if err != nil {
		return nil, err
	}
	made := match.NewResolver(m, index)
	w.b.indexes.keepResolver(key, keptResolver{of, made, len(m.Items())})
	return made, nil
}

// resultsOfStored returns what a stored map, which is without its items, makes of its source.
func (w *mapWorld) resultsOfStored(ctx context.Context, m idmap.Map) (*mapResults, error) {
	return w.storedResults(ctx, mapRevision{m.ID, m.Revision}, m.Source.Connection.ID, m.Destination.Connection.ID,
		func() (idmap.Map, error) { return withItems(ctx, w.r, m) })
}

// resultsOfRevision returns what the revision of a map that a job uses makes of the job's source: the connections of a
// job are those of its maps.
func (w *mapWorld) resultsOfRevision(ctx context.Context, j idmap.Job, use idmap.MapUse) (*mapResults, error) {
	return w.storedResults(ctx, mapRevision{use.ID, use.Revision}, j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID,
		func() (idmap.Map, error) { return w.r.MapRevision(ctx, use.ID, use.Revision) })
}
