package plantruth

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// outcome is what came of a rule in a situation.
type outcome string

// The outcomes. The plan of a refusal refuses, that of a warning warns.
const (
	planned        outcome = "plan"
	warned         outcome = "warned"
	passes         outcome = "passes"
	refusedAtApply outcome = "apply"
	warnedAtApply  outcome = "warned at apply"
	warnedFirst    outcome = "warned, apply" // the plan warns of what the apply refuses
	changes        outcome = "update"        // of a row in which nothing is to be changed
	cannotArise    outcome = "–"
	otherwise      outcome = "another code"
	otherRefusal   outcome = "plan, another code"
)

// situation is what Terraform does with resources, or what others do at the same time.
type situation struct {
	group string
	only  string // noun, if not all have it
	head  string // of the column
	does  string
	by    way // how a rule comes about in it
	// verdict is what comes of a rule; "" is planned. why says why it is not the plan that tells.
	verdict outcome
	why     string
	but     map[string]exception // by code, or by noun and code
	// warnings is what comes of rules that only warn, if not what comes of the others.
	warnings *exception
	still    bool // no resource changes
	run      func(*lab)
}

// has reports whether the rows of a resource are run in the situation.
func (s situation) has(r *row) bool { return s.only == "" || s.only == r.noun }

// exception is a rule of which something else comes than of others.
type exception struct {
	outcome outcome
	why     string
}

// cell is what came of a rule in a situation, and what there is to say about it.
type cell struct {
	outcome outcome
	note    string
}

// matrix is all cells.
type matrix struct {
	rows       []*row
	situations []situation
	mu         sync.Mutex
	cells      map[*row]map[string]cell
	used       map[string]bool // exceptions
}

func newMatrix() *matrix {
	m := &matrix{rows: slices.Concat(mappingRows(), mappingsRows(), mapRows(accountMap), mapRows(groupMap)), cells: map[*row]map[string]cell{}, used: map[string]bool{}}
	for group, all := range [][]situation{lifeSituations(), runSituations(), otherSituations(), entrySituations()} {
		for _, s := range all {
			s.group = groups[group]
			m.situations = append(m.situations, s)
		}
	}
	for _, r := range m.rows {
		m.cells[r] = map[string]cell{}
	}
	return m
}

var groups = []string{"The life of a resource", "How Terraform is run", "Who else writes", "Entries of one resource"}

// TestPlanTruth runs every rule in every situation with the real Terraform, and writes down what came of it.
func TestPlanTruth(t *testing.T) {
	m := newMatrix()
	m.checkRows(t)
	from := newStage(t, m.rows)
	ran := t.Run("situations", func(t *testing.T) {
		for _, s := range m.situations {
			t.Run(strings.NewReplacer("`", "", " ", "_").Replace(s.head), func(t *testing.T) {
				t.Parallel()
				l := newLab(t, from)
				l.lanes = slices.DeleteFunc(l.lanes, func(lane *lane) bool { return !s.has(lane.row) })
				s.run(l)
				if s.still && l.world.asked > 0 {
					t.Errorf("plans that change nothing asked for %d verdicts", l.world.asked)
				}
				l.each(func(lane *lane) { m.judge(s, lane) })
				l.settle()
			})
		}
	})
	if ran && !some() {
		m.check(t)
	}
}

// some reports whether only some of the situations run.
func some() bool {
	run := flag.Lookup("test.run")
	return run != nil && strings.Contains(run.Value.String(), "/")
}

// checkRows: a row says of each way in which its rule cannot come about why that is so, and of no other.
func (m *matrix) checkRows(t *testing.T) {
	t.Helper()
	for _, r := range m.rows {
		for by := byCreate; r.breaks() && by <= bySignIn; by++ {
			if !r.can(by) && r.why(by) == "" {
				t.Errorf("%s %s does not say why it cannot be brought about (%d)", r.noun, r.code, by)
			}
		}
		for by := range r.never {
			if r.can(by) {
				t.Errorf("%s %s says why it cannot be brought about (%d), and can", r.noun, r.code, by)
			}
		}
	}
}

// judge writes down what came of a lane, and holds it against what must come of it.
func (m *matrix) judge(s situation, l *lane) {
	l.t.Helper()
	want := m.expect(s, l.row)
	got := l.outcome()
	if got == passes && l.still && (s.by == byUpdate || s.by == byUnseen) && len(l.planned) > 0 {
		got = changes
	}
	if got != want.outcome {
		l.t.Errorf("%s: %s, want %s: %s", l.key, got, want.outcome, l.report())
	}
	l.checkWords(s)
	if s.still && len(l.planned) > 0 {
		l.t.Errorf("%s: the plan has %v", l.key, l.planned)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[l.row][s.head] = cell{got, want.note}
}

// expect returns what must come of a rule in a situation, and why, where it is not the plan that tells.
func (m *matrix) expect(s situation, r *row) cell {
	if r.breaks() && !r.can(s.by) {
		return cell{cannotArise, r.why(s.by)}
	}
	for _, key := range []string{r.label(), r.noun + " " + r.label()} {
		if e, ok := s.but[key]; ok {
			m.mu.Lock()
			m.used[s.head+" "+key] = true
			m.mu.Unlock()
			return cell{e.outcome, e.why}
		}
	}
	switch {
	case !r.breaks():
		return cell{outcome: passes}
	case r.warns && s.warnings != nil:
		return cell{s.warnings.outcome, s.warnings.why}
	case s.verdict == passes:
		return cell{passes, s.why}
	case s.verdict == refusedAtApply && r.warns:
		return cell{warnedAtApply, s.why}
	case s.verdict == refusedAtApply:
		return cell{refusedAtApply, s.why}
	case r.warns:
		return cell{outcome: warned}
	case r.mild != "":
		return cell{warnedFirst, r.mild}
	}
	return cell{outcome: planned}
}

// outcome is what the lane was told.
func (l *lane) outcome() outcome {
	said := func(severity string, applying bool) bool {
		return slices.ContainsFunc(l.told, func(t told) bool {
			return t.severity == severity && t.applying == applying && slices.Contains(t.codes(), l.code)
		})
	}
	anyError := slices.ContainsFunc(l.told, told.isError)
	switch {
	case !l.breaks() && !slices.ContainsFunc(l.told, told.isAlarm):
		return passes
	case !l.breaks():
		return "told"
	case !l.broken && slices.ContainsFunc(l.told, told.isAlarm):
		return "told without a reason"
	case !l.broken:
		return cannotArise
	case l.warns && anyError && !slices.ContainsFunc(l.told, func(t told) bool { return t.isError() && !t.applying }):
		return "refused, and only a warning is due"
	case said("error", false):
		return planned
	case said("error", true) && said("warning", false):
		return warnedFirst
	case said("error", true):
		return refusedAtApply
	case slices.ContainsFunc(l.told, func(t told) bool { return t.isError() && !t.applying }):
		return otherRefusal
	case anyError:
		return "refused by another rule"
	case said("warning", false):
		return warned
	case said("warning", true):
		return warnedAtApply
	case slices.ContainsFunc(l.told, told.isAlarm):
		return otherwise
	}
	return passes
}

func (l *lane) report() string {
	var lines []string
	for _, t := range l.told {
		lines = append(lines, fmt.Sprintf("\n    %s (applying: %v): %s: %s", t.severity, t.applying, t.summary, strings.ReplaceAll(t.detail, "\n", " ")))
	}
	return strings.Join(lines, "")
}
