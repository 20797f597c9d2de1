package rules_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// someMapping returns one of few mappings, so that two of them often clash.
func someMapping(r *rand.Rand) idmap.UserMapping {
	source := []string{rulestest.Mail, rulestest.OpenMail}[r.IntN(2)]
	destination := []string{rulestest.Sales, rulestest.Stage, rulestest.App}[r.IntN(3)]
	emails := []string{"jane.doe@contoso.com", "jdoe@contoso.com", "john.roe@contoso.com", "lea.ver@contoso.com", "ann@example.com", "bob@example.com", "cid@example.com"}
	users := []string{"JDOE", "JROE", "NEW", "ann", "bob", "cid"}
	return rulestest.Between(source, destination, emails[r.IntN(len(emails))], users[r.IntN(len(users))])
}

// someWorld returns a world with stored mappings that the rules allow.
func someWorld(r *rand.Rand) *rules.World {
	var live []idmap.UserMapping
	for range r.IntN(8) {
		m := someMapping(r)
		if rules.CheckUserMappings(rulestest.World(live, nil), []rules.Change{{After: &m}})[0].UserMapping != nil {
			live = append(live, m)
		}
	}
	w := rulestest.World(live, nil)
	for i := range w.Mappings {
		w.Mappings[i].ID = "um" + string(rune('a'+i))
	}
	return w
}

// someChanges returns changes in groups, each group about a stored mapping once at most.
func someChanges(r *rand.Rand, w *rules.World, groups int) []rules.Change {
	var changes []rules.Change
	for range 2 + r.IntN(9) {
		after, group := someMapping(r), r.IntN(groups)
		change := rules.Change{After: &after, Group: group}
		if i := r.IntN(len(w.Mappings) + 3); i < len(w.Mappings) {
			before := w.Mappings[i]
			change.Before, after.ID = &before, before.ID
			if r.IntN(3) > 0 { // else nothing would be proven
				after.Source, after.Destination = before.Source, before.Destination
			}
			if r.IntN(2) == 0 {
				after.UserID = before.UserID
			}
			if r.IntN(4) == 0 {
				change.After = nil
			}
		}
		twice := func(c rules.Change) bool {
			return c.Group == group && c.Before != nil && change.Before != nil && c.Before.ID == change.Before.ID
		}
		if !slices.ContainsFunc(changes, twice) {
			changes = append(changes, change)
		}
	}
	return changes
}

// TestGroupsAreCallsOfTheirOwn: the verdicts of groups are those of a call for each.
func TestGroupsAreCallsOfTheirOwn(t *testing.T) {
	t.Parallel()
	allowed, clashes := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // makes cases, guards nothing
		w := someWorld(r)
		changes := someChanges(r, w, 3)
		got := rules.CheckUserMappings(w, changes)
		for group := range 3 {
			var own []rules.Change
			var verdicts []idmap.UserMappingVerdict
			for i, c := range changes {
				if c.Group == group {
					own, verdicts = append(own, c), append(verdicts, got[i])
				}
			}
			want := rules.CheckUserMappings(w, own)
			if diff := cmp.Diff(want, append([]idmap.UserMappingVerdict{}, verdicts...)); diff != "" {
				t.Fatalf("seed %d, group %d: a call of its own says otherwise (-alone +grouped):\n%s", seed, group, diff)
			}
			for _, v := range want {
				if len(v.Violations) == 0 {
					allowed++
				} else if slices.Contains(rulestest.CodesOf(v.Violations), idmap.CodeEmailInUse) {
					clashes++
				}
			}
		}
	}
	if allowed < 100 || clashes < 100 {
		t.Errorf("%d changes were allowed and %d clashed: the cases show too little", allowed, clashes)
	}
}

// TestLeaveOut: what is left can be made without the others, and no more is left out than judging again would.
func TestLeaveOut(t *testing.T) {
	t.Parallel()
	dropped := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // makes cases, guards nothing
		w := someWorld(r)
		changes := someChanges(r, w, 1)
		verdicts := rules.CheckUserMappings(w, changes)
		taken := make([]bool, len(changes))
		for i, v := range verdicts {
			taken[i] = len(v.Violations) == 0 && r.IntN(5) > 0
		}
		want := judgedAgain(w, changes, taken)
		before := slices.Clone(taken)
		rules.LeaveOut(w, changes, verdicts, taken)
		if !slices.Equal(taken, want) {
			t.Fatalf("seed %d: of %v it leaves %v, and judging again leaves %v", seed, before, taken, want)
		}
		if !slices.Equal(taken, before) {
			dropped++
		}
	}
	if dropped < 20 {
		t.Errorf("only %d cases left something out: they show too little", dropped)
	}
}

// judgedAgain drops what is refused without the others until nothing is.
func judgedAgain(w *rules.World, changes []rules.Change, taken []bool) []bool {
	taken = slices.Clone(taken)
	for {
		own := make([]rules.Change, len(changes))
		for i := range changes {
			if taken[i] {
				own[i] = changes[i]
			}
		}
		again := false
		for i, v := range rules.CheckUserMappings(w, own) {
			if taken[i] && len(v.Violations) > 0 {
				taken[i], again = false, true
			}
		}
		if !again {
			return taken
		}
	}
}
