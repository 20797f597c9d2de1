package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestJobs(t *testing.T) {
	t.Parallel()
	staff := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	staff.ID = "map"
	job := func(source, destination string, edits ...func(*idmap.Job)) idmap.Job {
		j := idmap.Job{Name: "Move", Kind: idmap.JobKindTransfer}
		j.Transfer.Source.Connection.ID, j.Transfer.Destination.Connection.ID = source, destination
		for _, edit := range edits {
			edit(&j)
		}
		return j
	}
	accounts := func(j *idmap.Job) { j.Transfer.AccountMap = &idmap.MapUse{ID: "map"} }
	groups := func(j *idmap.Job) { j.Transfer.GroupMap = &idmap.MapUse{ID: "map"} }
	for _, c := range []struct {
		name   string
		job    idmap.Job
		refuse []string // code and field
	}{
		{"no maps", job("x", "y"), nil},
		{"both maps", job(rulestest.OldFiles, rulestest.NewFiles, accounts, groups), nil},
		{"another source", job("x", rulestest.NewFiles, accounts), []string{"connection_mismatch transfer.source.connection.id"}},
		{
			"two other ends", job("x", "y", groups),
			[]string{"connection_mismatch transfer.source.connection.id", "connection_mismatch transfer.destination.connection.id"},
		},
		{"no ends", job("", rulestest.NewFiles, accounts), []string{"connection_mismatch transfer.source.connection.id"}},
		{
			"no such map", job("x", "y", func(j *idmap.Job) { j.Transfer.AccountMap = &idmap.MapUse{ID: "nowhere"} }),
			[]string{"invalid transfer.account_map.id"},
		},
		{"another kind", job("x", "y", func(j *idmap.Job) { j.Kind = "folder_mapping" }), []string{"invalid kind"}},
		{"no such status", job("x", "y", func(j *idmap.Job) { j.Status = "done" }), []string{"invalid status"}},
		{"every field", job("x", "y", func(j *idmap.Job) { j.Name, j.Status = strings.Repeat("x", 300), "running" }), []string{"invalid name"}},
	} {
		find := func(use *idmap.MapUse) *idmap.Map {
			if use == nil || use.ID != staff.ID {
				return nil
			}
			return &staff
		}
		var got []string
		for _, v := range rules.CheckJob(c.job, find(c.job.Transfer.AccountMap), find(c.job.Transfer.GroupMap)) {
			got = append(got, fmt.Sprintf("%s %s", v.Code, v.Field))
		}
		if !slices.Equal(got, c.refuse) {
			t.Errorf("%s: refused with %q, want %q", c.name, got, c.refuse)
		}
	}
}

func TestMapInUse(t *testing.T) {
	t.Parallel()
	m := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	if found := rules.CheckMapDelete(idmap.AccountMap, m, nil, 0); found != nil {
		t.Errorf("a map that no job uses: got %v, want none", found)
	}
	jobs := []idmap.Job{{ID: "1", Name: "A"}, {ID: "2", Name: "B"}}
	found := rules.CheckMapDelete(idmap.GroupMap, m, jobs, 3)
	const want = `The group map "Staff" is in use by 3 jobs that did not finish yet: "A" (1), "B" (2) and 1 more. Finish or delete what uses it first.`
	if len(found) != 1 || found[0].Code != idmap.CodeMapInUse || found[0].Conflict.ID != "1" || found[0].Description != want {
		t.Errorf("got %v, want map_in_use: %s", found, want)
	}
}
