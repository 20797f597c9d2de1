package main

import (
	"fmt"
	"slices"
	"time"
)

// The words of a cell.
const (
	single = "idmap_user_mapping"
	bulk   = "idmap_user_mappings"

	create  = "create"
	plan    = "plan"
	change  = "change"
	destroy = "destroy"

	sqlite   = "SQLite"
	postgres = "PostgreSQL"

	near    = "0 ms"
	far     = "30 ms"
	limited = "30 ms, 20/s"
)

var (
	actions  = []string{create, plan, change, destroy}
	engines  = []string{sqlite, postgres}
	networks = []string{near, far, limited}
)

// ways are how far away a server is, and how many requests a second it takes of one token.
var ways = map[string]struct {
	delay time.Duration
	limit int
}{near: {0, 0}, far: {30 * time.Millisecond, 0}, limited: {30 * time.Millisecond, 20}}

// A cell is one thing that is measured: an action on so many mappings, in one surrounding.
type cell struct {
	Resource  string `json:"resource"`
	N         int    `json:"n"`
	Of        int    `json:"of,omitempty"` // how many mappings the backend has, where it is more than N
	Action    string `json:"action"`
	Engine    string `json:"engine"`
	Network   string `json:"network"`
	Gathering bool   `json:"gathering"`
}

// String names the cell.
func (c cell) String() string {
	of, gathering := "", ""
	if c.Of > 0 {
		of = fmt.Sprintf(" of %d", c.Of)
	}
	if !c.Gathering {
		gathering = ", without gathering"
	}
	return fmt.Sprintf("%s %d%s, %s, %s, %s%s", c.Resource, c.N, of, c.Action, c.Engine, c.Network, gathering)
}

// writes reports whether the action changes the database.
func (c cell) writes() bool { return c.Action == create || c.Action == destroy }

// A block are cells that have one floor: it is measured before them, in each of the rounds.
type block struct {
	cells  []cell
	rounds int
}

// The rounds of cells that a bound is about, and of the others.
const (
	boundRounds = 3
	otherRounds = 1
)

// million is the state that a plan reads of a backend that has many more.
var million = cell{Resource: single, N: 20, Of: 1_000_000, Action: plan, Network: near, Gathering: true}

// blocks are what the options select, small before large, and what makes a state before what needs it.
func (o options) blocks() []block {
	var all []block
	add := func(c cell, networks []string) {
		for _, engine := range o.engines {
			b := block{rounds: o.rounds}
			c.Engine = engine
			for _, c.Network = range networks {
				b.cells = append(b.cells, c)
				if o.rounds == 0 {
					b.rounds = max(b.rounds, roundsOf(c))
				}
			}
			all = append(all, b)
		}
	}
	if slices.Contains(o.only, "single") {
		for _, n := range o.n {
			for _, action := range o.actions {
				for _, gathering := range o.gathering {
					add(cell{Resource: single, N: n, Action: action, Gathering: gathering}, o.networks)
				}
			}
		}
	}
	if slices.Contains(o.only, "bulk") {
		for _, n := range o.bulk {
			for _, action := range o.actions {
				if action != destroy {
					add(cell{Resource: bulk, N: n, Action: action, Gathering: true}, []string{near})
				}
			}
		}
	}
	if slices.Contains(o.only, "million") {
		add(million, []string{near})
	}
	return all
}

// roundsOf returns how often a cell is measured where nobody says.
func roundsOf(c cell) int {
	if slices.ContainsFunc(bounds, func(b bound) bool { return b.about(c) }) {
		return boundRounds
	}
	return otherRounds
}

// guess says roughly how long Terraform will take, in seconds. Its own time grows with the square of the resources; what
// waits for a limit of requests waits for each.
func guess(c cell) float64 {
	n := float64(c.N)
	if c.Resource == bulk {
		return 2 + n/2500
	}
	took, requests := 1+n*n*6.5e-6, n
	if c.writes() {
		took, requests = 1+n*n*17.5e-6, 3*n
	}
	if c.Network == limited && !c.Gathering {
		took += requests / 20
	}
	return took
}

// guess says roughly how long a block will take.
func (b block) guess() time.Duration {
	seconds := 1 + guess(cell{Resource: b.cells[0].Resource, N: b.cells[0].N, Action: b.cells[0].Action, Gathering: true})
	for _, c := range b.cells {
		seconds += 1 + guess(c)
	}
	return time.Duration(seconds * float64(b.rounds) * float64(time.Second))
}
