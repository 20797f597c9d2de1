package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// MaxMapNameLength is the longest name of a map, in characters.
const MaxMapNameLength = 200

// Fields of a map as violations name them: the paths of the wire form. Its connections are called as those of a
// mapping.
const (
	fieldName               = "name"
	fieldUnmappedPolicy     = "unmapped_policy"
	fieldMapBy              = "map_by"
	fieldSourceDefault      = "source.default"
	fieldDestinationDefault = "destination.default"
	fieldExceptions         = "exceptions"
	fieldExclusions         = "exclusions"
)

// CheckMap reports what a map breaks on its own: whatever is stored, and whatever its connections are. A connection
// without an id is not known yet.
func CheckMap(kind idmap.MapKind, m idmap.Map) []idmap.Violation {
	c := newMapCheck(MapChange{Kind: kind, After: m})
	c.checkForm()
	c.checkDefaults()
	c.checkItems()
	c.tellMore()
	return c.violations
}

// CompleteMap returns the map with the defaults of what was left out.
func CompleteMap(m idmap.Map) idmap.Map {
	if m.UnmappedPolicy == "" {
		m.UnmappedPolicy = idmap.UnmappedPolicies()[0]
	}
	if m.MapBy.Fuzzy && m.MapBy.FuzzyThreshold == nil {
		m.MapBy.FuzzyThreshold = new(match.DefaultThreshold)
	}
	if m.MapBy.ExternalPassthrough && m.MapBy.ExternalResolve == "" {
		m.MapBy.ExternalResolve = idmap.ExternalResolveNever
	}
	return m
}

// MapChange is a map as somebody wants it, and what the rules look up to judge it.
type MapChange struct {
	Kind   idmap.MapKind
	Before *idmap.Map // as stored, with at least the items that After could touch; nil for a create
	After  idmap.Map  // with the items that were sent; nil ones stay as they are
	// Kept are the ids of those of Before's items that stay, though After does not have them. What is wrong is the
	// fault of what was sent, and nothing is said about these.
	Kept map[string]bool
	Rest ItemCounts // of the stored items that stay as well, and are not in Before

	Source, Destination *idmap.Connection // of After; nil: does not exist
	// Sources and Destinations find at least all that After could name, and all that Before is bound to, the deleted ones
	// too.
	Sources, Destinations *match.Index
	SameName              *idmap.Map // another map of the kind that has the name
}

// CheckMapChange judges a change. The map of a verdict without violations is complete: defaults are filled in, its
// items (here the verdict has them, those that were sent first) and its defaults are bound to ids. An item that is
// called as a stored one is keeps what that is bound to, and its id.
func CheckMapChange(change MapChange) idmap.MapVerdict {
	c := newMapCheck(change)
	c.checkForm()
	c.checkConnections()
	c.checkName()
	c.checkPlatforms()
	c.checkDefaults()
	c.checkItems()
	c.checkContradictions()
	c.tellMore()
	if len(c.violations) > 0 {
		return idmap.MapVerdict{Violations: c.violations} // what is refused needs no warnings
	}
	m := c.m.WithItems(slices.Concat(c.exceptions.sent, c.exceptions.kept, c.exclusions.sent, c.exclusions.kept))
	return idmap.MapVerdict{Map: &m, Warnings: c.warnings, Claims: []string{"name|" + m.Key()}}
}

// mapCheck is the judgement of one map.
type mapCheck struct {
	MapChange
	report
	refused, warned findings // of items

	m                      idmap.Map // After, completed; its defaults get bound
	source, destination    side
	stored                 StoredItems
	exceptions, exclusions itemList // as they get bound
}

func newMapCheck(change MapChange) *mapCheck {
	c := &mapCheck{MapChange: change, m: CompleteMap(change.After), stored: change.stored()}
	c.exceptions, c.exclusions = change.lists()
	if change.Source != nil && !c.moved(sourceOf) {
		c.source = side{in: change.Source, index: change.Sources}
	}
	if change.Destination != nil && !c.moved(destinationOf) {
		byID := change.Kind == idmap.GroupMap && change.Destination.Platform.ID == "box"
		c.destination = side{in: change.Destination, index: change.Destinations, byID: byID}
	}
	return c
}

func sourceOf(m idmap.Map) string      { return m.Source.Connection.ID }
func destinationOf(m idmap.Map) string { return m.Destination.Connection.ID }

// moved reports whether an end of the map is to be another connection than it is.
func (c *mapCheck) moved(connection func(idmap.Map) string) bool {
	return c.Before != nil && connection(c.After) != "" && connection(c.After) != connection(*c.Before)
}

// checkForm checks what needs nothing but the map, except for its items and defaults.
func (c *mapCheck) checkForm() {
	c.violations = append(c.violations, checkName(c.Kind.WithArticle(), c.m.Name, MaxMapNameLength)...)
	if source := sourceOf(c.m); source != "" && source == destinationOf(c.m) {
		c.refuse(idmap.CodeInvalid, fieldDestinationConnection, nil,
			"One connection is both source and destination. A map leads from one connection to another: choose another destination.")
	}
	if c.m.MapBy.Passthrough && c.m.UnmappedPolicy == idmap.UnmappedFail {
		c.refuse(idmap.CodeInvalid, fieldUnmappedPolicy, nil,
			"The map hands over whatever nothing maps as it is (passthrough), and it fails for the same (fail). Choose one of the two.")
	}
	if !slices.Contains(idmap.UnmappedPolicies(), c.m.UnmappedPolicy) {
		c.refuse(idmap.CodeInvalid, fieldUnmappedPolicy, nil, "There is no policy %q. The policies are %s.",
			clip(string(c.m.UnmappedPolicy)), join(idmap.UnmappedPolicies()))
	}
	c.checkMapBy()
}

func (c *mapCheck) checkConnections() {
	const missing = "There is no connection %q. Create it first, or name one that exists by its id."
	const fixed = "The %s of the map is connection %q, and the connections of a map never change; %q is another. Delete this map and create a new one."
	if c.Source == nil {
		c.refuse(idmap.CodeUnknownConnection, fieldSourceConnection, nil, missing, clip(sourceOf(c.After)))
	}
	if c.Destination == nil {
		c.refuse(idmap.CodeUnknownConnection, fieldDestinationConnection, nil, missing, clip(destinationOf(c.After)))
	}
	if c.moved(sourceOf) {
		c.refuse(idmap.CodeImmutable, fieldSourceConnection, nil, fixed, "source", sourceOf(*c.Before), clip(sourceOf(c.After)))
	}
	if c.moved(destinationOf) {
		c.refuse(idmap.CodeImmutable, fieldDestinationConnection, nil, fixed, "destination", destinationOf(*c.Before), clip(destinationOf(c.After)))
	}
}

func (c *mapCheck) checkName() {
	x := c.SameName
	if x == nil || c.Before != nil && x.ID == c.Before.ID {
		return
	}
	advice := "Take another name."
	if c.Before == nil {
		advice = "Take another name; if it is the one you mean, import it."
	}
	c.refuse(idmap.CodeNameInUse, fieldName, &idmap.Conflict{Kind: string(c.Kind), ID: x.ID, Holder: x.Name},
		"There is %s %q already (%s). %s", c.Kind.WithArticle(), x.Name, x.ID, advice)
}

// someOf names the first two of n, and how many there are besides.
func someOf(n int, name func(int) string) string {
	switch n {
	case 1:
		return name(0)
	case 2:
		return name(0) + " and " + name(1)
	default:
		return fmt.Sprintf("%s, %s and %d more", name(0), name(1), n-2)
	}
}

func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}
