package main

import (
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

const (
	outageMappings = 100
	killAfter      = 40 // creates that reached the servers
)

// TestServerIsKilledDuringApply applies mappings over two servers on one PostgreSQL, one of which is killed in the
// middle. Whatever became of that apply, the next one must complete, without duplicates, and the plan after it be empty.
func TestServerIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		failOver bool // the survivor is behind the same address
	}{
		{"behind one address", true},
		{"then the other address is configured", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			database := testenv.PostgresDatabase(t)
			victim, survivor := startServer(t, database), startServer(t, database)
			before := newFront(t, victim.url)
			if c.failOver {
				before = newFront(t, victim.url, survivor.url)
			}
			var creates atomic.Int32
			before.let(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				many := createMapping.in(r)
				if all := creates.Add(many); all >= killAfter && all-many < killAfter {
					_ = victim.cmd.Process.Signal(os.Kill) // without mercy: requests are under way
				}
				forward.ServeHTTP(w, r)
			})
			w := newWorkspace(t, before.url)
			w.Write(t, "main.tf", mappingsConfiguration)
			writeUsers(t, w, outageMappings)
			apply := w.Run(t, "apply", "-auto-approve")
			if !c.failOver && apply.Code == 0 {
				t.Error("the apply lost its only server and says that all went well")
			}
			if creates.Load() < killAfter {
				t.Fatalf("the server was not killed: %d creates\n%v", creates.Load(), apply)
			}

			w.Env = append(w.Env, "IDMAP_ENDPOINT="+survivor.url)
			w.Must(t, "apply", "-auto-approve")
			mustPlanNothing(t, w)
			if n := len(storedMappings(t, survivor.url)); n != outageMappings {
				t.Errorf("the backend has %d mappings, want %d", n, outageMappings)
			}
		})
	}
}
