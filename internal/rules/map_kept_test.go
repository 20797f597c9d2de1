package rules_test

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestKeptItems: what is wrong between an item that was sent and one that stays is said of the first.
func TestKeptItems(t *testing.T) {
	t.Parallel()
	named := func(name string) idmap.Principal { return idmap.Principal{Name: name} }
	before := idmap.Map{}.WithItems([]idmap.MapItem{
		{ID: "jane", Role: idmap.RoleException, Subject: idmap.Principal{ID: "s-jane", Name: "jane.doe"}, Target: idmap.Principal{ID: "d-off", Name: "ollie.off"}},
		{ID: "twin", Role: idmap.RoleDestinationExclusion, Subject: idmap.Principal{ID: "d-twin-1", Name: "sam.one"}},
	})
	full := rules.ItemCounts{Exceptions: idmap.MaxMapItems - 1, Exclusions: idmap.MaxMapItems - 1}
	for _, c := range []struct {
		name string
		sent idmap.MapItem
		rest rules.ItemCounts
		want []string // code and field
	}{
		{"another exception", idmap.MapItem{Role: idmap.RoleException, Subject: named("john.roe"), Target: named("ollie.off")}, rules.ItemCounts{}, []string{"inactive_account exceptions[0].destination"}},
		{"the same subject", idmap.MapItem{Role: idmap.RoleException, Subject: named("jdoe@contoso.com"), Target: named("lea.ver")}, rules.ItemCounts{}, []string{"duplicate_exception exceptions[0].source"}},
		{"the same name", idmap.MapItem{Role: idmap.RoleException, Subject: named("jane.doe"), Target: named("lea.ver")}, rules.ItemCounts{}, []string{"duplicate_exception exceptions[0].source"}},
		{"an excluded target", idmap.MapItem{Role: idmap.RoleException, Subject: named("lea.ver"), Target: named("sam.one")}, rules.ItemCounts{}, []string{"invalid exceptions[0].destination"}},
		{"the target of an exception", idmap.MapItem{Role: idmap.RoleDestinationExclusion, Subject: named("d-off")}, rules.ItemCounts{}, []string{"invalid exclusions[0].sid"}},
		{"an exclusion", idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: named("jane.doe")}, rules.ItemCounts{}, nil},
		{"one exception too many", idmap.MapItem{Role: idmap.RoleException, Subject: named("lea.ver"), Target: named("lea.ver")}, full, []string{"invalid exceptions"}},
		{"one exclusion too many", idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: named("lea.ver")}, full, []string{"invalid exclusions"}},
	} {
		stored := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
		change := rules.MapChange{
			Kind: idmap.AccountMap, Before: new(stored.WithItems(before.Items())), After: stored.WithItems([]idmap.MapItem{c.sent}),
			Kept: map[string]bool{"jane": true, "twin": true}, Rest: c.rest,
		}
		for _, connection := range rulestest.MapConnections() {
			switch connection.ID {
			case rulestest.OldFiles:
				change.Source, change.Sources = &connection, rulestest.MapIndex(idmap.AccountMap, connection.ID, nil)
			case rulestest.NewFiles:
				change.Destination, change.Destinations = &connection, rulestest.MapIndex(idmap.AccountMap, connection.ID, nil)
			}
		}
		verdict := rules.CheckMapChange(change)
		var got []string
		for _, v := range slices.Concat(verdict.Violations, verdict.Warnings) {
			got = append(got, string(v.Code)+" "+v.Field)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q\n%s", c.name, got, c.want, idmap.Sentences(verdict.Violations))
		}
		if verdict.Map != nil && len(verdict.Map.Items()) != 3 {
			t.Errorf("%s: the map has %+v, want what was sent and what stays", c.name, verdict.Map.Items())
		}
	}
}

// TestLookUps: who is called as a stored item is looked up by what that is bound to as well, and nobody for a list that is
// too long.
func TestLookUps(t *testing.T) {
	t.Parallel()
	stored := idmap.MapItem{ID: "1", Role: idmap.RoleException, Subject: idmap.Principal{ID: "s", Name: "a"}, Target: idmap.Principal{ID: "d", Name: "b"}}
	change := rules.MapChange{Before: new(idmap.Map{}.WithItems([]idmap.MapItem{stored})), After: idmap.Map{}.WithItems([]idmap.MapItem{
		{Role: idmap.RoleException, Subject: idmap.Principal{Name: "a"}, Target: idmap.Principal{Name: "c"}},
		{Role: idmap.RoleDestinationExclusion, Subject: idmap.Principal{Name: "a"}},
	})}
	sources, destinations := change.LookUps()
	if !slices.Equal(sources, []idmap.Principal{{ID: "s"}, {Name: "a"}}) || !slices.Equal(destinations, []idmap.Principal{{Name: "c"}, {Name: "a"}}) {
		t.Errorf("looked up are %+v and %+v", sources, destinations)
	}
	change.Rest.Exclusions = idmap.MaxMapItems
	if sources, destinations = change.LookUps(); len(sources)+len(destinations) > 0 {
		t.Errorf("for too many, looked up are %+v and %+v", sources, destinations)
	}
}
