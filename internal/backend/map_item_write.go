package backend

import (
	"context"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// ItemsReport says what a write of items did.
type ItemsReport struct {
	Items    []idmap.MapItem // as they are stored, in the order given
	Created  int
	Updated  int
	Deleted  int
	Warnings []idmap.Violation
}

// PutMapItems adds items, which are all exceptions or all exclusions, to a map; one with a subject that the map has in
// its role replaces that. Unless add is set, items of the roles that are not among them are removed. All or none. The
// fields of violations and warnings begin with items[n].
func (b *Backend) PutMapItems(
	ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, items []idmap.MapItem, add bool,
) (ItemsReport, error) {
	p, err := b.changeMap(ctx, call, kind, mapID, call.MapRevision, func(w *mapWorld, stored idmap.Map) (*mapProposal, error) {
		var p *mapProposal
		var err error
		if add {
			p, err = w.proposeToAdd(ctx, stored, items)
		} else {
			p, err = w.proposeToReplace(ctx, stored, items, roles)
		}
		return p.relocated(func(n, part string) string { return "items[" + n + "]." + part }), err
	})
	if err != nil {
		return ItemsReport{}, err
	}
	report := ItemsReport{Items: given(p.after, items), Warnings: p.verdict.Warnings}
	for _, change := range p.changes {
		switch {
		case change.before == nil:
			report.Created++
		case change.after == nil:
			report.Deleted++
		default:
			report.Updated++
		}
	}
	return report, nil
}

// UpdateMapItem writes what change makes of a stored item.
func (b *Backend) UpdateMapItem(
	ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string, change func(idmap.MapItem) (idmap.MapItem, error),
) (idmap.MapItem, error) {
	var sent []idmap.MapItem
	p, err := b.changeMap(ctx, call, kind, mapID, call.MapRevision, func(w *mapWorld, stored idmap.Map) (*mapProposal, error) {
		was, err := storedItem(ctx, w.r, mapID, roles, id)
		if err != nil {
			return nil, err
		}
		wanted, err := change(was)
		if err != nil {
			return nil, err
		}
		wanted.ID, sent = id, []idmap.MapItem{wanted}
		read, _, err := w.touched(ctx, stored, sent)
		if err != nil {
			return nil, err
		}
		p, err := w.proposeItems(ctx, stored, union(read, []idmap.MapItem{was}), sent, func(i idmap.MapItem) bool { return i.ID == id })
		return p.relocated(func(_, part string) string { return part }), err
	})
	if err != nil {
		return idmap.MapItem{}, err
	}
	return given(p.after, sent)[0], nil
}

// DeleteMapItem removes one item. Nothing that the map says about others can be wrong by that, so nothing is judged.
func (b *Backend) DeleteMapItem(ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string) error {
	_, err := b.changeMap(ctx, call, kind, mapID, call.MapRevision, func(w *mapWorld, stored idmap.Map) (*mapProposal, error) {
		item, err := storedItem(ctx, w.r, mapID, roles, id)
		if err != nil {
			return nil, err
		}
		p := &mapProposal{before: stored.WithItems([]idmap.MapItem{item}), after: stored.WithItems(nil)}
		p.rest, err = b.restOf(ctx, w.r, p.before)
		p.stamp(b)
		return p, err
	})
	return err
}

// proposeToAdd judges items that are to be added to a map, in place of those with the same subjects.
func (w *mapWorld) proposeToAdd(ctx context.Context, stored idmap.Map, sent []idmap.MapItem) (*mapProposal, error) {
	read, replaced, err := w.touched(ctx, stored, sent)
	if err != nil {
		return nil, err
	}
	return w.proposeItems(ctx, stored, read, sent, func(i idmap.MapItem) bool { return replaced[i.ID] })
}

// proposeToReplace judges items that are to be all that a map has of these roles.
func (w *mapWorld) proposeToReplace(ctx context.Context, stored idmap.Map, sent []idmap.MapItem, roles []idmap.ItemRole) (*mapProposal, error) {
	all, err := allItems(ctx, w.r, stored.ID, idmap.MapItemFilter{})
	if err != nil {
		return nil, err
	}
	return w.proposeItems(ctx, stored, all, sent, func(i idmap.MapItem) bool { return slices.Contains(roles, i.Role) })
}

// proposeItems judges items that were sent to a map. Of the stored ones those were read that they could touch; goes
// says which of these do not stay.
func (w *mapWorld) proposeItems(ctx context.Context, stored idmap.Map, read, sent []idmap.MapItem, goes func(idmap.MapItem) bool) (*mapProposal, error) {
	before := stored.WithItems(read)
	c := rules.MapChange{Before: &before, After: stored.WithItems(sent), Kept: map[string]bool{}}
	for _, i := range read {
		c.Kept[i.ID] = !goes(i)
	}
	var err error
	if c.Rest, err = w.b.restOf(ctx, w.r, before); err != nil {
		return nil, err
	}
	return w.proposeChange(ctx, c)
}

// given returns the items that were sent, which come first in their list, as they are stored.
func given(m idmap.Map, sent []idmap.MapItem) []idmap.MapItem {
	if len(sent) == 0 {
		return []idmap.MapItem{}
	}
	of := idmap.Map{Exceptions: m.Exceptions}
	if sent[0].Role != idmap.RoleException {
		of = idmap.Map{Exclusions: m.Exclusions}
	}
	return of.Items()[:len(sent)]
}

// relocated gives findings about items the place that their caller knows them by; n is where they are in their list. Of
// the map's defaults, which were not sent, nothing is warned.
func (p *mapProposal) relocated(place func(n, part string) string) *mapProposal {
	if p == nil {
		return nil
	}
	p.verdict.Warnings = slices.DeleteFunc(p.verdict.Warnings, func(v idmap.Violation) bool { return strings.HasSuffix(v.Field, ".default") })
	for _, findings := range [][]idmap.Violation{p.verdict.Violations, p.verdict.Warnings} {
		for i, v := range findings {
			_, item, _ := strings.Cut(v.Field, "[")
			if n, part, ofItem := strings.Cut(item, "]."); ofItem {
				findings[i].Field = place(n, part)
			}
		}
	}
	return p
}
