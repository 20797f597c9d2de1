package backend

import (
	"context"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// MapSubject is the map whose results are asked for: a stored one by its ID, or a proposed one.
type MapSubject struct {
	Kind        idmap.MapKind
	ID          string
	Proposed    *idmap.Map // judged as a create would be, or as an update of ID
	Directories []idmap.ProposedDirectory
}

// MapReport is a page of the results of a map. The totals are those of the whole map, whatever the filter, and are
// there on the first page only.
type MapReport struct {
	Rows   List[idmap.Resolution]
	Totals *idmap.MapTotals
}

// ReportMap resolves the accounts (groups) that are in the source directory now, in the order of their ids. Each page
// is of one moment, that of its call: what changes between two pages shows in the later one only, and neither twice nor
// never for a source that is there all the time. The totals are of the moment of the first page.
func (b *Backend) ReportMap(ctx context.Context, subject MapSubject, f idmap.ResolutionFilter, page idmap.Page) (MapReport, error) {
	var report MapReport
	through := b.resolving
	if page.After != "" && unfiltered(f) { // no totals, and no scan for rows that are wanted
		through = b.answering
	}
	err := b.viewThrough(ctx, through, func(r store.Reader) error {
		results, err := b.results(ctx, r, subject)
		if err != nil {
			return err
		}
		results.after = page.After
		rows := newRowPage(f, page)
		if err := rows.fill(ctx, r, results); err != nil {
			return err
		}
		if report = (MapReport{Rows: rows.list()}); rows.first {
			report.Totals = &rows.totals
		}
		return nil
	})
	return report, err
}

// ExportMap hands every row of the report to each, in the same order, and holds none of them. The map and the
// destination directory are those of its beginning. The source directory is read page by page, each of its own moment:
// whoever takes the rows may be slow, and nothing is held back for him in the database.
func (b *Backend) ExportMap(ctx context.Context, subject MapSubject, f idmap.ResolutionFilter, each func(idmap.Resolution) error) error {
	var results *mapResults
	err := b.viewThrough(ctx, b.resolving, func(r store.Reader) (err error) {
		results, err = b.results(ctx, r, subject)
		return err
	})
	if err != nil {
		return err
	}
	for {
		var page resolvedPage
		err := b.viewThrough(ctx, b.resolving, func(r store.Reader) (err error) {
			page, err = results.next(ctx, r, idmap.MaxPageSize)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range page.rows {
			if !selects(f, row) {
				continue
			}
			if err := each(row); err != nil {
				return err
			}
		}
		if len(page.rows) < idmap.MaxPageSize {
			return nil
		}
	}
}

// results reads, or judges, the map that is asked for.
func (b *Backend) results(ctx context.Context, r store.Reader, subject MapSubject) (*mapResults, error) {
	if err := checkProposed(subject.Directories); err != nil {
		return nil, err
	}
	w := b.mapWorld(r, subject.Kind, subject.Directories)
	if subject.Proposed == nil {
		m, err := storedMap(ctx, r, subject.Kind, subject.ID)
		if err != nil {
			return nil, err
		}
		return w.resultsOfStored(ctx, m)
	}
	w.suggest = true
	m, err := w.proposal(ctx, subject.ID, *subject.Proposed)
	if err != nil {
		return nil, err
	}
	return w.resultsOf(ctx, m)
}

// proposal judges a map as a create, or as an update of the stored one that has the id.
func (w *mapWorld) proposal(ctx context.Context, id string, wanted idmap.Map) (idmap.Map, error) {
	if id == "" {
		return w.proposedCreate(ctx, wanted)
	}
	stored, err := storedMap(ctx, w.r, w.kind, id)
	if err != nil {
		return stored, err
	}
	p, err := w.propose(ctx, stored, wanted)
	if err != nil {
		return stored, err
	}
	return p.after, idmap.Refuse(p.verdict.Violations...)
}

func (w *mapWorld) proposedCreate(ctx context.Context, wanted idmap.Map) (idmap.Map, error) {
	same, err := mapNamed(ctx, w.r, w.kind, wanted.Key(), "")
	if err != nil {
		return wanted, err
	}
	verdict, err := w.judge(ctx, rules.MapChange{After: wanted, SameName: same})
	if err == nil {
		err = idmap.Refuse(verdict.Violations...)
	}
	if err != nil {
		return wanted, err
	}
	return *verdict.Map, nil
}

// ResolveMap answers what a stored map makes of some accounts (groups), in the order asked. One that the source
// directory does not have is refused, at its place: the fields of the violations are items[n].
func (b *Backend) ResolveMap(ctx context.Context, kind idmap.MapKind, mapID string, sources []idmap.Principal) ([]idmap.Resolution, error) {
	rows := make([]idmap.Resolution, len(sources))
	err := b.viewThrough(ctx, b.answering, func(r store.Reader) error {
		w := b.mapWorld(r, kind, nil)
		m, err := storedMap(ctx, r, kind, mapID)
		if err != nil {
			return err
		}
		entries, err := w.sources(ctx, m, sources)
		if err != nil {
			return err
		}
		results, err := w.resultsOfStored(ctx, m)
		if err != nil {
			return err
		}
		return inParallel(ctx, len(entries), func(i int) { rows[i] = results.resolver.Resolve(entries[i]) })
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// sources finds the live entries of the source directory that the principals name, one each.
func (w *mapWorld) sources(ctx context.Context, m idmap.Map, principals []idmap.Principal) ([]match.Entry, error) {
	index, err := w.namedIndex(ctx, m.Source.Connection.ID, principals)
	if err != nil {
		return nil, err
	}
	var violations []idmap.Violation
	entries := make([]match.Entry, len(principals))
	for i, p := range principals {
		named := index.Find(p)
		if len(named.Entries) == 1 && !named.Mismatch && !named.Entries[0].Deleted {
			entries[i] = named.Entries[0]
			continue
		}
		v := notOne(w.kind, p, named)
		v.Field = fmt.Sprintf("items[%d]", i)
		violations = append(violations, v)
	}
	return entries, idmap.Refuse(violations...)
}

// notOne words why what a principal names cannot be resolved.
func notOne(kind idmap.MapKind, p idmap.Principal, named match.Named) idmap.Violation {
	entry, text := kind.Entry(), p.Text()
	switch {
	case len(named.Entries) == 0:
		return idmap.Violation{Code: idmap.CodeUnknownAccount, Description: fmt.Sprintf("The source directory has no %s %q. Name one that it has, by its id if need be.", entry, text)}
	case named.Mismatch:
		return idmap.Violation{Code: idmap.CodeAccountMismatch, Description: fmt.Sprintf("What %q is called by names different %ss. Name one %s.", text, entry, entry)}
	case len(named.Entries) > 1:
		return idmap.Violation{Code: idmap.CodeAmbiguousAccount, Description: fmt.Sprintf("%q names several %ss, such as %s and %s. Name one of them by its id.", text, entry, named.Entries[0].Principal.ID, named.Entries[1].Principal.ID)}
	default:
		return idmap.Violation{Code: idmap.CodeUnknownAccount, Description: fmt.Sprintf("The %s %q has left the source directory, so nothing of it is mapped.", entry, text)}
	}
}
