package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
)

// api is a real server whose every answer is held against its own OpenAPI document.
type api struct {
	*acctest.Server
	router routers.Router
	doc    *openapi3.T
	mu     sync.Mutex
	used   map[string]bool // operation ids that were called
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return apiOf(t, acctest.NewServer(t))
}

func apiOf(t *testing.T, s *acctest.Server) *api {
	t.Helper()
	a := &api{Server: s, used: map[string]bool{}}
	response, err := http.Get(a.URL + "/openapi.json") //nolint:noctx // of the test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if a.doc, err = openapi3.NewLoader().LoadFromData(text); err != nil {
		t.Fatalf("the OpenAPI document cannot be read: %v", err)
	}
	if err := a.doc.Validate(t.Context()); err != nil {
		t.Fatalf("the OpenAPI document is not valid: %v", err)
	}
	a.doc.Servers = nil
	if a.router, err = gorillamux.NewRouter(a.doc); err != nil {
		t.Fatal(err)
	}
	return a
}

// reply is an answer, read.
type reply struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
}

// call sends a request as an administrator. body is JSON text, or anything that becomes JSON; nil sends none.
func (a *api) call(t *testing.T, method, path string, body any, options ...option) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, bodyOf(t, body))
	r.Header.Set("Authorization", "Bearer "+a.Token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, set := range options {
		set(r)
	}
	w := httptest.NewRecorder()
	a.Handler.ServeHTTP(w, r)
	got := reply{t: t, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	if strings.HasPrefix(path, "/v1/") {
		a.conforms(t, r, got)
	}
	return got
}

func bodyOf(t *testing.T, body any) io.Reader {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return http.NoBody
	case string:
		return strings.NewReader(body)
	case []byte:
		return bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(text)
	}
}

// inOneCase writes nouns as the document has them.
var inOneCase = strings.NewReplacer("/Group_maps", "/group_maps", "/Account_Maps", "/account_maps", "/Connections", "/connections", "/Jobs", "/jobs",
	"/Exceptions", "/exceptions", "/Exclusions", "/exclusions", "/SOURCE", "/source")

// conforms holds an answer against the document. Requests are not: many tests send bad ones.
func (a *api) conforms(t *testing.T, r *http.Request, got reply) {
	t.Helper()
	r = r.Clone(r.Context())
	r.URL.Path = inOneCase.Replace(r.URL.Path)
	route, parameters, err := a.router.FindRoute(r)
	if err != nil {
		if got.Status != http.StatusNotFound && got.Status != http.StatusBadRequest {
			t.Errorf("%s %s answered %d, and the document does not have the route", r.Method, r.URL.Path, got.Status)
		}
		return
	}
	a.mu.Lock()
	a.used[route.Operation.OperationID] = true
	a.mu.Unlock()
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 got.Status, Header: got.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(got.Body)
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		t.Errorf("%s %s: the answer is not what the document says: %v\n%s", r.Method, r.URL.Path, err, got.Body)
	}
}

// want checks the status and, for errors, the codes of the violations.
func (r reply) want(status int, codes ...string) reply {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("got status %d, want %d\n%s", r.Status, status, r.Body)
	}
	if status < 400 {
		return r
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("an error came as %q", got)
	}
	var p struct {
		Errors []struct{ Code, Field, Description string }
	}
	r.decode(&p)
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Code)
		if e.Description == "" {
			r.t.Errorf("violation %s has no sentence", e.Code)
		}
	}
	if strings.Join(got, " ") != strings.Join(codes, " ") {
		r.t.Errorf("got codes %v, want %v\n%s", got, codes, r.Body)
	}
	return r
}

func (r reply) decode(into any) {
	r.t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		r.t.Fatalf("%v in %s", err, r.Body)
	}
}

// get returns a value of the answer by its path of keys.
func (r reply) get(path ...string) any {
	r.t.Helper()
	var value any
	r.decode(&value)
	for _, key := range path {
		object, ok := value.(map[string]any)
		if !ok {
			r.t.Fatalf("no %v in %s", path, r.Body)
		}
		value = object[key]
	}
	return value
}

func (r reply) text(path ...string) string {
	r.t.Helper()
	s, _ := r.get(path...).(string)
	return s
}

// rows returns a list of objects; a null among them is nil.
func (r reply) rows(name string) []map[string]any {
	r.t.Helper()
	list, ok := r.get(name).([]any)
	if !ok {
		r.t.Fatalf("no list %s in %s", name, r.Body)
	}
	rows := make([]map[string]any, len(list))
	for i, row := range list {
		rows[i], _ = row.(map[string]any)
	}
	return rows
}
