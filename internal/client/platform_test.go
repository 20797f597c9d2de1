package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func empty(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

var silent404 = answerJSON(404, `{"errors":[{"description":"There is none."}]}`, "Content-Type", "application/json")

func TestPlatformIsWhatHasNoCapabilities(t *testing.T) {
	capabilities := answerJSON(http.StatusOK, `{"capabilities":{"server":"idmap"}}`)
	tests := []struct {
		name     string
		answer   http.HandlerFunc
		platform bool
		fails    bool
	}{
		{"capabilities", capabilities, false, false},
		{"an empty 404", empty(404), true, false},
		{"a JSON 404", silent404, true, false},
		{"a JSON 404 of any form", answerJSON(404, `"no"`, "Content-Type", "application/json"), true, false},
		{"our own 404", problemJSON(404, "unknown_route", "There is no such route."), false, true},
		{"a proxy's 404", answerJSON(404, "<html>", "Content-Type", "text/html"), false, true},
		{"a text", answerJSON(404, "404 page not found", "Content-Type", "text/plain"), false, true},
		{"no access", problemJSON(401, "unauthorized", "Who are you?"), false, true},
		{"no access, no word", empty(401), false, true},
		{"busy", empty(503), false, true},
		{"a page", answerJSON(200, "<html>", "Content-Type", "text/html"), false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			c := clientOf(t, s.URL, func(c *Config) { c.MaxRetries = -1 })
			for range 2 {
				if platform, err := c.Platform(t.Context()); platform != test.platform || (err != nil) != test.fails {
					t.Fatalf("got %v, %v", platform, err)
				}
			}
			if asked := len(s.seen()); (asked == 1) == test.fails {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestPlatformIsAskedOnce(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(20 * time.Millisecond)
		empty(404)(w, req)
	})
	c := clientOf(t, s.URL, nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if platform, err := c.Platform(t.Context()); !platform || err != nil {
				t.Error(platform, err)
			}
		})
	}
	all.Wait()
	if n := len(s.seen()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := clientOf(t, s.URL, nil).Platform(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// routes answers by method and path; what is not among them is not there.
func routes(t *testing.T, answers map[string]http.HandlerFunc) *script {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, req *http.Request) {
		if answer, ok := answers[req.Method+" "+req.URL.Path]; ok {
			answer(w, req)
			return
		}
		silent404(w, req)
	})
}

const oneMap = `{"type":"account_map","account_map":{"id":"m1","name":"n","source":{"connection":{"id":"s","name":"S","features":{"x":[]}}},` +
	`"destination":{"connection":{"id":"d"},"default":{"id":"7","name":"admin","external_id":"x"}},"map_by":{"email":true,"ldap":false},"created_on":1700000000}}`

func itemList(texts ...string) string {
	return `{"type":"item","item":[` + strings.Join(texts, ",") + `],"meta":{"has_more":false,"links":{"next":null}}}`
}

func TestMapOfAPlatform(t *testing.T) {
	pages := func(w http.ResponseWriter, req *http.Request) {
		first := `{"item":[{"id":"e1","source":{"name":"a"},"destination":{"name":"b"}}],"meta":{"has_more":true,"links":{"next":{"href":"item?offset=1&limit=1"}}}}`
		if req.URL.Query().Get("offset") == "1" {
			first = itemList(`{"id":"e2","source":{"name":"c"},"destination":{"name":"d"}}`)
		}
		answerJSON(200, first)(w, req)
	}
	s := routes(t, map[string]http.HandlerFunc{
		"GET /prefix/v1/account_maps/m1":                        answerJSON(200, oneMap),
		"GET /prefix/v1/account_maps/m1/exceptions":             pages,
		"GET /prefix/v1/account_maps/m1/exclusions/source":      answerJSON(200, itemList(`{"id":"x1","location":"source","sid":{"name":"x"}}`)),
		"GET /prefix/v1/account_maps/m1/exclusions/destination": answerJSON(200, itemList(`{"id":"x2","sid":{"name":"y"}}`)),
	})
	got, err := clientOf(t, s.URL+"/prefix", nil).Map(t.Context(), idmap.AccountMap, "m1")
	want := idmap.Map{
		ID: "m1", Name: "n", Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "s"}},
		Destination:    idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "d"}, Default: &idmap.Principal{ID: "7", Name: "admin"}},
		UnmappedPolicy: idmap.UnmappedSkip, MapBy: idmap.MapBy{Email: true},
		Exceptions: &[]idmap.MapException{
			{ID: "e1", Source: idmap.Principal{Name: "a"}, Destination: idmap.Principal{Name: "b"}},
			{ID: "e2", Source: idmap.Principal{Name: "c"}, Destination: idmap.Principal{Name: "d"}},
		},
		Exclusions: &[]idmap.MapExclusion{
			{ID: "x1", Location: idmap.LocationSource, SID: idmap.Principal{Name: "x"}},
			{ID: "x2", Location: idmap.LocationDestination, SID: idmap.Principal{Name: "y"}},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

// TestNotFoundOnAPlatform: its 404 says nothing, and is believed where the list answers in which the object would be.
func TestNotFoundOnAPlatform(t *testing.T) {
	list := answerJSON(200, `{"account_maps":[],"accounts":[]}`)
	s := routes(t, map[string]http.HandlerFunc{"GET /v1/account_maps": list, "GET /v1/connections/c1/accounts": list, "GET /v1/account_maps/m2": answerJSON(200, oneMap)})
	c := clientOf(t, s.URL, nil)
	_, err := c.Map(t.Context(), idmap.AccountMap, "m1")
	if !idmap.IsNotFound(err) {
		t.Errorf("a map that is gone: %v", err)
	}
	if _, err = c.Account(t.Context(), "c1", "a1"); !idmap.IsNotFound(err) {
		t.Errorf("an account that is gone: %v", err)
	}
	if err = c.DeleteMap(t.Context(), idmap.AccountMap, "m1", 3); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	for name, err := range map[string]error{
		"a map without lists":  ignore(c.Map(t.Context(), idmap.AccountMap, "m2")),
		"a route that is gone": ignore(c.Map(t.Context(), idmap.GroupMap, "m1")),
		"a user mapping":       ignore(c.UserMapping(t.Context(), "m1")),
		"deleting elsewhere":   c.DeleteMap(t.Context(), idmap.GroupMap, "m1", 0),
	} {
		if _, ok := errors.AsType[*ForeignServerError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotFoundOfAPassingProxy: its 404 is that of a platform, until our server answers again.
func TestNotFoundOfAPassingProxy(t *testing.T) {
	list, ours := answerJSON(200, `{"account_maps":[]}`), answerJSON(200, `{"capabilities":{}}`)
	s := serve(t, empty(404), empty(404), list, ours, answerJSON(200, `{"account_map":{"id":"m1","name":"n"}}`))
	c := clientOf(t, s.URL, nil)
	if err := c.DeleteMap(t.Context(), idmap.AccountMap, "m1", 0); err == nil {
		t.Error("a map that is there passes for deleted")
	} else if _, ok := errors.AsType[*ForeignServerError](err); !ok {
		t.Errorf("got %v", err)
	}
	if m, err := c.Map(t.Context(), idmap.AccountMap, "m1"); err != nil || m.Name != "n" {
		t.Errorf("the server is still taken for a platform: %+v, %v", m, err)
	}
}

func TestCreateMapOnAPlatform(t *testing.T) {
	s := routes(t, map[string]http.HandlerFunc{
		"POST /v1/account_maps": answerJSON(201, oneMap), "POST /v1/account_maps/m1/exceptions": answerJSON(200, `{}`),
		"POST /v1/account_maps/m1/exclusions/source": cut,
	})
	m := idmap.Map{
		Name: "n", Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "s"}}, Revision: 4,
		Destination:    idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "d"}, Default: &idmap.Principal{Name: "admin@example.com"}},
		UnmappedPolicy: idmap.UnmappedSkip, MapBy: idmap.MapBy{Fuzzy: true, Name: true, FuzzyThreshold: new(0.9), ExternalResolve: idmap.ExternalResolveNever},
		Exclusions: &[]idmap.MapExclusion{{Location: idmap.LocationSource, SID: idmap.Principal{Name: "root"}}},
	}
	exceptions := make([]idmap.MapException, 2001)
	for i := range exceptions {
		exceptions[i] = idmap.MapException{Source: idmap.Principal{Name: fmt.Sprint("u", i)}, Destination: idmap.Principal{Email: fmt.Sprint("u", i, "@example.com")}}
	}
	m.Exceptions = &exceptions
	created, _, err := clientOf(t, s.URL, nil).CreateMap(t.Context(), idmap.AccountMap, "key", m)
	if !errors.Is(err, ErrUnreachable) || created.ID != "m1" {
		t.Fatalf("got %+v, %v", created, err)
	}
	requests := s.seen()
	wantBody := `{"type":"account_map","name":"n","source":{"connection":{"id":"s"}},"destination":{"connection":{"id":"d"},` +
		`"default":{"type":"account","name":"admin@example.com","email":"admin@example.com"}},"map_by":{"id":false,"name":true,"username":false,"email":false,` +
		`"caption":false,"default":false,"fuzzy":true,"external_passthrough":false,"passthrough":false,"built_in":false,"ldap":false}}`
	if requests[1].body != wantBody || requests[1].header.Get("Idempotency-Key") != "" {
		t.Errorf("sent %s\nwant %s", requests[1].body, wantBody)
	}
	if n := len(requests); n != 6 { // capabilities, the map, three times exceptions, and exclusions once though they fail
		t.Errorf("%d requests", n)
	}
	last := `{"append":true,"items":[{"source":{"type":"account","id":"u2000","name":"u2000"},"destination":{"type":"account","name":"u2000@example.com","email":"u2000@example.com"}}]}`
	if requests[4].body != last {
		t.Errorf("sent %s", requests[4].body)
	}
	if want := `{"append":true,"items":[{"location":"source","sid":{"type":"account","id":"root","name":"root"}}]}`; requests[5].body != want {
		t.Errorf("sent %s", requests[5].body)
	}
}

