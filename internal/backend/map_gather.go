package backend

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxSuggestFrom is the largest directory that is read for the sake of a suggestion.
const maxSuggestFrom = 200_000

// mapWorld is what maps of a kind are judged by, in one transaction. What was looked up once is not looked up again.
type mapWorld struct {
	b        *Backend
	r        store.Reader
	began    uint64 // before what r reads
	kind     idmap.MapKind
	proposed map[string]idmap.ProposedDirectory
	// suggest makes it read a whole directory where somebody is unknown. That takes too long for a transaction that
	// writes.
	suggest     bool
	directories map[string]*knownDirectory
}

// knownDirectory is what is known of a directory so far.
type knownDirectory struct {
	mapDirectory
	asked   map[idmap.Principal]bool
	entries map[string]match.Entry
	index   *match.Index // of entries

	whole    *match.Index // of all there are
	wholeKey indexKey     // zero where the directory is proposed
}

func (b *Backend) mapWorld(r store.Reader, kind idmap.MapKind, proposed []idmap.ProposedDirectory) *mapWorld {
	w := &mapWorld{
		b: b, r: r, began: b.indexes.began(), kind: kind,
		proposed: map[string]idmap.ProposedDirectory{}, directories: map[string]*knownDirectory{},
	}
	for _, p := range proposed {
		w.proposed[p.Connection.ID] = p
	}
	return w
}

// connection returns nil where there is none.
func (w *mapWorld) connection(ctx context.Context, id string) (*idmap.Connection, error) {
	if p, ok := w.proposed[id]; ok {
		c := withFeatures(p.Connection)
		return &c, nil
	}
	found, err := w.r.Connections(ctx, []string{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	c := withFeatures(found[0])
	return &c, nil
}

func (w *mapWorld) directory(connectionID string) *knownDirectory {
	if w.directories[connectionID] == nil {
		w.directories[connectionID] = &knownDirectory{
			mapDirectory: newMapDirectory(w.kind, connectionID, w.proposed[connectionID]),
			asked:        map[idmap.Principal]bool{}, entries: map[string]match.Entry{}, index: match.NewIndex(w.kind, nil),
		}
	}
	return w.directories[connectionID]
}

// wholeIndex returns the index of all that the directory has.
func (w *mapWorld) wholeIndex(ctx context.Context, connectionID string) (*match.Index, error) {
	d := w.directory(connectionID)
	if d.whole != nil {
		return d.whole, nil
	}
	var err error
	d.whole, d.wholeKey, err = w.index(ctx, d.mapDirectory)
	return d.whole, err
}

// namedIndex returns an index that finds at least all that the principals name.
func (w *mapWorld) namedIndex(ctx context.Context, connectionID string, principals []idmap.Principal) (*match.Index, error) {
	d := w.directory(connectionID)
	if d.whole != nil || d.proposed() {
		return w.wholeIndex(ctx, connectionID)
	}
	var asked []idmap.Principal
	for _, p := range principals {
		if !d.asked[p] {
			d.asked[p] = true
			asked = append(asked, p)
		}
	}
	if len(asked) == 0 {
		return d.index, nil
	}
	found, err := d.find(ctx, w.r, keysOf(asked))
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		d.entries[e.Principal.ID] = e
	}
	all := make([]match.Entry, 0, len(d.entries))
	for _, e := range d.entries {
		all = append(all, e)
	}
	d.index = match.NewIndex(w.kind, all)
	return d.index, nil
}

// keysOf returns every key under which a directory may know what the principals name.
func keysOf(principals []idmap.Principal) store.DirectoryKeys {
	ids, users, addresses, names := keySet{}, keySet{}, keySet{}, keySet{}
	for _, p := range principals {
		ids.add("", p.ID, p.Name)
		users.add("", idmap.Fold(p.Username), idmap.Fold(p.Name))
		names.add("", idmap.NameKey(p.Name), idmap.NameKey(p.Caption))
		for _, text := range []string{p.Email, p.Name} {
			address, _ := idmap.CanonicalEmail(text) // what is no address is nobody's
			addresses.add("", address)
		}
	}
	return store.DirectoryKeys{IDs: ids.of(""), UserKeys: users.of(""), AddressKeys: addresses.of(""), NameKeys: names.of("")}
}

// judge judges a change, of which it is told all but the kind, the connections and whom it names.
func (w *mapWorld) judge(ctx context.Context, c rules.MapChange) (idmap.MapVerdict, error) {
	c.Kind = w.kind
	source, destination := c.After.Source.Connection.ID, c.After.Destination.Connection.ID
	var err error
	if c.Source, err = w.connection(ctx, source); err != nil {
		return idmap.MapVerdict{}, err
	}
	if c.Destination, err = w.connection(ctx, destination); err != nil {
		return idmap.MapVerdict{}, err
	}
	sources, destinations := c.LookUps()
	if len(sources)+len(destinations) == 0 {
		return rules.CheckMapChange(c), nil
	}
	if c.Sources, err = w.namedIndex(ctx, source, sources); err != nil {
		return idmap.MapVerdict{}, err
	}
	if c.Destinations, err = w.namedIndex(ctx, destination, destinations); err != nil {
		return idmap.MapVerdict{}, err
	}
	verdict := rules.CheckMapChange(c)
	if !w.suggest || !namesUnknown(verdict.Violations) {
		return verdict, nil
	}
	if c.Sources, err = w.suggesting(ctx, source, c.Sources, sources); err != nil {
		return idmap.MapVerdict{}, err
	}
	c.Destinations, err = w.suggesting(ctx, destination, c.Destinations, destinations)
	return rules.CheckMapChange(c), err
}

func namesUnknown(violations []idmap.Violation) bool {
	return slices.ContainsFunc(violations, func(v idmap.Violation) bool { return v.Code == idmap.CodeUnknownAccount })
}

// suggesting returns an index that has somebody to suggest for whoever is unknown.
func (w *mapWorld) suggesting(ctx context.Context, connectionID string, index *match.Index, principals []idmap.Principal) (*match.Index, error) {
	unknown := slices.ContainsFunc(principals, func(p idmap.Principal) bool { return len(index.Find(p).Entries) == 0 })
	if d := w.directory(connectionID); !unknown || d.proposed() {
		return index, nil
	}
	if n, err := w.directory(connectionID).count(ctx, w.r); err != nil || n > maxSuggestFrom {
		return index, err
	}
	return w.wholeIndex(ctx, connectionID)
}
