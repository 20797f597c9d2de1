package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// patience bounds every test, so that a deadlock is a failure with a stack and not a hang.
const patience = 90 * time.Second

// world is a store under test, with a mail connection "mail" and application connections "app" and "app2" once
// connections was called.
type world struct {
	t   *testing.T
	s   store.Store
	ctx context.Context
}

func newWorld(t *testing.T, s store.Store) world {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return world{t: t, s: s, ctx: ctx}
}

// update runs fn, which must succeed.
func (w world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.ctx, fn); err != nil {
		w.t.Fatalf("Update: %v", err)
	}
}

// refused runs fn, which must fail with want.
func (w world) refused(want error, fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.ctx, fn); !errors.Is(err, want) {
		w.t.Fatalf("Update answers %v, want %v", err, want)
	}
}

// retry runs fn until it does not lose against another transaction any more.
func (w world) retry(fn func(store.Tx) error) error {
	for {
		err := w.s.Update(w.ctx, fn)
		if !errors.Is(err, store.ErrConflict) || w.ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// read returns what fn reads, which must succeed.
func read[T any](w world, fn func(store.Reader) (T, error)) (answer T) {
	w.t.Helper()
	err := w.s.View(w.ctx, func(r store.Reader) (err error) {
		answer, err = fn(r)
		return err
	})
	if err != nil {
		w.t.Fatalf("View: %v", err)
	}
	return answer
}

func (w world) connections() world {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		for _, id := range []string{"app", "app2", "mail", "mail2"} {
			if err := tx.InsertConnection(w.ctx, connection(id)); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// all is a page with every row of a test.
var all = idmap.Page{Limit: idmap.MaxPageSize}

func connection(id string) idmap.Connection {
	return idmap.Connection{
		ID: id, Name: "Connection " + id, Platform: idmap.PlatformRef{ID: "generic"},
		Revision: 1, CreatedOn: at(1), ModifiedOn: at(1),
	}
}

// mapping returns a mapping from mail to app with an email that is unique in app.
func mapping(id, email, userID string) store.UserMapping {
	key, err := idmap.CanonicalEmail(email)
	if err != nil {
		panic(err)
	}
	m := store.UserMapping{EmailScope: "app"}
	m.UserMapping = idmap.UserMapping{
		ID: id, Email: email, EmailCanonical: key, EmailSource: idmap.EmailExplicit, UserID: userID,
		Origin: idmap.OriginAPI, Revision: 1, CreatedOn: at(1), ModifiedOn: at(1),
	}
	m.Source.Connection.ID, m.Destination.Connection.ID = "mail", "app"
	return m
}

// people returns n mappings, in the order of their ids.
func people(n int) []store.UserMapping {
	mappings := make([]store.UserMapping, n)
	for i := range mappings {
		name := fmt.Sprintf("u%04d", i)
		mappings[i] = mapping("m"+name, name+"@example.com", name)
	}
	return mappings
}

func plain(mappings []store.UserMapping) []idmap.UserMapping {
	answer := make([]idmap.UserMapping, len(mappings))
	for i, m := range mappings {
		answer[i] = m.UserMapping
	}
	return answer
}

func (w world) insert(mappings ...store.UserMapping) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.InsertUserMappings(w.ctx, mappings) })
}

// mappings returns all mappings with their scopes, in the order of their ids.
func (w world) mappings() []store.UserMapping {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]store.UserMapping, error) {
		listed, err := r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, all)
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(listed))
		for i, m := range listed {
			ids[i] = m.ID
		}
		found, err := r.UserMappings(w.ctx, store.UserMappingKeys{IDs: ids})
		return sorted(found, func(m store.UserMapping) string { return m.ID }), err
	})
}

// at returns a moment with microseconds.
func at(second int) *time.Time {
	t := time.Date(2026, 2, 3, 4, 5, second, 123456000, time.UTC)
	return &t
}

func sorted[T any](objects []T, id func(T) string) []T {
	slices.SortFunc(objects, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	return objects
}

// equal compares as JSON too, so that a failure can be read.
func equal[T any](t interface {
	Helper()
	Fatalf(string, ...any)
}, what string, got, want T,
) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
}

// complete fails unless every field of an object is set, but for some: so that a test of all fields has the next one
// too.
func complete(t *testing.T, object any, but ...string) {
	t.Helper()
	v := reflect.Indirect(reflect.ValueOf(object))
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || slices.Contains(but, field.Name) {
			continue
		}
		if v.Field(i).IsZero() {
			t.Fatalf("%s of %T is not set", field.Name, object)
		}
		inner := reflect.Indirect(v.Field(i))
		if inner.Kind() == reflect.Struct && inner.Type() != reflect.TypeFor[time.Time]() {
			complete(t, inner.Interface(), but...)
		}
	}
}

// nothing fails unless a list is empty.
func nothing[T any](t *testing.T, what string, got []T) {
	t.Helper()
	if len(got) != 0 {
		t.Fatalf("%s: got %+v, want nothing", what, got)
	}
}

// notFound fails unless err is idmap.NotFound.
func notFound(t *testing.T, err error) {
	t.Helper()
	if !idmap.IsNotFound(err) {
		t.Fatalf("got %v, want not found", err)
	}
}

// checkList fails unless a list has the wanted ids, separated by blanks, and its count agrees.
func checkList[T any](w world, want string, filter any, id func(T) string,
	list func(store.Reader) ([]T, error), count func(store.Reader) (int, error),
) {
	w.t.Helper()
	var ids []string
	for _, object := range read(w, list) {
		ids = append(ids, id(object))
	}
	if got := strings.Join(ids, " "); got != want {
		w.t.Errorf("filter %+v finds %q, want %q", filter, got, want)
	}
	if n := read(w, count); n != len(ids) {
		w.t.Errorf("filter %+v counts %d, and lists %d", filter, n, len(ids))
	}
}
