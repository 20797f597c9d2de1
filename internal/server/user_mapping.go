package server

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type userMappingBody struct {
	Type typeOf[userMappingNoun] `json:"type,omitempty"`
	idmap.UserMapping
}

type userMappingOutput = oneOutput[userMappingNoun, idmap.UserMapping]

func oneUserMapping(v idmap.UserMappingVerdict) *userMappingOutput {
	if v.UserMapping == nil {
		return nil // with an error, which is answered instead
	}
	return stored[userMappingNoun](*v.UserMapping, v.UserMapping.Revision, v.Warnings)
}

type userMappingsInput struct {
	ListInput
	Connection            string `query:"connection" maxLength:"255" doc:"On either side."`
	SourceConnection      string `query:"source_connection" maxLength:"255"`
	DestinationConnection string `query:"destination_connection" maxLength:"255"`
	Email                 string `query:"email" maxLength:"320"`
	UserID                string `query:"user_id" maxLength:"255"`
	Account               string `query:"account" maxLength:"255" doc:"Id of a bound account, on either side."`
	Origin                string `query:"origin" enum:"api,sign_in"`
	Domain                string `query:"domain" maxLength:"255" doc:"Domain of the email."`
}

func (in *userMappingsInput) filters() idmap.UserMappingFilter {
	f := idmap.UserMappingFilter{
		ConnectionID: in.Connection, SourceConnectionID: in.SourceConnection, DestinationConnectionID: in.DestinationConnection,
		EmailKey: emailFilter(in.Email), UserKey: folded(in.UserID), AccountID: in.Account, Origin: idmap.Origin(in.Origin),
		Domain: in.Domain, Query: folded(in.Q),
	}
	if domain, err := idmap.CanonicalDomain(in.Domain); err == nil {
		f.Domain = domain
	}
	return f
}

type lookupInput struct {
	Body struct {
		Items []idmap.UserMappingKey `json:"items" nullable:"false" maxItems:"1000"`
		Ahead *idmap.ReadAhead       `json:"ahead,omitempty" doc:"Mappings to answer besides, under \"ahead\"."`
	}
}

// foundMappings is the envelope of a look-up: {"type": "user_mappings", "user_mappings": […], "ahead": […]}.
type foundMappings struct {
	Items []*idmap.UserMapping
	Ahead []idmap.UserMapping // nil: it was not asked for
}

// MarshalJSON leaves ahead out where it was not asked for.
func (f foundMappings) MarshalJSON() ([]byte, error) {
	_, name := words[userMappingNoun]()
	members := []member{{"type", name}, {name, f.Items}}
	if f.Ahead != nil {
		members = append(members, member{"ahead", f.Ahead})
	}
	return object(members)
}

// Schema tells the document what MarshalJSON makes.
func (foundMappings) Schema(r huma.Registry) *huma.Schema {
	_, name := words[userMappingNoun]()
	s := envelopeSchema(name, arrayOf[foundMapping](r))
	s.Properties[name].Description = "In the order asked."
	s.Properties["ahead"] = arrayOf[idmap.UserMapping](r)
	return s
}

type lookupOutput struct{ Body foundMappings }

// foundMapping is a mapping or null.
type foundMapping struct{}

// Schema tells the document of the null, which it would not find out.
func (foundMapping) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{r.Schema(reflect.TypeFor[idmap.UserMapping](), true, "UserMapping"), {Type: "null"}}}
}

type validateInput struct {
	Body struct {
		Items       []idmap.UserMappingIntent `json:"items" nullable:"false" maxItems:"1000"`
		Directories []idmap.ProposedDirectory `json:"directories,omitempty" nullable:"false" maxItems:"100" doc:"Connections and directories as they are going to be."`
	}
}

type batchInput struct {
	CreateInput
	Body struct {
		Items    []idmap.UserMappingIntent `json:"items" nullable:"false" maxItems:"1000"`
		Separate bool                      `json:"separate,omitempty" doc:"Make each write that can be made; the verdicts tell the others. Else all are made, or none."`
	}
}

type verdictsOutput = severalOutput[verdictNoun[userMappingNoun], idmap.UserMappingVerdict]

func (s *server) userMappings() {
	const collection, one = "/v1/user_mappings", "/v1/user_mappings/{id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List user mappings"), s.listUserMappings)
	huma.Register(s.api, created(operation(http.MethodPost, collection, idmap.ScopeWrite, "Create a user mapping")), s.createUserMapping)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get a user mapping"), s.getUserMapping)
	huma.Register(s.api, operation(http.MethodPut, one, idmap.ScopeWrite, "Replace a user mapping"), s.putUserMapping)
	huma.Register(s.api, patchOperation(one, "Change a user mapping (merge patch)"), s.patchUserMapping)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Delete a user mapping; both accounts stay"), s.deleteUserMapping)
	huma.Register(s.api, operation(http.MethodPost, collection+"/lookup", idmap.ScopeRead, "Look mappings up by id or natural key; null where there is none"), s.lookupUserMappings)
	huma.Register(s.api, operation(http.MethodPost, collection+"/validate", idmap.ScopeRead, "Judge writes without making them"), s.validateUserMappings)
	huma.Register(s.api, operation(http.MethodPost, collection+"/batch", idmap.ScopeWrite, "Make all writes in one transaction, or none; or each that can be made"), s.applyUserMappings)
}

