// Command scale measures what thousands of mappings cost, over a provider of the same schemas that does nothing, and
// writes the guide "Benchmarks". Without flags it measures everything, which takes some hours on an idle machine:
//
//	go run ./internal/testenv/run -- go run ./internal/scale
//
// What is measured is kept, and a later run that measures a part replaces that part.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	only, engines, networks, actions []string
	gathering                        []bool
	n, bulk                          []int
	rounds                           int // 0: as roundsOf says
	render, write                    bool
	results, guides                  string // the file that keeps the results, and the folder of the page
	postgres                         string
}

// parts are what is measured, for -only.
var parts = []string{"single", "bulk", "million", "server"}

// parse reads the arguments. A run that measures less than everything, or in another way, keeps nothing unless it is told.
func parse(args []string, out io.Writer) (options, error) {
	o := options{postgres: os.Getenv(testenv.PostgresEnv)}
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(out)
	only := flags.String("only", strings.Join(parts, ","), "parts to measure")
	ns := flags.String("n", "250,500,1000,2000", "numbers of idmap_user_mapping")
	bulks := flags.String("bulk", "10000,50000", "numbers of entries of idmap_user_mappings")
	engine := flags.String("engines", strings.Join(engines, ","), "databases")
	network := flags.String("networks", "0ms,30ms,limit", "networks")
	action := flags.String("actions", strings.Join(actions, ","), "actions")
	gather := flags.String("gathering", "on,off", "gathering of requests")
	rounds := flags.Int("rounds", 0, fmt.Sprintf("rounds of each cell (default %d where a bound is about it, else %d)", boundRounds, otherRounds))
	quick := flags.Bool("quick", false, "a first impression: 250 and 500 mappings on SQLite, gathered, one round")
	flags.BoolVar(&o.render, "render", false, "measure nothing, and write the page of what is kept")
	flags.BoolVar(&o.write, "write", false, "keep the results of a part, and write the page")
	flags.StringVar(&o.results, "results", "internal/scale/results.json", "file that keeps the results")
	flags.StringVar(&o.guides, "guides", "templates/guides", "folder of the page")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		*only, *ns, *engine, *gather, *rounds = "single", "250,500", sqlite, "on", 1
	}
	o.rounds = *rounds
	o.write = o.write || flags.NFlag() == 0
	var errs [7]error
	o.only, errs[0] = words("-only", *only, parts, parts)
	o.engines, errs[1] = words("-engines", *engine, engines, engines)
	o.networks, errs[2] = words("-networks", *network, []string{"0ms", "30ms", "limit"}, networks)
	o.actions, errs[3] = words("-actions", *action, actions, actions)
	o.gathering, errs[4] = words("-gathering", *gather, []string{"on", "off"}, []bool{true, false})
	o.n, errs[5] = numbers("-n", *ns)
	o.bulk, errs[6] = numbers("-bulk", *bulks)
	return o, errors.Join(errs[:]...)
}

// words reads a list of words, each of which stands for a value.
func words[T any](name, list string, known []string, values []T) ([]T, error) {
	var all []T
	for word := range strings.SplitSeq(list, ",") {
		at := slices.IndexFunc(known, func(one string) bool { return strings.EqualFold(one, word) })
		if at < 0 {
			return nil, fmt.Errorf("%s has %q; it must be a list of %s", name, word, strings.Join(known, ", "))
		}
		all = append(all, values[at])
	}
	return all, nil
}

func numbers(name, list string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s has %q; it must be a list of numbers above zero", name, word)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all, nil
}

// run measures what the arguments select.
func run(ctx context.Context, out io.Writer, args []string) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	kept := &results{}
	if o.render || o.write {
		if kept, err = readResults(o.results); err != nil {
			return err
		}
	}
	if !o.render {
		if err := o.measure(ctx, out, kept); err != nil {
			return err
		}
	}
	kept.print(out)
	if o.render || o.write {
		return kept.writePage(o.guides)
	}
	return nil
}

// measure measures, and keeps each result as soon as it is there.
func (o options) measure(ctx context.Context, out io.Writer, kept *results) (err error) {
	if slices.Contains(o.engines, postgres) && o.postgres == "" {
		return fmt.Errorf("there is no PostgreSQL; set %s to the URL of a server on which databases may be made, "+
			"or run go run ./internal/testenv/run -- with this command, or leave it out with -engines %s", testenv.PostgresEnv, sqlite)
	}
	if !slices.Contains(o.engines, postgres) {
		o.postgres = ""
	}
	keep := func() error {
		if o.write {
			return kept.write(o.results)
		}
		return nil
	}
	if kept.Machine, err = thisMachine(ctx); err != nil {
		return err
	}
	b, err := newBench(ctx, out, o.postgres)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close(ctx)) }()
	if o.postgres != "" {
		undo, failed := durable(ctx, o.postgres)
		defer func() { err = errors.Join(err, undo()) }()
		if failed != nil {
			return failed
		}
	}
	if err := b.warm(ctx); err != nil {
		return err
	}
	if err := o.measureBlocks(ctx, b, kept, keep); err != nil || !slices.Contains(o.only, "server") {
		return err
	}
	fmt.Fprintln(out, "the server alone, with a million mappings")
	found, err := server.Measure(ctx, b.program, out, server.Options{Postgres: o.postgres, Sync: true})
	kept.addServer(found, time.Now().UTC().Truncate(time.Second))
	return errors.Join(err, keep())
}

func (o options) measureBlocks(ctx context.Context, b *bench, kept *results, keep func() error) error {
	all := o.blocks()
	left := time.Duration(0)
	for _, one := range all {
		left += one.guess()
	}
	fmt.Fprintf(b.out, "%d blocks, roughly %s; leave the machine idle\n", len(all), left.Round(time.Minute))
	for i, one := range all {
		fmt.Fprintf(b.out, "[%s, %d of %d, roughly %s left]\n", time.Now().Format(time.TimeOnly), i+1, len(all), left.Round(time.Minute))
		rows, err := b.measure(ctx, one)
		if err != nil {
			return err
		}
		for _, r := range rows {
			kept.add(r)
		}
		if err := keep(); err != nil {
			return err
		}
		left -= one.guess()
	}
	return nil
}
