package examples

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// plan is a saved plan, as show -json prints it.
type plan struct {
	Changes []change `json:"resource_changes"`
	Drift   []change `json:"resource_drift"`
}

type change struct {
	Address  string `json:"address"`
	Previous string `json:"previous_address"`
	Change   struct {
		Actions       []string
		Before, After map[string]any
		Unknown       map[string]any `json:"after_unknown"`
		Importing     *struct {
			ID string `json:"id"`
		} `json:"importing"`
	} `json:"change"`
}

// lines is what a person would expect, a line for each thing: what was found changed outside of Terraform, what is to be
// done, and what is refused or warned of. Two plans are the same when their lines are.
func lines(t testing.TB, p plan, said []testenv.Diagnostic) []string {
	t.Helper()
	var all []string
	for _, c := range p.Drift {
		all = append(all, c.drift()...)
	}
	for _, c := range p.Changes {
		all = append(all, c.lines()...)
	}
	for _, d := range said {
		if d.Summary != overridden {
			all = append(all, told(d))
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return strings.Compare(subject(a), subject(b)) })
	return all
}

// overridden is what both command lines say of a provider that was built here. It is no part of the plan.
const overridden = "Provider development overrides are in effect"

// subject is what lines are sorted by: the address, behind the sign.
func subject(line string) string {
	_, rest, _ := strings.Cut(line, " ")
	return rest
}

func (c change) drift() []string {
	if slices.Equal(c.Change.Actions, []string{"delete"}) {
		return []string{"* " + c.Address + "  deleted outside"}
	}
	if updated := c.updated(); updated != "" {
		return []string{"* " + c.Address + "  changed outside: " + updated}
	}
	return nil // only what the provider keeps for itself
}

func (c change) lines() []string {
	var all []string
	if c.Previous != "" {
		all = append(all, fmt.Sprintf("> %s  moved from %s", c.Address, c.Previous))
	}
	if c.Change.Importing != nil {
		all = append(all, fmt.Sprintf("= %s  imported: %s", c.Address, c.Change.Importing.ID))
	}
	switch actions := strings.Join(c.Change.Actions, " "); actions {
	case "no-op", "read":
	case "create":
		all = append(all, "+ "+c.Address+"  "+values(c.Change.After))
	case "delete":
		all = append(all, "- "+c.Address+"  "+values(c.Change.Before))
	case "update":
		all = append(all, "~ "+c.Address+"  "+c.updated())
	default:
		all = append(all, actions+" "+c.Address)
	}
	return all
}

// values says what is created or deleted, as far as a person has chosen it.
func values(of map[string]any) string {
	var all []string
	for _, name := range []string{"name", "user_id", "email"} {
		if value, ok := of[name]; ok {
			all = append(all, fmt.Sprintf("%s: %v", name, value))
		}
	}
	return strings.Join(all, ", ")
}

// updated says of each attribute what it was and what it will be.
func (c change) updated() string {
	var all []string
	names := slices.Collect(maps.Keys(c.Change.Before))
	names = slices.AppendSeq(names, maps.Keys(c.Change.After))
	names = slices.AppendSeq(names, maps.Keys(c.Change.Unknown))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		was, will := shown(c.Change.Before[name]), shown(c.Change.After[name])
		if c.Change.Unknown[name] == true {
			will = "(known after apply)"
		}
		if was != will {
			all = append(all, fmt.Sprintf("%s: %s → %s", name, was, will))
		}
	}
	return strings.Join(all, ", ")
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// shown is a value; of a digest the beginning, which is enough to tell two apart.
func shown(value any) string {
	text := fmt.Sprint(value)
	if digest.MatchString(text) {
		return text[:8] + "…"
	}
	return text
}

var (
	code     = regexp.MustCompile(`Code: ([a-z_, ]+)`)
	argument = regexp.MustCompile(`^\s*([a-z_]+)\s*=`)
)

// told is an error or a warning: where, and its codes, or its headline where it has none.
func told(d testenv.Diagnostic) string {
	sign := map[string]string{"error": "!", "warning": "?"}[d.Severity]
	where, what := d.Address, d.Summary
	if where == "" {
		where = d.Snippet.Context
	}
	if found := argument.FindStringSubmatch(d.Snippet.Code); found != nil {
		where += " " + found[1]
	}
	if found := code.FindStringSubmatch(d.Detail); found != nil {
		what = found[1]
	}
	return fmt.Sprintf("%s %s  %s", sign, where, what)
}

func parsePlan(t testing.TB, shown string) plan {
	t.Helper()
	var p plan
	if err := json.Unmarshal([]byte(shown), &p); err != nil {
		t.Fatal(err)
	}
	return p
}
