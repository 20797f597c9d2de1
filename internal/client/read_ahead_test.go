package client

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// run reads the mappings of those ids, of all that there are, ten at a time, and returns how many requests it takes.
func run(r *readAhead, all, wanted []string) (requests int) { return runBy(10, r, all, wanted) }

// runBy is run with another number at a time.
func runBy(atOnce int, r *readAhead, all, wanted []string) (requests int) {
	wanted = slices.Clone(wanted)
	for len(wanted) > 0 {
		var missing []string
		for len(wanted) > 0 && len(missing) < atOnce {
			if _, here := r.take(wanted[0]); !here {
				missing = append(missing, wanted[0])
			}
			wanted = wanted[1:]
		}
		if len(missing) == 0 {
			break
		}
		requests++
		if p := r.next(missing); p != nil {
			r.arrived(p, pageOf(all, p), missing)
		}
		r.count(len(missing))
	}
	return requests
}

func pageOf(all []string, p *further) (rows []idmap.UserMapping) {
	first, _ := slices.BinarySearch(all, p.From)
	last := min(first+p.Limit, len(all))
	if p.To != "" {
		end, _ := slices.BinarySearch(all, p.To)
		last = min(last, end)
	}
	for _, id := range all[max(first-p.Before, 0):last] {
		rows = append(rows, idmap.UserMapping{ID: id})
	}
	return rows
}

func idsOf(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%08d", i)
	}
	return ids
}

// TestReadAheadModel: what is read whole takes few requests, and what is not costs little.
func TestReadAheadModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	shuffled := func(ids []string) []string {
		ids = slices.Clone(ids)
		random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		return ids
	}
	all, many := idsOf(2000), idsOf(1_000_000)
	r := newReadAhead()
	if n := run(r, all, all); n > 10 || r.fetched > 2000 {
		t.Errorf("2,000 of 2,000 in order: %d requests, %d read ahead", n, r.fetched)
	}
	sum, most := 0, 0
	for range 100 {
		n := run(newReadAhead(), all, shuffled(all))
		sum, most = sum+n, max(most, n)
	}
	t.Logf("2,000 of 2,000 in random order: %.1f requests on average, %d at most", float64(sum)/100, most)
	if sum > 10*100 || most > 10 {
		t.Errorf("2,000 of 2,000 in random order: %d requests in 100 runs, %d at most", sum, most)
	}
	r = newReadAhead()
	if n := run(r, many, shuffled(many)[:20]); n > 2 || r.fetched > 0 {
		t.Errorf("20 here and there of 1,000,000, ten at a time: %d requests, %d read ahead", n, r.fetched)
	}
	r = newReadAhead()
	if n := runBy(1, r, many, shuffled(many[500_000:500_020])); n > 3 || r.fetched > 1000 {
		t.Errorf("20 together of 1,000,000, one at a time: %d requests, %d read ahead", n, r.fetched)
	}
	r = newReadAhead()
	if n := run(r, many, shuffled(many)[:2000]); n > 200 || r.fetched > 3000 {
		t.Errorf("2,000 here and there of 1,000,000: %d requests, %d read ahead", n, r.fetched)
	}
	r = newReadAhead()
	if n := run(r, many, shuffled(many[500_000:502_000])); n > 20 || r.fetched > 10_000 {
		t.Errorf("2,000 together of 1,000,000: %d requests, %d read ahead", n, r.fetched)
	}
}

// answeredReads returns a read-ahead of two requests that have answered so many reads, the least of which was of id 1000.
func answeredReads(n int) *readAhead {
	r := newReadAhead()
	r.take("00001000")
	r.count(n - 1)
	r.count(1)
	return r
}

