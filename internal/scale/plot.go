package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A line of the plot: what it is called, its colour, and the time of a row that it shows, if it shows that row.
type line struct {
	name, colour string
	about        func(cell) bool
	floor        bool
}

func onSQLite(network string, gathering bool) func(cell) bool {
	return func(c cell) bool { return c.Engine == sqlite && c.Network == network && c.Gathering == gathering }
}

var plotted = []line{
	{"floor", "#888888", onSQLite(near, true), true},
	{"gathered, 0 ms", "#1a9850", onSQLite(near, true), false},
	{"gathered, 30 ms", "#2166ac", onSQLite(far, true), false},
	{"gathered, 30 ms, 20/s", "#762a83", onSQLite(limited, true), false},
	{"separate, 30 ms", "#f4a582", onSQLite(far, false), false},
	{"separate, 30 ms, 20/s", "#b2182b", onSQLite(limited, false), false},
}

// The measures of the plot, in pixels: a panel for each action, and the names of the lines below.
const (
	panelWidth, panelHeight = 340.0, 300.0
	marginLeft, marginTop   = 52.0, 34.0
	plotWidth, plotHeight   = 820, 420
)

// plot draws the time over the number of mappings, with logarithmic scales, for a plan without a change and for a create.
func (r *results) plot() string {
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/>`+"\n", plotWidth, plotHeight)
	for i, action := range []string{plan, create} {
		r.panel(&svg, marginLeft+float64(i)*(panelWidth+marginLeft+20), action)
	}
	for i, l := range plotted {
		x, y := marginLeft+float64(i%3)*255, marginTop+panelHeight+44+float64(i/3)*20
		fmt.Fprintf(&svg, `<path d="M%.0f %.0fh24" stroke="%s" stroke-width="2"/><text x="%.0f" y="%.0f">%s</text>`+"\n",
			x, y-4, l.colour, x+30, y, l.name)
	}
	return svg.String() + "</svg>\n"
}

// panel draws one action.
func (r *results) panel(svg *strings.Builder, left float64, action string) {
	rows := r.of(func(c cell) bool {
		return c.Resource == single && c.Of == 0 && c.Action == action && c.Engine == sqlite
	})
	fmt.Fprintf(svg, `<text x="%.0f" y="%.0f" font-weight="bold">%s: seconds over mappings</text>`+"\n", left, marginTop-12, action)
	if len(rows) == 0 {
		return
	}
	var ns []int
	most := 1.0
	for _, one := range rows {
		ns, most = append(ns, one.N), max(most, median(one.Took), median(one.Floor))
	}
	slices.Sort(ns)
	ns = slices.Compact(ns)
	x := scale(float64(ns[0]), float64(max(ns[len(ns)-1], ns[0]+1)), left, left+panelWidth)
	y := scale(0.5, most*1.3, marginTop+panelHeight, marginTop)
	for _, n := range ns {
		fmt.Fprintf(svg, `<path d="M%.1f %.0fv%.0f" stroke="#eeeeee"/><text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
			x(float64(n)), marginTop, panelHeight, x(float64(n)), marginTop+panelHeight+16, thousands(n))
	}
	for _, s := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if s < most*1.3 {
			fmt.Fprintf(svg, `<path d="M%.0f %.1fh%.0f" stroke="#eeeeee"/><text x="%.0f" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
				left, y(s), panelWidth, left-6, y(s)+4, s)
		}
	}
	for _, l := range plotted {
		l.draw(svg, rows, x, y)
	}
}

// draw draws the points of a line, and what connects them. What failed has no time.
func (l line) draw(svg *strings.Builder, rows []row, x, y func(float64) float64) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !l.about(r.cell) || r.Failed != "" })
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.N, b.N) })
	points := make([]string, len(rows))
	for i, one := range rows {
		took := median(one.Took)
		if l.floor {
			took = median(one.Floor)
		}
		points[i] = fmt.Sprintf("%.1f,%.1f", x(float64(one.N)), y(took))
		at := strings.Replace(points[i], ",", `" cy="`, 1)
		fmt.Fprintf(svg, `<circle cx="%s" r="3" fill="%s"/>`+"\n", at, l.colour)
	}
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(svg, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), l.colour)
}

// scale maps the logarithms between two values onto pixels.
func scale(least, most, from, to float64) func(float64) float64 {
	return func(value float64) float64 {
		return from + (to-from)*math.Log(value/least)/math.Log(most/least)
	}
}