func TestGroupsOnAPlatformHaveNoEmail(t *testing.T) {
	for name, want := range map[string]idmap.Principal{
		"team":             {Type: "group", ID: "team", Name: "team"},
		"team@example.com": {Type: "group", Name: "team@example.com"},
	} {
		if got := principalToWire(idmap.GroupMap, idmap.Principal{Name: name}); got != want {
			t.Errorf("%s is sent as %+v", name, got)
		}
	}
}

func TestUpdateMapOnAPlatform(t *testing.T) {
	exception := func(id, source, destination string) string {
		return fmt.Sprintf(`{"id":%q,"source":{"id":"1","name":%q},"destination":{"id":"2","email":%q,"name":"Shown Name"}}`, id, source, destination)
	}
	s := routes(t, map[string]http.HandlerFunc{
		"PUT /v1/account_maps/m1": answerJSON(200, oneMap),
		"GET /v1/account_maps/m1/exceptions": answerJSON(200, itemList(
			exception("same", "Ann", "ann@example.com"), exception("gone", "bob", "bob@example.com"), exception("changed", "cy", "cy@example.com"))),
		"DELETE /v1/account_maps/m1/exceptions/gone":    empty(204),
		"DELETE /v1/account_maps/m1/exceptions/changed": empty(204),
		"POST /v1/account_maps/m1/exceptions":           answerJSON(200, `{}`),
	})
	to := func(source, destination string) idmap.MapException {
		return idmap.MapException{Source: idmap.Principal{Name: source}, Destination: idmap.Principal{Name: destination}}
	}
	m := idmap.Map{
		ID: "m1", Name: "n", Revision: 9, MapBy: idmap.MapBy{Name: true},
		Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "s"}}, Destination: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "d"}},
		Exceptions: &[]idmap.MapException{to("ann", "ANN@example.com"), to("cy", "other@example.com"), to("dee", "dee")},
	}
	updated, _, err := clientOf(t, s.URL, nil).UpdateMap(t.Context(), idmap.AccountMap, m)
	if err != nil || updated.ID != "m1" || updated.Revision != 0 {
		t.Fatalf("got %+v, %v", updated, err)
	}
	requests := s.seen()
	wantBody := `{"type":"account_map","name":"n","source":{"connection":{"id":"s"},"default":null},"destination":{"connection":{"id":"d"},"default":null},` +
		`"unmapped_policy":"skip","map_by":{"id":false,"name":true,`
	if got := requests[1].body; !strings.HasPrefix(got, wantBody) {
		t.Errorf("sent %s\nwant %s", got, wantBody)
	}
	var asked []string
	for _, r := range requests[1:] {
		asked = append(asked, r.method+" "+strings.TrimPrefix(r.uri, "/v1/account_maps/m1"))
		if r.header.Get("If-Match")+r.header.Get("Idempotency-Key") != "" {
			t.Errorf("%s has the headers %v", r.uri, r.header)
		}
	}
	slices.Sort(asked[2:4]) // at one time
	want := []string{"PUT ", "GET /exceptions?limit=1000", "DELETE /exceptions/changed", "DELETE /exceptions/gone", "POST /exceptions"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	added := `{"append":true,"items":[{"source":{"type":"account","id":"cy","name":"cy"},"destination":{"type":"account","name":"other@example.com","email":"other@example.com"}},` +
		`{"source":{"type":"account","id":"dee","name":"dee"},"destination":{"type":"account","id":"dee","name":"dee"}}]}`
	if got := requests[5].body; got != added {
		t.Errorf("sent %s", got)
	}
}

