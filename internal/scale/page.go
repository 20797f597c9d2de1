package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"text/template"
)

//go:embed page.md.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// writePage writes the guide and its plot.
func (r *results) writePage(folder string) error {
	var page strings.Builder
	if err := r.page(&page); err != nil {
		return err
	}
	//nolint:gosec // these are files of the repository
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "benchmarks.md"), []byte(page.String()), 0o644),
		os.WriteFile(filepath.Join(folder, "benchmarks.svg"), []byte(r.plot()), 0o644))
}

type verdictLine struct{ What, Limit, Reached, By, Holds string }

func (r *results) page(to io.Writer) error {
	var verdicts []verdictLine
	for _, v := range r.judge() {
		verdicts = append(verdicts, verdictLine{v.what, v.limit, v.reached, v.by, v.word()})
	}
	m := r.Machine
	return pageTemplate.Execute(to, map[string]any{
		"Machine":  fmt.Sprintf("%s, %d cores, %s, Terraform %s", m.Processor, m.Cores, m.Go, m.Terraform),
		"Verdicts": verdicts,
		"Single":   table(r.of(func(c cell) bool { return c.Resource == single && c.Of == 0 })),
		"Growth":   r.growths(),
		"Many":     table(r.of(isMillion)),
		"Bulk":     table(r.of(func(c cell) bool { return c.Resource == bulk })),
		"Server":   r.serverTable(),
	})
}

func (v verdict) word() string {
	if v.holds {
		return "yes"
	}
	return "**no**"
}

func (r *results) of(about func(cell) bool) []row {
	return slices.DeleteFunc(slices.Clone(r.Rows), func(one row) bool { return !about(one.cell) })
}

// columns are those of a row of the table.
var columns = []struct {
	name string
	text func(row) string
}{
	{"N", func(r row) string { return thousands(r.N) }},
	{"action", func(r row) string { return r.Action }},
	{"database", func(r row) string { return r.Engine }},
	{"network", func(r row) string { return r.Network }},
	{"gathering", func(r row) string { return map[bool]string{true: "on", false: "off"}[r.Gathering] }},
	{"time", func(r row) string { return seconds(median(r.Took)) }},
	{"floor", func(r row) string { return seconds(median(r.Floor)) }},
	{"over floor", func(r row) string { return fmt.Sprintf("× %.2f", r.times()) }},
	{"requests", func(r row) string { return thousands(int(r.Requests)) }},
	{"429", func(r row) string { return thousands(int(r.Refused)) }},
	{"sent", func(r row) string { return kilobytes(r.Sent) }},
	{"received", func(r row) string { return kilobytes(r.Received) }},
	{"provider", func(r row) string { return megabytes(r.ProviderMiB) }},
	{"floor's", func(r row) string { return megabytes(r.FloorMiB) }},
	{"server", func(r row) string { return megabytes(r.ServerMiB) }},
	{"read", func(r row) string { return thousands(int(r.Answered)) }},
	{"rounds", func(r row) string { return strconv.Itoa(len(r.Took)) }},
	{"day", func(r row) string { return r.When.Format("2006-01-02") }},
}

// table returns the rows in Markdown, "" of none. Only of a small state does anything count what was read.
func table(rows []row) string {
	if len(rows) == 0 {
		return ""
	}
	var text strings.Builder
	for _, c := range columns {
		if c.name != "read" || rows[0].Of > 0 {
			text.WriteString("| " + c.name + " ")
		}
	}
	text.WriteString("|\n")
	text.WriteString(strings.Repeat("|---", strings.Count(text.String(), "|")-1) + "|\n")
	for _, r := range rows {
		for _, c := range columns {
			switch {
			case c.name == "read" && r.Of == 0:
			case c.name == "over floor" && r.Failed != "":
				text.WriteString("| failed ")
			default:
				text.WriteString("| " + c.text(r) + " ")
			}
		}
		text.WriteString("|\n")
	}
	return text.String()
}

// growths is the table of how times grow from each number of mappings to the next, of what is gathered.
func (r *results) growths() string {
	var text strings.Builder
	for _, one := range r.of(func(c cell) bool { return c.Resource == single && c.Of == 0 && c.Gathering }) {
		fewer := one.cell
		fewer.N /= 2
		before, ok := r.find(fewer)
		if !ok {
			continue
		}
		fmt.Fprintf(&text, "| %s to %s | %s | %s | %s | × %.2f | × %.2f |\n", thousands(fewer.N), thousands(one.N), one.Action, one.Engine,
			one.Network, median(one.Took)/median(before.Took), median(one.Floor)/median(before.Floor))
	}
	if text.Len() == 0 {
		return ""
	}
	return "| from | action | database | network | time | floor |\n|---|---|---|---|---|---|\n" + text.String()
}

func (r *results) serverTable() string {
	if len(r.Server) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("| what | database | measured | day |\n|---|---|---|---|\n")
	for _, one := range r.Server {
		fmt.Fprintf(&text, "| %s | %s | %s %s | %s |\n", one.Name, one.Engine, number(one.Value), one.Unit, one.When.Format("2006-01-02"))
	}
	return text.String()
}

// print prints what the page says, for a terminal.
func (r *results) print(out io.Writer) {
	lines := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range columns {
		fmt.Fprint(lines, c.name, "\t")
	}
	fmt.Fprintln(lines)
	for _, one := range r.Rows {
		for _, c := range columns {
			fmt.Fprint(lines, c.text(one), "\t")
		}
		fmt.Fprintln(lines, one.Failed)
	}
	fmt.Fprintln(lines)
	for _, v := range r.judge() {
		fmt.Fprintf(lines, "%s\t%s\t%s\t%s\t%s\n", v.what, v.limit, v.reached, v.by, map[bool]string{true: "holds", false: "MISSED"}[v.holds])
	}
	_ = lines.Flush() // output to a terminal
}

// number writes a value with as many digits as say something.
func number(value float64) string {
	if value >= 100 || value == float64(int(value)) {
		return thousands(int(value + 0.5))
	}
	return strconv.FormatFloat(value, 'f', 2, 64)
}

// thousands writes a number with a comma before each three digits.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func seconds(s float64) string     { return fmt.Sprintf("%.1f s", s) }
func kilobytes(n int64) string     { return thousands(int(n+512)/1024) + " KiB" }
func megabytes(mib float64) string { return fmt.Sprintf("%.0f MiB", mib) }
