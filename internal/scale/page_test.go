package main

import (
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{0: {}, 3: {3}, 2: {3, 1, 2}, 2.5: {4, 1, 3, 2}} {
		if got := median(values); got != want {
			t.Errorf("median(%v) = %v, want %v", values, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]float64{"0": 0, "3": 3, "1.05": 1.051, "151": 150.7, "1,000,000": 1e6, "12,346": 12345.6} {
		if got := number(value); got != want {
			t.Errorf("number(%v) = %s, want %s", value, got, want)
		}
	}
}

func rowOf(n int, action, network string, took ...float64) row {
	return row{
		cell: cell{Resource: single, N: n, Action: action, Engine: sqlite, Network: network, Gathering: true},
		When: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Took: took, Floor: []float64{1, 1, 1}, counts: counts{Requests: 10},
	}
}

// TestJudge has a bound that holds, one that is missed, one of an action that failed, and many that nothing is about.
func TestJudge(t *testing.T) {
	t.Parallel()
	r := &results{}
	failed := rowOf(1000, create, near, 1)
	failed.Failed = "terraform apply ended with 1, not 0"
	for _, one := range []row{rowOf(2000, plan, near, 1.04, 9, 1), rowOf(2000, plan, far, 1.2), failed, rowOf(500, plan, far, 7)} {
		r.add(one)
	}
	r.addServer([]server.Result{{Name: "memory", Engine: sqlite, Value: 300, Unit: "MiB", Bound: 256, AtMost: true}}, time.Now())
	got := map[string]verdict{}
	for _, v := range r.judge() {
		got[v.what] = v
	}
	for what, want := range map[string]struct {
		reached string
		holds   bool
	}{
		"no-op plan, N = 2,000, 0 ms":          {"1.04 × floor", true},
		"no-op plan, N = 2,000, 30 ms":         {"1.20 × floor", false},
		"no-op plan, N = 2,000: requests":      {"10 requests", true},
		"create, N = 1,000, 0 ms":              {"failed", false},
		"create, destroy, N = 1,000: requests": {"failed", false},
		"server: memory":                       {"300 MiB", false},
	} {
		if v := got[what]; v.reached != want.reached || v.holds != want.holds {
			t.Errorf("%s: %+v, want %+v", what, v, want)
		}
	}
	if _, ok := got["destroy, N = 1,000, 0 ms"]; ok {
		t.Error("a bound is judged of which nothing was measured")
	}
}

// TestGrowthIsJudged has entries of one resource, of two sizes.
func TestGrowthIsJudged(t *testing.T) {
	t.Parallel()
	r := &results{}
	for n, took := range map[int]float64{10_000: 1, 50_000: 7} {
		one := rowOf(n, plan, near, took)
		one.Resource = bulk
		r.add(one)
	}
	at := slices.IndexFunc(r.judge(), func(v verdict) bool { return v.what == "from 10,000 to 50,000 in one resource" })
	if at < 0 || r.judge()[at].reached != "7 ×" || r.judge()[at].holds {
		t.Errorf("%+v", r.judge())
	}
}

func TestResultsAreMergedAndKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "results.json")
	r, err := readResults(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []row{rowOf(500, plan, far, 7), rowOf(250, plan, far, 3), rowOf(500, plan, far, 8)} {
		r.add(one)
	}
	for _, value := range []float64{1, 2} {
		r.addServer([]server.Result{{Name: "lookup", Engine: sqlite, Value: value}}, time.Now())
	}
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	if r, err = readResults(file); err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 2 || r.Rows[0].N != 250 || r.Rows[1].Took[0] != 8 {
		t.Errorf("rows: %+v", r.Rows)
	}
	if len(r.Server) != 1 || r.Server[0].Value != 2 {
		t.Errorf("server: %+v", r.Server)
	}
}

// TestPage writes a page, and reads its tables and its plot.
func TestPage(t *testing.T) {
	t.Parallel()
	r := &results{Machine: machine{"A processor", 2, "go1.26", "1.11.4"}}
	few := rowOf(20, plan, near, 2)
	few.Of, few.Answered = 1_000_000, 987
	for _, one := range []row{rowOf(250, plan, near, 2), rowOf(250, plan, far, 3), rowOf(500, plan, far, 9), rowOf(500, create, far, 8), few} {
		r.add(one)
	}
	r.addServer([]server.Result{{Name: "lookup", Engine: postgres, Value: 123456, Unit: "mappings/s", Bound: 100_000}}, time.Now())
	var page strings.Builder
	if err := r.page(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"A processor, 2 cores, go1.26, Terraform 1.11.4. ",
		"| 500 | plan | SQLite | 30 ms | on | 9.0 s | 1.0 s | × 9.00 | 10 | 0 |",
		"| 250 to 500 | plan | SQLite | 30 ms | × 3.00 | × 1.00 |",
		"| 987 | 1 | 2026-01-02 |",
		"| lookup | PostgreSQL | 123,456 mappings/s |",
		"| 20 of 1,000,000, no-op plan: mappings read | ≤ 1,000 mappings | 987 mappings | plan, SQLite, 0 ms | yes |",
		"](benchmarks.svg)",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, &page)
		}
	}
	bars := 0
	for line := range strings.Lines(page.String()) {
		if !strings.HasPrefix(line, "|") {
			bars = 0
			continue
		}
		if bars != 0 && strings.Count(line, "|") != bars {
			t.Errorf("a line has not the cells of its table: %s", line)
		}
		bars = strings.Count(line, "|")
	}
	checkPlot(t, r.plot(), 4+1) // the rows, and the floor of the one at 0 ms
}

// checkPlot reads a plot as XML, and counts its points.
func checkPlot(t *testing.T, svg string, want int) {
	t.Helper()
	points := 0
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in the plot:\n%s", err, svg)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			points++
		}
	}
	if points != want || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("the plot has %d points, want %d:\n%s", points, want, svg)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	all, err := parse(nil, io.Discard)
	if err != nil || !all.write || len(all.only) != len(parts) || len(all.n) != 4 || len(all.networks) != 3 || len(all.gathering) != 2 {
		t.Errorf("everything: %+v, %v", all, err)
	}
	part, err := parse([]string{"-only", "bulk", "-networks", "limit", "-engines", "sqlite"}, io.Discard)
	if err != nil || part.write || part.networks[0] != limited || part.engines[0] != sqlite {
		t.Errorf("a part: %+v, %v", part, err)
	}
	quick, err := parse([]string{"-quick"}, io.Discard)
	if err != nil || quick.write || quick.rounds != 1 || len(quick.n) != 2 || len(quick.only) != 1 {
		t.Errorf("quick: %+v, %v", quick, err)
	}
	for _, wrong := range [][]string{{"-only", "everything"}, {"-n", "0"}, {"-engines", "oracle"}, {"-nonsense"}} {
		if _, err := parse(wrong, io.Discard); err == nil {
			t.Errorf("%v is accepted", wrong)
		}
	}
}

// TestBoundsAreMeasured sees to it that everything that a bound is about is among what is measured, often enough.
func TestBoundsAreMeasured(t *testing.T) {
	t.Parallel()
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bounds {
		found := false
		for _, one := range o.blocks() {
			if slices.ContainsFunc(one.cells, b.about) {
				found = true
				if one.rounds < boundRounds {
					t.Errorf("%s: %d rounds", b.what, one.rounds)
				}
			}
		}
		if !found {
			t.Errorf("%s: nothing is measured", b.what)
		}
	}
}
