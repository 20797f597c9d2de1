package cli

import (
	"errors"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// wordsOf returns what to tell a person of an error. A refusal of the backend is told in its own sentences, one on each
// line if there are several; which request it was matters only when the backend is at fault.
func wordsOf(err error) string {
	refused, ok := errors.AsType[*idmap.Error](err)
	if !ok || len(refused.Violations) == 0 || refused.Kind == idmap.KindInternal {
		return err.Error()
	}
	before, _, _ := strings.Cut(err.Error(), refused.Error()) // what was wrapped around it
	if len(refused.Violations) == 1 {
		return before + said(refused.Violations[0])
	}
	lines := []string{strings.TrimSpace(before)}
	if lines[0] == "" {
		lines[0] = "The mapping backend refused it:"
	}
	for _, v := range refused.Violations {
		lines = append(lines, "  "+said(v))
	}
	return strings.Join(lines, "\n")
}

// said names the field where the description does not: a request that could not be read is described by its decoder.
func said(v idmap.Violation) string {
	if v.Code == idmap.CodeMalformed && v.Field != "" {
		return strings.TrimSuffix(v.Description, ".") + " (" + v.Field + ")."
	}
	return v.Description
}
