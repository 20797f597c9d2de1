package provider

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// itemField is a field of the wire form that belongs to an item of a map, such as exceptions[3].source.
var itemField = regexp.MustCompile(`^(exceptions|exclusions)\[(\d+)\]`)

// attribute returns where a field of the wire form stands in the configuration.
func (w mapWire) attribute(k mapKind, field string) (path.Path, bool) {
	if found := itemField.FindStringSubmatch(field); found != nil {
		n, err := strconv.Atoi(found[2])
		return w.item(found[1], n, err == nil)
	}
	if strings.HasPrefix(field, "destination.default") {
		return path.Root(k.defaultName), true
	}
	return path.Path{}, false
}

// item returns where an exception or an exclusion stands.
func (w mapWire) item(of string, n int, ok bool) (path.Path, bool) {
	switch {
	case ok && of == "exceptions" && n < len(w.exceptions):
		return path.Root(of).AtMapKey(w.exceptions[n]), true
	case ok && of == "exclusions" && n < len(w.exclusions):
		return path.Root(w.exclusions[n].attribute).AtListIndex(w.exclusions[n].index), true
	}
	return path.Path{}, false
}

// noun is how the map is called in diagnostics, its items too.
func (w mapWire) noun(k mapKind) noun {
	n := k.noun().named(w.Name)
	n.words = func(v idmap.Violation) idmap.Violation { return w.words(k, v) }
	n.part = func(field string) (path.Path, bool) { return w.attribute(k, field) }
	return n
}

// judged reports whether all is known that a violation is about. The options are judged together.
func (m mapModel) judged(v idmap.Violation) bool {
	switch {
	case strings.HasPrefix(v.Field, "map_by"):
		return !hasUnknown(m.Match) && !hasUnknown(m.Fuzzy) && !hasUnknown(m.ExternalUsers)
	case v.Field == "name":
		return !m.Name.IsUnknown()
	case v.Field == "unmapped_policy":
		return !m.UnmappedPolicy.IsUnknown()
	case strings.HasPrefix(v.Field, "destination.default"):
		return !m.Default.IsUnknown()
	}
	return true
}