// TestOnlyACreateLeavesOut: an update may leave alone what it does not name.
func TestOnlyACreateLeavesOut(t *testing.T) {
	to := &idmap.Principal{Name: "admin"}
	tests := []struct {
		m               idmap.Map
		created, stored string
	}{
		{idmap.Map{}, `-|-|`, `null|null|skip`},
		{idmap.Map{UnmappedPolicy: idmap.UnmappedSkip, Source: idmap.MapEnd{Default: to}}, `admin|-|`, `admin|null|skip`},
		{idmap.Map{UnmappedPolicy: idmap.UnmappedFail, Destination: idmap.MapEnd{Default: to}}, `-|admin|fail`, `null|admin|fail`},
	}
	shown := func(w mapWire) string {
		var got struct {
			Source, Destination struct{ Default json.RawMessage }
			UnmappedPolicy      string `json:"unmapped_policy"`
		}
		if err := json.Unmarshal([]byte(marshalled(t, w)), &got); err != nil {
			t.Fatal(err)
		}
		name := func(raw json.RawMessage) string {
			if strings.Contains(string(raw), "admin") {
				return "admin"
			}
			return orDefault(string(raw), "-")
		}
		return name(got.Source.Default) + "|" + name(got.Destination.Default) + "|" + got.UnmappedPolicy
	}
	for _, test := range tests {
		created, stored := newMapToWire(idmap.GroupMap, test.m), mapToWire(idmap.GroupMap, test.m)
		if shown(created) != test.created || shown(stored) != test.stored {
			t.Errorf("created as %s, want %s; stored as %s, want %s", shown(created), test.created, shown(stored), test.stored)
		}
	}
}

