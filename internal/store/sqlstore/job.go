package sqlstore

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const jobColumns = `id, name, kind, status, source_connection_id, destination_connection_id, account_map_id, ` +
	`account_map_revision, group_map_id, group_map_revision, revision, modified_on`

var jobs = table[idmap.Job]{
	name: "jobs", columns: jobColumns + ", created_on", scan: scanJob,
	id: func(j idmap.Job) string { return j.ID },
}

func scanJob(r row) (j idmap.Job, err error) {
	var accountMap, groupMap idmap.MapUse
	err = r.Scan(&j.ID, &j.Name, &j.Kind, &j.Status, &j.Transfer.Source.Connection.ID,
		&j.Transfer.Destination.Connection.ID, &accountMap.ID, &accountMap.Revision, &groupMap.ID, &groupMap.Revision,
		&j.Revision, when{&j.ModifiedOn}, when{&j.CreatedOn})
	j.Transfer.AccountMap, j.Transfer.GroupMap = used(accountMap), used(groupMap)
	return j, err
}

// used returns nil for no map.
func used(u idmap.MapUse) *idmap.MapUse {
	if u.ID == "" {
		return nil
	}
	return &u
}

// jobWriteColumns are the columns that an update writes.
const jobWriteColumns = jobColumns + ", name_key"

func jobValues(j idmap.Job) []any {
	var accountMap, groupMap idmap.MapUse
	if u := j.Transfer.AccountMap; u != nil {
		accountMap = *u
	}
	if u := j.Transfer.GroupMap; u != nil {
		groupMap = *u
	}
	return []any{
		j.ID, j.Name, j.Kind, string(j.Status), j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID,
		accountMap.ID, accountMap.Revision, groupMap.ID, groupMap.Revision, j.Revision, micros(j.ModifiedOn),
		idmap.Fold(j.Name),
	}
}

func (s *session) Jobs(ctx context.Context, ids []string) ([]idmap.Job, error) {
	l := newLookup(s, jobs)
	l.any(ctx, ids, "id IN (*)")
	return l.answer()
}

func jobWhere(f idmap.JobFilter) (w where) {
	if id := f.MapID; id != "" {
		w.and("(account_map_id = ? OR group_map_id = ?)", id, id)
	}
	if f.Unfinished {
		var finished []any
		for _, status := range idmap.JobStatuses() {
			if status.Finished() {
				finished = append(finished, string(status))
			}
		}
		w.and("status NOT IN ("+repeated("?", len(finished))+")", finished...)
	}
	w.equal("kind", f.Kind)
	w.equal("status", string(f.Status))
	w.contains("name_key", f.Query)
	return w
}

func (s *session) ListJobs(ctx context.Context, f idmap.JobFilter, page idmap.Page) ([]idmap.Job, error) {
	return list(ctx, s, jobs, jobWhere(f), page)
}

func (s *session) CountJobs(ctx context.Context, f idmap.JobFilter) (int, error) {
	return count(ctx, s, "jobs", jobWhere(f))
}

func (s *session) InsertJob(ctx context.Context, j idmap.Job) error {
	row := append(jobValues(j), micros(j.CreatedOn))
	return s.insert(ctx, "jobs", jobWriteColumns+", created_on", "", [][]any{row}, nil)
}

func (s *session) UpdateJob(ctx context.Context, j idmap.Job) error {
	used, err := s.mapUses(ctx, `SELECT `+mapUseColumns+` FROM jobs WHERE id = ? AND revision = ?`, j.ID, j.Revision-1)
	if err != nil {
		return err
	}
	values := jobValues(j)
	query := `UPDATE jobs SET (` + jobWriteColumns + `) = (` + repeated("?", len(values)) + `) WHERE id = ? AND revision = ?`
	if err := s.execExactly(ctx, 1, query, append(values, j.ID, j.Revision-1)...); err != nil {
		return err
	}
	return s.dropMapRevisions(ctx, slices.DeleteFunc(used, func(u idmap.MapUse) bool { return uses(j, u) }))
}

func uses(j idmap.Job, u idmap.MapUse) bool {
	accountMap, groupMap := j.Transfer.AccountMap, j.Transfer.GroupMap
	return accountMap != nil && *accountMap == u || groupMap != nil && *groupMap == u
}

func (s *session) DeleteJob(ctx context.Context, id string) error {
	used, err := s.mapUses(ctx, `DELETE FROM jobs WHERE id = ? RETURNING `+mapUseColumns, id)
	if err != nil {
		return err
	}
	return s.dropMapRevisions(ctx, used)
}

const mapUseColumns = `account_map_id, account_map_revision, group_map_id, group_map_revision`

// mapUses returns the map revisions that the jobs use which a statement answers by mapUseColumns.
func (s *session) mapUses(ctx context.Context, query string, args ...any) (used []idmap.MapUse, err error) {
	err = s.query(ctx, func(r row) error {
		var accountMap, groupMap idmap.MapUse
		err := r.Scan(&accountMap.ID, &accountMap.Revision, &groupMap.ID, &groupMap.Revision)
		used = append(used, accountMap, groupMap)
		return err
	}, query, args...)
	return slices.DeleteFunc(used, func(u idmap.MapUse) bool { return u.ID == "" }), err
}
