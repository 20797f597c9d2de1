package backend_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// transfer returns a job between the two file platforms that uses these maps.
func transfer(accounts, groups *idmap.Map) idmap.Job {
	j := idmap.Job{Name: "Nightly", Kind: idmap.JobKindTransfer}
	j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID = rulestest.OldFiles, rulestest.NewFiles
	if accounts != nil {
		j.Transfer.AccountMap = &idmap.MapUse{ID: accounts.ID}
	}
	if groups != nil {
		j.Transfer.GroupMap = &idmap.MapUse{ID: groups.ID}
	}
	return j
}

func createJob(t *testing.T, b *backend.Backend, j idmap.Job) idmap.Job {
	t.Helper()
	made, err := b.CreateJob(t.Context(), admin, j)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func updateJob(t *testing.T, b *backend.Backend, id string, revision int64, edit func(*idmap.Job)) (idmap.Job, error) {
	t.Helper()
	return b.UpdateJob(t.Context(), admin, id, revision, func(j idmap.Job) (idmap.Job, error) {
		edit(&j)
		return j, nil
	})
}

func setStatus(t *testing.T, b *backend.Backend, id string, status idmap.JobStatus) idmap.Job {
	t.Helper()
	j, err := updateJob(t, b, id, 0, func(j *idmap.Job) { j.Status = status })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJobLifecycle(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap))
		call := admin
		call.IdempotencyKey = "job"
		wanted := transfer(&m, nil)
		made, err := b.CreateJob(t.Context(), call, wanted)
		if err != nil || made.Status != "idle" || made.Revision != 1 || made.Transfer.AccountMap.Revision != 1 || wanted.Transfer.AccountMap.Revision != 0 {
			t.Fatalf("created %+v, %v", made, err)
		}
		if again, err := b.CreateJob(t.Context(), call, wanted); err != nil || again.ID != made.ID {
			t.Errorf("the same request made %+v, %v", again, err)
		}
		if same, err := updateJob(t, b, made.ID, 7, func(*idmap.Job) {}); err != nil || same.Revision != 1 {
			t.Errorf("an update that changes nothing: %+v, %v", same, err)
		}
		_, err = updateJob(t, b, made.ID, 7, func(j *idmap.Job) { j.Name = "Weekly" })
		wantCode(t, err, idmap.CodeRevisionConflict)
		changed, err := updateJob(t, b, made.ID, 1, func(j *idmap.Job) { j.Name = "Weekly" })
		stored, errRead := b.Job(t.Context(), made.ID)
		if err != nil || errRead != nil || changed.Revision != 2 || text(t, stored) != text(t, changed) {
			t.Errorf("updated %+v, %v, stored %+v, %v", changed, err, stored, errRead)
		}
		found, err := b.Jobs(t.Context(), idmap.JobFilter{MapID: m.ID, Unfinished: true}, idmap.Page{Limit: 10})
		if err != nil || found.Total != 1 {
			t.Errorf("listed %+v, %v", found, err)
		}
		wantCode(t, b.DeleteJob(t.Context(), admin, made.ID, 1), idmap.CodeRevisionConflict)
		if err := b.DeleteJob(t.Context(), admin, made.ID, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Job(t.Context(), made.ID); !idmap.IsNotFound(err) {
			t.Errorf("got %v, want that it is gone", err)
		}
		wantActions(t, b, made.ID, "delete", "update", "create")
	})
}

func TestJobsHaveTheConnectionsOfTheirMaps(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		accounts, groups := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)), createMap(t, b, idmap.GroupMap, staffMap(idmap.GroupMap))
		wrong := transfer(&accounts, &groups)
		wrong.Transfer.Source.Connection.ID = rulestest.Corporate
		_, err := b.CreateJob(t.Context(), admin, wrong)
		wantCode(t, err, idmap.CodeConnectionMismatch)
		if v := idmap.ViolationsOf(err); len(v) != 2 || v[0].Field != "transfer.source.connection.id" {
			t.Errorf("refused with %+v, want a mismatch with each map", v)
		}
		_, err = b.CreateJob(t.Context(), admin, transfer(&groups, nil)) // of the other kind
		wantCode(t, err, idmap.CodeInvalid)
		j := createJob(t, b, transfer(&accounts, &groups))
		_, err = updateJob(t, b, j.ID, 0, func(j *idmap.Job) { j.Transfer.Destination.Connection.ID = rulestest.BoxFiles })
		wantCode(t, err, idmap.CodeConnectionMismatch)
	})
}

