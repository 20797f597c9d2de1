package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const mapItemColumns = `id, role, subject, target`

var mapItems = table[idmap.MapItem]{
	name: "map_items", columns: mapItemColumns, scan: scanMapItem,
	id: func(i idmap.MapItem) string { return i.ID },
}

func scanMapItem(r row) (i idmap.MapItem, err error) {
	err = r.Scan(&i.ID, &i.Role, document{&i.Subject}, document{&i.Target})
	return i, err
}

// mapItemValues are the values of mapItemColumns, then map_id, subject_id and search.
func mapItemValues(mapID string, i idmap.MapItem) ([]any, error) {
	if i.ID == "" || i.Role == "" || i.Subject.ID == "" {
		return nil, fmt.Errorf("item %q of map %q has no id, no role, or a subject without id", i.ID, mapID)
	}
	subject, errSubject := jsonText(i.Subject)
	target, errTarget := jsonText(i.Target)
	search := searchText(append(called(i.Subject), called(i.Target)...)...)
	return []any{i.ID, string(i.Role), subject, target, mapID, i.Subject.ID, search}, errors.Join(errSubject, errTarget)
}

func called(p idmap.Principal) []string {
	return []string{p.Name, p.Username, p.Email, p.Caption, p.ID}
}

// mapItemWhere does not say of which map the items are.
func mapItemWhere(f idmap.MapItemFilter) (w where) {
	if len(f.Roles) > 0 {
		var roles []any
		for _, role := range f.Roles {
			roles = append(roles, string(role))
		}
		w.and("role IN ("+repeated("?", len(roles))+")", roles...)
	}
	w.contains("search", f.Query)
	return w
}

// named reports whether the filter names items, or their subjects, one by one: more than one statement may take.
func named(f idmap.MapItemFilter) bool { return len(f.IDs)+len(f.SubjectIDs) > 0 }

func (s *session) ListMapItems(ctx context.Context, mapID string, f idmap.MapItemFilter, page idmap.Page) ([]idmap.MapItem, error) {
	w := mapItemWhere(f)
	if !named(f) {
		w.and("map_id = ?", mapID)
		return list(ctx, s, mapItems, w, page)
	}
	if page.After != "" {
		w.and("id > ?", page.After)
	}
	found, err := s.namedMapItems(ctx, mapID, w, f)
	slices.SortFunc(found, func(a, b idmap.MapItem) int { return strings.Compare(a.ID, b.ID) })
	return found[:min(len(found), page.Limit)], err
}

func (s *session) CountMapItems(ctx context.Context, mapID string, f idmap.MapItemFilter) (int, error) {
	w := mapItemWhere(f)
	if !named(f) {
		w.and("map_id = ?", mapID)
		return count(ctx, s, "map_items", w)
	}
	found, err := s.namedMapItems(ctx, mapID, w, f)
	return len(found), err
}

// namedMapItems finds the items of w that the filter names.
func (s *session) namedMapItems(ctx context.Context, mapID string, w where, f idmap.MapItemFilter) ([]idmap.MapItem, error) {
	if len(f.IDs) == 0 {
		return s.mapItemsBy(ctx, "subject_id", mapID, f.SubjectIDs, w)
	}
	found, err := s.mapItemsBy(ctx, "id", mapID, f.IDs, w)
	if len(f.SubjectIDs) == 0 {
		return found, err
	}
	subjects := make(map[string]bool, len(f.SubjectIDs))
	for _, id := range f.SubjectIDs {
		subjects[id] = true
	}
	return slices.DeleteFunc(found, func(i idmap.MapItem) bool { return !subjects[i.Subject.ID] }), err
}

// mapItemsBy finds the items of w that have one of the keys in a column.
func (s *session) mapItemsBy(ctx context.Context, column, mapID string, keys []string, w where) ([]idmap.MapItem, error) {
	l := newLookup(s, mapItems)
	if w.nothing || !storable(mapID) {
		return l.answer()
	}
	err := s.eachOfMap(column, mapID, keys, func(condition string, args []any) error {
		w := where{slices.Clone(w.conditions), slices.Clone(w.args), false}
		w.and(condition, args...)
		l.run(ctx, strings.Join(w.conditions, " AND "), w.args)
		return l.err
	})
	return l.found, err
}

// eachOfMap calls fn for every chunk of keys, with the condition that a row is of the map and has one of them in the
// column. It speaks of pairs: to "map_id = ? AND id IN (…)" a PostgreSQL that knows nothing about a new table yet reads
// the whole map for each chunk, and a map of many items would take the square of them.
func (s *session) eachOfMap(column, mapID string, keys []string, fn func(condition string, args []any) error) error {
	for chunk := range slices.Chunk(storableKeys(keys), max(1, s.dialect.Keys/2)) {
		var args []any
		for _, key := range chunk {
			args = append(args, mapID, key)
		}
		if err := fn("(map_id, "+column+") IN (VALUES "+repeated("(?, ?)", len(chunk))+")", args); err != nil {
			return err
		}
	}
	return s.failed
}

// PutMapItems removes what it replaces before it writes anything, so that items may swap their subjects in one call.
func (s *session) PutMapItems(ctx context.Context, mapID string, items []idmap.MapItem) error {
	items = lastOfEach(items, mapItems.id)
	ids, rows := make([]string, len(items)), make([][]any, len(items))
	for n, i := range items {
		values, err := mapItemValues(mapID, i)
		if err != nil {
			return s.fail(ctx, err)
		}
		ids[n], rows[n] = i.ID, values
	}
	if err := s.DeleteMapItems(ctx, mapID, ids); err != nil {
		return err
	}
	return s.insert(ctx, "map_items", mapItemColumns+", map_id, subject_id, search", "", rows, nil)
}

func (s *session) DeleteMapItems(ctx context.Context, mapID string, ids []string) error {
	return s.eachOfMap("id", mapID, ids, func(condition string, args []any) error {
		_, err := s.exec(ctx, `DELETE FROM map_items WHERE `+condition, args...)
		return err
	})
}
