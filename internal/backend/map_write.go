package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// mapWish says what a map, of which it is given the stored state without its items, is to become. It may look things
// up, and is asked again when the transaction has to run again.
type mapWish func(w *mapWorld, stored idmap.Map) (*mapProposal, error)

// changeMap writes what somebody wishes of a stored map, if anything changes by it.
func (b *Backend) changeMap(ctx context.Context, call Call, kind idmap.MapKind, id string, revision int64, wish mapWish) (*mapProposal, error) {
	var written *mapProposal
	err := b.update(ctx, func(tx store.Tx) error {
		if err := tx.LockMap(ctx, kind, id); err != nil {
			return err
		}
		stored, err := storedMap(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		if err := tx.ShareConnections(ctx, mapConnections(stored)); err != nil {
			return err
		}
		if written, err = wish(b.mapWorld(tx, kind, nil), stored); err != nil {
			return err
		}
		written.checkRevision(kind, revision)
		if err := idmap.Refuse(written.verdict.Violations...); err != nil {
			return err
		}
		if err := written.warnOfJobs(ctx, tx, kind); err != nil {
			return err
		}
		return written.write(ctx, tx, b, call, kind)
	})
	if err == nil {
		b.counts.keep(written.after, countsOf(written.after).Plus(written.rest))
	}
	return written, b.withSuggestions(ctx, kind, err, func(w *mapWorld) (idmap.MapVerdict, error) {
		stored, err := storedMap(ctx, w.r, kind, id)
		if err != nil {
			return idmap.MapVerdict{}, err
		}
		p, err := wish(w, stored)
		if err != nil {
			return idmap.MapVerdict{}, err
		}
		p.checkRevision(kind, revision)
		return p.verdict, nil
	})
}

// warnOfJobs warns of jobs that used the map as it was, where it gets other results.
func (p *mapProposal) warnOfJobs(ctx context.Context, r store.Reader, kind idmap.MapKind) error {
	if !p.changed || len(p.changes) == 0 && sameResults(p.before, p.after) {
		return nil
	}
	jobs, err := r.CountJobs(ctx, idmap.JobFilter{MapID: p.before.ID})
	p.verdict.Warnings = append(p.verdict.Warnings, rules.WarnOfEffect(kind, p.after, idmap.MapEffect{Jobs: jobs}, false)...)
	return err
}

// mapProposal is a map that is to be stored in place of another one.
type mapProposal struct {
	before  idmap.Map // with the items that were read
	rest    rules.ItemCounts
	verdict idmap.MapVerdict // its map is without items
	after   idmap.Map        // as judged, with its items but for the rest; zero where it is refused
	changes itemChanges
	changed bool
}

// propose judges a map that somebody wishes in place of a stored one.
func (w *mapWorld) propose(ctx context.Context, stored, wanted idmap.Map) (*mapProposal, error) {
	same, err := mapNamed(ctx, w.r, w.kind, wanted.Key(), stored.ID)
	if err != nil {
		return nil, err
	}
	return w.proposeAs(ctx, stored, wanted, same)
}

func (w *mapWorld) proposeAs(ctx context.Context, stored, wanted idmap.Map, same *idmap.Map) (*mapProposal, error) {
	before, err := withItems(ctx, w.r, stored)
	if err != nil {
		return nil, err
	}
	wanted.ID = before.ID
	return w.proposeChange(ctx, rules.MapChange{Before: &before, After: wanted, SameName: same})
}

func (w *mapWorld) proposeChange(ctx context.Context, c rules.MapChange) (*mapProposal, error) {
	p := &mapProposal{before: *c.Before, rest: c.Rest}
	var err error
	if p.verdict, err = w.judge(ctx, c); err != nil || p.verdict.Map == nil {
		p.changed = true
		return p, err
	}
	p.after = *p.verdict.Map
	p.stamp(w.b)
	return p, nil
}

// stamp completes the map with what is not the rules' business. A map that does not change is the stored one.
func (p *mapProposal) stamp(b *Backend) {
	now := b.now()
	items := b.stampItems(p.after.Items())
	p.after, p.changes = p.after.WithItems(items), changesOf(p.before.Items(), items)
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
	was, is := p.changes.audited(p.before, p.after, p.rest)
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
	_, is := changes.audited(idmap.Map{}, m, rules.ItemCounts{})
	return withoutItems(m), tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "create", string(kind), m.ID, nil, is, "")})
}

func (b *Backend) deleteMap(ctx context.Context, tx store.Tx, call Call, kind idmap.MapKind, m idmap.Map) error {
	rest, err := b.restOf(ctx, tx, m)
	if err != nil {
		return err
	}
	if err := tx.DeleteMap(ctx, kind, m.ID); err != nil {
		return err
	}
	if err := tx.ForgetIdempotencyKeys(ctx, []string{m.ID}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "delete", string(kind), m.ID, auditedMapOf(m, rest), nil, "")})
}
