// Command core measures what Terraform itself costs, without any provider of ours: which ways of writing a large
// configuration are slow, and where its state had better be. The guide "At scale" has its figures.
//
//	go run ./internal/testenv/run -no-postgres -- go run ./internal/scale/core [-n 1000] [-rounds 3]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	n := flag.Int("n", 1000, "resources, or entries")
	rounds := flag.Int("rounds", 3, "runs of each case, of which the median is told")
	only := flag.String("only", "", "cases whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := measure(ctx, os.Stdout, *n, *rounds, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measure runs the cases in turn, each of them once a round, so that a slow minute of the machine is nobody's alone.
func measure(ctx context.Context, out io.Writer, n, rounds int, only string) error {
	state := httptest.NewServer(&stateServer{})
	defer state.Close()
	cases := slices.DeleteFunc(cases(n, state.URL), func(c workload) bool { return !strings.Contains(c.name, only) })
	took := make([]times, len(cases))
	for range rounds {
		for i, c := range cases {
			folder, err := os.MkdirTemp("", "idmap-core-")
			if err != nil {
				return err
			}
			t, err := c.run(ctx, folder)
			if err := os.RemoveAll(folder); err != nil {
				return err
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took[i].apply, took[i].plan = append(took[i].apply, t.apply...), append(took[i].plan, t.plan...)
		}
	}
	fmt.Fprintf(out, "| %d of | create | plan without a change |\n| --- | ---: | ---: |\n", n)
	for i, c := range cases {
		fmt.Fprintf(out, "| %s | %.2f s | %.2f s |\n", c.name, median(took[i].apply).Seconds(), median(took[i].plan).Seconds())
	}
	return nil
}

type times struct{ apply, plan []time.Duration }

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// run creates what the files describe, and plans it again.
func (c workload) run(ctx context.Context, folder string) (times, error) {
	var t times
	for name, text := range c.files {
		if err := write(filepath.Join(folder, name), text); err != nil {
			return t, err
		}
	}
	if c.init {
		if _, err := terraform(ctx, folder, "init", "-input=false", "-reconfigure"); err != nil {
			return t, err
		}
	}
	apply, err := terraform(ctx, folder, "apply", "-auto-approve", "-input=false")
	if err != nil {
		return t, err
	}
	plan, err := terraform(ctx, folder, "plan", "-input=false", "-detailed-exitcode")
	return times{[]time.Duration{apply}, []time.Duration{plan}}, err
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

func terraform(ctx context.Context, folder string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "terraform", append(args, "-no-color")...) //nolint:gosec // the arguments are those of this program
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("terraform %s: %w\n%.2000s", args[0], err, out)
	}
	return time.Since(began), nil
}

// stateServer is a remote state, as Terraform's backend "http" wants it.
type stateServer struct {
	mu    sync.Mutex
	state []byte
}

func (s *stateServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		state, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.state = state
	case r.Method == http.MethodDelete:
		s.state = nil
	case s.state == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(s.state) // who is gone needs none
	}
}
