package rulestest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// effectCodes are warnings of what a map does to a directory. They are not of the table: what a case is refused or
// warned of does not depend on them.
var effectCodes = []idmap.Code{idmap.CodeMapIncomplete, idmap.CodeMapChangesResults, idmap.CodeMapNotRetroactive}

// JudgeMap answers what the rules say of a case. It panics where they refuse what the case says is stored: the table is
// wrong then.
func JudgeMap(c MapCase) idmap.MapVerdict {
	change := rules.MapChange{Kind: c.Kind, After: c.Want}
	if c.Before != nil {
		change.Before = new(storedMap(c.Kind, "map-before", *c.Before))
		change.After.ID = change.Before.ID
	}
	if c.Other != nil {
		if other := storedMap(c.Kind, "map-other", *c.Other); other.Key() == c.Want.Key() {
			change.SameName = &other
		}
	}
	return rules.CheckMapChange(inMapWorld(change, c.Then))
}

func storedMap(kind idmap.MapKind, id string, m idmap.Map) idmap.Map {
	verdict := rules.CheckMapChange(inMapWorld(rules.MapChange{Kind: kind, After: m}, nil))
	if verdict.Map == nil {
		panic("the case's own map is refused: " + idmap.Sentences(verdict.Violations))
	}
	m = *verdict.Map
	m.ID = id
	items := m.Items()
	for i := range items {
		items[i].ID = fmt.Sprintf("item-%d", i)
	}
	return m.WithItems(items)
}

// inMapWorld fills in what the rules look up.
func inMapWorld(change rules.MapChange, events []MapEvent) rules.MapChange {
	source, destination := change.After.Source.Connection.ID, change.After.Destination.Connection.ID
	for _, c := range MapConnections() {
		if c.ID == source {
			change.Source, change.Sources = &c, MapIndex(change.Kind, source, events)
		}
		if c.ID == destination {
			change.Destination, change.Destinations = &c, MapIndex(change.Kind, destination, events)
		}
	}
	return change
}

// CheckMap compares a verdict with what the case says. Warnings of the map's effect are overlooked.
func CheckMap(t *testing.T, c MapCase, verdict idmap.MapVerdict) {
	t.Helper()
	warnings := slices.DeleteFunc(slices.Clone(verdict.Warnings), func(v idmap.Violation) bool { return slices.Contains(effectCodes, v.Code) })
	if got := CodesOf(verdict.Violations); !slices.Equal(got, c.Refused) {
		t.Errorf("refused with %v, want %v\n%s", got, c.Refused, idmap.Sentences(verdict.Violations))
	}
	if got := CodesOf(warnings); len(c.Refused) == 0 && !slices.Equal(got, c.Warned) {
		t.Errorf("warned of %v, want %v\n%s", got, c.Warned, idmap.Sentences(warnings))
	}
	if first := append(slices.Clone(verdict.Violations), warnings...); c.Field != "" && (len(first) == 0 || first[0].Field != c.Field) {
		t.Errorf("got %v, want a finding at %s", first, c.Field)
	}
}

// CheckStoredMap compares a map that was stored, with its items, with what the case says. It is also what the map of a
// verdict of the rules themselves must be.
func CheckStoredMap(t *testing.T, c MapCase, m idmap.Map) {
	t.Helper()
	if c.Becomes != nil && !c.Becomes(m) {
		t.Errorf("the map becomes %+v with exceptions %+v and exclusions %+v", m, m.Exceptions, m.Exclusions)
	}
}
