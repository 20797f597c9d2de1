package backend_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// TestFaultsAreOfWhatWasSent: an item that is at odds with stored ones is refused at its own place.
func TestFaultsAreOfWhatWasSent(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.doe", "jane.doe"), exception("john.roe", "lea.ver"),
			exception("sam.one", "ollie.off"), exclusion(idmap.LocationDestination, "sam.two"), func(m *idmap.Map) {
				m.Destination.Default = &idmap.Principal{Name: "ollie.off"}
			})).ID
		sideways := exclusion(idmap.LocationSource, "jane.doe")
		for _, c := range []struct {
			name  string
			roles []idmap.ItemRole
			sent  []func(*idmap.Map)
			at    string
		}{
			{"the target of an exception", exclusions, []func(*idmap.Map){sideways, exclusion(idmap.LocationDestination, "jdoe@fabrikam.com")}, "items[1].sid"},
			{"the default", exclusions, []func(*idmap.Map){exclusion(idmap.LocationDestination, "ollie.off")}, "items[0].sid"},
			{"one who is excluded", exceptions, []func(*idmap.Map){exception("lea.ver", "sam.two")}, "items[0].destination"},
		} {
			for _, appending := range []bool{true, false} {
				_, err := put(t, b, id, c.roles, appending, c.sent...)
				wantCode(t, err, idmap.CodeInvalid)
				if v := idmap.ViolationsOf(err); slices.ContainsFunc(v, func(v idmap.Violation) bool { return v.Field != c.at }) {
					t.Errorf("%s, appending %t: refused %+v, want it at %s", c.name, appending, v, c.at)
				}
			}
		}
		john := (*rereadMap(t, b, idmap.AccountMap, id).Exceptions)[1]
		_, err := b.UpdateMapItem(t.Context(), admin, idmap.AccountMap, id, exceptions, john.ID, func(i idmap.MapItem) (idmap.MapItem, error) {
			i.Subject = idmap.Principal{Name: "jdoe@contoso.com"}
			return i, nil
		})
		wantCode(t, err, idmap.CodeDuplicateException)
		if v := idmap.ViolationsOf(err); v[0].Field != "source" {
			t.Errorf("the refusal is at %q", v[0].Field)
		}
		// Sam's target and the default are disabled, which nobody is told who sends something else.
		r, err := put(t, b, id, exceptions, true, exception("lea.ver", "lea.ver"))
		if wantReport(t, r, err, 1, 0, 0, "s-lea"); len(r.Warnings) > 0 {
			t.Errorf("warned of what was not sent: %+v", r.Warnings)
		}
		r, err = put(t, b, id, exceptions, true, exception("lea.ver", "ollie.off"))
		if wantReport(t, r, err, 0, 1, 0, "s-lea"); len(r.Warnings) != 1 || r.Warnings[0].Field != "items[0].destination" {
			t.Errorf("warned of %+v, want the disabled destination", r.Warnings)
		}
	})
}

