package backend_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// BenchmarkMapItems times writes of a map with 10,000 exceptions and 2,000 exclusions, between directories of 20,000
// accounts, on SQLite.
func BenchmarkMapItems(b *testing.B) {
	const exceptions, exclusions, accounts = 10_000, 2_000, 20_000
	server := backend.New(acctest.OpenSQLite(b), backend.Options{})
	stageCompany(b, server, accounts)
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	for i := range exceptions {
		*wanted.Exceptions = append(*wanted.Exceptions, idmap.MapException{
			Source: idmap.Principal{Username: fmt.Sprintf("user%06d", i)}, Destination: colleague(i + 1),
		})
	}
	for i := range exclusions {
		*wanted.Exclusions = append(*wanted.Exclusions, idmap.MapExclusion{Location: idmap.LocationSource, SID: idmap.Principal{Name: fmt.Sprintf("user%06d", exceptions+i)}})
	}
	var id string
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			must(server.DeleteMaps(b.Context(), admin, idmap.AccountMap))
			v, err := server.CreateMap(b.Context(), admin, idmap.AccountMap, wanted)
			must(err)
			id = v.Map.ID
		}
	})
	write := func(m idmap.Map) {
		b.Helper()
		_, err := server.UpdateMap(b.Context(), admin, idmap.AccountMap, id, 0, func(idmap.Map) (idmap.Map, error) { return m, nil })
		must(err)
	}
	b.Run("update nothing", func(b *testing.B) {
		for b.Loop() {
			write(wanted)
		}
	})
	b.Run("update one exception", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			(*wanted.Exceptions)[0].Destination = colleague(n % 2)
			write(wanted)
		}
	})
	b.Run("post one exception", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			item := idmap.MapException{Source: idmap.Principal{Name: "user019999"}, Destination: colleague(n % 2)}.Item()
			_, err := server.PutMapItems(b.Context(), admin, idmap.AccountMap, id, []idmap.ItemRole{idmap.RoleException}, []idmap.MapItem{item}, true)
			must(err)
		}
	})
	validate := func(b *testing.B, in idmap.MapIntent) {
		b.Helper()
		for b.Loop() {
			v, err := server.ValidateMaps(b.Context(), admin, idmap.AccountMap, []idmap.MapIntent{in}, nil)
			if must(err); len(v[0].Violations) > 0 || v[0].Effect == nil {
				b.Fatal(v[0])
			}
		}
	}
	b.Run("validate a create", func(b *testing.B) {
		other := wanted
		other.Name = "Other"
		validate(b, idmap.MapIntent{Operation: idmap.OperationCreate, Map: &other})
	})
	b.Run("validate an update", func(b *testing.B) {
		other := wanted
		other.UnmappedPolicy = idmap.UnmappedFail
		validate(b, idmap.MapIntent{Operation: idmap.OperationUpdate, ID: id, Map: &other})
	})
}

// BenchmarkReport times the first page of a report, with its totals, and an export, for 100,000 accounts on each side,
// on SQLite. heap-MB is the most that was on the heap meanwhile, kept-MB what stays there for the next report.
func BenchmarkReport(b *testing.B) {
	server := backend.New(acctest.OpenSQLite(b), backend.Options{})
	stageCompany(b, server, 100_000)
	for _, c := range []struct {
		name string
		by   idmap.MapBy
	}{
		{"exact", idmap.MapBy{Default: true}},
		{"fuzzy", idmap.MapBy{Default: true, Fuzzy: true}},
		{"names only, fuzzy", idmap.MapBy{Name: true, Fuzzy: true}}, // every row is one that no exact rule finds
	} {
		m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
		m.Name, m.MapBy = c.name, c.by
		v, err := server.CreateMap(b.Context(), admin, idmap.AccountMap, m)
		if err != nil {
			b.Fatal(err)
		}
		subject := backend.MapSubject{Kind: idmap.AccountMap, ID: v.Map.ID}
		b.Run(c.name+" report", func(b *testing.B) {
			defer watchHeap(b)()
			for b.Loop() {
				r, err := server.ReportMap(b.Context(), subject, idmap.ResolutionFilter{}, idmap.Page{Limit: 1000})
				if err != nil {
					b.Fatal(err)
				}
				for by, n := range r.Totals.ByResolution {
					b.ReportMetric(float64(n), string(by))
				}
			}
		})
		b.Run(c.name+" export", func(b *testing.B) {
			defer watchHeap(b)()
			for b.Loop() {
				if err := server.ExportMap(b.Context(), subject, idmap.ResolutionFilter{}, func(idmap.Resolution) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// watchHeap measures the heap until the returned function is called.
func watchHeap(b *testing.B) (stop func()) {
	b.Helper()
	heap := func() float64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc) / 1e6
	}
	runtime.GC()
	peak := heap()
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
		b.ReportMetric(peak, "heap-MB")
		runtime.GC()
		b.ReportMetric(heap(), "kept-MB")
	}
}

// stageCompany stores two file platforms with as many accounts each. The same people are on both, though the first
// spells every name with a slip of the pen. Of ten, seven have the same username, one only the same address, one
// neither, and one is not there any more.
func stageCompany(b *testing.B, server *backend.Backend, accounts int) {
	b.Helper()
	for _, c := range rulestest.MapConnections()[:2] {
		if _, err := server.CreateConnection(b.Context(), admin, c); err != nil {
			b.Fatal(err)
		}
		rows := make([]idmap.Account, accounts)
		for i := range rows {
			rows[i] = employee(c.ID, i)
		}
		if _, err := server.ImportAccounts(b.Context(), admin, c.ID, backend.Import[idmap.Account]{Rows: rows, SHA256: "company"}); err != nil {
			b.Fatal(err)
		}
	}
}

// colleague names an account of the destination, of which usernames are not certain, by its id.
func colleague(i int) idmap.Principal {
	return idmap.Principal{Name: fmt.Sprintf("%s-%06d", rulestest.NewFiles, i)}
}

func employee(connection string, i int) idmap.Account {
	given := []string{"Anna", "Bruno", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karla", "Leo", "Marta", "Nils", "Olga", "Paul", "Rosa", "Simon", "Tina", "Victor"}
	syllables := []string{"ber", "man", "stein", "wal", "ten", "hof", "mar", "lin", "der", "sen", "ros", "feld", "kauf", "bach", "gro", "sel", "wei", "nor"}
	k := len(syllables)
	surname := syllables[i%k] + syllables[i/k%k] + syllables[i/k/k%k] + syllables[(i/k/k/k+i)%k]
	a := idmap.Account{
		ID: fmt.Sprintf("%s-%06d", connection, i), Username: fmt.Sprintf("user%06d", i), Email: fmt.Sprintf("%s.%s%d@contoso.com", given[i%len(given)], surname, i),
		Name: given[i%len(given)] + " " + surname,
	}
	if connection != rulestest.NewFiles {
		at := len(a.Name) - 3 - i%4
		a.Name = a.Name[:at] + a.Name[at-1:]
		return a
	}
	switch i % 10 {
	case 7:
		a.Username = fmt.Sprintf("u%d", i)
	case 8:
		a.Username, a.Email = fmt.Sprintf("u%d", i), fmt.Sprintf("u%d@fabrikam.com", i)
	case 9:
		a.Username, a.Email, a.Name = fmt.Sprintf("z%d", i), fmt.Sprintf("z%d@fabrikam.com", i), fmt.Sprintf("Zoë Quist %d", i)
	}
	return a
}
