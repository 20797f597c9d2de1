package backend_test

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

var (
	exceptions = []idmap.ItemRole{idmap.RoleException}
	exclusions = []idmap.ItemRole{idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion}
)

func put(t *testing.T, b *backend.Backend, id string, roles []idmap.ItemRole, appending bool, edits ...func(*idmap.Map)) (backend.ItemsReport, error) {
	t.Helper()
	return b.PutMapItems(t.Context(), admin, idmap.AccountMap, id, roles, staffMap(idmap.AccountMap, edits...).Items(), appending)
}

func wantReport(t *testing.T, got backend.ItemsReport, err error, created, updated, deleted int, subjects ...string) {
	t.Helper()
	var bound []string
	for _, i := range got.Items {
		bound = append(bound, i.Subject.ID)
	}
	if err != nil || got.Created != created || got.Updated != updated || got.Deleted != deleted || !slices.Equal(bound, subjects) {
		t.Errorf("got %+v, %v, want %d created, %d updated, %d deleted, and %v", got, err, created, updated, deleted, subjects)
	}
}

func wantPairs(t *testing.T, b *backend.Backend, id string, ids ...string) idmap.Map {
	t.Helper()
	m := rereadMap(t, b, idmap.AccountMap, id)
	var got []string
	for _, e := range *m.Exceptions {
		got = append(got, e.Source.ID, e.Destination.ID)
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the map has the exceptions %v, want %v", got, ids)
	}
	return m
}

func TestItemsAreAppended(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "jane.doe"), exclusion(idmap.LocationSource, "sam.one"))).ID
		first := (*rereadMap(t, b, idmap.AccountMap, id).Exceptions)[0].ID

		// Jane is named otherwise and John is new; the answer is in the order asked.
		r, err := put(t, b, id, exceptions, true, exception("john.roe", "john.roe"), exception("jdoe@contoso.com", "lea.ver"))
		wantReport(t, r, err, 1, 1, 0, "s-john", "s-jane")
		m := wantPairs(t, b, id, "s-jane", "d-lea", "s-john", "d-john")
		if (*m.Exceptions)[0].ID != first || r.Items[1].ID != first || m.Revision != 2 || len(*m.Exclusions) != 1 {
			t.Errorf("got %+v at revision %d, want the first exception under its id, and the exclusion", m.Exceptions, m.Revision)
		}
		// The same again changes nothing.
		r, err = put(t, b, id, exceptions, true, exception("john.roe", "john.roe"), exception("jdoe@contoso.com", "lea.ver"))
		wantReport(t, r, err, 0, 0, 0, "s-john", "s-jane")
		if m := wantPairs(t, b, id, "s-jane", "d-lea", "s-john", "d-john"); m.Revision != 2 {
			t.Errorf("nothing changed, and the map is at revision %d", m.Revision)
		}
		// An item that claims to be one that stays, and is about somebody else, is a new one.
		claims := staffMap(idmap.AccountMap, exception("sam.one", "sam.one")).Items()
		claims[0].ID = first
		r, err = b.PutMapItems(t.Context(), admin, idmap.AccountMap, id, exceptions, claims, true)
		wantReport(t, r, err, 1, 0, 0, "s-twin-1")
		if err := b.DeleteMapItem(t.Context(), admin, idmap.AccountMap, id, exceptions, r.Items[0].ID); err != nil || r.Items[0].ID == first {
			t.Errorf("%+v, %v", r.Items, err)
		}
		// Whoever the source has twice is refused at the place of the second, and nothing is written.
		_, err = put(t, b, id, exceptions, true, exception("lea.ver", "jane.doe"), exception("LEA.VER", "john.roe"))
		wantCode(t, err, idmap.CodeDuplicateException)
		if v := idmap.ViolationsOf(err); v[0].Field != "items[1].source" {
			t.Errorf("the refusal is at %q", v[0].Field)
		}
		_, err = put(t, b, id, exclusions, true, exclusion(idmap.LocationSource, "lea.ver"), exclusion(idmap.LocationSource, "jane.do"))
		wantCode(t, err, idmap.CodeUnknownAccount)
		if v := idmap.ViolationsOf(err); v[0].Field != "items[1].sid" {
			t.Errorf("the refusal is at %q", v[0].Field)
		}
		wantPairs(t, b, id, "s-jane", "d-lea", "s-john", "d-john")
		wantActions(t, b, id, "update", "update", "update", "create")
	})
}

func TestItemsAreReplaced(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "jane.doe"), exception("john.roe", "john.roe"),
			exclusion(idmap.LocationSource, "sam.one"), exclusion(idmap.LocationDestination, "sam.two"))).ID
		r, err := put(t, b, id, exceptions, false, exception("lea.ver", "lea.ver"), exception("john.roe", "john.roe"))
		wantReport(t, r, err, 1, 0, 1, "s-lea", "s-john")
		r, err = put(t, b, id, exclusions[:1], false)
		wantReport(t, r, err, 0, 0, 1)
		m := wantPairs(t, b, id, "s-john", "d-john", "s-lea", "d-lea")
		if e := *m.Exclusions; len(e) != 1 || e[0].SID.ID != "d-twin-2" || m.Revision != 3 {
			t.Errorf("left are the exclusions %+v, at revision %d", e, m.Revision)
		}
		_, err = put(t, b, "nowhere", exceptions, false)
		if !idmap.IsNotFound(err) {
			t.Errorf("items of no map: %v", err)
		}
	})
}

func TestItemsKeepWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "jane.doe"))).ID
		// Jane marries, and another Jane gets her name.
		play(t, b, rulestest.MapEvent{Connection: rulestest.OldFiles, Account: &idmap.Account{ID: "s-jane", Username: "jane.smith"}})
		play(t, b, rulestest.MapEvent{Connection: rulestest.OldFiles, Account: &idmap.Account{ID: "s-jane-2", Username: "jane.doe"}})
		_, err := put(t, b, id, exceptions, true, exception("jane.doe", "lea.ver"))
		wantCode(t, err, idmap.CodeAmbiguousAccount) // either of them can be meant
		r, err := put(t, b, id, exceptions, true, exception("jane.smith", "john.roe"))
		wantReport(t, r, err, 0, 1, 0, "s-jane")
		r, err = put(t, b, id, exceptions, true, exception("jane.doe", "lea.ver"))
		wantReport(t, r, err, 1, 0, 0, "s-jane-2") // nothing is called like that any more
		wantPairs(t, b, id, "s-jane", "d-john", "s-jane-2", "d-lea")
		_, rows := report(t, b, backend.MapSubject{Kind: idmap.AccountMap, ID: id}, rulestest.OldFiles)
		if rows["s-jane"].Destination.ID != "d-john" || rows["s-jane-2"].Destination.ID != "d-lea" {
			t.Errorf("resolved %+v and %+v", rows["s-jane"], rows["s-jane-2"])
		}
	})
}

// TestItemsCalledTheSame: two stored items may be called the same if they were told apart by ids. What is called like
// that without an id is neither of them.
func TestItemsCalledTheSame(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		twin := func(id string) func(*idmap.Map) {
			return func(m *idmap.Map) {
				exception("Sam Twin", "lea.ver")(m)
				e := *m.Exceptions
				e[len(e)-1].Source.ID = id
			}
		}
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, twin("s-twin-1"), twin("s-twin-2"))).ID
		for _, appending := range []bool{true, false} {
			_, err := put(t, b, id, exceptions, appending, exception("Sam Twin", "jane.doe"))
			wantCode(t, err, idmap.CodeAmbiguousAccount)
		}
		r, err := put(t, b, id, exceptions, false, twin("s-twin-2"))
		wantReport(t, r, err, 0, 0, 1, "s-twin-2")
	})
}

func TestOneItem(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		ctx, kind := t.Context(), idmap.AccountMap
		id := createMap(t, b, kind, staffMap(kind, exception("jane.doe", "jane.doe"), exception("john.roe", "john.roe"), exclusion(idmap.LocationSource, "sam.one"))).ID
		found, err := b.MapItems(ctx, kind, id, idmap.MapItemFilter{Roles: exceptions}, idmap.Page{Limit: 1})
		if err != nil || found.Total != 2 || !found.More || len(found.Items) != 1 || found.Items[0].Subject.ID != "s-jane" {
			t.Fatalf("listed %+v, %v", found, err)
		}
		jane := found.Items[0]
		if _, err := b.MapItem(ctx, kind, id, exclusions, jane.ID); !idmap.IsNotFound(err) {
			t.Errorf("an exception as an exclusion: %v", err)
		}
		to := func(name string) func(idmap.MapItem) (idmap.MapItem, error) {
			return func(i idmap.MapItem) (idmap.MapItem, error) {
				i.Target = idmap.Principal{Name: name}
				return i, nil
			}
		}
		changed, err := b.UpdateMapItem(ctx, admin, kind, id, exceptions, jane.ID, to("lea.ver"))
		if err != nil || changed.ID != jane.ID || changed.Subject != jane.Subject || changed.Target.ID != "d-lea" {
			t.Errorf("updated %+v, %v", changed, err)
		}
		if got, err := b.MapItem(ctx, kind, id, exceptions, jane.ID); err != nil || got != changed {
			t.Errorf("stored %+v, %v, want %+v", got, err, changed)
		}
		_, err = b.UpdateMapItem(ctx, admin, kind, id, exceptions, jane.ID, to("le.ver"))
		wantCode(t, err, idmap.CodeUnknownAccount)
		if v := idmap.ViolationsOf(err); v[0].Field != "destination" {
			t.Errorf("the refusal is at %q", v[0].Field)
		}
		moved, err := b.UpdateMapItem(ctx, admin, kind, id, exceptions, jane.ID, func(i idmap.MapItem) (idmap.MapItem, error) {
			i.Subject = idmap.Principal{Name: "lea.ver"}
			return i, nil
		})
		if err != nil || moved.ID != jane.ID || moved.Subject.ID != "s-lea" {
			t.Errorf("given to another: %+v, %v", moved, err)
		}
		if err := b.DeleteMapItem(ctx, admin, kind, id, exceptions, jane.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteMapItem(ctx, admin, kind, id, exceptions, jane.ID); !idmap.IsNotFound(err) {
			t.Errorf("a second time: %v", err)
		}
		if m := wantPairs(t, b, id, "s-john", "d-john"); m.Revision != 4 || len(*m.Exclusions) != 1 {
			t.Errorf("left is %+v", m)
		}
		wantActions(t, b, id, "update", "update", "update", "create")
	})
}
