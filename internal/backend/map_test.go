package backend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

var bothKinds = []idmap.MapKind{idmap.AccountMap, idmap.GroupMap}

func TestMapLifecycle(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		made := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"), exclusion(idmap.LocationSource, "gus@partner.example")))
		createMap(t, b, idmap.GroupMap, staffMap(idmap.GroupMap)) // its own name space
		if made.Exceptions != nil || made.ID == "" || made.Revision != 1 || made.UnmappedPolicy != idmap.UnmappedSkip {
			t.Errorf("created %+v", made)
		}
		stored := rereadMap(t, b, idmap.AccountMap, made.ID)
		if e := *stored.Exceptions; len(e) != 1 || e[0].ID == "" || e[0].Source != (idmap.Principal{ID: "s-jane", Name: "jane.doe"}) || len(*stored.Exclusions) != 1 {
			t.Errorf("stored %+v and %+v", stored.Exceptions, stored.Exclusions)
		}
		changed, err := updateMap(t, b, made.ID, 1, func(m *idmap.Map) { m.Name, m.Exceptions = "People", &[]idmap.MapException{} })
		if err != nil || changed.Revision != 2 || changed.Name != "People" || !changed.CreatedOn.Equal(*made.CreatedOn) {
			t.Errorf("updated %+v, %v", changed, err)
		}
		if stored = rereadMap(t, b, idmap.AccountMap, made.ID); len(*stored.Exceptions) != 0 || len(*stored.Exclusions) != 1 {
			t.Errorf("an update that names no exclusions leaves %+v and %+v", stored.Exceptions, stored.Exclusions)
		}
		found, err := b.Maps(t.Context(), idmap.MapFilter{Kind: idmap.AccountMap}, idmap.Page{Limit: 10})
		if err != nil || len(found.Items) != 1 || found.Total != 1 || found.Items[0].Name != "People" {
			t.Errorf("listed %+v, %v", found, err)
		}
		if err := b.DeleteMap(t.Context(), admin, idmap.GroupMap, made.ID, 0); !idmap.IsNotFound(err) {
			t.Errorf("deleted as a map of the other kind: %v", err)
		}
		wantCode(t, b.DeleteMap(t.Context(), admin, idmap.AccountMap, made.ID, 1), idmap.CodeRevisionConflict)
		if err := b.DeleteMap(t.Context(), admin, idmap.AccountMap, made.ID, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Map(t.Context(), idmap.AccountMap, made.ID, true); !idmap.IsNotFound(err) {
			t.Errorf("got %v, want that it is gone", err)
		}
		wantActions(t, b, made.ID, "delete", "update", "create")
	})
}

// wantActions checks the audit log of an object, the newest entry first.
func wantActions(t *testing.T, b *backend.Backend, id string, actions ...string) []idmap.AuditEntry {
	t.Helper()
	audit, err := b.Audit(t.Context(), idmap.AuditFilter{ObjectID: id}, idmap.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range audit.Items {
		got = append(got, e.Action)
	}
	if !slices.Equal(got, actions) {
		t.Errorf("the audit log has %v, want %v", got, actions)
	}
	return audit.Items
}

func TestMapIsCreatedOnce(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		call := admin
		call.IdempotencyKey = "once"
		wanted := staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"))
		first, err := b.CreateMap(t.Context(), call, idmap.AccountMap, wanted)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.CreateMap(t.Context(), call, idmap.AccountMap, wanted)
		if err != nil || text(t, again) != text(t, first) {
			t.Errorf("the same request answered %s, %v, first %s", text(t, again), err, text(t, first))
		}
		intent := idmap.MapIntent{Operation: idmap.OperationCreate, IdempotencyKey: "once", Map: &wanted}
		validated, err := b.ValidateMaps(t.Context(), call, idmap.AccountMap, []idmap.MapIntent{intent}, nil)
		if err != nil || len(validated[0].Violations) > 0 || validated[0].Map == nil || validated[0].Map.ID != first.Map.ID {
			t.Errorf("validate does not know the repeated request: %+v, %v", validated, err)
		}
		_, err = b.CreateMap(t.Context(), call, idmap.GroupMap, wanted)
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
		other := staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Name = "Other" })
		_, err = b.CreateMap(t.Context(), call, idmap.AccountMap, other)
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
		intent.Map = &other
		validated, err = b.ValidateMaps(t.Context(), call, idmap.AccountMap, []idmap.MapIntent{intent}, nil)
		if err != nil || !slices.Contains(rulestest.CodesOf(validated[0].Violations), idmap.CodeIdempotencyKeyReused) {
			t.Errorf("validate says %+v, %v", validated, err)
		}
		if err := b.DeleteMap(t.Context(), admin, idmap.AccountMap, first.Map.ID, 0); err != nil {
			t.Fatal(err)
		}
		if anew, err := b.CreateMap(t.Context(), call, idmap.AccountMap, wanted); err != nil || anew.Map.ID == first.Map.ID {
			t.Errorf("after the map was deleted its key gives %+v, %v", anew, err)
		}
	})
}

