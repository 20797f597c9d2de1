package storetest

import (
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var jobTests = map[string]func(world){
	"a job is found as it was inserted, and updated": testJobRoundTrip,
	"a missing one is left out":                      testJobMissing,
	"a duplicate id is ErrConflict":                  testJobDuplicate,
	"UpdateJob wants the stored revision":            testJobRevision,
	"UpdateJob keeps when the job was created":       testJobCreatedOn,
	"a job outlives its maps and its connections":    testJobOutlives,
	"DeleteJob removes one job":                      testJobDelete,
	"lists are in byte order, filtered, counted":     testJobList,
}

// job returns a job without maps.
func job(id string) idmap.Job {
	j := idmap.Job{ID: id, Kind: idmap.JobKindTransfer, Status: "idle", Revision: 1, CreatedOn: at(1), ModifiedOn: at(1)}
	j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID = "mail", "app"
	return j
}

func fullJob() idmap.Job {
	j := job("j1")
	j.Name = "Größe \" 100%"
	j.Transfer.AccountMap = &idmap.MapUse{ID: "map1", Revision: 3}
	j.Transfer.GroupMap = &idmap.MapUse{ID: "map2", Revision: 4}
	return j
}

func (w world) insertJobs(jobs ...idmap.Job) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		for _, j := range jobs {
			if err := tx.InsertJob(w.ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w world) jobs(ids ...string) []idmap.Job {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Job, error) {
		found, err := r.Jobs(w.ctx, ids)
		return sorted(found, func(j idmap.Job) string { return j.ID }), err
	})
}

func testJobRoundTrip(w world) {
	full, bare := fullJob(), idmap.Job{ID: "j2"}
	complete(w.t, full)
	w.insertJobs(full, bare)
	equal(w.t, "inserted", w.jobs("j1", "j2"), []idmap.Job{full, bare})
	full.ID, full.Revision, full.CreatedOn, bare.ID, bare.Revision, bare.CreatedOn = "j2", 1, nil, "j1", 2, full.CreatedOn
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.UpdateJob(w.ctx, full) },
			func() error { return tx.UpdateJob(w.ctx, bare) },
		)
	})
	equal(w.t, "updated", w.jobs("j1", "j2"), []idmap.Job{bare, full})
}

func testJobMissing(w world) {
	w.insertJobs(job("j1"), job("j2"))
	equal(w.t, "found", w.jobs("none", "j1", "j1", "J2"), []idmap.Job{job("j1")})
	nothing(w.t, "no keys", w.jobs())
}

func testJobDuplicate(w world) {
	w.insertJobs(job("j1"))
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertJob(w.ctx, fullJob()) })
	equal(w.t, "stored", w.jobs("j1"), []idmap.Job{job("j1")})
}

func testJobRevision(w world) {
	w.insertJobs(job("j1"))
	for _, revision := range []int64{0, 1, 3} {
		j := fullJob()
		j.Revision = revision
		w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateJob(w.ctx, j) })
	}
	missing := job("none")
	missing.Revision = 2
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.UpdateJob(w.ctx, missing) })
	equal(w.t, "stored", w.jobs("j1", "none"), []idmap.Job{job("j1")})
}

func testJobCreatedOn(w world) {
	w.insertJobs(job("j1"))
	j := fullJob()
	j.Revision, j.CreatedOn = 2, at(50)
	w.update(func(tx store.Tx) error { return tx.UpdateJob(w.ctx, j) })
	equal(w.t, "created on", w.jobs("j1")[0].CreatedOn, at(1))
}

func testJobOutlives(w world) {
	w.withMap()
	j := job("j1")
	j.Transfer.AccountMap = &idmap.MapUse{ID: "m", Revision: 1}
	w.insertJobs(j)
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteMap(w.ctx, idmap.AccountMap, "m") },
			func() error { return tx.DeleteConnection(w.ctx, "mail") },
		)
	})
	equal(w.t, "stored", w.jobs("j1"), []idmap.Job{j})
}

func testJobDelete(w world) {
	w.insertJobs(job("j1"), job("j2"))
	w.update(func(tx store.Tx) error {
		return firstError(
			func() error { return tx.DeleteJob(w.ctx, "none") },
			func() error { return tx.DeleteJob(w.ctx, "j1") },
		)
	})
	equal(w.t, "left", w.jobs("j1", "j2"), []idmap.Job{job("j2")})
}

func testJobList(w world) {
	one, two, three := fullJob(), job("J2"), job("j3")
	one.Status = "paused"
	two.Transfer.AccountMap, two.Kind, two.Status = &idmap.MapUse{ID: "map2", Revision: 1}, "other", "complete"
	three.Name, three.Transfer.GroupMap = "Third", &idmap.MapUse{ID: "map1", Revision: 9}
	w.insertJobs(one, two, three)
	for _, c := range []struct {
		want   string
		filter idmap.JobFilter
	}{
		{"J2 j1 j3", idmap.JobFilter{}},
		{"j1 j3", idmap.JobFilter{MapID: "map1"}},
		{"J2 j1", idmap.JobFilter{MapID: "map2"}},
		{"", idmap.JobFilter{MapID: "MAP1"}},
		{"j1 j3", idmap.JobFilter{Unfinished: true}},
		{"j1", idmap.JobFilter{Unfinished: true, MapID: "map2"}},
		{"J2", idmap.JobFilter{Kind: "other"}},
		{"j3", idmap.JobFilter{Status: "idle"}},
		{"", idmap.JobFilter{Status: "complete", Unfinished: true}},
		{"j1", idmap.JobFilter{Query: "grösse"}},
		{"j1", idmap.JobFilter{Query: "0%"}},
	} {
		w.checkJobs(c.want, c.filter)
	}
	for _, status := range idmap.JobStatuses() {
		j := job("s " + string(status))
		j.Status = status
		w.insertJobs(j)
		found := read(w, func(r store.Reader) ([]idmap.Job, error) {
			return r.ListJobs(w.ctx, idmap.JobFilter{Unfinished: true, Status: status, Kind: idmap.JobKindTransfer}, all)
		})
		unfinished := len(found) > 0 && strings.HasPrefix(found[len(found)-1].ID, "s ")
		equal(w.t, "unfinished: "+string(status), unfinished, !status.Finished())
	}
}

func (w world) checkJobs(want string, f idmap.JobFilter) {
	w.t.Helper()
	checkList(w, want, f, func(j idmap.Job) string { return j.ID },
		func(r store.Reader) ([]idmap.Job, error) { return r.ListJobs(w.ctx, f, all) },
		func(r store.Reader) (int, error) { return r.CountJobs(w.ctx, f) })
}
