package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
)

// A bench runs cells. Each run has a database, a server, a proxy and a folder for itself.
type bench struct {
	out            io.Writer
	folder         string
	program, floor string // files of the providers; the program serves, too
	engines        map[string]engine
	origins        map[string]origin
	made           int // databases
}

// An origin is what an action begins with: a database that no action changes, and Terraform's state of it.
type origin struct {
	database string
	state    []byte // nil: there is none
}

// newBench builds both providers. PostgreSQL is used where its server is given.
func newBench(ctx context.Context, out io.Writer, postgresServer string) (*bench, error) {
	folder, err := os.MkdirTemp("", "idmap-scale-")
	if err != nil {
		return nil, err
	}
	b := &bench{
		out: out, folder: folder, origins: map[string]origin{}, engines: map[string]engine{sqlite: sqliteEngine{folder}},
		program: filepath.Join(folder, "provider", "terraform-provider-idmap"),
		floor:   filepath.Join(folder, "floor", "terraform-provider-idmap"),
	}
	const module = "github.com/idmap/terraform-provider-idmap"
	for file, of := range map[string]string{b.program: module, b.floor: module + "/internal/scale/floor"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, of) //nolint:gosec // our own packages
		if said, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("building %s: %w\n%s", of, err, said), b.close(ctx))
		}
	}
	if postgresServer != "" {
		b.engines[postgres] = newPostgresEngine(postgresServer)
	}
	return b, nil
}

// close removes all that there is.
func (b *bench) close(ctx context.Context) error {
	var err error
	for _, e := range b.engines {
		for i := range b.made {
			err = errors.Join(err, e.drop(context.WithoutCancel(ctx), databaseName(i+1)))
		}
	}
	return errors.Join(err, os.RemoveAll(b.folder))
}

// warm runs both providers once. The first start of a program is slower than any later one.
func (b *bench) warm(ctx context.Context) error {
	_, err := b.measure(ctx, block{rounds: 1, cells: []cell{{Resource: single, N: 1, Action: create, Engine: sqlite, Network: near, Gathering: true}}})
	return err
}

func databaseName(i int) string { return fmt.Sprintf("d%d", i) }

func (b *bench) newDatabase() string {
	b.made++
	return databaseName(b.made)
}

// A taken is what one run took.
type taken struct {
	seconds float64
	counts
	failed string
}

