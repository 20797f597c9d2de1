package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// sentItem is an item as the wire has it.
type sentItem interface{ Item() idmap.MapItem }

// itemForm is a sub-list of a map: how its items look, and which those are.
type itemForm[T sentItem] struct {
	path  string // behind that of the map
	label string // of one item
	roles []idmap.ItemRole
	parse func(io.Reader) ([]T, []int, error) // from CSV
	item  func(T) (idmap.MapItem, error)
	wire  func(idmap.MapItem) T
}

type exceptionItem struct {
	Type typeOf[itemNoun] `json:"type,omitempty"`
	idmap.MapException
}

type exclusionItem struct {
	Type typeOf[itemNoun] `json:"type,omitempty"`
	idmap.MapExclusion
}

func exceptions() itemForm[exceptionItem] {
	return itemForm[exceptionItem]{
		path: "/exceptions", label: "exception", roles: []idmap.ItemRole{idmap.RoleException},
		parse: func(r io.Reader) ([]exceptionItem, []int, error) {
			rows, lines, err := directory.ParsePairs(r)
			return each(rows, func(e idmap.MapException) exceptionItem { return exceptionItem{MapException: e} }), lines, err
		},
		item: func(e exceptionItem) (idmap.MapItem, error) { return e.Item(), nil },
		wire: func(i idmap.MapItem) exceptionItem { return exceptionItem{MapException: i.Exception()} },
	}
}

// exclusions returns the form of the exclusions of a side; "" stands for both.
func exclusions(location idmap.Location) itemForm[exclusionItem] {
	form := itemForm[exclusionItem]{
		path: "/exclusions", label: "exclusion", roles: []idmap.ItemRole{idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion},
		parse: func(r io.Reader) ([]exclusionItem, []int, error) {
			rows, lines, err := directory.ParseExclusions(r, location)
			return each(rows, func(e idmap.MapExclusion) exclusionItem { return exclusionItem{MapExclusion: e} }), lines, err
		},
		item: func(e exclusionItem) (idmap.MapItem, error) { return excluded(e.MapExclusion, location) },
		wire: func(i idmap.MapItem) exclusionItem { return exclusionItem{MapExclusion: i.Exclusion()} },
	}
	if location != "" {
		form.path += "/" + string(location)
		form.label = string(location) + " exclusion"
		form.roles = []idmap.ItemRole{location.Exclusion()}
	}
	return form
}

// excluded takes the side of an exclusion from the address, where that has one.
func excluded(e idmap.MapExclusion, location idmap.Location) (idmap.MapItem, error) {
	switch {
	case e.Location == "" && location == "":
		return idmap.MapItem{}, idmap.Refusef(idmap.CodeInvalid, "location", "The exclusion does not say on which side it is. Its location must be source or destination.")
	case e.Location == "":
		e.Location = location
	case location != "" && e.Location != location:
		return idmap.MapItem{}, idmap.Refusef(idmap.CodeInvalid, "location", "The location is %q, and the address is that of the %s exclusions. They must be the same.", e.Location, location)
	}
	return e.Item(), nil
}

func each[A, B any](all []A, of func(A) B) []B {
	made := make([]B, len(all))
	for i, a := range all {
		made[i] = of(a)
	}
	return made
}

// mapItems serves a sub-list of one kind of map.
type mapItems[T sentItem] struct {
	*server
	itemForm[T]
	kind idmap.MapKind
}

// MapItemInput names one item of a map.
type MapItemInput struct {
	IDInput
	FieldsInput
	ItemID string `path:"item_id" maxLength:"255"`
}

