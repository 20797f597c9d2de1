package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// FieldsInput lets clients of the published API say which fields they want. They are answered more.
type FieldsInput struct {
	Fields []string `query:"fields,explode" maxItems:"100" doc:"Accepted from clients of the published API; all fields are always answered."`
}

// PageInput says which page of a list is wanted.
type PageInput struct {
	FieldsInput
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"Rows at once."`
	Cursor string `query:"cursor" maxLength:"4096" doc:"From links.next.href of the page before; opaque."`
	Offset int    `query:"offset" minimum:"0" maximum:"10000" doc:"Rows to skip before the first page; overlooked with a cursor. They are read, in a report also resolved, from the first on and left out, so follow links.next.href to walk a list."`

	url url.URL
}

// ListInput is what every list takes besides its filters, but for those that have no free text.
type ListInput struct {
	PageInput
	Q string `query:"q" maxLength:"255" doc:"Free text, found anywhere in the object's names, without regard to case."`
}

// Resolve keeps the request's address, for the link to the next page.
func (in *PageInput) Resolve(ctx huma.Context) []error {
	in.url = ctx.URL()
	return nil
}

// meta describes a page of a list.
type meta struct {
	Offset     int   `json:"offset" doc:"Rows before this page, as far as this walk has seen."`
	Limit      int   `json:"limit"`
	TotalCount int   `json:"total_count" doc:"Rows of the whole list when the first page was read."`
	HasMore    bool  `json:"has_more"`
	Links      links `json:"links"`
}

type links struct {
	Next *link `json:"next,omitempty"`
}

type link struct {
	Href string `json:"href"`
}

// cursorVersion changes when cursors of an earlier release can no longer be read.
const cursorVersion = 1

// cursor says where a page begins: behind a row that need not exist any more, so that rows that come and go never make
// a list skip or repeat one.
type cursor struct {
	Version int    `json:"v"`
	Path    string `json:"p"`
	Filter  string `json:"f"`
	After   string `json:"a"`
	Offset  int    `json:"o"`
	Total   int    `json:"t"`
}

// page returns where the list is to go on.
func (in *PageInput) page() (idmap.Page, cursor, error) {
	c := cursor{Version: cursorVersion, Path: in.url.Path, Filter: in.filter().Encode()}
	page := idmap.Page{Limit: in.Limit}
	if in.Cursor == "" {
		return page, c, nil
	}
	var given cursor
	text, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	switch {
	case err != nil:
		return page, c, idmap.Refusef(idmap.CodeInvalidCursor, "query.cursor", "The cursor is not one that this server gave. Begin at the first page, and follow links.next.href as it is.")
	case given.Version != cursorVersion:
		return page, c, idmap.Refusef(idmap.CodeCursorExpired, "query.cursor", "The cursor is of another release of this server and has expired. Read the list anew from its first page.")
	case given.Path != c.Path || given.Filter != c.Filter:
		return page, c, idmap.Refusef(idmap.CodeInvalidCursor, "query.cursor", "The cursor is of another list, or of other filters. Follow links.next.href as it is.")
	}
	page.After = given.After
	return page, given, nil
}

// filter is the query without what only says which page, and in which form.
func (in *PageInput) filter() url.Values {
	values := in.url.Query()
	for _, name := range []string{"cursor", "limit", "offset", "fields"} {
		values.Del(name)
	}
	return values
}

// list answers a page of a list. key returns the key of a row, on which the list is sorted; fetch reads a page.
func list[N noun, T any](
	ctx context.Context, s *server, in *PageInput, key func(T) string, fetch func(idmap.Page) (backend.List[T], error),
) (*listOutput[N, T], error) {
	rows, m, err := readPage(in, key, fetch)
	return answer(ctx, s, &listOutput[N, T]{Body: listing[N, T]{Items: rows, Meta: m}}, err)
}

// readPage reads the page that the request asks for, and describes it.
func readPage[T any](in *PageInput, key func(T) string, fetch func(idmap.Page) (backend.List[T], error)) ([]T, meta, error) {
	page, c, err := in.page()
	if err != nil {
		return nil, meta{}, err
	}
	total := -1
	if in.Cursor == "" {
		if page.After, c.Offset, total, err = skip(in.Offset, key, fetch); err != nil {
			return nil, meta{}, err
		}
	}
	found := backend.List[T]{Items: []T{}, Total: total}
	if c.Offset >= in.Offset || in.Cursor != "" {
		if found, err = fetch(page); err != nil {
			return nil, meta{}, err
		}
	}
	found.Total = max(found.Total, total)
	return found.Items, envelope(in, c, found, key), nil
}

// skip reads rows that are not answered. It returns the key of the last, how many there were, and the total of the list,
// or -1 where nothing was read.
func skip[T any](offset int, key func(T) string, fetch func(idmap.Page) (backend.List[T], error)) (after string, skipped, total int, err error) {
	total = -1
	for more := true; more && skipped < offset; {
		found, err := fetch(idmap.Page{After: after, Limit: min(offset-skipped, idmap.MaxPageSize)})
		if err != nil {
			return "", 0, total, err
		}
		if len(found.Items) > 0 {
			after = key(found.Items[len(found.Items)-1])
		}
		skipped, total, more = skipped+len(found.Items), max(total, found.Total), found.More
	}
	return after, skipped, total, nil
}

// envelope completes the answer of a list. key returns the key of a row, on which the list is sorted.
func envelope[T any](in *PageInput, c cursor, found backend.List[T], key func(T) string) meta {
	if found.Total >= 0 {
		c.Total = found.Total
	}
	m := meta{Offset: c.Offset, Limit: in.Limit, TotalCount: c.Total, HasMore: found.More}
	if !found.More {
		return m
	}
	c.After, c.Offset = key(found.Items[len(found.Items)-1]), c.Offset+len(found.Items)
	text, err := json.Marshal(c)
	if err != nil {
		panic("server: a cursor cannot be written: " + err.Error()) // strings and numbers can
	}
	next := in.filter()
	next.Set("limit", in.url.Query().Get("limit"))
	if next.Get("limit") == "" {
		next.Del("limit")
	}
	next.Set("cursor", base64.RawURLEncoding.EncodeToString(text))
	m.Links.Next = &link{Href: in.url.Path + "?" + next.Encode()}
	return m
}