func TestMapInUseByJobs(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		for _, kind := range bothKinds {
			m := createMap(t, b, kind, staffMap(kind))
			j := transfer(&m, nil)
			if kind == idmap.GroupMap {
				j = transfer(nil, &m)
			}
			made := createJob(t, b, j)
			err := b.DeleteMap(t.Context(), admin, kind, m.ID, 0)
			wantCode(t, err, idmap.CodeMapInUse)
			if v := idmap.ViolationsOf(err); v[0].Conflict.ID != made.ID || !strings.Contains(v[0].Description, "Nightly") {
				t.Errorf("the refusal does not name the job: %+v", v)
			}
			intent := idmap.MapIntent{Operation: idmap.OperationDelete, ID: m.ID}
			verdicts, errValidate := b.ValidateMaps(t.Context(), admin, kind, []idmap.MapIntent{intent}, nil)
			if errValidate != nil || text(t, verdicts[0].Violations) != text(t, idmap.ViolationsOf(err)) {
				t.Errorf("validate says %+v, %v", verdicts, errValidate)
			}
			setStatus(t, b, made.ID, "complete")
			if err := b.DeleteMap(t.Context(), admin, kind, m.ID, 0); err != nil {
				t.Errorf("the job is over: %v", err)
			}
			// What the job did stays known, and the job can be renamed.
			if _, err := updateJob(t, b, made.ID, 0, func(j *idmap.Job) { j.Name = "Done" }); err != nil {
				t.Errorf("the map is gone: %v", err)
			}
			if rows, err := b.SecurityMap(t.Context(), made.ID, idmap.ResolutionFilter{}, idmap.Page{Limit: 100}); err != nil || len(rows.Items) != liveEntries(t, b, kind, rulestest.OldFiles) {
				t.Errorf("got %d rows, %v", len(rows.Items), err)
			}
			_, err = updateJob(t, b, made.ID, 0, func(j *idmap.Job) { j.Status = "start" })
			wantCode(t, err, idmap.CodeInvalid)
		}
	})
}

// TestJobsKeepTheRevisionThatTheyUsed: a map that changes after a job began does not change what the job says it did.
func TestJobsKeepTheRevisionThatTheyUsed(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "john.roe")))
		target := func(j idmap.Job) string {
			t.Helper()
			rows, err := b.SecurityMap(t.Context(), j.ID, idmap.ResolutionFilter{Query: "jane.doe"}, idmap.Page{Limit: 10})
			if err != nil || len(rows.Items) != 1 || rows.Items[0].Destination == nil {
				t.Fatalf("got %+v, %v", rows, err)
			}
			return rows.Items[0].Destination.ID
		}
		change := func(to string) {
			t.Helper()
			e := *staffMap(idmap.AccountMap, exception("jane.doe", to)).Exceptions
			if _, err := updateMap(t, b, m.ID, 0, func(m *idmap.Map) { m.Exceptions = &e }); err != nil {
				t.Fatal(err)
			}
		}
		j := createJob(t, b, transfer(&m, nil))
		change("lea.ver")
		if got := target(j); got != "d-john" {
			t.Errorf("a new job resolves to %s, want by the revision of its creation", got)
		}
		if j = setStatus(t, b, j.ID, "running"); j.Transfer.AccountMap.Revision != 2 || target(j) != "d-lea" {
			t.Errorf("the job runs with %+v and resolves to %s", j.Transfer.AccountMap, target(j))
		}
		change("sam.one")
		for _, status := range []idmap.JobStatus{"running", "resume", "complete"} {
			if j = setStatus(t, b, j.ID, status); j.Transfer.AccountMap.Revision != 2 || target(j) != "d-lea" {
				t.Errorf("%s: the job has %+v and resolves to %s", status, j.Transfer.AccountMap, target(j))
			}
		}
		if j = setStatus(t, b, j.ID, "start"); j.Transfer.AccountMap.Revision != 3 || target(j) != "d-twin-1" {
			t.Errorf("started anew, the job has %+v and resolves to %s", j.Transfer.AccountMap, target(j))
		}
	})
}

