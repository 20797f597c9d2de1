package main

import (
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// BenchmarkPlan times a plan of 500 unchanged mappings and, in the same run, one of 500 terraform_data with the same two
// strings, which is what Terraform itself costs.
func BenchmarkPlan(b *testing.B) {
	const resources = 500
	server := startServer(b, filepath.Join(b.TempDir(), "idmap.db"))
	for _, kind := range []struct{ name, configuration string }{
		{"idmap_user_mapping", mappingsConfiguration},
		{"terraform_data", `
resource "terraform_data" "all" {
  for_each = jsondecode(file("${path.module}/mappings.json"))
  input    = { user_id = each.key, email = each.value }
}
`},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var requests atomic.Int32
			before := newFront(b, server.url)
			before.let(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				requests.Add(1)
				forward.ServeHTTP(w, r)
			})
			w := newWorkspace(b, before.url)
			w.Write(b, "main.tf", kind.configuration)
			writeUsers(b, w, resources)
			w.Must(b, "apply", "-auto-approve")
			requests.Store(0)
			for b.Loop() {
				w.Must(b, "plan", "-detailed-exitcode")
			}
			b.ReportMetric(float64(requests.Load())/float64(b.N), "requests/op")
			w.Must(b, "destroy", "-auto-approve")
		})
	}
}
