package rules

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MaxJobNameLength is the longest name of a job, in characters.
const MaxJobNameLength = 200

// CheckJob reports what a job breaks; accounts and groups are the maps that it names, nil where there is none.
func CheckJob(j idmap.Job, accounts, groups *idmap.Map) []idmap.Violation {
	r := &report{}
	if err := idmap.PlainText(j.Name, MaxJobNameLength); err != nil {
		r.refuse(idmap.CodeInvalid, fieldName, nil, "The name of a job cannot be stored: %s.", err)
	}
	if j.Kind != idmap.JobKindTransfer {
		r.refuse(idmap.CodeInvalid, "kind", nil, "Jobs of kind %q are not kept here. The kind must be %s.", clip(j.Kind), idmap.JobKindTransfer)
	}
	if j.Status != "" && !slices.Contains(idmap.JobStatuses(), j.Status) {
		r.refuse(idmap.CodeInvalid, "status", nil, "There is no status %q. The statuses are %s.", clip(string(j.Status)), join(idmap.JobStatuses()))
	}
	checkMapUse(idmap.AccountMap, j, j.Transfer.AccountMap, accounts, r)
	checkMapUse(idmap.GroupMap, j, j.Transfer.GroupMap, groups, r)
	return r.violations
}

// checkMapUse refuses a map that does not exist, or that leads from or to another connection than the job does.
func checkMapUse(kind idmap.MapKind, j idmap.Job, use *idmap.MapUse, m *idmap.Map, r *report) {
	if use == nil {
		return
	}
	if m == nil {
		r.refuse(idmap.CodeInvalid, fmt.Sprintf("transfer.%s.id", kind), nil, "There is no %s %q. Create it first, or name one that exists by its id.", kind.Label(), clip(use.ID))
		return
	}
	compare := func(end, jobs, maps string) {
		if jobs != maps {
			r.refuse(idmap.CodeConnectionMismatch, "transfer."+end+".connection.id", &idmap.Conflict{Kind: string(kind), ID: m.ID, Holder: m.Name},
				"The %s of the job is connection %q, and that of %s %q is %q. Give the job the same connections, or another map.", end, clip(jobs), kind.Label(), m.Name, maps)
		}
	}
	compare("source", j.Transfer.Source.Connection.ID, m.Source.Connection.ID)
	compare("destination", j.Transfer.Destination.Connection.ID, m.Destination.Connection.ID)
}

// CheckMapDelete reports why a map cannot be deleted; using are the first two of n unfinished jobs that use it, or
// fewer.
func CheckMapDelete(kind idmap.MapKind, m idmap.Map, using []idmap.Job, n int) []idmap.Violation {
	if len(using) == 0 {
		return nil
	}
	jobs := someOf(n, func(i int) string { return fmt.Sprintf("%q (%s)", clip(using[i].Name), using[i].ID) })
	return []idmap.Violation{{
		Code: idmap.CodeMapInUse, Conflict: &idmap.Conflict{Kind: "job", ID: using[0].ID, Holder: using[0].Name},
		Description: fmt.Sprintf("The %s %q is in use by %s that did not finish yet: %s. Finish or delete what uses it first.",
			kind.Label(), m.Name, count(n, "job"), jobs),
	}}
}
