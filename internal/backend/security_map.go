package backend

import (
	"context"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// SecurityMap answers what a job's maps make of the accounts and groups of its source: by the revisions that it used,
// and by the directories as they are now. Accounts come first. The key of a row, by which a page is continued, is its
// source's type, a slash and its id. Each page is of one moment, as in a report.
func (b *Backend) SecurityMap(ctx context.Context, jobID string, f idmap.ResolutionFilter, page idmap.Page) (List[idmap.Resolution], error) {
	rows := newRowPage(f, page)
	err := b.viewThrough(ctx, b.resolving, func(r store.Reader) error {
		j, err := storedJob(ctx, r, jobID)
		if err != nil {
			return err
		}
		if err := checkConnectionsOf(ctx, r, j); err != nil {
			return err
		}
		entry, after, _ := strings.Cut(page.After, "/")
		if j.Transfer.AccountMap != nil && entry <= idmap.AccountMap.Entry() {
			if err := b.fillFrom(ctx, r, idmap.AccountMap, j, *j.Transfer.AccountMap, after, rows); err != nil {
				return err
			}
		}
		if j.Transfer.GroupMap == nil || !rows.wants() {
			return nil
		}
		if entry != idmap.GroupMap.Entry() {
			after = ""
		}
		return b.fillFrom(ctx, r, idmap.GroupMap, j, *j.Transfer.GroupMap, after, rows)
	})
	return rows.list(), err
}

// checkConnectionsOf refuses to answer for directories that are gone: nothing would look like nobody.
func checkConnectionsOf(ctx context.Context, r store.Reader, j idmap.Job) error {
	ids := []string{j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID}
	found, err := r.Connections(ctx, ids)
	if err == nil && len(found) < len(ids) {
		err = idmap.Refusef(idmap.CodeUnknownConnection, "",
			"A connection of the job %q was deleted, and its directory with it. What the job's maps made of it cannot be told any more.", j.Name)
	}
	return err
}

// fillFrom adds the results of the revision of a map that a job used.
func (b *Backend) fillFrom(ctx context.Context, r store.Reader, kind idmap.MapKind, j idmap.Job, use idmap.MapUse, after string, rows *rowPage) error {
	results, err := b.mapWorld(r, kind, nil).resultsOfRevision(ctx, j, use)
	if err != nil {
		return err
	}
	results.after = after
	return rows.fill(ctx, r, results)
}
