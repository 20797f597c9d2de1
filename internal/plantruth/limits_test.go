package plantruth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unbrokenRows are those in which no rule is broken, and nothing is there before.
func unbrokenRows() []*row {
	return slices.DeleteFunc(newMatrix().rows, func(r *row) bool { return r.breaks() || r.prepare != nil })
}

// updated makes all resources, and then changes them to the good values: what created them is not what they are.
func (l *lab) updated(extra ...string) {
	l.t.Helper()
	l.begin(func(lane *lane) string { return isChanged(lane) })
	l.begin(func(lane *lane) string { return lane.block(lane.good, extra...).String() })
}

// TestRenamedAfterUpdate: what was updated since it was created cannot be deleted under one name and created under another
// at the same time, in which order Terraform likes. So the plan refuses that, in whatever order it plans, and a moved block
// is the way out.
func TestRenamedAfterUpdate(t *testing.T) {
	t.Parallel()
	from := newStage(t, unbrokenRows())
	for _, parallelism := range []int{1, 10} {
		t.Run(fmt.Sprint(parallelism), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, from)
			l.updated()
			l.write(isOther)
			l.listen(l.space.Run(t, "plan", "-json", fmt.Sprintf("-parallelism=%d", parallelism)), planning)
			l.each(func(lane *lane) {
				if !slices.ContainsFunc(lane.told, func(t told) bool { return t.isError() && strings.Contains(t.detail, " moved block") }) {
					t.Errorf("%s: %s", lane.key, lane.report())
				}
				lane.told = nil
			})
			l.try(trial{shape: func(lane *lane) string {
				return isOther(lane) + "moved {\n  from = " + lane.address() + "\n  to = " + lane.address() + "_other\n}\n"
			}})
			l.each(func(lane *lane) {
				if len(lane.told) > 0 || len(lane.planned) > 0 {
					t.Errorf("%s, moved: %v %s", lane.key, lane.planned, lane.report())
				}
			})
			l.settle()
		})
	}
}

// TestCreatedFirstAfterUpdate: what was updated since it was created cannot be replaced by what is created first. Terraform
// does not tell the provider which comes first, so only the apply finds that out. Nothing is lost by it, but Terraform has
// the object as a deposed one then, and the next plan refuses to create another. The way out that deletes nothing is to let
// Terraform forget the object, and to import it.
func TestCreatedFirstAfterUpdate(t *testing.T) {
	t.Parallel()
	l := newLab(t, newStage(t, unbrokenRows()))
	ids, imports := map[*lane]string{}, map[*lane]string{}
	first := "lifecycle {\n    create_before_destroy = true\n  }"
	isFirst := func(lane *lane) string { return lane.block(lane.good, first).String() }
	l.updated(first)
	l.try(trial{shape: isFirst, option: replaced})
	l.each(func(lane *lane) {
		if !slices.ContainsFunc(lane.told, func(t told) bool { return t.isError() && t.applying }) {
			t.Errorf("%s: %s", lane.key, lane.report())
		}
		lane.told = nil
	})
	l.agree() // the backend has what the state has
	l.each(func(lane *lane) { ids[lane], imports[lane] = lane.id(), lane.importID() })
	l.listen(l.space.Run(t, "plan", "-json"), planning)
	l.each(func(lane *lane) {
		if !slices.ContainsFunc(lane.told, func(t told) bool {
			return t.isError() && (strings.Contains(t.detail, "If another resource of this configuration ") && strings.Contains(t.detail, ", apply that first") ||
				strings.Contains(t.detail, "apply this deletion first")) // it is told of whichever of the two Terraform plans last
		}) {
			t.Errorf("%s: %s", lane.key, lane.report())
		}
		lane.told = nil
	})
	l.each(func(lane *lane) { l.space.Must(t, "state", "rm", lane.address()) })
	l.begin(func(lane *lane) string {
		return isFirst(lane) + "import {\n  to = " + lane.address() + "\n  id = " + strconv.Quote(imports[lane]) + "\n}\n"
	})
	l.each(func(lane *lane) {
		if lane.id() != ids[lane] {
			t.Errorf("%s is another object now", lane.key)
		}
	})
	l.settle()
}

// TestTargetHidesTheOther: a plan with a target does not know what else the configuration has. What is wrong together with
// the target is refused by the next plan.
func TestTargetHidesTheOther(t *testing.T) {
	t.Parallel()
	l := newLab(t, newStage(t, slices.DeleteFunc(newMatrix().rows, func(r *row) bool { return r.pair == nil })))
	l.try(trial{shape: isBeside, option: func(lane *lane) []string { return []string{"-target=" + lane.address()} }})
	l.each(func(lane *lane) {
		if len(lane.told) > 0 {
			t.Errorf("%s: %s", lane.key, lane.report())
		}
	})
	l.try(trial{shape: isBeside})
	l.each(func(lane *lane) {
		if got := lane.outcome(); got != planned {
			t.Errorf("%s: %s: %s", lane.key, got, lane.report())
		}
	})
	l.settle()
}
