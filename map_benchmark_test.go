package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The size of the one map, and its configuration as idmap_account_map and as a terraform_data of the same value.
const (
	mapExceptions = 10_000
	mapExclusions = 2_000

	mapConfiguration = `
terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

locals {
  value = jsondecode(file("${path.module}/map.json"))
}

resource "idmap_account_map" "all" {
  name                      = "All"
  source_connection_id      = local.value.source
  destination_connection_id = local.value.destination
  match                     = { names = true }
  exceptions                = local.value.exceptions
  source_exclusions         = local.value.source_exclusions
}
`
	dataConfiguration = `
locals {
  value = jsondecode(file("${path.module}/map.json"))
}

resource "terraform_data" "all" {
  input = {
    name              = "All"
    exceptions        = tomap(local.value.exceptions)
    source_exclusions = tolist(local.value.source_exclusions)
  }
}
`
)

// mapValue is what both configurations read.
type mapValue struct {
	Source           string            `json:"source"`
	Destination      string            `json:"destination"`
	Exceptions       map[string]string `json:"exceptions"`
	SourceExclusions []string          `json:"source_exclusions"`
}

// BenchmarkMapResource times one map of 10,000 exceptions and 2,000 exclusions, against what Terraform itself takes for
// such a value: a terraform_data in the same run. The figures are seconds, and ratios of the two.
func BenchmarkMapResource(b *testing.B) {
	server := startServer(b, filepath.Join(b.TempDir(), "idmap.db"))
	value := stageLargeMap(b, server.url)
	steps := []string{"plan_create", "apply_create", "plan_nothing", "apply_change", "destroy"}
	spent := map[string]map[string]time.Duration{}
	for b.Loop() {
		for kind, configuration := range map[string]string{"idmap": mapConfiguration, "data": dataConfiguration} {
			if spent[kind] == nil {
				spent[kind] = map[string]time.Duration{}
			}
			w := newWorkspace(b, server.url)
			w.Write(b, "main.tf", configuration)
			timed := func(step string, want int, args ...string) {
				start := time.Now()
				if o := w.Run(b, args...); o.Code != want {
					b.Fatalf("%s of %s: %.2000v", step, kind, o)
				}
				spent[kind][step] += time.Since(start)
			}
			writeJSON(b, w, "map.json", value)
			timed(steps[0], 2, "plan", "-detailed-exitcode")
			timed(steps[1], 0, "apply", "-auto-approve")
			timed(steps[2], 0, "plan", "-detailed-exitcode")
			changed := value
			changed.SourceExclusions = value.SourceExclusions[1:]
			writeJSON(b, w, "map.json", changed)
			timed(steps[3], 0, "apply", "-auto-approve")
			timed(steps[4], 0, "destroy", "-auto-approve")
		}
	}
	for _, step := range steps {
		ours, terraforms := spent["idmap"][step].Seconds()/float64(b.N), spent["data"][step].Seconds()/float64(b.N)
		b.ReportMetric(ours, step+"_s")
		b.ReportMetric(terraforms, step+"_data_s")
		b.ReportMetric(ours/terraforms, step+"_ratio")
	}
}

// stageLargeMap stores two connections with the accounts that the map names, and returns the map.
func stageLargeMap(t testing.TB, url string) mapValue {
	t.Helper()
	c := askServer(t, url)
	value := mapValue{Exceptions: map[string]string{}}
	old, now := []string{"id,username,email,name"}, []string{"id,username,email,name"}
	for i := range mapExceptions + mapExclusions {
		old = append(old, fmt.Sprintf("o-%d,user%05d,user%05d@old.example.com,Old User %d", i, i, i, i))
		now = append(now, fmt.Sprintf("n-%d,u%05d,user%05d@new.example.com,New User %d", i, i, i, i))
		if i < mapExceptions {
			value.Exceptions[fmt.Sprintf("user%05d@old.example.com", i)] = fmt.Sprintf("user%05d@new.example.com", i)
		} else {
			value.SourceExclusions = append(value.SourceExclusions, fmt.Sprintf("user%05d", i))
		}
	}
	connect := func(name string, accounts []string) string {
		made, err := c.CreateConnection(t.Context(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: "generic"}})
		if err == nil {
			_, err = c.ImportAccounts(t.Context(), made.ID, 0, "text/csv", []byte(strings.Join(accounts, "\n")))
		}
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	value.Source, value.Destination = connect("Old", old), connect("New", now)
	return value
}
