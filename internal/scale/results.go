package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
)

// results are all that was measured, by however many runs.
type results struct {
	Machine machine     `json:"machine"` // of the last run
	Rows    []row       `json:"rows"`
	Server  []serverRow `json:"server"`
}

// A machine is what was measured on.
type machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Go        string `json:"go"`
	Terraform string `json:"terraform"`
}

// A row is what was found for a cell.
type row struct {
	cell
	When time.Time `json:"when"`
	// Took and Floor are the seconds of each round, of the provider and of the one that does nothing.
	Took  []float64 `json:"took"`
	Floor []float64 `json:"floor"`
	counts
	FloorMiB float64 `json:"floor_mib"`
	Failed   string  `json:"failed,omitempty"` // why the action was not done, in the last round that failed
}

// counts are the greatest of all rounds.
type counts struct {
	Requests    int64   `json:"requests"`
	Refused     int64   `json:"refused"` // with 429
	Sent        int64   `json:"sent"`    // bytes
	Received    int64   `json:"received"`
	Answered    int64   `json:"answered,omitempty"` // mappings, where they are counted
	ProviderMiB float64 `json:"provider_mib"`
	ServerMiB   float64 `json:"server_mib"`
}

func (c counts) most(other counts) counts {
	return counts{
		max(c.Requests, other.Requests), max(c.Refused, other.Refused), max(c.Sent, other.Sent), max(c.Received, other.Received),
		max(c.Answered, other.Answered), max(c.ProviderMiB, other.ProviderMiB), max(c.ServerMiB, other.ServerMiB),
	}
}

// times is how many times the floor's time the provider took.
func (r row) times() float64 { return median(r.Took) / median(r.Floor) }

// A serverRow is what was found of a server alone.
type serverRow struct {
	server.Result
	When time.Time `json:"when"`
}

// median returns the middle of the values, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// readResults reads what earlier runs have kept, if there is any.
func readResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &results{}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &results{}
	return r, json.Unmarshal(text, r)
}

func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // it is a file of the repository
}

// add puts a row into the place of an earlier one of the same cell.
func (r *results) add(added row) {
	r.Rows = append(slices.DeleteFunc(r.Rows, func(old row) bool { return old.cell == added.cell }), added)
	at := func(all []string, one string) int { return slices.Index(all, one) }
	slices.SortFunc(r.Rows, func(a, b row) int {
		return cmp.Or(
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Of, b.Of),
			cmp.Compare(at(actions, a.Action), at(actions, b.Action)), cmp.Compare(at(engines, a.Engine), at(engines, b.Engine)),
			cmp.Compare(at(networks, a.Network), at(networks, b.Network)),
			cmp.Compare(off(a), off(b)), cmp.Compare(a.N, b.N))
	})
}

func off(r row) int {
	if r.Gathering {
		return 0
	}
	return 1
}

// addServer puts results into the places of earlier ones of the same names.
func (r *results) addServer(added []server.Result, when time.Time) {
	for _, one := range added {
		r.Server = append(slices.DeleteFunc(r.Server, func(old serverRow) bool {
			return old.Name == one.Name && old.Engine == one.Engine
		}), serverRow{one, when})
	}
}

// find returns the row of a cell.
func (r *results) find(c cell) (row, bool) {
	at := slices.IndexFunc(r.Rows, func(one row) bool { return one.cell == c })
	if at < 0 {
		return row{}, false
	}
	return r.Rows[at], true
}