func TestMapRevisions(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		wanted := staffMap(idmap.AccountMap, exception("jane.doe", "lea.ver"), exclusion(idmap.LocationDestination, "jane.doe"))
		made := createMap(t, b, idmap.AccountMap, wanted)
		rename := func(m *idmap.Map) { m.Name = "People" }
		if _, err := updateMap(t, b, made.ID, 1, rename); err != nil {
			t.Fatal(err)
		}
		_, err := updateMap(t, b, made.ID, 1, func(m *idmap.Map) { m.Name = "Others" })
		wantCode(t, err, idmap.CodeRevisionConflict)
		intent := idmap.MapIntent{Operation: idmap.OperationUpdate, ID: made.ID, Revision: 1, Map: &wanted}
		validated, err := b.ValidateMaps(t.Context(), admin, idmap.AccountMap, []idmap.MapIntent{intent}, nil)
		if err != nil || !slices.Contains(rulestest.CodesOf(validated[0].Violations), idmap.CodeRevisionConflict) || validated[0].Map != nil {
			t.Errorf("validate says %+v, %v", validated, err)
		}
		for _, seen := range []int64{0, 1, 2, 7} { // nothing changes: it may repeat a write whose answer was lost
			got, err := updateMap(t, b, made.ID, seen, func(m *idmap.Map) {
				rename(m)
				m.Exceptions, m.Exclusions = wanted.Exceptions, wanted.Exclusions
			})
			if err != nil || got.Revision != 2 {
				t.Errorf("the same again, at revision %d: %+v, %v", seen, got, err)
			}
		}
		wantActions(t, b, made.ID, "update", "create")
	})
}

func TestAuditOfALargeMap(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		var people []idmap.Account
		wanted := staffMap(idmap.AccountMap)
		for i := range 1500 {
			id := fmt.Sprintf("p%04d", i)
			people = append(people, idmap.Account{ID: id, Username: id})
			*wanted.Exclusions = append(*wanted.Exclusions, idmap.MapExclusion{Location: idmap.LocationSource, SID: idmap.Principal{ID: id}})
		}
		importAccounts(t, b, rulestest.OldFiles, people)
		made := createMap(t, b, idmap.AccountMap, wanted)
		if _, err := updateMap(t, b, made.ID, 0, func(m *idmap.Map) { m.Exclusions = new((*wanted.Exclusions)[:1350]) }); err != nil {
			t.Fatal(err)
		}
		if stored := rereadMap(t, b, idmap.AccountMap, made.ID); len(*stored.Exclusions) != 1350 || (*stored.Exclusions)[1349].SID.ID != "p1349" {
			t.Errorf("stored %d exclusions", len(*stored.Exclusions))
		}
		for _, e := range wantActions(t, b, made.ID, "update", "create") {
			var after struct {
				ExclusionCount int `json:"exclusion_count"`
			}
			if err := json.Unmarshal(e.After, &after); err != nil || len(e.After)+len(e.Before) > 30_000 || after.ExclusionCount < 1350 {
				t.Errorf("the entry of the %s has %d bytes and counts %d, %v", e.Action, len(e.After)+len(e.Before), after.ExclusionCount, err)
			}
			if e.Action == "update" && (!strings.Contains(string(e.Before), "p1350") || strings.Contains(string(e.Before), "p1349") || strings.Contains(string(e.After), "p1350")) {
				t.Errorf("the entry does not tell the items that went: %s", e.Before)
			}
		}
	})
}