func (s *server) listUserMappings(ctx context.Context, in *userMappingsInput) (*listOutput[userMappingNoun, idmap.UserMapping], error) {
	return list[userMappingNoun](ctx, s, &in.PageInput, func(m idmap.UserMapping) string { return m.ID }, func(page idmap.Page) (backend.List[idmap.UserMapping], error) {
		return s.backend.UserMappings(ctx, in.filters(), page)
	})
}

func (s *server) createUserMapping(ctx context.Context, in *struct {
	CreateInput
	Body userMappingBody
},
) (*userMappingOutput, error) {
	v, err := s.backend.CreateUserMapping(ctx, callOf(ctx, in.IdempotencyKey), in.Body.UserMapping)
	return answer(ctx, s, oneUserMapping(v), err)
}

func (s *server) getUserMapping(ctx context.Context, in *IDInput) (*userMappingOutput, error) {
	m, err := s.backend.UserMapping(ctx, in.ID)
	return answer(ctx, s, oneUserMapping(idmap.UserMappingVerdict{UserMapping: &m}), err)
}

func (s *server) putUserMapping(ctx context.Context, in *struct {
	WriteInput
	Body userMappingBody
},
) (*userMappingOutput, error) {
	return s.changeUserMapping(ctx, &in.WriteInput, func(idmap.UserMapping) (idmap.UserMapping, error) {
		return in.Body.UserMapping, sameIDIfAny(in.Body.ID, in.ID)
	})
}

func (s *server) patchUserMapping(ctx context.Context, in *patchInput) (*userMappingOutput, error) {
	return s.changeUserMapping(ctx, &in.WriteInput, func(before idmap.UserMapping) (idmap.UserMapping, error) {
		body, err := patch(s.api, userMappingBody{UserMapping: before}, in.RawBody)
		if err == nil {
			err = sameIDIfAny(body.ID, in.ID)
		}
		if body.Email != before.Email && body.EmailSource == before.EmailSource {
			body.EmailSource = "" // a patch of the email alone makes it explicit, or lets it follow where it is removed
		}
		return body.UserMapping, err
	})
}

func (s *server) changeUserMapping(ctx context.Context, in *WriteInput, change func(idmap.UserMapping) (idmap.UserMapping, error)) (*userMappingOutput, error) {
	revision, err := s.mappingRevision(ctx, in)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	v, err := s.backend.UpdateUserMapping(ctx, callOf(ctx, ""), in.ID, revision, change)
	return answer(ctx, s, oneUserMapping(v), err)
}

func (s *server) mappingRevision(ctx context.Context, in *WriteInput) (int64, error) {
	return ifMatch(in.IfMatch, func() (int64, error) {
		m, err := s.backend.UserMapping(ctx, in.ID)
		return m.Revision, err
	})
}

func (s *server) deleteUserMapping(ctx context.Context, in *WriteInput) (*noOutput, error) {
	revision, err := s.mappingRevision(ctx, in)
	if err == nil {
		err = s.backend.DeleteUserMapping(ctx, callOf(ctx, ""), in.ID, revision)
	}
	return answer[noOutput](ctx, s, nil, err)
}

func (s *server) lookupUserMappings(ctx context.Context, in *lookupInput) (*lookupOutput, error) {
	found, ahead, err := s.backend.LookupUserMappings(ctx, in.Body.Items, in.Body.Ahead)
	if in.Body.Ahead != nil && ahead == nil {
		ahead = []idmap.UserMapping{} // none, and not unasked
	}
	return answer(ctx, s, &lookupOutput{Body: foundMappings{Items: found, Ahead: ahead}}, err)
}

func (s *server) validateUserMappings(ctx context.Context, in *validateInput) (*verdictsOutput, error) {
	all, err := s.backend.ValidateUserMappings(ctx, callOf(ctx, ""), in.Body.Items, in.Body.Directories)
	return answer(ctx, s, inOrder[verdictNoun[userMappingNoun]](all), err)
}

func (s *server) applyUserMappings(ctx context.Context, in *batchInput) (*verdictsOutput, error) {
	apply := s.backend.ApplyUserMappings
	if in.Body.Separate {
		apply = s.backend.ApplySeparately
	}
	all, err := apply(ctx, callOf(ctx, in.IdempotencyKey), in.Body.Items)
	return answer(ctx, s, inOrder[verdictNoun[userMappingNoun]](all), err)
}
