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

// mapItemWriteColumns are the columns that a write fills.
const mapItemWriteColumns = mapItemColumns + ", map_id, subject_id, subject_digest, target_id, search"

func mapItemValues(mapID string, i idmap.MapItem) ([]any, error) {
	if i.ID == "" || i.Role == "" || i.Subject.ID == "" {
		return nil, fmt.Errorf("item %q of map %q has no id, no role, or a subject without id", i.ID, mapID)
	}
	subject, errSubject := jsonText(i.Subject)
	target, errTarget := jsonText(i.Target)
	search := searchText(append(called(i.Subject), called(i.Target)...)...)
	return []any{
		i.ID, string(i.Role), subject, target, mapID, i.Subject.ID, calledDigest(i.Subject), i.Target.ID, search,
	}, errors.Join(errSubject, errTarget)
}

// calledDigest stands for what a principal is called. It is empty for one that is called nothing, or what is no text.
func calledDigest(p idmap.Principal) string {
	name := p.Named()
	text, err := jsonText(name)
	if err != nil || name == (idmap.Principal{}) {
		return ""
	}
	return digest(text)
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

// itemKey is a column by which items are named one by one: more than one statement may take.
type itemKey struct {
	column string
	of     func(idmap.MapItem) string
	keys   []string
}

// itemKeys returns the alternatives of a filter.
func itemKeys(f idmap.MapItemFilter) []itemKey {
	calledAs := make([]string, len(f.CalledAs))
	for n, p := range f.CalledAs {
		calledAs[n] = calledDigest(p)
	}
	return slices.DeleteFunc([]itemKey{
		{"subject_id", func(i idmap.MapItem) string { return i.Subject.ID }, f.SubjectIDs},
		{"target_id", func(i idmap.MapItem) string { return i.Target.ID }, f.TargetIDs},
		{"subject_digest", func(i idmap.MapItem) string { return calledDigest(i.Subject) }, calledAs},
	}, func(k itemKey) bool { return len(k.keys) == 0 })
}

func named(f idmap.MapItemFilter) bool { return len(f.IDs) > 0 || len(itemKeys(f)) > 0 }

func (s *session) ListMapItems(ctx context.Context, mapID string, f idmap.MapItemFilter, page idmap.Page) ([]idmap.MapItem, error) {
	w := mapItemWhere(f)
	if !named(f) {
		w.and("map_id = ?", mapID)
		return list(ctx, s, mapItems, w, page)
	}
	w.nothing = w.nothing || !storable(page.After)
	found, err := s.namedMapItems(ctx, mapID, w, f)
	// Not in SQL: SQLite would read all the rest of the map for each chunk of keys.
	found = slices.DeleteFunc(found, func(i idmap.MapItem) bool { return i.ID <= page.After })
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
	alternatives := itemKeys(f)
	if len(f.IDs) == 0 {
		return s.mapItemsBy(ctx, mapID, alternatives, w)
	}
	found, err := s.mapItemsBy(ctx, mapID, []itemKey{{column: "id", keys: f.IDs}}, w)
	if len(alternatives) == 0 {
		return found, err
	}
	return itemsWith(found, alternatives), err
}

// itemsWith returns the items that have one of the keys.
func itemsWith(items []idmap.MapItem, alternatives []itemKey) []idmap.MapItem {
	keep := map[string]bool{}
	for _, k := range alternatives {
		wanted := map[string]bool{}
		for _, key := range k.keys {
			wanted[key] = key != ""
		}
		for _, i := range items {
			keep[i.ID] = keep[i.ID] || wanted[k.of(i)]
		}
	}
	return slices.DeleteFunc(items, func(i idmap.MapItem) bool { return !keep[i.ID] })
}

// mapItemsBy finds the items of w that have one of the keys, each once.
func (s *session) mapItemsBy(ctx context.Context, mapID string, alternatives []itemKey, w where) ([]idmap.MapItem, error) {
	l := newLookup(s, mapItems)
	if w.nothing || !storable(mapID) {
		return l.answer()
	}
	for _, k := range alternatives {
		err := s.eachOfMap(k.column, mapID, k.keys, func(condition string, args []any) error {
			w := where{slices.Clone(w.conditions), slices.Clone(w.args), false}
			w.and(condition, args...)
			l.run(ctx, strings.Join(w.conditions, " AND "), w.args)
			return l.err
		})
		if err != nil {
			return nil, err
		}
	}
	return l.found, nil
}

// eachOfMap calls fn for every chunk of keys, with the condition that a row is of the map and has one of them in the
// column. It speaks of pairs: to "map_id = ? AND id IN (…)" a PostgreSQL that knows nothing about a new table yet reads
// the whole map for each chunk, and a map of many items would take the square of them. An empty key is none: many items
// have no target.
func (s *session) eachOfMap(column, mapID string, keys []string, fn func(condition string, args []any) error) error {
	keys = slices.DeleteFunc(storableKeys(keys), func(key string) bool { return key == "" })
	for chunk := range slices.Chunk(keys, max(1, s.dialect.Keys/2)) {
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
	return s.insert(ctx, "map_items", mapItemWriteColumns, "", rows, nil)
}

func (s *session) DeleteMapItems(ctx context.Context, mapID string, ids []string) error {
	return s.eachOfMap("id", mapID, ids, func(condition string, args []any) error {
		_, err := s.exec(ctx, `DELETE FROM map_items WHERE `+condition, args...)
		return err
	})
}