// TestDifferenceIsNotQuadratic: this takes long where each item is compared with each.
func TestDifferenceIsNotQuadratic(t *testing.T) {
	const n = 30_000
	stored, wanted := make([]idmap.MapItem, n), make([]idmap.MapItem, n)
	for i := range n {
		stored[i] = idmap.MapItem{ID: fmt.Sprint(i), Subject: idmap.Principal{Name: fmt.Sprint("u", i)}, Target: idmap.Principal{Name: "t"}}
		wanted[n-1-i] = idmap.MapItem{Subject: idmap.Principal{Name: fmt.Sprint("U", i+1)}, Target: idmap.Principal{Name: "T"}}
	}
	gone, added := difference(stored, wanted)
	if len(gone) != 1 || gone[0].ID != "0" || len(added) != 1 || added[0].Subject.Name != fmt.Sprint("U", n) {
		t.Errorf("%d gone, %d added", len(gone), len(added))
	}
}

func TestMapsOfAPlatformAreFilteredHere(t *testing.T) {
	named := func(id, name, source string) string {
		return fmt.Sprintf(`{"id":%q,"name":%q,"source":{"connection":{"id":%q}},"destination":{"connection":{"id":"d"}},"map_by":{}}`, id, name, source)
	}
	s := routes(t, map[string]http.HandlerFunc{
		"GET /v1/group_maps": answerJSON(200, `{"group_maps":[`+named("1", "Sales", "s")+`,`+named("2", "Sales East", "s")+`,`+named("3", "sales", "x")+`]}`),
	})
	c := clientOf(t, s.URL, nil)
	ids := func(f MapFilter) (all string) {
		for m, err := range c.Maps(t.Context(), idmap.GroupMap, f) {
			if err != nil {
				t.Fatal(err)
			}
			all += m.ID
		}
		return all
	}
	if got := ids(MapFilter{}) + " " + ids(MapFilter{Name: " SALES"}) + " " + ids(MapFilter{Query: "east"}) + " " + ids(MapFilter{SourceConnection: "s"}); got != "123 13 2 12" {
		t.Errorf("selected %s", got)
	}
	if uri := s.seen()[2].uri; uri != "/v1/group_maps?limit=1000&q=+SALES" {
		t.Errorf("asked for %s", uri)
	}
}

func TestWhatAPlatformCannot(t *testing.T) {
	c := clientOf(t, routes(t, nil).URL, nil)
	ctx := t.Context()
	for name, err := range map[string]error{
		"validate": ignore(c.ValidateMaps(ctx, idmap.AccountMap, make([]idmap.MapIntent, 1), nil)),
		"totals":   ignore(c.MapTotals(ctx, idmap.AccountMap, "m1")),
		"report":   drain(c.MapReport(ctx, idmap.AccountMap, "m1", idmap.ResolutionFilter{})),
	} {
		if !errors.Is(err, ErrNotSupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
