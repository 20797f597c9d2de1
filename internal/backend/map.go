package backend

import (
	"context"
	"math"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxSuggestionWait is how long a refusal is held back for the sake of a suggestion, until that has its turn.
const maxSuggestionWait = time.Second

// Map returns one map, with its items or without.
func (b *Backend) Map(ctx context.Context, kind idmap.MapKind, id string, items bool) (idmap.Map, error) {
	var found idmap.Map
	err := b.view(ctx, func(r store.Reader) (err error) {
		if found, err = storedMap(ctx, r, kind, id); err == nil && items {
			found, err = withItems(ctx, r, found)
		}
		return err
	})
	return found, err
}

// storedMap reads a map without its items.
func storedMap(ctx context.Context, r store.Reader, kind idmap.MapKind, id string) (idmap.Map, error) {
	found, err := r.Maps(ctx, kind, []string{id})
	if err != nil {
		return idmap.Map{}, err
	}
	if len(found) == 0 {
		return idmap.Map{}, idmap.NotFound(string(kind), id)
	}
	return found[0], nil
}

func withItems(ctx context.Context, r store.Reader, m idmap.Map) (idmap.Map, error) {
	items, err := allItems(ctx, r, m.ID, idmap.MapItemFilter{})
	return m.WithItems(items), err
}

// allItems reads the items of a map that a filter selects, at once.
func allItems(ctx context.Context, r store.Reader, mapID string, f idmap.MapItemFilter) ([]idmap.MapItem, error) {
	return r.ListMapItems(ctx, mapID, f, idmap.Page{Limit: math.MaxInt32})
}

func withoutItems(m idmap.Map) idmap.Map {
	m.Exceptions, m.Exclusions = nil, nil
	return m
}

// Maps lists maps, without their items.
func (b *Backend) Maps(ctx context.Context, f idmap.MapFilter, page idmap.Page) (List[idmap.Map], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Map, error) { return r.ListMaps(ctx, f, page) },
		func(r store.Reader) (int, error) { return r.CountMaps(ctx, f) })
}

// mapRequest is what an idempotency key of a create stands for.
type mapRequest struct {
	Kind idmap.MapKind
	Map  idmap.Map
}

// CreateMap stores a new map with its items. It answers with warnings, if there are any. The verdict's map is without
// items.
func (b *Backend) CreateMap(ctx context.Context, call Call, kind idmap.MapKind, m idmap.Map) (idmap.MapVerdict, error) {
	var verdict idmap.MapVerdict
	judge := func(w *mapWorld) (v idmap.MapVerdict, err error) {
		same, err := mapNamed(ctx, w.r, kind, m.Key(), "")
		if err != nil {
			return v, err
		}
		return w.judge(ctx, rules.MapChange{After: m, SameName: same})
	}
	err := b.update(ctx, func(tx store.Tx) (err error) {
		verdict, err = once(ctx, b, tx, call, mapRequest{kind, m}, func() (idmap.MapVerdict, string, error) {
			if err := tx.ShareConnections(ctx, mapConnections(m)); err != nil {
				return idmap.MapVerdict{}, "", err
			}
			v, err := judge(b.mapWorld(tx, kind, nil))
			if err == nil {
				err = idmap.Refuse(v.Violations...)
			}
			if err != nil {
				return v, "", err
			}
			*v.Map, err = b.insertMap(ctx, tx, call, kind, *v.Map)
			return v, v.Map.ID, err
		})
		return err
	})
	return verdict, b.withSuggestions(ctx, kind, err, judge)
}

func mapConnections(m idmap.Map) []string {
	connections := keySet{}
	connections.add("", m.Source.Connection.ID, m.Destination.Connection.ID)
	return connections.of("")
}

// mapNamed finds another map that has the name; nil if there is none.
func mapNamed(ctx context.Context, r store.Reader, kind idmap.MapKind, key, butID string) (*idmap.Map, error) {
	if key == "" {
		return nil, nil
	}
	same, err := r.ListMaps(ctx, idmap.MapFilter{Kind: kind, Key: key}, idmap.Page{Limit: 1})
	if err != nil || len(same) == 0 || same[0].ID == butID {
		return nil, err
	}
	return &same[0], nil
}

