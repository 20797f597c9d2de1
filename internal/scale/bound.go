package main

import (
	"fmt"
	"math"
	"slices"
)

// A bound is what is to be reached. It is about some cells, and the worst of them counts.
type bound struct {
	what  string
	about func(cell) bool
	value func(*results, row) float64
	limit float64
	unit  string // behind a value
}

// gathered selects cells of mappings in resources of their own, as everybody has them who sets nothing.
func gathered(n int, network string, actions ...string) func(cell) bool {
	return func(c cell) bool {
		return c.Resource == single && c.Of == 0 && c.Gathering && c.N == n &&
			(network == "" || c.Network == network) && slices.Contains(actions, c.Action)
	}
}

func inBulk(n int, actions ...string) func(cell) bool {
	return func(c cell) bool { return c.Resource == bulk && c.N == n && slices.Contains(actions, c.Action) }
}

func isMillion(c cell) bool { return c.Of > 0 }

func overFloor(_ *results, r row) float64  { return r.times() }
func requests(_ *results, r row) float64   { return float64(r.Requests) }
func refusals(_ *results, r row) float64   { return float64(r.Refused) }
func answered(_ *results, r row) float64   { return float64(r.Answered) }
func ofProvider(_ *results, r row) float64 { return r.ProviderMiB }

// growth is how many times longer it takes than with a fifth of the entries.
func growth(all *results, r row) float64 {
	fewer := r.cell
	fewer.N /= 5
	before, ok := all.find(fewer)
	if !ok {
		return math.NaN()
	}
	return median(r.Took) / median(before.Took)
}

var bounds = []bound{
	{"no-op plan, N = 2,000, 0 ms", gathered(2000, near, plan), overFloor, 1.05, "× floor"},
	{"no-op plan, N = 2,000, 30 ms", gathered(2000, far, plan), overFloor, 1.10, "× floor"},
	{"no-op plan, N = 2,000, 30 ms and 20 requests a second", gathered(2000, limited, plan), overFloor, 1.15, "× floor"},
	{"no-op plan, N = 2,000: requests", gathered(2000, "", plan), requests, 2000 / 200, "requests"},
	{"no-op plan, N = 2,000: refusals for the rate", gathered(2000, "", plan), refusals, 0, "× 429"},
	{"create, N = 1,000, 0 ms", gathered(1000, near, create), overFloor, 1.10, "× floor"},
	{"create, N = 1,000, 30 ms", gathered(1000, far, create), overFloor, 1.20, "× floor"},
	{"create, N = 1,000, 30 ms and 20 requests a second", gathered(1000, limited, create), overFloor, 1.5, "× floor"},
	{"destroy, N = 1,000, 0 ms", gathered(1000, near, destroy), overFloor, 1.10, "× floor"},
	{"destroy, N = 1,000, 30 ms", gathered(1000, far, destroy), overFloor, 1.20, "× floor"},
	{"destroy, N = 1,000, 30 ms and 20 requests a second", gathered(1000, limited, destroy), overFloor, 1.5, "× floor"},
	{"create, destroy, N = 1,000: requests", gathered(1000, "", create, destroy), requests, 1000 / 8, "requests"},
	{"20 of 1,000,000, no-op plan: requests", isMillion, requests, 3, "requests"},
	{"20 of 1,000,000, no-op plan: mappings read", isMillion, answered, 1000, "mappings"},
	{"10,000 in one resource, create", inBulk(10_000, create), overFloor, 1.3, "× floor"},
	{"10,000 in one resource, no-op plan", inBulk(10_000, plan), overFloor, 1.3, "× floor"},
	{"10,000 in one resource, 1 % changed", inBulk(10_000, change), overFloor, 1.3, "× floor"},
	{"50,000 in one resource, create", inBulk(50_000, create), overFloor, 1.3, "× floor"},
	{"50,000 in one resource, no-op plan", inBulk(50_000, plan), overFloor, 1.3, "× floor"},
	{"50,000 in one resource, 1 % changed", inBulk(50_000, change), overFloor, 1.3, "× floor"},
	{"from 10,000 to 50,000 in one resource", inBulk(50_000, create, plan, change), growth, 6, "×"},
	{"memory of the provider, N = 2,000", gathered(2000, "", actions...), ofProvider, 150, "MiB"},
}

// A verdict is what came of a bound.
type verdict struct {
	what, limit, reached, by string
	holds                    bool
}

// judge returns the verdicts of the bounds, with what has reached most of each. A bound of which nothing was measured is
// left out. A cell that failed keeps to no bound.
func (r *results) judge() []verdict {
	var all []verdict
	for _, b := range bounds {
		worst, by := math.Inf(-1), cell{}
		for _, one := range r.Rows {
			if !b.about(one.cell) {
				continue
			}
			value := b.value(r, one)
			if one.Failed != "" {
				value = math.Inf(1)
			}
			if value > worst {
				worst, by = value, one.cell
			}
		}
		if math.IsInf(worst, -1) {
			continue
		}
		reached := number(worst) + " " + b.unit
		if math.IsInf(worst, 1) {
			reached = "failed"
		}
		all = append(all, verdict{
			what: b.what, limit: "≤ " + number(b.limit) + " " + b.unit, reached: reached,
			by: fmt.Sprintf("%s, %s, %s", by.Action, by.Engine, by.Network), holds: worst <= b.limit,
		})
	}
	for _, one := range r.Server {
		if one.Bound == 0 {
			continue
		}
		sign := "≥ "
		if one.AtMost {
			sign = "≤ "
		}
		all = append(all, verdict{
			what: "server: " + one.Name, limit: sign + number(one.Bound) + " " + one.Unit,
			reached: number(one.Value) + " " + one.Unit, by: one.Engine, holds: one.Holds(),
		})
	}
	return all
}
