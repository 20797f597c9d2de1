package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// mapWritten is what a write of a map did.
type mapWritten struct {
	verdict idmap.MapVerdict // its map is without items
	items   []idmap.MapItem  // in the order of what was wanted
	changes itemChanges
}

// mapWish says what a map, of which it is given the stored state with its items, is to become. It may look things up, and
// is asked again when the transaction has to run again.
type mapWish func(w *mapWorld, before idmap.Map) (idmap.Map, error)

// changeMap writes what somebody wishes of a stored map, if anything changes by it.
func (b *Backend) changeMap(ctx context.Context, call Call, kind idmap.MapKind, id string, revision int64, wish mapWish) (mapWritten, error) {
	var written mapWritten
	err := b.update(ctx, func(tx store.Tx) error {
		if err := tx.LockMap(ctx, kind, id); err != nil {
			return err
		}
		before, err := storedMap(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		if err := tx.ShareConnections(ctx, mapConnections(before)); err != nil {
			return err
		}
		p, err := b.mapWorld(tx, kind, nil).propose(ctx, before, wish)
		if err != nil {
			return err
		}
		p.checkRevision(kind, revision)
		if err := idmap.Refuse(p.verdict.Violations...); err != nil {
			return err
		}
		written = mapWritten{p.verdict, p.items, p.changes}
		return p.write(ctx, tx, b, call, kind)
	})
	err = b.withSuggestions(ctx, kind, err, func(w *mapWorld) (idmap.MapVerdict, error) {
		before, err := storedMap(ctx, w.r, kind, id)
		if err != nil {
			return idmap.MapVerdict{}, err
		}
		p, err := w.propose(ctx, before, wish)
		if err != nil {
			return idmap.MapVerdict{}, err
		}
		p.checkRevision(kind, revision)
		return p.verdict, nil
	})
	return written, err
}

// mapProposal is a map that is to be stored in place of another one.
type mapProposal struct {
	before  idmap.Map // with its items
	verdict idmap.MapVerdict
	after   idmap.Map       // as judged, with its items; zero where it is refused
	items   []idmap.MapItem // of after, in the order of what was wanted
	changes itemChanges
	changed bool
}

// propose judges what somebody wishes of a stored map.
func (w *mapWorld) propose(ctx context.Context, stored idmap.Map, wish mapWish) (*mapProposal, error) {
	before, err := withItems(ctx, w.r, stored)
	if err != nil {
		return nil, err
	}
	wanted, err := wish(w, before)
	if err != nil {
		return nil, err
	}
	same, err := mapNamed(ctx, w.r, w.kind, wanted.Key(), before.ID)
	if err != nil {
		return nil, err
	}
	return w.proposeAs(ctx, before, wanted, same)
}

func (w *mapWorld) proposeAs(ctx context.Context, before, wanted idmap.Map, same *idmap.Map) (*mapProposal, error) {
	p := &mapProposal{before: before}
	wanted.ID = before.ID
	var err error
	if p.verdict, err = w.judge(ctx, &before, wanted, same); err != nil || p.verdict.Map == nil {
		p.changed = true
		return p, err
	}
	p.after = *p.verdict.Map
	p.items = w.b.stampItems(p.after.Items())
	p.changes = changesOf(before.Items(), p.items)
	p.stamp(w.b)
	return p, nil
}

// stamp completes the map with what is not the rules' business. A map that does not change is the stored one.
func (p *mapProposal) stamp(b *Backend) {
	now := b.now()
	p.after = p.after.WithItems(p.items)
	p.after.ID, p.after.Revision, p.after.CreatedOn, p.after.ModifiedOn = p.before.ID, p.before.Revision, p.before.CreatedOn, p.before.ModifiedOn
	if p.changed = len(p.changes) > 0 || !sameMap(p.before, p.after); p.changed {
		p.after.Revision, p.after.ModifiedOn = p.before.Revision+1, &now
	}
	answer := withoutItems(p.after)
	p.verdict.Map = &answer
}

// sameMap compares all but the items.
func sameMap(a, b idmap.Map) bool {
	return string(document(withoutItems(a))) == string(document(withoutItems(b)))
}

// sameResults reports whether both maps, without regard to their items, make the same of every account.
func sameResults(a, b idmap.Map) bool {
	b.Name, b.Revision, b.CreatedOn, b.ModifiedOn, b.Source = a.Name, a.Revision, a.CreatedOn, a.ModifiedOn, a.Source
	return sameMap(a, b)
}

// checkRevision refuses a change of a map that is not what the caller saw.
func (p *mapProposal) checkRevision(kind idmap.MapKind, revision int64) {
	if revision != 0 && revision != p.before.Revision && p.changed {
		p.verdict.Violations = append(p.verdict.Violations, revisionConflict(string(kind), p.before.ID, p.before.Revision, revision))
		p.verdict.Map, p.verdict.Claims = nil, nil
	}
}

func (p *mapProposal) write(ctx context.Context, tx store.Tx, b *Backend, call Call, kind idmap.MapKind) error {
	if !p.changed {
		return nil
	}
	if err := tx.UpdateMap(ctx, kind, withoutItems(p.after)); err != nil {
		return err
	}
	if err := p.changes.store(ctx, tx, p.after.ID); err != nil {
		return err
	}
	was, is := p.changes.audited(p.before, p.after)
	return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "update", string(kind), p.after.ID, was, is, "")})
}

// store removes first, so that a subject may pass from one item to the next.
func (c itemChanges) store(ctx context.Context, tx store.Tx, mapID string) error {
	put, gone := c.put()
	if len(gone) > 0 {
		if err := tx.DeleteMapItems(ctx, mapID, gone); err != nil {
			return err
		}
	}
	if len(put) == 0 {
		return nil
	}
	return tx.PutMapItems(ctx, mapID, put)
}

// insertMap stores a new map that was judged, and returns it without its items.
func (b *Backend) insertMap(ctx context.Context, tx store.Tx, call Call, kind idmap.MapKind, m idmap.Map) (idmap.Map, error) {
	now := b.now()
	m.ID, m.Revision, m.CreatedOn, m.ModifiedOn = b.opts.NewID(), 1, &now, &now
	items := b.stampItems(m.Items())
	m, changes := m.WithItems(items), changesOf(nil, items)
	if err := tx.InsertMap(ctx, kind, withoutItems(m)); err != nil {
		return m, err
	}
	if err := changes.store(ctx, tx, m.ID); err != nil {
		return m, err
	}
	_, is := changes.audited(idmap.Map{}, m)
	return withoutItems(m), tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "create", string(kind), m.ID, nil, is, "")})
}

func (b *Backend) deleteMap(ctx context.Context, tx store.Tx, call Call, kind idmap.MapKind, m idmap.Map) error {
	was, err := countedMap(ctx, tx, m)
	if err != nil {
		return err
	}
	if err := tx.DeleteMap(ctx, kind, m.ID); err != nil {
		return err
	}
	if err := tx.ForgetIdempotencyKeys(ctx, []string{m.ID}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "delete", string(kind), m.ID, was, nil, "")})
}
