package backend

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
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

// audited returns the map as it was and as it is for the audit log. Both have their items but for the rest.
func (c itemChanges) audited(before, after idmap.Map, rest rules.ItemCounts) (was, is auditedMap) {
	was, is = auditedMapOf(before, rest), auditedMapOf(after, rest)
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

func auditedMapOf(m idmap.Map, rest rules.ItemCounts) auditedMap {
	all := countsOf(m).Plus(rest)
	return auditedMap{Map: withoutItems(m), ExceptionCount: all.Exceptions, ExclusionCount: all.Exclusions}
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
