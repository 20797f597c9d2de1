package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// MapItems lists items of a map.
func (b *Backend) MapItems(
	ctx context.Context, kind idmap.MapKind, mapID string, f idmap.MapItemFilter, page idmap.Page,
) (List[idmap.MapItem], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.MapItem, error) {
			if _, err := storedMap(ctx, r, kind, mapID); err != nil {
				return nil, err
			}
			return r.ListMapItems(ctx, mapID, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountMapItems(ctx, mapID, f) })
}

// MapItem returns one item of a map that has one of the roles.
func (b *Backend) MapItem(ctx context.Context, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string) (idmap.MapItem, error) {
	var found idmap.MapItem
	err := b.view(ctx, func(r store.Reader) error {
		if _, err := storedMap(ctx, r, kind, mapID); err != nil {
			return err
		}
		var err error
		found, err = storedItem(ctx, r, mapID, roles, id)
		return err
	})
	return found, err
}

func storedItem(ctx context.Context, r store.Reader, mapID string, roles []idmap.ItemRole, id string) (idmap.MapItem, error) {
	found, err := r.ListMapItems(ctx, mapID, idmap.MapItemFilter{Roles: roles, IDs: []string{id}}, idmap.Page{Limit: 1})
	if err != nil {
		return idmap.MapItem{}, err
	}
	if len(found) == 0 {
		return idmap.MapItem{}, idmap.NotFound(itemKind(roles), id)
	}
	return found[0], nil
}

func itemKind(roles []idmap.ItemRole) string {
	if slices.Contains(roles, idmap.RoleException) {
		return "exception"
	}
	return "exclusion"
}

// ItemsReport says what a write of items did.
type ItemsReport struct {
	Items    []idmap.MapItem // as they are stored, in the order given
	Created  int
	Updated  int
	Deleted  int
	Warnings []idmap.Violation
}

