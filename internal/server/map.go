package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxMapBody is the most bytes of a map with all that it has: exceptions and exclusions, and proposed directories.
const maxMapBody = 64 << 20

// maps serves one kind of map, by whose noun its routes and its envelopes go.
type maps[N noun] struct {
	*server
	kind idmap.MapKind
}

type mapBody[N noun] struct {
	Type typeOf[N] `json:"type,omitempty"`
	idmap.Map
}

type mapOutput[N noun] = oneOutput[N, idmap.Map]

func oneMap[N noun](v idmap.MapVerdict) *mapOutput[N] {
	if v.Map == nil {
		return nil // with an error, which is answered instead
	}
	return stored[N](*v.Map, v.Map.Revision, v.Warnings)
}

// MapInput names one map that is to be answered.
type MapInput struct {
	ReadInput
	Include string `query:"include" enum:"items" doc:"items: also the exceptions and the exclusions."`
}

type mapsInput struct {
	ListInput
	Name                  string `query:"name" maxLength:"255" doc:"Exact, without regard to case."`
	Connection            string `query:"connection" maxLength:"255" doc:"On either side."`
	SourceConnection      string `query:"source_connection" maxLength:"255"`
	DestinationConnection string `query:"destination_connection" maxLength:"255"`
}

// serveMaps adds the routes of one kind of map. The noun's word for one is the kind.
func serveMaps[N noun](s *server) {
	name, many := words[N]()
	m := &maps[N]{server: s, kind: idmap.MapKind(name)}
	collection, label := "/v1/"+many, m.kind.WithArticle()
	one := collection + "/{id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List "+m.kind.Label()+"s"), m.list)
	huma.Register(s.api, created(large(operation(http.MethodPost, collection, idmap.ScopeWrite, "Create "+label))), m.create)
	huma.Register(s.api, operation(http.MethodDelete, collection, idmap.ScopeAdmin, "Delete all "+m.kind.Label()+"s, or none"), m.deleteAll)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get "+label), m.get)
	huma.Register(s.api, large(operation(http.MethodPut, one, idmap.ScopeWrite, "Replace "+label)), m.put)
	huma.Register(s.api, large(m.patchOperation(one)), m.patch)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Delete "+label), m.delete)
	m.reports(collection, one)
	serveItems(s, m.kind, one, exceptions())
	serveItems(s, m.kind, one, exclusions(""))
	serveItems(s, m.kind, one, exclusions(idmap.LocationSource))
	serveItems(s, m.kind, one, exclusions(idmap.LocationDestination))
}

func (m *maps[N]) patchOperation(path string) huma.Operation {
	op := patchOperation(path, "Change "+m.kind.WithArticle()+" (merge patch)")
	op.Description = principalPatch + " Exceptions and exclusions that are null stay as they are, as when they are left out; an empty list removes them."
	return op
}

// large lets the body of an operation be as large as a map with all its items.
func large(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = maxMapBody
	return op
}

func (m *maps[N]) list(ctx context.Context, in *mapsInput) (*listOutput[N, idmap.Map], error) {
	f := idmap.MapFilter{
		Kind: m.kind, Key: folded(in.Name), ConnectionID: in.Connection, SourceConnectionID: in.SourceConnection,
		DestinationConnectionID: in.DestinationConnection, Query: folded(in.Q),
	}
	return list[N](ctx, m.server, &in.PageInput, func(m idmap.Map) string { return m.ID }, func(page idmap.Page) (backend.List[idmap.Map], error) {
		return m.backend.Maps(ctx, f, page)
	})
}

func (m *maps[N]) create(ctx context.Context, in *struct {
	CreateInput
	Body mapBody[N]
},
) (*mapOutput[N], error) {
	v, err := m.backend.CreateMap(ctx, callOf(ctx, in.IdempotencyKey), m.kind, in.Body.Map)
	return answer(ctx, m.server, oneMap[N](v), err)
}

func (m *maps[N]) deleteAll(ctx context.Context, _ *FieldsInput) (*noOutput, error) {
	return answer[noOutput](ctx, m.server, nil, m.backend.DeleteMaps(ctx, callOf(ctx, ""), m.kind))
}

func (m *maps[N]) get(ctx context.Context, in *MapInput) (*mapOutput[N], error) {
	found, err := m.backend.Map(ctx, m.kind, in.ID, in.Include != "")
	return answer(ctx, m.server, stored[N](found, found.Revision, nil), err)
}

func (m *maps[N]) put(ctx context.Context, in *struct {
	WriteInput
	Body mapBody[N]
},
) (*mapOutput[N], error) {
	return m.change(ctx, &in.WriteInput, func(idmap.Map) (idmap.Map, error) {
		return in.Body.Map, sameIDIfAny(in.Body.ID, in.ID)
	})
}

func (m *maps[N]) patch(ctx context.Context, in *patchInput) (*mapOutput[N], error) {
	var named struct {
		Source, Destination struct{ Default idmap.Principal }
		MapBy               map[string]json.RawMessage `json:"map_by"`
	}
	_ = json.Unmarshal(in.RawBody, &named) // what is wrong with it is found below
	return m.change(ctx, &in.WriteInput, func(before idmap.Map) (idmap.Map, error) {
		before.Source = withDefault(before.Source, named.Source.Default)
		before.Destination = withDefault(before.Destination, named.Destination.Default)
		before.MapBy = withoutDependent(before.MapBy, named.MapBy)
		body, err := patch(m.api, mapBody[N]{Map: before}, in.RawBody)
		if err == nil {
			err = sameIDIfAny(body.ID, in.ID)
		}
		return body.Map, err
	})
}

// withoutDependent returns the options as a patch is merged into them: what depends on one that the patch switches off goes
// with it, since it may have been filled in by the backend and not by anybody who could take it back.
func withoutDependent(by idmap.MapBy, named map[string]json.RawMessage) idmap.MapBy {
	off := func(option string) bool {
		value := string(named[option])
		return value == "false" || value == "null"
	}
	if off("fuzzy") {
		by.FuzzyThreshold = nil
	}
	if off("external_passthrough") {
		by.ExternalResolve = ""
	}
	return by
}

// withDefault returns the end as a patch is merged into it that names this default, or none.
func withDefault(end idmap.MapEnd, named idmap.Principal) idmap.MapEnd {
	if end.Default != nil {
		end.Default = new(unlessNamed(*end.Default, named))
	}
	return end
}

func (m *maps[N]) change(ctx context.Context, in *WriteInput, change func(idmap.Map) (idmap.Map, error)) (*mapOutput[N], error) {
	revision, err := m.revision(ctx, in)
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	v, err := m.backend.UpdateMap(ctx, callOf(ctx, ""), m.kind, in.ID, revision, change)
	return answer(ctx, m.server, oneMap[N](v), err)
}

func (m *maps[N]) revision(ctx context.Context, in *WriteInput) (int64, error) {
	return ifMatch(in.IfMatch, func() (int64, error) {
		found, err := m.backend.Map(ctx, m.kind, in.ID, false)
		return found.Revision, err
	})
}

func (m *maps[N]) delete(ctx context.Context, in *WriteInput) (*noOutput, error) {
	revision, err := m.revision(ctx, in)
	if err == nil {
		err = m.backend.DeleteMap(ctx, callOf(ctx, ""), m.kind, in.ID, revision)
	}
	return answer[noOutput](ctx, m.server, nil, err)
}
