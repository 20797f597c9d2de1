package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// publishedClient sends requests as the published SDK does, and reads answers as it does: it says that whatever it sends is
// JSON, never sends If-Match or keys, takes 404 for nothing, and shows of an error the first description.
type publishedClient struct {
	t *testing.T
	a *api
}

// entity is an object as the SDK hands it on.
type entity = map[string]any

// resource is a collection. Its answers stand under the words one and many; those of sub-lists are both item.
type resource struct {
	publishedClient
	path, one, many string
}

func (c publishedClient) resource(path, one, many string) resource {
	return resource{c, path, one, many}
}

func (c publishedClient) items(path string) resource { return c.resource(path, "item", "item") }

// send returns the answer, or nil where there is nothing of that name.
func (c publishedClient) send(method, path string, query url.Values, body any) (entity, error) {
	c.t.Helper()
	var text any = ""
	if body != nil {
		text = body
	}
	return c.read(c.a.call(c.t, method, address(path, query), text, header("Accept", "application/json")))
}

func address(path string, query url.Values) string {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return "/v1/" + path
}

func (c publishedClient) read(got reply) (entity, error) {
	c.t.Helper()
	if got.Status == http.StatusNotFound {
		return nil, nil
	}
	if got.Status < 200 || got.Status > 299 {
		var refused struct {
			Errors []struct{ Description string }
		}
		got.decode(&refused)
		if len(refused.Errors) == 0 || refused.Errors[0].Description == "" {
			c.t.Errorf("the error %d has no description: %s", got.Status, got.Body)
			return nil, errors.New("unknown")
		}
		return nil, errors.New(refused.Errors[0].Description)
	}
	if len(got.Body) == 0 {
		return entity{}, nil
	}
	if !strings.Contains(got.Header.Get("Content-Type"), "application/json") {
		c.t.Errorf("the answer came as %q", got.Header.Get("Content-Type"))
	}
	var answer entity
	got.decode(&answer)
	return answer, nil
}

// single takes an object out of its envelope.
func (r resource) single(answer entity, err error) (entity, error) {
	object, _ := answer[r.one].(entity)
	return object, err
}

func (r resource) get(id any) (entity, error) {
	r.t.Helper()
	return r.single(r.send("GET", fmt.Sprint(r.path, "/", id), nil, nil))
}

func (r resource) add(body any, query url.Values) (entity, error) {
	r.t.Helper()
	return r.single(r.send("POST", r.path, query, body))
}

// edit sends an object to the address of its id, and leaves the id out of the body.
func (r resource) edit(method string, object entity, query url.Values) (entity, error) {
	r.t.Helper()
	rest := entity{}
	for name, value := range object {
		if name != "id" {
			rest[name] = value
		}
	}
	var body any
	if len(rest) > 0 {
		body = rest
	}
	return r.single(r.send(method, fmt.Sprint(r.path, "/", object["id"]), query, body))
}

// remove reports whether there was something to delete.
func (r resource) remove(id any) bool {
	r.t.Helper()
	path := r.path
	if id != nil {
		path = fmt.Sprint(path, "/", id)
	}
	answer, err := r.send("DELETE", path, nil, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer != nil
}

// page reads a page, and returns the query of the next one: what stands behind the question mark of its link.
func (r resource) page(query url.Values) (rows []entity, next url.Values, total int) {
	r.t.Helper()
	answer, err := r.send("GET", r.path, query, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	list, ok := answer[r.many].([]any)
	if !ok {
		r.t.Fatalf("no list %s in %v", r.many, answer)
	}
	for _, row := range list {
		object, _ := row.(entity)
		rows = append(rows, object)
	}
	var meta struct {
		TotalCount int `json:"total_count"`
		Links      struct{ Next struct{ Href string } }
	}
	text, err := json.Marshal(answer["meta"])
	if err = errors.Join(err, json.Unmarshal(text, &meta)); err != nil {
		r.t.Fatal(err)
	}
	if _, behind, ok := strings.Cut(meta.Links.Next.Href, "?"); ok {
		if next, err = url.ParseQuery(behind); err != nil {
			r.t.Fatal(err)
		}
	}
	return rows, next, meta.TotalCount
}

// all follows the pages to the end.
func (r resource) all(query url.Values) []entity {
	r.t.Helper()
	var all []entity
	for {
		rows, next, _ := r.page(query)
		if all = append(all, rows...); next == nil {
			return all
		}
		query = next
	}
}

// upload sends a file as a form.
func (r resource) upload(csv string, query url.Values) (entity, error) {
	r.t.Helper()
	body, contentType := form(r.t, csv)
	return r.read(r.a.call(r.t, "POST", address(r.path, query), body, header("Content-Type", contentType)))
}

// within returns a value of an object inside an object.
func within(object entity, outer, inner string) any {
	part, _ := object[outer].(entity)
	return part[inner]
}

// form makes a multipart form with a file.
func form(t *testing.T, csv string) (body []byte, contentType string) {
	t.Helper()
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	part, err := w.CreateFormFile("anything", "mappings.csv")
	if err == nil {
		_, err = part.Write([]byte(csv))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return text.Bytes(), w.FormDataContentType()
}
