package match_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// accounts is how many accounts either directory of a benchmark has.
const accounts = 100_000

// BenchmarkExact resolves 100,000 accounts in 100,000 by the exact rules: nearly all are found by name, or by nothing.
func BenchmarkExact(b *testing.B) {
	benchmark(b, 0.1, idmap.MapBy{Default: true})
}

// BenchmarkFuzzy resolves 100,000 accounts in 100,000 where no exact rule applies, so that every one is looked for by
// its similarity, in all fields.
func BenchmarkFuzzy(b *testing.B) {
	benchmark(b, 1, idmap.MapBy{Username: true, Email: true, Name: true, Fuzzy: true})
}

func benchmark(b *testing.B, misspelled float64, by idmap.MapBy) {
	p := newPopulation(1)
	people := make([]person, accounts)
	for i := range people {
		people[i] = p.person(misspelled)
	}
	sources, destinations := p.first(people), p.second(people)
	for b.Loop() {
		before := heap()
		start := time.Now()
		index := match.NewIndex(idmap.AccountMap, destinations)
		r := match.NewResolver(idmap.Map{MapBy: by}, index)
		r.Resolve(sources[0]) // makes whatever the index makes late
		indexed := time.Since(start)
		memory := heap() - before
		start = time.Now()
		var totals idmap.MapTotals
		for _, source := range sources {
			totals.Add(r.Resolve(source))
		}
		took := time.Since(start)
		b.ReportMetric(float64(indexed.Milliseconds()), "index-ms")
		b.ReportMetric(float64(took.Milliseconds()), "resolve-ms")
		b.ReportMetric(accounts/took.Seconds(), "resolved/s")
		b.ReportMetric(memory/(1<<20), "heap-MB")
		b.Log(totals.ByResolution, totals.ByReason)
		runtime.KeepAlive(r)
	}
}

// heap returns how many bytes are in use.
func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