// TestOneByOneIsAsAllAtOnce: items that are sent alone, of which few others are read, become what they become in the
// whole list, whatever happened to names since.
func TestOneByOneIsAsAllAtOnce(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		ones := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap)).ID
		whole := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Name = "Whole" })).ID
		names := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: guards nothing, and a failure must be repeatable
		pick := func(of ...string) string { return of[names.IntN(len(of))] }
		written := 0
		for step := range 200 {
			switch step % 4 {
			case 0: // somebody gets another name, if it is free
				_, _, err := b.PutAccount(t.Context(), admin, pick(rulestest.OldFiles, rulestest.NewFiles), idmap.Account{
					ID: pick("s-jane", "d-jane", "s-john", "d-john"), Username: pick("jane.doe", "john.roe", "x", "y"), Name: pick("Jane Doe", "Sam Twin"),
				}, 0)
				if err != nil && len(idmap.ViolationsOf(err)) == 0 {
					t.Fatal(err)
				}
			case 1: // an item goes
				role, subject := idmap.RoleException, pick("s-jane", "s-john", "s-lea")
				if pick("", "x") != "" {
					role, subject = idmap.RoleDestinationExclusion, pick("d-jane", "d-john", "d-lea")
				}
				for _, id := range []string{ones, whole} {
					deleteItem(t, b, id, role, subject)
				}
			}
			item := idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: idmap.Principal{ID: pick("", "", "", "s-jane"), Name: pick("jane.doe", "john.roe", "lea.ver", "Sam Twin", "x", "y")}}
			roles := exclusions
			switch step % 5 {
			case 0, 1, 2:
				item.Role, item.Target, roles = idmap.RoleException, idmap.Principal{Name: pick("jane.doe", "john.roe", "lea.ver", "d-jane")}, exceptions
			case 3:
				item.Role, item.Subject.ID = idmap.RoleDestinationExclusion, ""
			}
			sent := []idmap.MapItem{item}
			one, err := b.PutMapItems(t.Context(), admin, idmap.AccountMap, ones, roles, sent, true)
			for _, i := range rereadMap(t, b, idmap.AccountMap, whole).Items() {
				replaced := err == nil && i.Role == item.Role && i.Subject.ID == one.Items[0].Subject.ID
				if slices.Contains(roles, i.Role) && !replaced {
					sent = append(sent, i)
				}
			}
			_, errWhole := b.PutMapItems(t.Context(), admin, idmap.AccountMap, whole, roles, sent, false)
			if (err == nil) != (errWhole == nil) {
				t.Fatalf("step %d, %+v: alone %v, in the list %v", step, item, err, errWhole)
			}
			if err == nil {
				written++
			}
			if got, want := bound(t, b, ones), bound(t, b, whole); !slices.Equal(got, want) {
				t.Fatalf("step %d, %+v: alone the map becomes\n%q\nwant\n%q", step, item, got, want)
			}
		}
		if written < 30 {
			t.Errorf("only %d items were taken", written)
		}
	})
}

func deleteItem(t *testing.T, b *backend.Backend, id string, role idmap.ItemRole, subject string) {
	t.Helper()
	for _, i := range rereadMap(t, b, idmap.AccountMap, id).Items() {
		if i.Role != role || i.Subject.ID != subject {
			continue
		}
		if err := b.DeleteMapItem(t.Context(), admin, idmap.AccountMap, id, []idmap.ItemRole{role}, i.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// bound tells the items of a map, but for their ids.
func bound(t *testing.T, b *backend.Backend, id string) []string {
	t.Helper()
	var items []string
	for _, i := range rereadMap(t, b, idmap.AccountMap, id).Items() {
		items = append(items, fmt.Sprint(i.Role, i.Subject, i.Target))
	}
	slices.Sort(items)
	return items
}

// slowStore lets reports wait: reading a directory takes until somebody says so.
type slowStore struct {
	store.Store
	reading, enough chan struct{}
}

type slowReader struct {
	store.Reader
	of *slowStore
}

func (s *slowStore) View(ctx context.Context, fn func(store.Reader) error) error {
	return s.Store.View(ctx, func(r store.Reader) error { return fn(slowReader{r, s}) })
}

func (r slowReader) ListAccounts(ctx context.Context, id string, f idmap.DirectoryFilter, page idmap.Page) ([]idmap.Account, error) {
	r.of.reading <- struct{}{}
	<-r.of.enough
	return r.Reader.ListAccounts(ctx, id, f, page)
}

// TestRefusalsDoNotWaitForSuggestions: while others resolve directories for long, a refusal comes without suggestions.
func TestRefusalsDoNotWaitForSuggestions(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		slow := &slowStore{Store: open(t), reading: make(chan struct{}, 100), enough: make(chan struct{})}
		b := backend.New(slow, backend.Options{})
		stageMaps(t, b)
		ends := []string{rulestest.NewFiles, rulestest.BoxFiles}
		done := make(chan error, len(ends))
		for _, end := range ends {
			id := createMap(t, b, idmap.AccountMap, staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Name, m.Destination.Connection.ID = end, end })).ID
			go func() {
				_, err := b.ReportMap(t.Context(), stored(idmap.AccountMap, id), idmap.ResolutionFilter{}, idmap.Page{Limit: 1})
				done <- err
			}()
			<-slow.reading
		}
		start := time.Now()
		_, err := b.CreateMap(t.Context(), admin, idmap.AccountMap, staffMap(idmap.AccountMap, exception("jane.do@contoso.com", "lea.ver")))
		wantCode(t, err, idmap.CodeUnknownAccount)
		if v := idmap.ViolationsOf(err); suggests(v[0], "jane.doe@contoso.com") || time.Since(start) > 10*time.Second {
			t.Errorf("after %s: %+v", time.Since(start), v)
		}
		close(slow.enough)
		for range ends {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