// ItemMatchInput is what every write of items takes. Items have no revision of their own: it is that of their map.
type ItemMatchInput struct {
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"Entity tags of the map; the write is refused unless one is the map's."`
}

// MapItemWriteInput names one item of a map that is to be written.
type MapItemWriteInput struct {
	MapItemInput
	ItemMatchInput
}

// write says in whose name items of a map are written, and at which revision of it.
func (m *mapItems[T]) write(ctx context.Context, mapID string, in ItemMatchInput) (backend.Call, error) {
	call := callOf(ctx, "")
	var err error
	call.MapRevision, err = ifMatch(in.IfMatch, func() (int64, error) {
		found, err := m.backend.Map(ctx, m.kind, mapID, false)
		return found.Revision, err
	})
	return call, err
}

type (
	itemOutput[T any] = plainOutput[itemNoun, T]
	itemsInput        struct {
		IDInput
		ListInput
	}
)

func serveItems[T sentItem](s *server, kind idmap.MapKind, parent string, form itemForm[T]) {
	m := &mapItems[T]{server: s, itemForm: form, kind: kind}
	collection, of := parent+form.path, " of "+kind.WithArticle()
	one := collection + "/{item_id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List the "+form.label+"s"+of), m.list)
	m.registerPost(collection, "Add or replace "+form.label+"s"+of)
	huma.Register(s.api, operation(http.MethodDelete, collection, idmap.ScopeWrite, "Delete all "+form.label+"s"+of), m.deleteAll)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get one of the "+form.label+"s"+of), m.get)
	huma.Register(s.api, operation(http.MethodPut, one, idmap.ScopeWrite, "Replace one of the "+form.label+"s"+of), m.put)
	change := patchOperation(one, "Change one of the "+form.label+"s"+of+" (merge patch)")
	change.Description = principalPatch
	huma.Register(s.api, change, m.patch)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Delete one of the "+form.label+"s"+of), m.delete)
}

func (m *mapItems[T]) list(ctx context.Context, in *itemsInput) (*listOutput[itemNoun, T], error) {
	f := idmap.MapItemFilter{Roles: m.roles, Query: folded(in.Q)}
	rows, described, err := readPage(&in.PageInput, func(i idmap.MapItem) string { return i.ID }, func(page idmap.Page) (backend.List[idmap.MapItem], error) {
		return m.backend.MapItems(ctx, m.kind, in.ID, f, page)
	})
	return answer(ctx, m.server, &listOutput[itemNoun, T]{Body: listing[itemNoun, T]{Items: each(rows, m.wire), Meta: described}}, err)
}

func (m *mapItems[T]) deleteAll(ctx context.Context, in *struct {
	ReadInput
	ItemMatchInput
},
) (*noOutput, error) {
	call, err := m.write(ctx, in.ID, in.ItemMatchInput)
	if err == nil {
		_, err = m.backend.PutMapItems(ctx, call, m.kind, in.ID, m.roles, nil, false)
	}
	return answer[noOutput](ctx, m.server, nil, err)
}

func (m *mapItems[T]) get(ctx context.Context, in *MapItemInput) (*itemOutput[T], error) {
	i, err := m.backend.MapItem(ctx, m.kind, in.ID, m.roles, in.ItemID)
	return answer(ctx, m.server, plain[itemNoun](m.wire(i)), err)
}

func (m *mapItems[T]) put(ctx context.Context, in *struct {
	MapItemWriteInput
	Body T
},
) (*itemOutput[T], error) {
	return m.change(ctx, in.MapItemWriteInput, func(idmap.MapItem) (T, error) { return in.Body, nil })
}

func (m *mapItems[T]) patch(ctx context.Context, in *struct {
	MapItemWriteInput
	RawBody []byte `contentType:"application/merge-patch+json"`
},
) (*itemOutput[T], error) {
	var named T
	_ = json.Unmarshal(in.RawBody, &named) // what is wrong with it is found below
	to := named.Item()
	return m.change(ctx, in.MapItemWriteInput, func(before idmap.MapItem) (T, error) {
		before.Subject, before.Target = unlessNamed(before.Subject, to.Subject), unlessNamed(before.Target, to.Target)
		return patch(m.api, m.wire(before), in.RawBody)
	})
}

func (m *mapItems[T]) change(ctx context.Context, in MapItemWriteInput, change func(idmap.MapItem) (T, error)) (*itemOutput[T], error) {
	call, err := m.write(ctx, in.ID, in.ItemMatchInput)
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	stored, err := m.backend.UpdateMapItem(ctx, call, m.kind, in.ID, m.roles, in.ItemID, func(before idmap.MapItem) (idmap.MapItem, error) {
		wanted, err := change(before)
		if err != nil {
			return before, err
		}
		after, err := m.item(wanted)
		if err == nil {
			err = sameIDIfAny(after.ID, in.ItemID)
		}
		after.ID = in.ItemID
		return after, err
	})
	return answer(ctx, m.server, plain[itemNoun](m.wire(stored)), err)
}

func (m *mapItems[T]) delete(ctx context.Context, in *MapItemWriteInput) (*noOutput, error) {
	call, err := m.write(ctx, in.ID, in.ItemMatchInput)
	if err == nil {
		err = m.backend.DeleteMapItem(ctx, call, m.kind, in.ID, m.roles, in.ItemID)
	}
	return answer[noOutput](ctx, m.server, nil, err)
}