func TestReadAheadRules(t *testing.T) {
	all := idsOf(5000)
	want := func(name string, p *further, page idmap.ReadAhead) {
		t.Helper()
		if p == nil || p.ReadAhead != page {
			t.Errorf("%s: %+v, want %+v", name, p, page)
		}
	}
	early := newReadAhead()
	early.take("00001000")
	early.count(100)
	if p := early.next([]string{"00001000"}); p != nil {
		t.Errorf("after one request: %+v", p)
	}
	r := answeredReads(5)
	first := r.next([]string{"00001200"})
	want("the first", first, idmap.ReadAhead{From: "00001000", Limit: 500, Before: 200})
	if p := r.next([]string{"00001300"}); p != nil {
		t.Errorf("two at one time: %+v", p)
	}
	r.arrived(first, pageOf(all, first), []string{"00001200"})
	if _, here := r.take("00001200"); here {
		t.Error("what the request itself answers is handed out again")
	}
	if _, here := r.take("00001300"); !here {
		t.Error("what was read ahead is not here")
	}
	if _, here := r.take("00001300"); here {
		t.Error("it is handed out twice")
	}
	want("500 and 100 for each read, and on from the page where that pays well", r.next([]string{"00002000"}), idmap.ReadAhead{From: "000014990", Limit: 400})
	r.failed(false)
	r.take("00001301")
	r.count(3)
	if p := r.next([]string{"00000800", "00001300", "00001499"}); p != nil {
		t.Errorf("all of them were read already: %+v", p)
	}
	want("up to the page above", r.next([]string{"00002000", "00000799"}), idmap.ReadAhead{From: "00000799", To: "00000800", Limit: 800, Before: 200})
	r.failed(false)
	r.forget("00001400", "00001401")
	if _, here := r.take("00001400"); here {
		t.Error("what was written is told from before")
	}
	r.forgetAll()
	if _, here := r.take("00000900"); here {
		t.Error("what may have changed is told from before")
	}
	r.failed(true)
	if p := r.next([]string{"00002000"}); p != nil {
		t.Errorf("the server refuses: %+v", p)
	}
}

// TestFirstPageAtAnEnd covers all that there is on the side on which it is not full.
func TestFirstPageAtAnEnd(t *testing.T) {
	for name, test := range map[string]struct {
		all  []string
		want span
	}{
		"in the middle":    {idsOf(5000), span{"00000800", "000014990"}},
		"at the beginning": {idsOf(5000)[801:], span{"", "000014990"}},
		"at the end":       {idsOf(1499), span{"00000800", ""}},
		"alone":            {idsOf(1001)[1000:], span{"", ""}},
	} {
		r := answeredReads(16)
		p := r.next([]string{"00001000"})
		r.arrived(p, pageOf(test.all, p), nil)
		if r.read[0] != test.want {
			t.Errorf("%s: covers %q, want %q", name, r.read[0], test.want)
		}
	}
}

// TestReadAheadThatDoesNotPay stops, and goes on when it pays after all.
func TestReadAheadThatDoesNotPay(t *testing.T) {
	all := idsOf(50_000)
	r := answeredReads(100)
	p := r.next([]string{"00001200"})
	r.arrived(p, pageOf(all, p), nil)
	if p := r.next([]string{"00003000"}); p != nil {
		t.Errorf("without a hit: %+v", p)
	}
	r.take("00001300")
	p = r.next([]string{"00003000", "00003001", "00003002", "00003003", "00003004", "00003005", "00003006"})
	if p == nil || p.From != "00003000" {
		t.Errorf("with one hit of nine: %+v", p)
	}
	r.failed(false)
	if p := r.next([]string{"00003007"}); p != nil {
		t.Errorf("with one hit of ten: %+v", p)
	}
}

// TestForgottenOnTheWay: a page that is under way may tell what was so before a write.
func TestForgottenOnTheWay(t *testing.T) {
	all := idsOf(5000)
	r := answeredReads(100)
	p := r.next([]string{"00001200"})
	r.forget("00001300")
	r.arrived(p, pageOf(all, p), nil)
	if _, here := r.take("00001300"); here {
		t.Error("what was written while the page was under way is here")
	}
	if _, here := r.take("00001301"); !here {
		t.Error("the others are not")
	}
	p = r.next([]string{"00003000"})
	r.forgetAll()
	r.arrived(p, pageOf(all, p), nil)
	if len(r.ready) > 0 {
		t.Errorf("%d are here", len(r.ready))
	}
}