func TestOneNameForTwoMaps(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		const clients = 8
		var won, refused atomic.Int32
		var wait sync.WaitGroup
		for range clients {
			wait.Go(func() {
				_, err := b.CreateMap(t.Context(), admin, idmap.GroupMap, staffMap(idmap.GroupMap))
				switch {
				case err == nil:
					won.Add(1)
				case slices.Contains(rulestest.CodesOf(idmap.ViolationsOf(err)), idmap.CodeNameInUse):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 || refused.Load() != clients-1 {
			t.Errorf("%d won and %d were refused, want 1 and %d", won.Load(), refused.Load(), clients-1)
		}
	})
}

func TestTwoWritersOfOneMap(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		made := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap))
		people := []string{"jane.doe", "john.roe", "lea.ver", "sam.one", "sam.two", "stu.stub"}
		var wait sync.WaitGroup
		for i, who := range people {
			wait.Go(func() {
				item := staffMap(idmap.AccountMap, exception(who, people[len(people)-1-i])).Items()
				if _, err := b.PutMapItems(t.Context(), admin, idmap.AccountMap, made.ID, exceptions, item, true); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		stored := rereadMap(t, b, idmap.AccountMap, made.ID)
		if len(*stored.Exceptions) != len(people) || stored.Revision != int64(1+len(people)) {
			t.Errorf("%d exceptions at revision %d, want what all %d wrote", len(*stored.Exceptions), stored.Revision, len(people))
		}
	})
}

func TestDeleteAllMaps(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		one := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap))
		createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Name = "Other" }))
		group := createMap(t, b, idmap.GroupMap, staffMap(idmap.GroupMap))
		j := createJob(t, b, transfer(&one, nil))
		wantCode(t, b.DeleteMaps(t.Context(), admin, idmap.AccountMap), idmap.CodeMapInUse)
		if left, err := b.Maps(t.Context(), idmap.MapFilter{Kind: idmap.AccountMap}, idmap.Page{Limit: 10}); err != nil || left.Total != 2 {
			t.Errorf("after a refusal there are %d, %v", left.Total, err)
		}
		setStatus(t, b, j.ID, "success")
		if err := b.DeleteMaps(t.Context(), admin, idmap.AccountMap); err != nil {
			t.Fatal(err)
		}
		if left, err := b.Maps(t.Context(), idmap.MapFilter{Kind: idmap.AccountMap}, idmap.Page{Limit: 10}); err != nil || left.Total != 0 {
			t.Errorf("there are %d left, %v", left.Total, err)
		}
		rereadMap(t, b, idmap.GroupMap, group.ID)
	})
}

func TestConnectionOfAMap(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		for _, kind := range bothKinds {
			made := createMap(t, b, kind, staffMap(kind))
			for _, end := range []string{rulestest.OldFiles, rulestest.NewFiles} {
				err := b.DeleteConnection(t.Context(), admin, end, 0)
				wantCode(t, err, idmap.CodeConnectionInUse)
				if v := idmap.ViolationsOf(err); len(v) != 1 || v[0].Conflict.ID != made.ID || v[0].Conflict.Kind != string(kind) || !strings.Contains(v[0].Description, "Staff") {
					t.Errorf("the refusal does not name the map: %+v", v)
				}
			}
			if err := b.DeleteMap(t.Context(), admin, kind, made.ID, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.DeleteConnection(t.Context(), admin, rulestest.NewFiles, 0); err != nil {
			t.Fatal(err)
		}
		_, err := b.CreateMap(t.Context(), admin, idmap.AccountMap, staffMap(idmap.AccountMap))
		wantCode(t, err, idmap.CodeUnknownConnection)
	})
}

// TestConnectionAndMapAtOnce: whichever of the two comes first, no map is left without its connection.
func TestConnectionAndMapAtOnce(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		for range 8 {
			target := idmap.Connection{ID: "short-lived", Name: "Short-lived", Platform: idmap.PlatformRef{ID: "generic"}}
			if _, err := b.CreateConnection(t.Context(), admin, target); err != nil {
				t.Fatal(err)
			}
			var deleted error
			var wait sync.WaitGroup
			wait.Go(func() { deleted = b.DeleteConnection(t.Context(), admin, target.ID, 0) })
			v, created := b.CreateMap(t.Context(), admin, idmap.AccountMap, rulestest.MapBetween(rulestest.OldFiles, target.ID))
			wait.Wait()
			if (deleted == nil) == (created == nil) {
				t.Fatalf("deleted: %v, created: %v", deleted, created)
			}
			if created != nil {
				wantCode(t, created, idmap.CodeUnknownConnection)
				continue
			}
			wantCode(t, deleted, idmap.CodeConnectionInUse)
			if err := b.DeleteMap(t.Context(), admin, idmap.AccountMap, v.Map.ID, 0); err != nil {
				t.Fatal(err)
			}
			if err := b.DeleteConnection(t.Context(), admin, target.ID, 0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestGuestsAreSeenByAnImport(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		accounts := rulestest.MapAccounts()[rulestest.NewFiles]
		for _, external := range []bool{true, false} {
			accounts[0].External = external
			imported := importAccounts(t, b, rulestest.NewFiles, accounts)
			a, err := b.Account(t.Context(), rulestest.NewFiles, accounts[0].ID)
			if err != nil || a.External != external || imported.Updated == 0 {
				t.Errorf("external %t: got %+v, %+v, %v", external, a, imported, err)
			}
		}
	})
}
