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
		{"idmap_user_mapping", configuration},
		{"terraform_data", `
resource "terraform_data" "all" {
  for_each = jsondecode(file("${path.module}/mappings.json"))
  input    = { user_id = each.key, email = each.value }
}
`},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var requests atomic.Int32
			address := proxy(b, func(*http.Request) { requests.Add(1) }, server.url)
			w := newWorkspace(b, kind.configuration, resources)
			if out, code := w.terraform(b, address, "apply", "-auto-approve"); code != 0 {
				b.Fatal(out)
			}
			requests.Store(0)
			for b.Loop() {
				if out, code := w.terraform(b, address, "plan", "-detailed-exitcode"); code != 0 {
					b.Fatal(out)
				}
			}
			b.ReportMetric(float64(requests.Load())/float64(b.N), "requests/op")
			if out, code := w.terraform(b, address, "destroy", "-auto-approve"); code != 0 {
				b.Fatal(out)
			}
		})
	}
}
