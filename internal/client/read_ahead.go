package client

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	// requestsBeforeAhead is how many requests are made before anything is read ahead.
	requestsBeforeAhead = 2
	// firstPage and firstBefore are the size of the first page: what follows the least id that was asked for, and what is
	// before it. It tells whether it pays to go on.
	firstPage, firstBefore = 500, 200
	// aheadAtLeast and aheadPerRead bound the cost of all pages: so many mappings are read ahead, and so many for each that
	// was asked for.
	aheadAtLeast, aheadPerRead = 500, 100
)

// readAhead has mappings that were read before anybody asked for them. Mappings that were made together have ids next to
// each other, so whoever reads some of them is likely to read the others. Each is handed out once: whoever asks again
// wants to know what is so now. A nil readAhead reads nothing ahead. It is safe for concurrent use.
type readAhead struct {
	mu       sync.Mutex
	answered int    // reads, from here or by a request
	requests int    // made
	least    string // id that was asked for
	paged    bool   // a page was read
	fetched  int    // mappings that were read ahead, all in all
	read     []span // in order, none within another
	ready    map[string]idmap.UserMapping
	// hits and misses are the reads since the last page that were found here, and those that were not.
	hits, misses int
	refused      bool // the server does not read ahead
	under        *further
}

// span are the ids from one on, and before another; "" is no end.
type span struct{ from, to string }

func (s span) has(id string) bool { return s.from <= id && (s.to == "" || id < s.to) }

// further is what a request under way reads ahead.
type further struct {
	idmap.ReadAhead
	// forgotten are ids of which the page may tell what was so before; all: of every one.
	forgotten map[string]bool
	all       bool
}

func newReadAhead() *readAhead { return &readAhead{ready: map[string]idmap.UserMapping{}} }

// take hands out a mapping, if it is here.
func (r *readAhead) take(id string) (idmap.UserMapping, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.least == "" || id < r.least {
		r.least = id
	}
	m, here := r.ready[id]
	if here {
		delete(r.ready, id)
		r.hits++
		r.answered++
	}
	return m, here
}

// next returns what a request for the ids, which are not here, is to read ahead; nil for nothing. The request must say
// what became of it.
func (r *readAhead) next(ids []string) *further {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.misses += len(ids)
	if r.requests < requestsBeforeAhead || r.refused || r.under != nil || !r.pays() {
		return nil
	}
	page := idmap.ReadAhead{From: r.least, Limit: firstPage, Before: firstBefore}
	if r.paged {
		var found bool
		page = idmap.ReadAhead{Limit: min(idmap.MaxPageSize, aheadAtLeast+aheadPerRead*r.answered-r.fetched)}
		if page.From, page.To, found = r.gap(ids); !found || page.Limit < 1 {
			return nil
		}
		if len(r.read) > 0 && page.From < r.read[0].from { // nothing tells how far what is asked for goes on below
			page.Before = min(firstBefore, page.Limit)
		}
	}
	r.under = &further{ReadAhead: page, forgotten: map[string]bool{}}
	return r.under
}

// pays reports whether the last page was worth its cost.
func (r *readAhead) pays() bool { return !r.paged || r.hits > 0 && 8*r.hits >= r.misses }

// gap returns what is to be read ahead for the ids: from the least of them that no page had, up to the next page.
func (r *readAhead) gap(ids []string) (from, to string, found bool) {
	for _, id := range ids {
		if (!found || id < from) && !slices.ContainsFunc(r.read, func(s span) bool { return s.has(id) }) {
			from, found = id, true
		}
	}
	for i, s := range r.read {
		if s.from > from {
			return r.begin(i, from), s.from, found
		}
	}
	return r.begin(len(r.read), from), "", found
}

// begin returns where a page for the id begins, before the span of that number: where the page below it ended, if most of
// what was asked for since the last page was read ahead. Then what lies between is likely to be asked for, too.
func (r *readAhead) begin(at int, id string) string {
	if at == 0 || r.hits < r.misses {
		return id
	}
	return r.read[at-1].to
}

// arrived keeps what a page has beside the ids that were asked for.
func (r *readAhead) arrived(p *further, mappings []idmap.UserMapping, asked []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under = nil
	r.paged, r.fetched = true, r.fetched+len(mappings)
	r.hits, r.misses = 0, 0
	if p.all {
		return
	}
	for _, m := range mappings {
		if !p.forgotten[m.ID] && !slices.Contains(asked, m.ID) {
			r.ready[m.ID] = m
		}
	}
	r.read = append(r.read, p.covers(mappings))
	slices.SortFunc(r.read, func(a, b span) int { return strings.Compare(a.from, b.from) })
}

// covers returns the ids of which the page tells all mappings. Beyond one that is full there may be more.
func (p *further) covers(mappings []idmap.UserMapping) span {
	before, _ := slices.BinarySearchFunc(mappings, p.From, func(m idmap.UserMapping, id string) int { return strings.Compare(m.ID, id) })
	covered := span{p.From, p.To}
	switch {
	case p.Before > 0 && before < p.Before:
		covered.from = ""
	case p.Before > 0:
		covered.from = mappings[0].ID
	}
	if len(mappings)-before == p.Limit {
		covered.to = mappings[len(mappings)-1].ID + "0" // which comes next after it
	}
	return covered
}

// failed says that a page did not come. A server that refuses it is not asked again.
func (r *readAhead) failed(refused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under, r.refused = nil, refused
}

// count says that so many reads were answered by a request.
func (r *readAhead) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered += n
	r.requests++
}

// forget drops mappings that somebody has changed, or wants to see as they are now.
func (r *readAhead) forget(ids ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.ready, id)
		if r.under != nil {
			r.under.forgotten[id] = true
		}
	}
}

// forgetAll drops everything: something was changed that mappings may have followed.
func (r *readAhead) forgetAll() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.ready)
	r.read = nil
	if r.under != nil {
		r.under.all = true
	}
}

// changed forgets what a request may have changed, once that is over, however it ended.
func (r *readAhead) changed(by request, err error) {
	switch last := len(by.segments) - 1; {
	case r == nil || by.method == http.MethodGet:
	case by.segments[0] == "user_mappings":
		r.forget(by.mappings...)
		for _, v := range idmap.ViolationsOf(err) {
			r.forgetConflict(v)
		}
	case by.segments[last] != "validate":
		r.forgetAll()
	}
}

// forgetConflict drops what stands in the way of a write: whoever made that looks at it next.
func (r *readAhead) forgetConflict(v idmap.Violation) {
	if v.Conflict != nil {
		r.forget(v.Conflict.ID)
	}
}
