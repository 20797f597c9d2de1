package backend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// maxResolving is how many calls resolve whole directories at once, and maxAnswering how many others a few rows of one.
// The former take all processors, and each holds one of the few connections on which a store reads; who wants little
// does not wait for them.
const (
	maxResolving = 2
	maxAnswering = 2
)

// longestTurn is how long a call waits for its turn. A report of a large directory takes less.
const longestTurn = 2 * time.Minute

// gate holds a token for each call that it lets through.
type gate chan struct{}

var errNoTurn = errors.New("too many calls resolve directories at once")

func (g gate) enter(ctx context.Context) error {
	waiting := time.NewTimer(longestTurn)
	defer waiting.Stop()
	select {
	case g <- struct{}{}:
		return nil
	case <-waiting.C:
		return idmap.Unavailable(errNoTurn, 15*time.Second)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }

// viewThrough is view for what may take long. It waits for its turn.
func (b *Backend) viewThrough(ctx context.Context, g gate, fn func(store.Reader) error) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer g.leave()
	return b.view(ctx, fn)
}

// mapResults is what a map makes of the entries of its source directory.
type mapResults struct {
	directory mapDirectory
	resolver  *match.Resolver
	before    *match.Resolver // to compare with; may be nil
	after     string          // id of the source after which to begin
}

// resolvedPage are the results of one page of sources.
type resolvedPage struct {
	rows    []idmap.Resolution
	changed []bool // before had another result
}

// next resolves the next sources, on all processors, and keeps their order. It answers less than limit at the end.
func (m *mapResults) next(ctx context.Context, r store.Reader, limit int) (resolvedPage, error) {
	live := false
	list, err := m.directory.list(ctx, r, idmap.DirectoryFilter{Deleted: &live}, idmap.Page{After: m.after, Limit: limit})
	if err != nil {
		return resolvedPage{}, err
	}
	page := resolvedPage{make([]idmap.Resolution, list.count), make([]bool, list.count)}
	err = inParallel(ctx, list.count, func(i int) {
		source := list.entry(i)
		page.rows[i] = m.resolver.Resolve(source)
		page.changed[i] = m.before != nil && !match.SameResult(m.before.Resolve(source), page.rows[i])
	})
	if err != nil {
		return resolvedPage{}, err
	}
	if list.count > 0 {
		m.after = page.rows[list.count-1].ID
	}
	return page, nil
}

// scan hands all results to each, in the order of the ids of their sources, until it has enough. chunk is how many are
// resolved at once.
func (m *mapResults) scan(ctx context.Context, r store.Reader, chunk int, each func(row idmap.Resolution, changed bool) (more bool)) error {
	for {
		page, err := m.next(ctx, r, chunk)
		if err != nil {
			return err
		}
		for i, row := range page.rows {
			if !each(row, page.changed[i]) {
				return nil
			}
		}
		if len(page.rows) < chunk {
			return nil
		}
	}
}

// selects reports whether a row is one that the filter asks for.
// unfiltered reports whether the filter selects every row.
func unfiltered(f idmap.ResolutionFilter) bool {
	return len(f.Resolved) == 0 && f.Reason == "" && f.Query == ""
}

func selects(f idmap.ResolutionFilter, row idmap.Resolution) bool {
	switch {
	case len(f.Resolved) > 0 && !slices.Contains(f.Resolved, row.Resolution):
		return false
	case f.Reason != "" && f.Reason != row.Reason:
		return false
	}
	return f.Query == "" || isCalled(row.Source, f.Query) || row.Destination != nil && isCalled(*row.Destination, f.Query)
}

func isCalled(p idmap.Principal, query string) bool {
	return slices.ContainsFunc([]string{p.Name, p.Username, p.Email, p.Caption}, func(name string) bool {
		return strings.Contains(idmap.Fold(name), query)
	})
}

// rowPage collects a page of rows.
type rowPage struct {
	filter idmap.ResolutionFilter
	limit  int
	first  bool // of the list: all rows are counted
	found  []idmap.Resolution
	count  int
	totals idmap.MapTotals
}

func newRowPage(f idmap.ResolutionFilter, page idmap.Page) *rowPage {
	return &rowPage{
		filter: f, limit: page.Limit, first: page.After == "", found: []idmap.Resolution{},
		totals: idmap.NewMapTotals(),
	}
}

// fill adds results until it has what it wants, which on the first page is all of them.
func (p *rowPage) fill(ctx context.Context, r store.Reader, m *mapResults) error {
	chunk := idmap.MaxPageSize
	if !p.first && p.filter.Resolved == nil && p.filter.Reason == "" && p.filter.Query == "" {
		chunk = min(chunk, p.limit+1-len(p.found))
	}
	return m.scan(ctx, r, chunk, func(row idmap.Resolution, _ bool) bool {
		p.totals.Add(row)
		if selects(p.filter, row) {
			if p.count++; len(p.found) <= p.limit {
				p.found = append(p.found, row)
			}
		}
		return p.wants()
	})
}

// full reports whether it is known that there are more rows than the page takes.
func (p *rowPage) full() bool { return len(p.found) > p.limit }

func (p *rowPage) wants() bool { return p.first || !p.full() }

func (p *rowPage) list() List[idmap.Resolution] {
	result := List[idmap.Resolution]{Items: p.found[:min(len(p.found), p.limit)], More: p.full(), Total: -1}
	if p.first {
		result.Total = p.count
	}
	return result
}
