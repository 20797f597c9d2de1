package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// IDInput names one object of a collection.
type IDInput struct {
	ID string `path:"id" maxLength:"255"`
}

// ReadInput names one object that is to be answered.
type ReadInput struct {
	IDInput
	FieldsInput
}

// WriteInput names one object that is to be written.
type WriteInput struct {
	IDInput
	FieldsInput
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"Entity tags; the write is refused unless one is the object's."`
}

// CreateInput is what every create takes besides its body.
type CreateInput struct {
	FieldsInput
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes the request repeatable for 24 hours."`
}

// patchInput is a merge patch of one object.
type patchInput struct {
	WriteInput
	RawBody []byte `contentType:"application/merge-patch+json"`
}

type noOutput struct{}

type connectionBody struct {
	Type typeOf[connectionNoun] `json:"type,omitempty"`
	idmap.Connection
}

// UnmarshalJSON tells a history of no days, which is refused, from one whose days are left out.
func (b *connectionBody) UnmarshalJSON(text []byte) error {
	type fields connectionBody
	b.SignInHistoryDays = idmap.DefaultSignInHistoryDays
	return json.Unmarshal(text, (*fields)(b))
}

// connection returns what the body says, of a connection with that id.
func (b connectionBody) connection(id string) (idmap.Connection, error) {
	if b.SignInHistoryDays == 0 {
		return b.Connection, idmap.Refusef(idmap.CodeInvalid, "sign_in_history_days", "The sign-in history would be kept for 0 days. It is kept for 1 to 3650 days. Give a number of days, or leave the field out for %d.", idmap.DefaultSignInHistoryDays)
	}
	return b.Connection, sameIDIfAny(b.ID, id)
}

type connectionOutput = oneOutput[connectionNoun, idmap.Connection]

func oneConnection(c idmap.Connection) *connectionOutput {
	return stored[connectionNoun](c, c.Revision, nil)
}

type connectionsInput struct {
	ListInput
	Name     string `query:"name" maxLength:"255" doc:"Exact, without regard to case."`
	Platform string `query:"platform" maxLength:"100"`
}

func (s *server) connections() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/connections", idmap.ScopeRead, "List connections"), s.listConnections)
	huma.Register(s.api, created(operation(http.MethodPost, "/v1/connections", idmap.ScopeWrite, "Create a connection")), s.createConnection)
	huma.Register(s.api, operation(http.MethodGet, "/v1/connections/{id}", idmap.ScopeRead, "Get a connection"), s.getConnection)
	huma.Register(s.api, operation(http.MethodPut, "/v1/connections/{id}", idmap.ScopeWrite, "Replace a connection"), s.putConnection)
	huma.Register(s.api, patchOperation("/v1/connections/{id}", "Change a connection (merge patch)"), s.patchConnection)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/connections/{id}", idmap.ScopeWrite, "Delete a connection with its directory"), s.deleteConnection)
}

// created makes an operation answer 201.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// patchOperation changes one object by a merge patch. Clients of the published API call that plain JSON.
func patchOperation(path, summary string) huma.Operation {
	op := operation(http.MethodPatch, path, idmap.ScopeWrite, summary)
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{jsonType: {}}}
	return op
}

// operationID names an operation after its route, such as post-user-mappings-validate.
func operationID(method, path string) string {
	words := strings.NewReplacer("/v1/", "-", "/", "-", "{", "", "}", "", "_", "-").Replace(path)
	return strings.ToLower(method) + words
}

func (s *server) listConnections(ctx context.Context, in *connectionsInput) (*listOutput[connectionNoun, idmap.Connection], error) {
	f := idmap.ConnectionFilter{Key: folded(in.Name), PlatformID: in.Platform, Query: folded(in.Q)}
	return list[connectionNoun](ctx, s, &in.PageInput, func(c idmap.Connection) string { return c.ID }, func(page idmap.Page) (backend.List[idmap.Connection], error) {
		return s.backend.Connections(ctx, f, page)
	})
}

func (s *server) createConnection(ctx context.Context, in *struct {
	CreateInput
	Body connectionBody
},
) (*connectionOutput, error) {
	c, err := in.Body.connection(in.Body.ID)
	if err == nil {
		c, err = s.backend.CreateConnection(ctx, callOf(ctx, in.IdempotencyKey), c)
	}
	return answer(ctx, s, oneConnection(c), err)
}

func (s *server) getConnection(ctx context.Context, in *ReadInput) (*connectionOutput, error) {
	c, err := s.backend.Connection(ctx, in.ID)
	return answer(ctx, s, oneConnection(c), err)
}

func (s *server) putConnection(ctx context.Context, in *struct {
	WriteInput
	Body connectionBody
},
) (*connectionOutput, error) {
	return s.changeConnection(ctx, &in.WriteInput, func(idmap.Connection) (idmap.Connection, error) {
		return in.Body.connection(in.ID)
	})
}

func (s *server) patchConnection(ctx context.Context, in *patchInput) (*connectionOutput, error) {
	return s.changeConnection(ctx, &in.WriteInput, func(before idmap.Connection) (idmap.Connection, error) {
		body, err := patch(s.api, connectionBody{Connection: before}, in.RawBody)
		if err != nil {
			return before, err
		}
		return body.connection(in.ID)
	})
}

func (s *server) changeConnection(ctx context.Context, in *WriteInput, change func(idmap.Connection) (idmap.Connection, error)) (*connectionOutput, error) {
	revision, err := s.connectionRevision(ctx, in)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	c, err := s.backend.UpdateConnection(ctx, callOf(ctx, ""), in.ID, revision, change)
	return answer(ctx, s, oneConnection(c), err)
}

func (s *server) connectionRevision(ctx context.Context, in *WriteInput) (int64, error) {
	return ifMatch(in.IfMatch, func() (int64, error) {
		c, err := s.backend.Connection(ctx, in.ID)
		return c.Revision, err
	})
}

func (s *server) deleteConnection(ctx context.Context, in *WriteInput) (*noOutput, error) {
	revision, err := s.connectionRevision(ctx, in)
	if err == nil {
		err = s.backend.DeleteConnection(ctx, callOf(ctx, ""), in.ID, revision)
	}
	return answer[noOutput](ctx, s, nil, err)
}