// withSuggestions words a refusal of somebody unknown anew, now with those who may have been meant: who they are is
// looked up in a whole directory, for which no writer should have to wait. They are an addition: where it takes too
// long to have a turn, or anything goes wrong, it is the refusal as it was.
func (b *Backend) withSuggestions(ctx context.Context, kind idmap.MapKind, refused error, judge func(*mapWorld) (idmap.MapVerdict, error)) error {
	if !namesUnknown(idmap.ViolationsOf(refused)) {
		return refused
	}
	waiting, cancel := context.WithTimeout(ctx, maxSuggestionWait)
	defer cancel()
	if b.resolving.enter(waiting) != nil {
		return refused
	}
	defer b.resolving.leave()
	var verdict idmap.MapVerdict
	err := b.view(ctx, func(r store.Reader) (err error) {
		w := b.mapWorld(r, kind, nil)
		w.suggest = true
		verdict, err = judge(w)
		return err
	})
	if err != nil || len(verdict.Violations) == 0 {
		return refused
	}
	return idmap.Refuse(verdict.Violations...)
}

// UpdateMap writes what change makes of the stored map, which it is given without items. Items that the changed map
// leaves out stay. revision is the one that the caller saw, 0 for any. An update that changes nothing succeeds at every
// revision: it may repeat one whose answer was lost.
func (b *Backend) UpdateMap(
	ctx context.Context, call Call, kind idmap.MapKind, id string, revision int64, change func(idmap.Map) (idmap.Map, error),
) (idmap.MapVerdict, error) {
	written, err := b.changeMap(ctx, call, kind, id, revision, func(w *mapWorld, stored idmap.Map) (*mapProposal, error) {
		wanted, err := change(stored)
		if err != nil {
			return nil, err
		}
		return w.propose(ctx, stored, wanted)
	})
	if err != nil {
		return idmap.MapVerdict{}, err
	}
	return written.verdict, nil
}

// DeleteMap removes a map. It is refused while a job that is not finished uses it.
func (b *Backend) DeleteMap(ctx context.Context, call Call, kind idmap.MapKind, id string, revision int64) error {
	return b.update(ctx, func(tx store.Tx) error {
		if err := tx.LockMap(ctx, kind, id); err != nil {
			return err
		}
		m, err := storedMap(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		violations, err := mapInUse(ctx, tx, kind, m)
		if err != nil {
			return err
		}
		if revision != 0 && revision != m.Revision {
			violations = append(violations, revisionConflict(string(kind), id, m.Revision, revision))
		}
		if err := idmap.Refuse(violations...); err != nil {
			return err
		}
		return b.deleteMap(ctx, tx, call, kind, m)
	})
}

// mapInUse reports the unfinished jobs that use the map: how many they are, and the first.
func mapInUse(ctx context.Context, r store.Reader, kind idmap.MapKind, m idmap.Map) ([]idmap.Violation, error) {
	f := idmap.JobFilter{MapID: m.ID, Unfinished: true}
	using, err := r.ListJobs(ctx, f, idmap.Page{Limit: 2})
	if err != nil || len(using) == 0 {
		return nil, err
	}
	n, err := r.CountJobs(ctx, f)
	return rules.CheckMapDelete(kind, m, using, n), err
}

// DeleteMaps removes all maps of a kind, or none.
func (b *Backend) DeleteMaps(ctx context.Context, call Call, kind idmap.MapKind) error {
	return b.update(ctx, func(tx store.Tx) error {
		all, err := allMaps(ctx, tx, kind)
		if err != nil {
			return err
		}
		var violations []idmap.Violation
		for _, m := range all {
			inUse, err := lockUnused(ctx, tx, kind, m)
			if err != nil {
				return err
			}
			violations = append(violations, inUse...)
		}
		if err := idmap.Refuse(violations...); err != nil {
			return err
		}
		for _, m := range all {
			if err := b.deleteMap(ctx, tx, call, kind, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockUnused locks a map that is to be deleted and reports who uses it. One that somebody else deleted is nobody's.
func lockUnused(ctx context.Context, tx store.Tx, kind idmap.MapKind, m idmap.Map) ([]idmap.Violation, error) {
	if err := tx.LockMap(ctx, kind, m.ID); idmap.IsNotFound(err) {
		return nil, store.ErrConflict // run again, without it
	} else if err != nil {
		return nil, err
	}
	return mapInUse(ctx, tx, kind, m)
}

func allMaps(ctx context.Context, r store.Reader, kind idmap.MapKind) ([]idmap.Map, error) {
	var all []idmap.Map
	page := idmap.Page{Limit: idmap.MaxPageSize}
	for {
		more, err := r.ListMaps(ctx, idmap.MapFilter{Kind: kind}, page)
		all = append(all, more...)
		if err != nil || len(more) < page.Limit {
			return all, err
		}
		page.After = more[len(more)-1].ID
	}
}
