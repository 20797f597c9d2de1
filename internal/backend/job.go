package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindJob = "job"

// Job returns one job.
func (b *Backend) Job(ctx context.Context, id string) (idmap.Job, error) {
	var found idmap.Job
	err := b.view(ctx, func(r store.Reader) (err error) {
		found, err = storedJob(ctx, r, id)
		return err
	})
	return found, err
}

func storedJob(ctx context.Context, r store.Reader, id string) (idmap.Job, error) {
	found, err := r.Jobs(ctx, []string{id})
	if err != nil {
		return idmap.Job{}, err
	}
	if len(found) == 0 {
		return idmap.Job{}, idmap.NotFound(kindJob, id)
	}
	return found[0], nil
}

// Jobs lists jobs.
func (b *Backend) Jobs(ctx context.Context, f idmap.JobFilter, page idmap.Page) (List[idmap.Job], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Job, error) { return r.ListJobs(ctx, f, page) },
		func(r store.Reader) (int, error) { return r.CountJobs(ctx, f) })
}

// CreateJob stores a job and the revisions of the maps that it uses.
func (b *Backend) CreateJob(ctx context.Context, call Call, j idmap.Job) (idmap.Job, error) {
	var made idmap.Job
	err := b.update(ctx, func(tx store.Tx) (err error) {
		made, err = once(ctx, b, tx, call, j, func() (idmap.Job, string, error) {
			stored, err := b.insertJob(ctx, tx, call, j)
			return stored, stored.ID, err
		})
		return err
	})
	return made, err
}

func (b *Backend) insertJob(ctx context.Context, tx store.Tx, call Call, j idmap.Job) (idmap.Job, error) {
	now := b.now()
	j.ID, j.Revision, j.CreatedOn, j.ModifiedOn = b.opts.NewID(), 1, &now, &now
	if j.Status == "" {
		j.Status = idmap.JobIdle
	}
	j, err := takeMaps(ctx, tx, idmap.Job{}, j)
	if err != nil {
		return j, err
	}
	if err := tx.InsertJob(ctx, j); err != nil {
		return j, err
	}
	return j, tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "create", kindJob, j.ID, nil, j, "")})
}

// takeMaps judges a job, and gives it the revisions of its maps that it uses from now on: before's, or those of now if
// it names another map or begins to run. What a job uses is kept, so that its security map can be asked for later.
func takeMaps(ctx context.Context, tx store.Tx, before, after idmap.Job) (idmap.Job, error) {
	// One that was over and is not any more needs its maps again, as one that begins does.
	starts := after.Status.Running() && !before.Status.Running() || before.Status.Finished() && !after.Status.Finished()
	take := func(kind idmap.MapKind, was, wanted *idmap.MapUse) (*mapUse, error) {
		if wanted == nil {
			return &mapUse{}, nil
		}
		if !starts && was != nil && was.ID == wanted.ID {
			return usedMap(ctx, tx, kind, *was)
		}
		return mapOfNow(ctx, tx, kind, *wanted)
	}
	accounts, err := take(idmap.AccountMap, before.Transfer.AccountMap, after.Transfer.AccountMap)
	if err != nil {
		return after, err
	}
	groups, err := take(idmap.GroupMap, before.Transfer.GroupMap, after.Transfer.GroupMap)
	if err != nil {
		return after, err
	}
	if err := idmap.Refuse(rules.CheckJob(after, accounts.m, groups.m)...); err != nil {
		return after, err
	}
	after.Transfer.AccountMap, after.Transfer.GroupMap = accounts.use, groups.use
	if err := accounts.keep(ctx, tx, idmap.AccountMap); err != nil {
		return after, err
	}
	return after, groups.keep(ctx, tx, idmap.GroupMap)
}

// mapUse is a map as a job uses it.
type mapUse struct {
	use   *idmap.MapUse
	m     *idmap.Map // nil where there is none
	taken bool       // just now
}