// measure measures the cells of a block in turn: the floor and then each of them, and again.
func (b *bench) measure(ctx context.Context, of block) ([]row, error) {
	rows := make([]row, len(of.cells))
	for i, c := range of.cells {
		rows[i].cell = c
	}
	for range of.rounds {
		floor, err := b.runFloor(ctx, of.cells[0])
		if err != nil {
			return nil, fmt.Errorf("the floor of %s: %w", of.cells[0], err)
		}
		for i, c := range of.cells {
			t, err := b.run(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
			r := &rows[i]
			r.When = time.Now().UTC().Truncate(time.Second)
			r.Took, r.Floor = append(r.Took, t.seconds), append(r.Floor, floor.seconds)
			r.counts, r.FloorMiB = r.most(t.counts), max(r.FloorMiB, floor.ProviderMiB)
			if t.failed != "" {
				r.Failed = t.failed
			}
			fmt.Fprintf(b.out, "  %s: %.2f s, floor %.2f s, × %.2f; %d requests, %d refused, %.0f MiB %s\n",
				c, t.seconds, floor.seconds, t.seconds/floor.seconds, t.Requests, t.Refused, t.ProviderMiB, t.failed)
		}
	}
	return rows, nil
}

// run runs a cell once.
func (b *bench) run(ctx context.Context, c cell) (taken, error) {
	from, err := b.origin(ctx, c)
	if err != nil {
		return taken{}, err
	}
	database, e := from.database, b.engines[c.Engine]
	if c.writes() {
		database = b.newDatabase()
		if err := e.copy(ctx, from.database, database); err != nil {
			return taken{}, err
		}
	}
	t, state, err := b.runOn(ctx, c, database, from.state)
	switch {
	case err != nil || !c.writes():
		return t, err
	case c.Action == create && t.failed == "" && b.origins[c.full()].database == "":
		b.origins[c.full()] = origin{database, state}
		return t, nil
	}
	return t, e.drop(ctx, database)
}

// runOn runs a cell on a database, and returns the state that Terraform leaves.
func (b *bench) runOn(ctx context.Context, c cell, database string, state []byte) (t taken, after []byte, err error) {
	folder, err := os.MkdirTemp(b.folder, "run-")
	if err != nil {
		return t, nil, err
	}
	defer os.RemoveAll(folder)
	way := ways[c.Network]
	serving, err := startBackend(ctx, b.program, b.engines[c.Engine].database(database), folder, way.limit)
	if err != nil {
		return t, nil, err
	}
	defer func() {
		peak, stopped := serving.stop()
		t.ServerMiB, err = peak, errors.Join(err, stopped)
	}()
	between, err := newProxy(ctx, serving.url, way.delay, c.Of > 0)
	if err != nil {
		return t, nil, err
	}
	env := []string{"IDMAP_ENDPOINT=" + between.url, "IDMAP_TOKEN=" + token}
	if !c.Gathering {
		env = append(env, "IDMAP_SEPARATE_REQUESTS=true")
	}
	t, err = b.terraform(ctx, c, folder, b.program, state, env...)
	err = errors.Join(err, between.stop())
	t.Requests, t.Refused, t.Answered = between.requests.Load(), between.refused.Load(), between.answered.Load()
	t.Sent, t.Received = between.sent.Load(), between.received.Load()
	after, readable := os.ReadFile(filepath.Join(folder, stateFile))
	if c.Action == create && t.failed == "" {
		err = errors.Join(err, readable)
	}
	return t, after, err
}

// runFloor does what a cell does with the provider that does nothing.
func (b *bench) runFloor(ctx context.Context, c cell) (taken, error) {
	from, err := b.origin(ctx, c)
	if err != nil {
		return taken{}, err
	}
	folder, err := os.MkdirTemp(b.folder, "floor-")
	if err != nil {
		return taken{}, err
	}
	defer os.RemoveAll(folder)
	t, err := b.terraform(ctx, c, folder, b.floor, from.state)
	if err == nil && t.failed != "" {
		err = errors.New(t.failed)
	}
	return t, err
}

// terraform runs the action of a cell. That Terraform does not do it is told by what was taken, and is no error.
func (b *bench) terraform(ctx context.Context, c cell, folder, provider string, state []byte, env ...string) (t taken, err error) {
	w, err := newWorkspace(folder, provider, env...)
	if err != nil {
		return t, err
	}
	if err := w.write(c.Resource, c.people(), state); err != nil {
		return t, err
	}
	took, peak, err := w.run(ctx, tasks[c.Action])
	if f, failed := errors.AsType[*failure](err); failed && ctx.Err() == nil {
		t.failed, err = f.Error(), nil
	}
	t.seconds, t.ProviderMiB = took.Seconds(), peak
	return t, errors.Join(err, ctx.Err())
}

// people are whom the configuration of a cell maps.
func (c cell) people() map[string]string {
	if c.Of == 0 {
		return peopleOf(c.N, c.Action == change)
	}
	people := map[string]string{}
	for i := range c.N {
		people[server.UserID(c.scattered(i))] = server.Email(c.scattered(i))
	}
	return people
}

// scattered is the number of one of few among many, far away from the others.
func (c cell) scattered(i int) int { return i * (c.Of / c.N) }

func (c cell) empty() string { return fmt.Sprintf("%s with %d people", c.Engine, c.N) }
func (c cell) full() string {
	return fmt.Sprintf("%s with %d %s of %d", c.Engine, c.N, c.Resource, c.Of)
}

// origin returns what a cell begins with, and makes it if nothing has.
func (b *bench) origin(ctx context.Context, c cell) (origin, error) {
	key, fill := c.full(), b.makeFull
	switch {
	case c.Action == create:
		key, fill = c.empty(), b.makeEmpty
	case c.Of > 0:
		fill = b.makeMany
	}
	if found, ok := b.origins[key]; ok {
		return found, nil
	}
	fmt.Fprintf(b.out, "  preparing %s\n", key)
	made, err := fill(ctx, c)
	if err != nil {
		return origin{}, fmt.Errorf("preparing %s: %w", key, err)
	}
	b.origins[key] = made
	return made, nil
}

// makeEmpty makes a database with both directories.
func (b *bench) makeEmpty(ctx context.Context, c cell) (origin, error) {
	return b.makeDatabase(ctx, c.Engine, func(s *backend) error { return s.load(ctx, c.N) })
}

// makeDatabase makes a database, with what is done on a server of it.
func (b *bench) makeDatabase(ctx context.Context, engine string, do func(*backend) error) (origin, error) {
	database := b.newDatabase()
	if err := b.engines[engine].fresh(ctx, database); err != nil {
		return origin{}, err
	}
	s, err := startBackend(ctx, b.program, b.engines[engine].database(database), b.folder, 0)
	if err != nil {
		return origin{}, err
	}
	err = do(s)
	_, stopped := s.stop()
	return origin{database: database}, errors.Join(err, stopped)
}

// makeFull makes a database in which all mappings are, and their state.
func (b *bench) makeFull(ctx context.Context, c cell) (origin, error) {
	c.Action, c.Network, c.Gathering = create, near, true
	t, err := b.run(ctx, c)
	if err == nil && t.failed != "" {
		err = errors.New(t.failed)
	}
	return b.origins[c.full()], err
}

// makeMany makes a database of very many mappings, and a state that has imported few of them.
func (b *bench) makeMany(ctx context.Context, c cell) (origin, error) {
	made, err := b.makeDatabase(ctx, c.Engine, func(s *backend) error { return s.load(ctx, 0) })
	if err != nil {
		return origin{}, err
	}
	if err := server.Seed(ctx, c.Engine == postgres, b.engines[c.Engine].database(made.database), c.Of, c.Of); err != nil {
		return origin{}, err
	}
	folder, err := os.MkdirTemp(b.folder, "import-")
	if err != nil {
		return origin{}, err
	}
	ids := map[string]string{}
	for i := range c.N {
		ids[server.UserID(c.scattered(i))] = server.MappingID(c.scattered(i))
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return origin{}, err
	}
	imports := "import {\n  for_each = jsondecode(file(\"ids.json\"))\n  to = idmap_user_mapping.person[each.key]\n  id = each.value\n}\n"
	serving, err := startBackend(ctx, b.program, b.engines[c.Engine].database(made.database), folder, 0)
	if err != nil {
		return origin{}, err
	}
	w, err := newWorkspace(folder, b.program, "IDMAP_ENDPOINT="+serving.url, "IDMAP_TOKEN="+token)
	err = errors.Join(err, w.write(c.Resource, c.people(), nil),
		os.WriteFile(filepath.Join(folder, "import.tf"), []byte(imports), 0o600),
		os.WriteFile(filepath.Join(folder, "ids.json"), text, 0o600))
	if err == nil {
		_, _, err = w.run(ctx, tasks[create])
	}
	_, stopped := serving.stop()
	if err := errors.Join(err, stopped); err != nil {
		return origin{}, err
	}
	made.state, err = os.ReadFile(filepath.Join(folder, stateFile))
	return made, err
}
