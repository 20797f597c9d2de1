package rulestest

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Check compares a verdict with what the case says.
func Check(t *testing.T, c Case, verdict idmap.UserMappingVerdict) {
	t.Helper()
	if got := CodesOf(verdict.Violations); !slices.Equal(got, c.Refused) {
		t.Errorf("refused with %v, want %v\n%s", got, c.Refused, idmap.Sentences(verdict.Violations))
	}
	if got := CodesOf(verdict.Warnings); len(c.Refused) == 0 && !slices.Equal(got, c.Warned) {
		t.Errorf("warned of %v, want %v\n%s", got, c.Warned, idmap.Sentences(verdict.Warnings))
	}
	if first := append(slices.Clone(verdict.Violations), verdict.Warnings...); c.Field != "" && (len(first) == 0 || first[0].Field != c.Field) {
		t.Errorf("got %v, want a finding at %s", first, c.Field)
	}
	if c.Becomes != nil && (verdict.UserMapping == nil || !c.Becomes(*verdict.UserMapping)) {
		t.Errorf("the mapping becomes %+v", verdict.UserMapping)
	}
}

// CodesOf returns the codes of violations, in their order.
func CodesOf(violations []idmap.Violation) []idmap.Code {
	var found []idmap.Code
	for _, v := range violations {
		found = append(found, v.Code)
	}
	return found
}