// usedMap is a map that a job used before. It may be gone, if the job is over.
func usedMap(ctx context.Context, r store.Reader, kind idmap.MapKind, was idmap.MapUse) (*mapUse, error) {
	m, err := storedMap(ctx, r, kind, was.ID)
	if idmap.IsNotFound(err) {
		m, err = r.MapRevision(ctx, was.ID, was.Revision)
	}
	return &mapUse{use: &was, m: &m}, err
}

// mapOfNow keeps the map from changing, and from being deleted, until the job is stored.
func mapOfNow(ctx context.Context, tx store.Tx, kind idmap.MapKind, wanted idmap.MapUse) (*mapUse, error) {
	if err := tx.LockMap(ctx, kind, wanted.ID); idmap.IsNotFound(err) {
		return &mapUse{}, nil
	} else if err != nil {
		return nil, err
	}
	m, err := storedMap(ctx, tx, kind, wanted.ID)
	if err != nil {
		return nil, err
	}
	return &mapUse{use: &idmap.MapUse{ID: m.ID, Revision: m.Revision}, m: &m, taken: true}, nil
}

func (u mapUse) keep(ctx context.Context, tx store.Tx, kind idmap.MapKind) error {
	if !u.taken {
		return nil
	}
	if held, err := tx.HoldMapRevision(ctx, u.m.ID, u.m.Revision); held || err != nil {
		return err // another job uses it, and a map may have many items
	}
	m, err := withItems(ctx, tx, *u.m)
	if err != nil {
		return err
	}
	return tx.KeepMapRevision(ctx, kind, m)
}

// UpdateJob writes what change makes of the stored job. A job that begins to run uses its maps as they are then. An
// update that changes nothing succeeds at every revision.
func (b *Backend) UpdateJob(ctx context.Context, call Call, id string, revision int64, change func(idmap.Job) (idmap.Job, error)) (idmap.Job, error) {
	var result idmap.Job
	err := b.update(ctx, func(tx store.Tx) error {
		before, err := storedJob(ctx, tx, id)
		if err != nil {
			return err
		}
		wanted, err := change(before)
		if err != nil {
			return err
		}
		after := before
		after.Name, after.Kind, after.Transfer = wanted.Name, wanted.Kind, wanted.Transfer
		if wanted.Status != "" {
			after.Status = wanted.Status
		}
		if err := refuseOtherMaps(before, after); err != nil {
			return err
		}
		if after, err = takeMaps(ctx, tx, before, after); err != nil {
			return err
		}
		if result = after; string(document(before)) == string(document(after)) {
			return nil
		}
		if revision != 0 && revision != before.Revision {
			return idmap.Refuse(revisionConflict(kindJob, id, before.Revision, revision))
		}
		now := b.now()
		result.Revision, result.ModifiedOn = before.Revision+1, &now
		if err := tx.UpdateJob(ctx, result); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "update", kindJob, id, before, result, "")})
	})
	return result, err
}

// refuseOtherMaps keeps a job that is over from saying that it used other maps.
func refuseOtherMaps(before, after idmap.Job) error {
	same := func(a, b *idmap.MapUse) bool { return a == nil && b == nil || a != nil && b != nil && a.ID == b.ID }
	if !before.Status.Finished() || !after.Status.Finished() ||
		same(before.Transfer.AccountMap, after.Transfer.AccountMap) && same(before.Transfer.GroupMap, after.Transfer.GroupMap) {
		return nil
	}
	return idmap.Refusef(idmap.CodeImmutable, "transfer",
		"The job %q is over (%s), and its maps say what it used. Make another job for other maps.", before.Name, before.Status)
}

// DeleteJob removes a job.
func (b *Backend) DeleteJob(ctx context.Context, call Call, id string, revision int64) error {
	return b.update(ctx, func(tx store.Tx) error {
		before, err := storedJob(ctx, tx, id)
		if err != nil {
			return err
		}
		if revision != 0 && revision != before.Revision {
			return idmap.Refuse(revisionConflict(kindJob, id, before.Revision, revision))
		}
		if err := tx.DeleteJob(ctx, id); err != nil {
			return err
		}
		if err := tx.ForgetIdempotencyKeys(ctx, []string{id}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "delete", kindJob, id, before, nil, "")})
	})
}
