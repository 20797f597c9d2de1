package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// TestMeasure runs every measure on a small database of each engine. What it finds depends on the machine; that it finds
// something does not.
func TestMeasure(t *testing.T) {
	program := filepath.Join(t.TempDir(), "idmap")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/idmap/terraform-provider-idmap")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	postgres := os.Getenv(testenv.PostgresEnv)
	if postgres == "" {
		t.Fatalf("this test needs PostgreSQL: set %s", testenv.PostgresEnv)
	}
	var table strings.Builder
	o := server.Options{Postgres: postgres, Mappings: 3000, Lookups: 8, Creates: 200, Batch: 50}
	results, err := server.Measure(t.Context(), program, &table, o)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(table.String(), "\n"); lines != len(results) {
		t.Errorf("the table of %d results has %d lines", len(results), lines)
	}
	found := map[string]server.Result{}
	for _, r := range results {
		found[r.Engine+": "+r.Name] = r
		if r.Unit != "ms/1000" && r.Value <= 0 { // processor time is counted in hundredths of a second
			t.Errorf("%s: %v", r.Name, r.Value)
		}
	}
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		for _, name := range []string{
			"filling the database", "lookup of 50, 1 clients", "lookup of 50, 4 clients", "walk over all pages of 1000",
			"batch creates, all or none", "batch creates, each with its key", "single creates, 32 clients",
			"single creates, 32 clients, p99", "peak memory of the server",
		} {
			if _, ok := found[engine+": "+name]; !ok {
				t.Errorf("%s has no %q:\n%s", engine, name, &table)
			}
		}
	}
	if _, ok := found["PostgreSQL: batch creates, two servers, each with its key"]; !ok {
		t.Errorf("two servers were not measured:\n%s", &table)
	}
}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		result server.Result
		want   bool
	}{
		{server.Result{Value: 5}, true},
		{server.Result{Value: 5, Bound: 5}, true},
		{server.Result{Value: 4, Bound: 5}, false},
		{server.Result{Value: 5, Bound: 5, AtMost: true}, true},
		{server.Result{Value: 6, Bound: 5, AtMost: true}, false},
	} {
		if c.result.Holds() != c.want {
			t.Errorf("%v: %v, and %v is wanted", c.result, c.result.Holds(), c.want)
		}
	}
}