func TestSecurityMapOfBothMaps(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		// The id comes before those of all accounts, and has the character between the parts of a key.
		play(t, b, rulestest.MapEvent{Connection: rulestest.OldFiles, Group: &idmap.Group{ID: "a/first", Name: "first"}})
		accounts, groups := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)), createMap(t, b, idmap.GroupMap, staffMap(idmap.GroupMap))
		want := liveEntries(t, b, idmap.AccountMap, rulestest.OldFiles) + liveEntries(t, b, idmap.GroupMap, rulestest.OldFiles)
		j := createJob(t, b, transfer(&accounts, &groups))
		for _, limit := range []int{1, 2, 7, 100} {
			var keys []string
			page := idmap.Page{Limit: limit}
			for {
				rows, err := b.SecurityMap(t.Context(), j.ID, idmap.ResolutionFilter{}, page)
				if err != nil || (page.After == "") != (rows.Total == want) {
					t.Fatalf("after %q: total %d, %v, want %d on the first page", page.After, rows.Total, err, want)
				}
				for _, row := range rows.Items {
					page.After = row.Source.Type + "/" + row.Source.ID
					keys = append(keys, page.After)
				}
				if !rows.More {
					break
				}
			}
			if !slices.IsSorted(keys) || len(slices.Compact(keys)) != want {
				t.Errorf("in pages of %d: %v, want %d rows, accounts first", limit, keys, want)
			}
		}
		none := createJob(t, b, transfer(nil, nil))
		if rows, err := b.SecurityMap(t.Context(), none.ID, idmap.ResolutionFilter{}, idmap.Page{Limit: 5}); err != nil || len(rows.Items) != 0 || rows.Total != 0 {
			t.Errorf("a job without maps: %+v, %v", rows, err)
		}
		if _, err := b.SecurityMap(t.Context(), "no job", idmap.ResolutionFilter{}, idmap.Page{Limit: 5}); !idmap.IsNotFound(err) {
			t.Errorf("no job: %v", err)
		}
	})
}

// TestWritesWarnOfJobs: not only a plan says that a job keeps the old result.
func TestWritesWarnOfJobs(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap))
		createJob(t, b, transfer(&m, nil))
		rename := func(m idmap.Map) (idmap.Map, error) { m.Name = "Personnel"; return m, nil }
		verdict, err := b.UpdateMap(t.Context(), admin, idmap.AccountMap, m.ID, 0, rename)
		if err != nil || len(verdict.Warnings) > 0 {
			t.Errorf("a new name: %v %v", verdict.Warnings, err)
		}
		report, err := put(t, b, m.ID, exceptions, true, exception("jane.doe", "lea.ver"))
		if err != nil || !slices.Contains(rulestest.CodesOf(report.Warnings), idmap.CodeMapNotRetroactive) {
			t.Errorf("another exception: %v %v", report.Warnings, err)
		}
	})
}

// TestAJobThatIsOver keeps what it used, and needs its maps again when it goes on.
func TestAJobThatIsOver(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		m := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap))
		j := createJob(t, b, transfer(&m, nil))
		setStatus(t, b, j.ID, idmap.JobComplete)
		_, err := updateJob(t, b, j.ID, 0, func(j *idmap.Job) { j.Transfer.AccountMap = nil })
		wantCode(t, err, idmap.CodeImmutable)
		if err := b.DeleteMap(t.Context(), admin, idmap.AccountMap, m.ID, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := updateJob(t, b, j.ID, 0, func(j *idmap.Job) { j.Name = "Long ago" }); err != nil {
			t.Errorf("another name: %v", err)
		}
		_, err = updateJob(t, b, j.ID, 0, func(j *idmap.Job) { j.Status = idmap.JobPaused })
		wantCode(t, err, idmap.CodeInvalid)
		rows, err := b.SecurityMap(t.Context(), j.ID, idmap.ResolutionFilter{}, idmap.Page{Limit: 100})
		if err != nil || len(rows.Items) == 0 {
			t.Errorf("the security map of a map that is gone: %d rows, %v", len(rows.Items), err)
		}
		if err := b.DeleteConnection(t.Context(), admin, rulestest.OldFiles, 0); err != nil {
			t.Fatal(err)
		}
		_, err = b.SecurityMap(t.Context(), j.ID, idmap.ResolutionFilter{}, idmap.Page{Limit: 100})
		wantCode(t, err, idmap.CodeUnknownConnection)
	})
}
