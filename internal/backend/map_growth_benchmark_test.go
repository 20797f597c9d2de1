package backend_test

import (
	"fmt"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// stageExceptions stores a map with so many exceptions, between directories of 20,000 accounts.
func stageExceptions(b *testing.B, exceptions int) (server *backend.Backend, id string) {
	b.Helper()
	server = backend.New(acctest.OpenSQLite(b), backend.Options{})
	stageCompany(b, server, 20_000)
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	for i := range exceptions {
		*wanted.Exceptions = append(*wanted.Exceptions, idmap.MapException{
			Source: idmap.Principal{Username: fmt.Sprintf("user%06d", i)}, Destination: colleague(i + 1),
		})
	}
	v, err := server.CreateMap(b.Context(), admin, idmap.AccountMap, wanted)
	if err != nil {
		b.Fatal(err)
	}
	return server, v.Map.ID
}

// BenchmarkOneItem times writes of one item to a small map and to a large one, on SQLite. They cost the same.
func BenchmarkOneItem(b *testing.B) {
	for _, exceptions := range []int{1_000, 10_000} {
		server, id := stageExceptions(b, exceptions)
		item := func(n int) idmap.MapItem {
			return idmap.MapException{Source: idmap.Principal{Name: "user019999"}, Destination: colleague(n % 2)}.Item()
		}
		stored := ""
		b.Run(fmt.Sprintf("post/of=%d", exceptions), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				r, err := server.PutMapItems(b.Context(), admin, idmap.AccountMap, id, []idmap.ItemRole{idmap.RoleException}, []idmap.MapItem{item(n)}, true)
				if err != nil {
					b.Fatal(err)
				}
				stored = r.Items[0].ID
			}
		})
		b.Run(fmt.Sprintf("update/of=%d", exceptions), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				_, err := server.UpdateMapItem(b.Context(), admin, idmap.AccountMap, id, []idmap.ItemRole{idmap.RoleException}, stored,
					func(idmap.MapItem) (idmap.MapItem, error) { return item(n), nil })
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNextPage times a page of a report but the first, of a map with 10,000 exceptions, on SQLite.
func BenchmarkNextPage(b *testing.B) {
	server, id := stageExceptions(b, 10_000)
	page := func(after string) {
		r, err := server.ReportMap(b.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, idmap.Page{After: after, Limit: 100})
		if err != nil || len(r.Rows.Items) != 100 {
			b.Fatal(len(r.Rows.Items), err)
		}
	}
	page("")
	for b.Loop() {
		page(employee(rulestest.OldFiles, 99).ID)
	}
}
