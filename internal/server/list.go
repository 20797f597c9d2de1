package server

import (
	"encoding/base64"
	"encoding/json"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ListInput is what every list takes besides its filters.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"Rows at once."`
	Cursor string `query:"cursor" maxLength:"4096" doc:"From links.next.href of the page before; opaque."`
	Q      string `query:"q" maxLength:"255" doc:"Free text, found anywhere in the object's names, without regard to case."`

	url url.URL
}

// Resolve keeps the request's address, for the link to the next page.
func (in *ListInput) Resolve(ctx huma.Context) []error {
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
func (in *ListInput) page() (idmap.Page, cursor, error) {
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

// filter is the query without what only says which page.
func (in *ListInput) filter() url.Values {
	values := in.url.Query()
	values.Del("cursor")
	values.Del("limit")
	return values
}

// envelope completes the answer of a list. key returns the key of a row, on which the list is sorted.
func envelope[T any](in *ListInput, c cursor, found backend.List[T], key func(T) string) meta {
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
