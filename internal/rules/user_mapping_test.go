package rules_test

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestUserMappings(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			w, change := world(c)
			verdict := rules.CheckUserMappings(w, []rules.Change{change})[0]
			rulestest.Check(t, c, verdict)
		})
	}
}

// world returns the world of a case, and the change that the case is about.
func world(c rulestest.Case) (*rules.World, rules.Change) {
	live := c.Live
	if c.Update != nil {
		live = append(slices.Clone(live), *c.Update)
	}
	w := rulestest.World(live, c.Gone)
	change := rules.Change{After: &c.Want}
	if c.Update != nil {
		before := w.Mappings[len(w.Mappings)-1]
		change.Before = &before
		change.After.ID = before.ID
	}
	return w, change
}

func TestEveryCodeHasACase(t *testing.T) {
	t.Parallel()
	seen := map[idmap.Code]bool{
		idmap.CodeRevisionConflict: true, // needs two writers: the backend's tests
	}
	for _, c := range rulestest.Cases() {
		for _, code := range append(slices.Clone(c.Refused), c.Warned...) {
			seen[code] = true
		}
	}
	for _, info := range idmap.Codes() {
		if info.Code == idmap.CodeNoMatchOption {
			break // from here on: codes of maps, of requests and of other objects
		}
		if !seen[info.Code] {
			t.Errorf("no case shows %s", info.Code)
		}
	}
}

func TestChangesSeeEachOther(t *testing.T) {
	t.Parallel()
	open := rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", "ann")
	same := rulestest.Between(rulestest.OpenMail, rulestest.App, "ANN@example.com", "bob")
	w := rulestest.World(nil, nil)
	verdicts := rules.CheckUserMappings(w, []rules.Change{{After: &open}, {After: &same}})
	for i, v := range verdicts {
		if len(v.Violations) != 1 || v.Violations[0].Code != idmap.CodeEmailInUse {
			t.Errorf("item %d: got %v, want email_in_use: both claim one email", i, v.Violations)
		}
	}

	w = rulestest.World([]idmap.UserMapping{open}, nil)
	stored := w.Mappings[0]
	again := open
	verdicts = rules.CheckUserMappings(w, []rules.Change{{Before: &stored}, {After: &again}})
	if len(verdicts[1].Violations) > 0 {
		t.Errorf("delete and create of the same mapping in one call: got %v, want none", verdicts[1].Violations)
	}
}
