package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// few is how many mappings the tests measure.
const few = 10

// newTestBench is a bench that is gone with the test.
func newTestBench(t *testing.T) *bench {
	t.Helper()
	b, err := newBench(t.Context(), t.Output(), os.Getenv(testenv.PostgresEnv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBench(t *testing.T) {
	b := newTestBench(t)
	t.Run("cells", func(t *testing.T) { testCells(t, b) })
	t.Run("floor", func(t *testing.T) { testFloor(t, b) })
	t.Run("failure", func(t *testing.T) { testFailure(t, b) })
}

// testCells measures every kind of cell, with few mappings.
func testCells(t *testing.T, b *bench) {
	t.Helper()
	if b.engines[postgres] == nil {
		t.Fatalf("this test needs PostgreSQL: run `make test`, or set %s", testenv.PostgresEnv)
	}
	o := options{
		only: []string{"single", "bulk"}, engines: engines, networks: []string{far}, actions: actions, gathering: []bool{true, false},
		n: []int{few}, bulk: []int{few}, rounds: 1,
	}
	all := o.blocks()
	if want := len(engines) * (len(actions)*len(o.gathering) + 3); len(all) != want {
		t.Errorf("there are %d blocks, want %d", len(all), want)
	}
	small := million
	small.N, small.Of, small.Engine = few, 20*few, sqlite
	kept := &results{}
	for _, one := range append(all, block{cells: []cell{small}, rounds: 2}) {
		rows, err := b.measure(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			kept.add(r)
			check(t, r, one.rounds)
		}
	}
	if want := len(all) + 1; len(kept.Rows) != want {
		t.Errorf("there are %d rows, want %d", len(kept.Rows), want)
	}
}

// check looks whether the figures of a row can be.
func check(t *testing.T, r row, rounds int) {
	t.Helper()
	wrong := func(what string) { t.Errorf("%s: %s: %+v", r.cell, what, r) }
	switch {
	case r.Failed != "":
		wrong("it failed")
	case len(r.Took) != rounds || len(r.Floor) != rounds || median(r.Took) <= 0 || median(r.Floor) <= 0:
		wrong("it has not the times of each round")
	case r.Requests == 0 || r.Sent == 0 || r.Received == 0:
		wrong("nothing was asked")
	case r.Refused > 0:
		wrong("there was no limit")
	case r.FloorMiB == 0 || r.ProviderMiB == 0 || r.ServerMiB == 0:
		wrong("a memory was not seen") // outside of Linux there is none to see
	case r.Of > 0 && r.Answered < few:
		wrong("the mappings of the state were not read")
	case r.Gathering && r.Action == plan && r.Requests >= few:
		wrong("a request for each mapping, with gathering")
	case !r.Gathering && r.Requests < few:
		wrong("fewer requests than mappings, without gathering")
	}
}

// testFloor runs the floor where a request would be seen.
func testFloor(t *testing.T, b *bench) {
	t.Helper()
	asked := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the floor asks %s", r.URL) }))
	defer asked.Close()
	for _, resource := range []string{single, bulk} {
		w, err := newWorkspace(t.TempDir(), b.floor, "IDMAP_ENDPOINT="+asked.URL)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.write(resource, peopleOf(few, false), nil); err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{create, plan} {
			if _, _, err := w.run(t.Context(), tasks[action]); err != nil {
				t.Errorf("%s: %v", resource, err)
			}
		}
		if err := w.write(resource, peopleOf(few, true), nil); err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{change, destroy} {
			if _, _, err := w.run(t.Context(), tasks[action]); err != nil {
				t.Errorf("%s: %v", resource, err)
			}
		}
	}
}

// testFailure has an action that Terraform does not do.
func testFailure(t *testing.T, b *bench) {
	t.Helper()
	c := cell{Resource: single, N: few, Action: plan, Engine: sqlite, Network: near, Gathering: true}
	b.origins[c.full()] = origin{state: []byte("{}")} // what Terraform cannot read
	if _, err := b.runFloor(t.Context(), c); err == nil || !strings.Contains(err.Error(), "ended with 1, not 0") {
		t.Errorf("a state that cannot be read: %v", err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	const answer = `{"user_mappings": [{"id": "a"}, null], "ahead": [{"id": "b"}, {"id": "c"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	const delay = 20 * time.Millisecond
	p, err := newProxy(t.Context(), server.URL, delay, true)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for _, path := range []string{"/v1/user_mappings/lookup", "/busy"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
	}
	if took := time.Since(begun); took < 2*delay {
		t.Errorf("two requests took %s, and each is held back for %s", took, delay)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if requests, refused, answered := p.requests.Load(), p.refused.Load(), p.answered.Load(); requests != 2 || refused != 1 || answered != 3 {
		t.Errorf("counted: %d requests, %d refused, %d mappings; want 2, 1, 3", requests, refused, answered)
	}
	if sent, received := p.sent.Load(), p.received.Load(); sent < 100 || received < 2*int64(len(answer)) {
		t.Errorf("counted: %d bytes sent, %d received", sent, received)
	}
}