// PutMapItems adds items to a map; one with a subject that the map has in its role replaces that. Unless add is set,
// items of the roles that are not among them are removed. All or none. The fields of violations and warnings begin with
// items[n].
func (b *Backend) PutMapItems(
	ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, items []idmap.MapItem, add bool,
) (ItemsReport, error) {
	place := func(n int) string { return fmt.Sprintf("items[%d]", n) }
	written, err := b.changeMap(ctx, call, kind, mapID, 0, func(w *mapWorld, before idmap.Map) (idmap.Map, error) {
		if add {
			rest, err := w.without(ctx, before, items)
			return w.beside(before, items, rest), err
		}
		rest := slices.DeleteFunc(before.Items(), func(i idmap.MapItem) bool { return slices.Contains(roles, i.Role) })
		return w.beside(before, items, rest), nil
	})
	if err != nil {
		return ItemsReport{}, relocatedError(err, items, place)
	}
	report := ItemsReport{Items: given(written.items, items), Warnings: relocated(written.verdict.Warnings, items, place)}
	for _, change := range written.changes {
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

// beside returns the map with the items that were sent, which come first, and those that stay.
func (w *mapWorld) beside(m idmap.Map, sent, rest []idmap.MapItem) idmap.Map {
	w.unsent = make(map[string]bool, len(rest))
	for _, i := range rest {
		w.unsent[i.ID] = true
	}
	sent = slices.Clone(sent)
	for n := range sent {
		if w.unsent[sent[n].ID] {
			sent[n].ID = "" // that one stays, so this is another
		}
	}
	return m.WithItems(slices.Concat(sent, rest))
}

// without returns the items of a map but for those that the new ones replace: they are called the same, or they name the
// same account.
func (w *mapWorld) without(ctx context.Context, m idmap.Map, replacing []idmap.MapItem) ([]idmap.MapItem, error) {
	stored := indexItems(m.Items())
	sources, destinations := newPrincipals(&m, m.WithItems(replacing), nil)
	source, err := w.namedIndex(ctx, m.Source.Connection.ID, sources)
	if err != nil {
		return nil, err
	}
	destination, err := w.namedIndex(ctx, m.Destination.Connection.ID, destinations)
	if err != nil {
		return nil, err
	}
	replaced := map[string]bool{}
	for _, i := range replacing {
		was := stored.like(i)
		if was == nil {
			index := source
			if i.Role == idmap.RoleDestinationExclusion {
				index = destination
			}
			was = stored.about(i.Role, index.Find(i.Subject))
		}
		if was != nil {
			replaced[was.ID] = true
		}
	}
	return slices.DeleteFunc(m.Items(), func(i idmap.MapItem) bool { return replaced[i.ID] }), nil
}

// about returns the stored item about the one who is named, or nil.
func (s storedItems) about(role idmap.ItemRole, named match.Named) *idmap.MapItem {
	if len(named.Entries) != 1 || named.Mismatch {
		return nil
	}
	return s.subjects[subject{role, named.Entries[0].Principal.ID}]
}

// given returns the items that were given, which come first among their kind, as they are stored.
func given(stored, items []idmap.MapItem) []idmap.MapItem {
	exceptions := slices.IndexFunc(stored, func(i idmap.MapItem) bool { return i.Role != idmap.RoleException })
	if exceptions < 0 {
		exceptions = len(stored)
	}
	exception, exclusion := 0, exceptions
	result := make([]idmap.MapItem, len(items))
	for n, i := range items {
		if i.Role == idmap.RoleException {
			result[n] = stored[exception]
			exception++
		} else {
			result[n] = stored[exclusion]
			exclusion++
		}
	}
	return result
}

// relocated gives findings about the items that were given, which come first in the map's lists, the place that their
// caller knows them by.
func relocated(violations []idmap.Violation, items []idmap.MapItem, place func(n int) string) []idmap.Violation {
	places := map[string]string{}
	exceptions, exclusions := 0, 0
	for n, i := range items {
		if i.Role == idmap.RoleException {
			places[fmt.Sprintf("exceptions[%d]", exceptions)] = place(n)
			exceptions++
		} else {
			places[fmt.Sprintf("exclusions[%d]", exclusions)] = place(n)
			exclusions++
		}
	}
	result := slices.Clone(violations)
	for i, v := range result {
		item, rest, _ := strings.Cut(v.Field, ".")
		if known, ok := places[item]; ok {
			result[i].Field = strings.Trim(known+"."+rest, ".")
		}
	}
	return result
}

func relocatedError(err error, items []idmap.MapItem, place func(n int) string) error {
	if violations := idmap.ViolationsOf(err); len(violations) > 0 && !idmap.IsNotFound(err) {
		return withViolations(err, relocated(violations, items, place))
	}
	return err
}

// withViolations returns a refusal of the same kind with other words.
func withViolations(err error, violations []idmap.Violation) error {
	refused, ok := errors.AsType[*idmap.Error](err)
	if !ok {
		return err
	}
	again := *refused
	again.Violations = violations
	return &again
}

// UpdateMapItem writes what change makes of a stored item.
func (b *Backend) UpdateMapItem(
	ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string, change func(idmap.MapItem) (idmap.MapItem, error),
) (idmap.MapItem, error) {
	var wanted idmap.MapItem
	written, err := b.changeMap(ctx, call, kind, mapID, 0, func(w *mapWorld, before idmap.Map) (idmap.Map, error) {
		rest := before.Items()
		n := slices.IndexFunc(rest, func(i idmap.MapItem) bool { return i.ID == id && slices.Contains(roles, i.Role) })
		if n < 0 {
			return before, idmap.NotFound(itemKind(roles), id)
		}
		var err error
		if wanted, err = change(rest[n]); err != nil {
			return before, err
		}
		wanted.ID, rest = id, slices.Delete(rest, n, n+1)
		return w.beside(before, []idmap.MapItem{wanted}, rest), nil
	})
	if err != nil {
		return idmap.MapItem{}, relocatedError(err, []idmap.MapItem{wanted}, func(int) string { return "" })
	}
	return given(written.items, []idmap.MapItem{wanted})[0], nil
}

// DeleteMapItem removes one item. Nothing that the map says about others can be wrong by that, so nothing is judged.
func (b *Backend) DeleteMapItem(ctx context.Context, call Call, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string) error {
	return b.update(ctx, func(tx store.Tx) error {
		if err := tx.LockMap(ctx, kind, mapID); err != nil {
			return err
		}
		before, err := storedMap(ctx, tx, kind, mapID)
		if err != nil {
			return err
		}
		item, err := storedItem(ctx, tx, mapID, roles, id)
		if err != nil {
			return err
		}
		was, err := countedMap(ctx, tx, before)
		if err != nil {
			return err
		}
		changes := itemChanges{{before: &item}}
		if err := changes.store(ctx, tx, mapID); err != nil {
			return err
		}
		after, now := before, b.now()
		after.Revision, after.ModifiedOn = before.Revision+1, &now
		if err := tx.UpdateMap(ctx, kind, after); err != nil {
			return err
		}
		is, err := countedMap(ctx, tx, after)
		if err != nil {
			return err
		}
		was.ChangedItems, is.ChangedItems = &auditedItems{Count: 1}, &auditedItems{Count: 1}
		was.ChangedItems.add(&item)
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "update", string(kind), mapID, was, is, "")})
	})
}
