package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// pages serves n connections, two on each page, and names the next page by href.
func pages(n int, href func(req *http.Request, offset int) string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var offset int
		_, _ = fmt.Sscan(req.URL.Query().Get("cursor"), &offset)
		var rows []string
		for i := offset; i < min(offset+2, n); i++ {
			rows = append(rows, fmt.Sprintf(`{"id":"c%d","name":"n"}`, i))
		}
		links := "{}"
		if offset+2 < n {
			links = fmt.Sprintf(`{"next":{"href":%q}}`, href(req, offset+2))
		}
		answerJSON(200, fmt.Sprintf(`{"type":"connections","connections":[%s],"meta":{"limit":2,"has_more":%t,"links":%s}}`,
			strings.Join(rows, ","), offset+2 < n, links))(w, req)
	}
}

func read(ctx context.Context, c *Client) (ids []string, err error) {
	for connection, failure := range c.Connections(ctx, ConnectionFilter{Name: "Ünï & co", Platform: "box"}) {
		if failure != nil {
			return ids, failure
		}
		ids = append(ids, connection.ID)
	}
	return ids, nil
}

func TestAllPagesAreRead(t *testing.T) {
	relative := func(req *http.Request, offset int) string {
		return fmt.Sprintf("/v1/connections?cursor=%d&name=%s", offset, req.URL.Query().Get("q"))
	}
	for n, requests := range map[int]int{0: 1, 1: 1, 2: 1, 3: 2, 7: 4} {
		s := serve(t, pages(n, relative))
		ids, err := read(t.Context(), clientOf(t, s.URL, nil))
		if err != nil || len(ids) != n || len(s.seen()) != requests {
			t.Errorf("%d: read %v in %d requests, %v", n, ids, len(s.seen()), err)
		}
		for i, id := range ids {
			if id != fmt.Sprintf("c%d", i) {
				t.Errorf("%d: read %v", n, ids)
			}
		}
		if got := s.seen()[0].uri; got != "/v1/connections?limit=1000&name=%C3%9Cn%C3%AF+%26+co&platform=box" {
			t.Errorf("asked for %s", got)
		}
	}
}

func TestAFailedPageIsRetried(t *testing.T) {
	list := pages(4, func(_ *http.Request, offset int) string { return fmt.Sprintf("/v1/connections?cursor=%d", offset) })
	s := serve(t, list, half, list)
	if ids, err := read(t.Context(), clientOf(t, s.URL, nil)); err != nil || len(ids) != 4 {
		t.Errorf("read %v, %v", ids, err)
	}
	s = serve(t, list, problemJSON(400, "cursor_expired", "Read anew."))
	if ids, err := read(t.Context(), clientOf(t, s.URL, nil)); len(ids) != 2 || idmap.ViolationsOf(err)[0].Code != idmap.CodeCursorExpired {
		t.Errorf("read %v, %v", ids, err)
	}
}

// Whoever has seen enough causes no further request.
func TestReadingStopsEarly(t *testing.T) {
	s := serve(t, pages(9, func(_ *http.Request, offset int) string { return fmt.Sprintf("/v1/connections?cursor=%d", offset) }))
	c := clientOf(t, s.URL, nil)
	n := 0
	for _, err := range c.Connections(t.Context(), ConnectionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if len(s.seen()) != 2 {
		t.Errorf("%d requests for 3 of 9", len(s.seen()))
	}
}

func TestLinksThatLeadAstray(t *testing.T) {
	elsewhere := serve(t, mapping)
	tests := map[string]struct{ href, says string }{
		"another server":   {elsewhere.URL + "/v1/connections", "another server"},
		"without a scheme": {"//" + elsewhere.Listener.Addr().String() + "/v1/connections", "another server"},
		"with credentials": {"http://a:b@HOST/v1/connections", "another server"},
		"in circles":       {"/v1/connections?cursor=2", "read already"},
		"no URL":           {"http://[", "cannot be read"},
		"no path":          {"mailto:x", "cannot be read"},
		"nowhere":          {"", "not where"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, pages(9, func(req *http.Request, _ int) string { return strings.ReplaceAll(test.href, "HOST", req.Host) }))
			ids, err := read(t.Context(), clientOf(t, s.URL, nil))
			var foreign *ForeignServerError
			if !errors.As(err, &foreign) || len(ids) > 4 {
				t.Fatalf("read %v, %v", ids, err)
			}
			wantWords(t, err.Error(), test.says)
		})
	}
	if n := len(elsewhere.seen()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// A server behind a proxy knows neither the prefix that the proxy takes off, nor that the proxy speaks TLS.
func TestLinksBehindAProxy(t *testing.T) {
	for name, href := range map[string]string{
		"without prefix": "/v1/connections?cursor=2", "with prefix": "/a%20b/v1/connections?cursor=2",
		"absolute": "https://HOST/v1/connections?cursor=2",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, pages(3, func(req *http.Request, _ int) string { return strings.ReplaceAll(href, "HOST", req.Host) }))
			ids, err := read(t.Context(), clientOf(t, s.URL+"/a%20b", nil))
			if err != nil || len(ids) != 3 {
				t.Fatalf("read %v, %v", ids, err)
			}
			if got := s.seen()[1].uri; got != "/a%20b/v1/connections?cursor=2" {
				t.Errorf("asked for %s", got)
			}
		})
	}
}
