package rules

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// WarnOfEffect returns what a change of a map does that its owner should know: see idmap.MapEffect. create says that
// there was no map before.
func WarnOfEffect(kind idmap.MapKind, m idmap.Map, effect idmap.MapEffect, create bool) []idmap.Violation {
	r := &report{}
	if create {
		warnOfIncomplete(kind, m, effect.Totals, r)
		return r.warnings
	}
	if effect.Changed > 0 {
		r.warn(idmap.CodeMapChangesResults, "", "Of %s of the source of %s %q, %d resolve otherwise than before. Compare the report of the map.",
			count(effect.Totals.Sources, kind.Entry()), kind.Label(), m.Name, effect.Changed)
	}
	if effect.Jobs > 0 {
		r.warn(idmap.CodeMapNotRetroactive, "", "What was transferred already keeps the result of %s %q as it was (%s). Run a job again to transfer by the changed map.",
			kind.Label(), m.Name, count(effect.Jobs, "job"))
	}
	return r.warnings
}

// warnOfIncomplete counts those with several candidates apart: they are what an exception settles. They need not be
// unresolved, since a default takes them as well.
func warnOfIncomplete(kind idmap.MapKind, m idmap.Map, totals idmap.MapTotals, r *report) {
	unresolved := totals.ByResolution[idmap.Unresolved]
	if unresolved == 0 {
		return
	}
	ambiguous := ""
	if n := totals.ByReason[idmap.ReasonAmbiguous]; n > 0 {
		ambiguous = fmt.Sprintf(" %s matched several, which decides nothing.", count(n, kind.Entry()))
	}
	consequence := "What they own is left out of a transfer."
	if m.UnmappedPolicy == idmap.UnmappedFail {
		consequence = "The transfer of what they own fails."
	}
	r.warn(idmap.CodeMapIncomplete, "", "Of %s of the source, %s %q leaves %d unresolved.%s %s See its report, and add exceptions, match options or a default.",
		count(totals.Sources, kind.Entry()), kind.Label(), m.Name, unresolved, ambiguous, consequence)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
