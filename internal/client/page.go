package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type pageMeta struct {
	HasMore bool `json:"has_more"`
	Links   struct {
		Next struct {
			Href string `json:"href"`
		} `json:"next"`
	} `json:"links"`
}

// list answers the objects of all pages, in the order of the server. It asks for a page when the one before is used up,
// and ends with the first error.
func list[T any](ctx context.Context, c *Client, nouns string, query url.Values, segments ...string) iter.Seq2[T, error] {
	r := request{segments: segments, query: query}
	return follow(ctx, c, r, func(a *answer) ([]T, error) {
		objects, _, err := decode[[]T](a, nouns)
		return objects, err
	})
}

// follow is list for answers of any form: read takes the objects out of one. The request is the first one.
func follow[T any](ctx context.Context, c *Client, r request, read func(*answer) ([]T, error)) iter.Seq2[T, error] {
	r.method, r.collection = http.MethodGet, true
	r.query.Set("limit", strconv.Itoa(idmap.MaxPageSize))
	return func(yield func(T, error) bool) {
		r, seen := r, map[string]bool{}
		for {
			objects, next, err := page(ctx, c, r, read, seen)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, object := range objects {
				if !yield(object, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			r.next = next
		}
	}
}

// page reads one page, and where the next one is; nil after the last.
func page[T any](ctx context.Context, c *Client, r request, read func(*answer) ([]T, error), seen map[string]bool) ([]T, *url.URL, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	objects, err := read(a)
	if err != nil {
		return nil, nil, err
	}
	next, err := c.next(a, seen)
	return objects, next, err
}

// next returns the page that the answer names. Being led to another server would hand that the token, and being led in
// circles would never end. A list that goes on without saying where must not pass for a whole one.
func (c *Client) next(a *answer, seen map[string]bool) (*url.URL, error) {
	var list struct {
		Meta pageMeta `json:"meta"`
	}
	if err := json.Unmarshal(a.content, &list); err != nil {
		return nil, foreign(a, fmt.Sprintf("its meta cannot be read (%s)", err))
	}
	href := list.Meta.Links.Next.Href
	switch {
	case href == "" && list.Meta.HasMore:
		return nil, foreign(a, "it says that the list goes on, and not where")
	case href == "":
		return nil, nil
	case seen[href]:
		return nil, foreign(a, "its list of pages leads back to a page that was read already")
	}
	seen[href] = true
	return c.resolve(a, href)
}

// resolve keeps scheme and host of the endpoint, and puts its path prefix back where a proxy takes it off: the server
// does not know of it.
func (c *Client) resolve(a *answer, href string) (*url.URL, error) {
	u, err := url.Parse(href)
	if err == nil && c.server.platform() { // whose own clients read nothing of a link but its query
		u = &url.URL{Path: a.Request.URL.Path, RawPath: a.Request.URL.RawPath, RawQuery: u.RawQuery}
	}
	if err != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return nil, foreign(a, "its link to the next page cannot be read")
	}
	if u.User != nil || u.Host != "" && !strings.EqualFold(u.Host, c.base.Host) {
		return nil, foreign(a, fmt.Sprintf("its link to the next page leads to another server, %s", clip(u.Host)))
	}
	if c.base.Path != "" && !strings.HasPrefix(u.Path, c.base.Path+"/") {
		u = c.base.JoinPath(u.EscapedPath()).ResolveReference(&url.URL{RawQuery: u.RawQuery})
	}
	u.Scheme, u.Host, u.Fragment = c.base.Scheme, c.base.Host, ""
	return u, nil
}

// params makes a query of names and values, without those that are empty or blank: a server may take a blank filter for
// one that nothing matches, or for none.
func params(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.TrimSpace(pairs[i+1]) != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}

func optionalBool(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func optionalTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
