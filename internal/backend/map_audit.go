package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxAuditedItems is how many changed items an entry of the audit log tells; a map may have many thousands.
const maxAuditedItems = 100

// auditedMap is a map as the audit log tells it: how many items it has and, of those that changed, the first.
type auditedMap struct {
	idmap.Map
	ExceptionCount int           `json:"exception_count"`
	ExclusionCount int           `json:"exclusion_count"`
	ChangedItems   *auditedItems `json:"changed_items,omitempty"`
}

type auditedItems struct {
	Count      int                  `json:"count"`
	Exceptions []idmap.MapException `json:"exceptions,omitempty"`
	Exclusions []idmap.MapExclusion `json:"exclusions,omitempty"`
}

// audited returns the map as it was and as it is, both with their items, for the audit log.
func (c itemChanges) audited(before, after idmap.Map) (was, is auditedMap) {
	was, is = auditedMapOf(before), auditedMapOf(after)
	if len(c) == 0 {
		return was, is
	}
	was.ChangedItems, is.ChangedItems = &auditedItems{Count: len(c)}, &auditedItems{Count: len(c)}
	for _, change := range c[:min(len(c), maxAuditedItems)] {
		was.ChangedItems.add(change.before)
		is.ChangedItems.add(change.after)
	}
	return was, is
}

func auditedMapOf(m idmap.Map) auditedMap {
	a := auditedMap{Map: withoutItems(m)}
	if m.Exceptions != nil {
		a.ExceptionCount = len(*m.Exceptions)
	}
	if m.Exclusions != nil {
		a.ExclusionCount = len(*m.Exclusions)
	}
	return a
}

func (a *auditedItems) add(i *idmap.MapItem) {
	switch {
	case i == nil:
	case i.Role == idmap.RoleException:
		a.Exceptions = append(a.Exceptions, i.Exception())
	default:
		a.Exclusions = append(a.Exclusions, i.Exclusion())
	}
}

// countedMap counts the items of a stored map instead of reading them.
func countedMap(ctx context.Context, r store.Reader, m idmap.Map) (auditedMap, error) {
	a := auditedMap{Map: withoutItems(m)}
	all, err := r.CountMapItems(ctx, m.ID, idmap.MapItemFilter{})
	if err != nil {
		return a, err
	}
	a.ExceptionCount, err = r.CountMapItems(ctx, m.ID, idmap.MapItemFilter{Roles: []idmap.ItemRole{idmap.RoleException}})
	a.ExclusionCount = all - a.ExceptionCount
	return a, err
}
