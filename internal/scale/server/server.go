// Package server measures a running server: the program itself, asked over HTTP on the loopback, on a database with as
// many mappings as it has to carry.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// Options say how large the measurement is. Zero fields take the size that the bounds are about.
type Options struct {
	// Postgres is the URL of a PostgreSQL server on which databases may be made; without it SQLite alone is measured.
	Postgres string
	// Sync has that server write everything to its disk before it answers, as one does whose data matter; the cluster of
	// the tests does not. The user of the URL must be a superuser, and the setting is taken back in the end.
	Sync bool
	// Mappings is how many there are.
	Mappings int
	// Lookups is how many requests of a batch each measure of look-ups makes.
	Lookups int
	// Creates is how many mappings each measure of writes makes, and Batch how many one request names at most.
	Creates, Batch int
}

func (o *Options) complete() {
	o.Mappings = cmp.Or(o.Mappings, 1_000_000)
	o.Lookups = cmp.Or(o.Lookups, 400)
	o.Creates = cmp.Or(o.Creates, 10_000)
	o.Batch = cmp.Or(o.Batch, 1000)
}

// Result is what one measure found.
type Result struct {
	Name, Engine string
	Value        float64
	Unit         string
	Bound        float64 // 0: there is none
	AtMost       bool    // the bound is the greatest value that will do, and not the least
}

// Holds reports whether the value keeps to its bound.
func (r Result) Holds() bool {
	switch {
	case r.Bound == 0:
		return true
	case r.AtMost:
		return r.Value <= r.Bound
	}
	return r.Value >= r.Bound
}

// String is a line of the table.
func (r Result) String() string {
	line := fmt.Sprintf("%-11s %-62s %12.1f %-12s", r.Engine, r.Name, r.Value, r.Unit)
	if r.Bound == 0 {
		return line
	}
	sign, verdict := "≥", "holds"
	if r.AtMost {
		sign = "≤"
	}
	if !r.Holds() {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %s %.0f %s", line, sign, r.Bound, verdict)
}

// Measure runs every measure on each engine, and writes each result to out as soon as it is there. program is the path
// of the built program.
func Measure(ctx context.Context, program string, out io.Writer, o Options) ([]Result, error) {
	o.complete()
	folder, err := os.MkdirTemp("", "idmap-scale-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	engines := []*engine{sqliteIn(folder)}
	if o.Postgres != "" {
		engines = append(engines, postgresOn(o.Postgres, o.Sync))
	}
	var all []Result
	for _, e := range engines {
		m := &measurement{o: o, engine: e, program: program, http: newClient(), report: func(r Result) {
			all = append(all, r)
			fmt.Fprintln(out, r)
		}}
		if err := errors.Join(m.run(ctx), e.drop(context.WithoutCancel(ctx))); err != nil {
			return all, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return all, nil
}

// measurement is the measures of one engine.
type measurement struct {
	o       Options
	engine  *engine
	program string
	http    *http.Client
	servers []*process
	report  func(Result)
	taken   int // accounts without a mapping that a create has used
}

// measures are how many measures make o.Creates mappings each.
const measures = 4

func (m *measurement) run(ctx context.Context) (err error) {
	defer func() {
		for _, p := range m.servers {
			err = errors.Join(err, p.stop())
		}
	}()
	begun := time.Now()
	if err := m.stage(ctx); err != nil {
		return fmt.Errorf("filling the database: %w", err)
	}
	m.result("filling the database", time.Since(begun).Seconds(), "s", 0)
	steps := []func(context.Context) error{m.lookups, m.walk, m.batches, m.singles, m.memory}
	if m.engine.shared {
		steps = append(steps, m.twoServers)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stage lets the program make its tables and the connections, fills them, and starts the server again.
func (m *measurement) stage(ctx context.Context) error {
	if err := m.engine.create(ctx); err != nil {
		return err
	}
	p, err := m.start(ctx)
	if err != nil {
		return err
	}
	for _, body := range connections {
		if err := m.call(ctx, http.MethodPost, p.url+"/v1/connections", body, ""); err != nil {
			return errors.Join(err, p.stop())
		}
	}
	if err := p.stop(); err != nil {
		return err
	}
	if err := m.engine.fill(ctx, m.o.Mappings, m.o.Mappings+measures*m.o.Creates); err != nil {
		return err
	}
	p, err = m.start(ctx)
	m.servers = append(m.servers, p)
	return err
}

func (m *measurement) result(name string, value float64, unit string, bound float64) {
	m.report(Result{Name: name, Engine: m.engine.name, Value: value, Unit: unit, Bound: bound})
}

func (m *measurement) most(name string, value float64, unit string, bound float64) {
	m.report(Result{Name: name, Engine: m.engine.name, Value: value, Unit: unit, Bound: bound, AtMost: true})
}

// memory tells the most that the first server has held, of all that was asked of it.
func (m *measurement) memory(context.Context) error {
	peak, err := m.servers[0].peak()
	if err != nil {
		return err
	}
	bound := 0.0
	if !m.engine.shared {
		bound = 256
	}
	m.most("peak memory of the server", peak, "MiB", bound)
	return nil
}

// twoServers measures batches again, on two servers over one database.
func (m *measurement) twoServers(ctx context.Context) error {
	second, err := m.start(ctx)
	if err != nil {
		return err
	}
	m.servers = append(m.servers, second)
	return m.batch(ctx, "batch creates, two servers, each with its key", separate)
}

// percentile returns the value below which p of the durations lie, in milliseconds.
func percentile(durations []time.Duration, p float64) float64 {
	slices.Sort(durations)
	at := min(int(p*float64(len(durations))), len(durations)-1)
	return durations[at].Seconds() * 1000
}
