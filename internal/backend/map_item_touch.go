package backend

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// touched reads the stored items that those which were sent could replace, repeat or contradict, however many others
// there are, and tells the ids of those that they replace where they are added.
func (w *mapWorld) touched(ctx context.Context, m idmap.Map, sent []idmap.MapItem) (read []idmap.MapItem, replaced map[string]bool, err error) {
	if len(sent) == 0 {
		return nil, nil, nil
	}
	if read, err = w.calledAs(ctx, m.ID, sent); err != nil {
		return nil, nil, err
	}
	source, destination, err := w.sides(ctx, m, read, sent)
	if err != nil {
		return nil, nil, err
	}
	about := idmap.MapItemFilter{SubjectIDs: slices.Concat(source.ids(), destination.ids())}
	if slices.ContainsFunc(sent, func(i idmap.MapItem) bool { return i.Role == idmap.RoleDestinationExclusion }) {
		about.TargetIDs = destination.ids()
	}
	if len(about.SubjectIDs) > 0 { // else all would be selected
		more, err := allItems(ctx, w.r, m.ID, about)
		if err != nil {
			return nil, nil, err
		}
		read = union(read, more)
	}
	return read, replacedBy(sent, read, source.index, destination.index), nil
}

// calledAs reads the stored items whose subjects have the names, or the ids, of those that were sent.
func (w *mapWorld) calledAs(ctx context.Context, mapID string, sent []idmap.MapItem) ([]idmap.MapItem, error) {
	var f idmap.MapItemFilter
	for _, i := range sent {
		f.CalledAs = append(f.CalledAs, i.Subject)
		if i.Subject.ID != "" {
			f.SubjectIDs = append(f.SubjectIDs, i.Subject.ID)
		}
	}
	return allItems(ctx, w.r, mapID, f)
}

// namedSide are those of one side of a map whom items name.
type namedSide struct {
	index      *match.Index
	principals []idmap.Principal
}

// sides looks up whom the items name, on either side.
func (w *mapWorld) sides(ctx context.Context, m idmap.Map, stored, sent []idmap.MapItem) (source, destination namedSide, err error) {
	source.principals, destination.principals = rules.MapChange{
		Before: new(idmap.Map{}.WithItems(stored)), After: idmap.Map{}.WithItems(sent), // without the map's defaults
	}.LookUps()
	if source.index, err = w.namedIndex(ctx, m.Source.Connection.ID, source.principals); err != nil {
		return source, destination, err
	}
	destination.index, err = w.namedIndex(ctx, m.Destination.Connection.ID, destination.principals)
	return source, destination, err
}

// ids returns the ids of those who are named, each alone, and the ids that they are named by.
func (s namedSide) ids() []string {
	ids := keySet{}
	for _, p := range s.principals {
		ids.add("", p.ID)
		if named := s.index.Find(p).Entries; len(named) == 1 {
			ids.add("", named[0].Principal.ID)
		}
	}
	return ids.of("")
}

// union returns all items, each once.
func union(items, more []idmap.MapItem) []idmap.MapItem {
	known := byID(items, func(i idmap.MapItem) string { return i.ID })
	for _, i := range more {
		if _, twice := known[i.ID]; !twice {
			items = append(items, i)
		}
	}
	return items
}

// replacedBy returns the ids of the stored items that are called as those which were sent are, or are about the same.
func replacedBy(sent, stored []idmap.MapItem, source, destination *match.Index) map[string]bool {
	replaced, items := map[string]bool{}, rules.NewStoredItems(stored)
	for _, i := range sent {
		was := items.Like(i)
		if was == nil {
			index := source
			if i.Role == idmap.RoleDestinationExclusion {
				index = destination
			}
			was = items.About(i.Role, index.Find(i.Subject))
		}
		if was != nil {
			replaced[was.ID] = true
		}
	}
	return replaced
}
