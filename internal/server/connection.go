package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// IDInput names one object of a collection.
type IDInput struct {
	ID string `path:"id" maxLength:"255"`
}

// WriteInput names one object that is to be written.
type WriteInput struct {
	IDInput
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"Entity tags; the write is refused unless one is the object's."`
}

// CreateInput is what every create takes besides its body.
type CreateInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes the request repeatable for 24 hours."`
}

// patchInput is a merge patch of one object.
type patchInput struct {
	WriteInput
	RawBody []byte `contentType:"application/merge-patch+json"`
}

type noOutput struct{}

type connectionBody struct {
	Type string `json:"type,omitempty" enum:"connection"`
	idmap.Connection
}

type connectionOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		Type       string           `json:"type" enum:"connection"`
		Connection idmap.Connection `json:"connection"`
	}
}

func oneConnection(c idmap.Connection) *connectionOutput {
	out := &connectionOutput{ETag: etag(c.Revision)}
	out.Body.Type, out.Body.Connection = "connection", c
	return out
}

type connectionsInput struct {
	ListInput
	Name     string `query:"name" maxLength:"255" doc:"Exact, without regard to case."`
	Platform string `query:"platform" maxLength:"100"`
}

type connectionsOutput struct {
	Body struct {
		Type        string             `json:"type" enum:"connections"`
		Connections []idmap.Connection `json:"connections" nullable:"false"`
		Meta        meta               `json:"meta"`
	}
}

func (s *server) connections() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/connections", idmap.ScopeRead, "List connections"), s.listConnections)
	huma.Register(s.api, created(operation(http.MethodPost, "/v1/connections", idmap.ScopeWrite, "Create a connection")), s.createConnection)
	huma.Register(s.api, operation(http.MethodGet, "/v1/connections/{id}", idmap.ScopeRead, "Get a connection"), s.getConnection)
	huma.Register(s.api, operation(http.MethodPut, "/v1/connections/{id}", idmap.ScopeWrite, "Replace a connection"), s.putConnection)
	huma.Register(s.api, operation(http.MethodPatch, "/v1/connections/{id}", idmap.ScopeWrite, "Change a connection (merge patch)"), s.patchConnection)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/connections/{id}", idmap.ScopeWrite, "Delete a connection with its directory"), s.deleteConnection)
}

// created makes an operation answer 201.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// operationID names an operation after its route, such as post-user-mappings-validate.
func operationID(method, path string) string {
	words := strings.NewReplacer("/v1/", "-", "/", "-", "{", "", "}", "", "_", "-").Replace(path)
	return strings.ToLower(method) + words
}

func (s *server) listConnections(ctx context.Context, in *connectionsInput) (*connectionsOutput, error) {
	page, c, err := in.page()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	f := idmap.ConnectionFilter{Key: folded(in.Name), PlatformID: in.Platform, Query: folded(in.Q)}
	found, err := s.backend.Connections(ctx, f, page)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	out := &connectionsOutput{}
	out.Body.Type, out.Body.Connections = "connections", found.Items
	out.Body.Meta = envelope(&in.ListInput, c, found, func(c idmap.Connection) string { return c.ID })
	return out, nil
}

func (s *server) createConnection(ctx context.Context, in *struct {
	CreateInput
	Body connectionBody
},
) (*connectionOutput, error) {
	c, err := s.backend.CreateConnection(ctx, callOf(ctx, in.IdempotencyKey), in.Body.Connection)
	return answer(ctx, s, oneConnection(c), err)
}

func (s *server) getConnection(ctx context.Context, in *IDInput) (*connectionOutput, error) {
	c, err := s.backend.Connection(ctx, in.ID)
	return answer(ctx, s, oneConnection(c), err)
}

func (s *server) putConnection(ctx context.Context, in *struct {
	WriteInput
	Body connectionBody
},
) (*connectionOutput, error) {
	return s.changeConnection(ctx, &in.WriteInput, func(idmap.Connection) (idmap.Connection, error) {
		return in.Body.Connection, sameIDIfAny(in.Body.ID, in.ID)
	})
}

func (s *server) patchConnection(ctx context.Context, in *patchInput) (*connectionOutput, error) {
	return s.changeConnection(ctx, &in.WriteInput, func(before idmap.Connection) (idmap.Connection, error) {
		body, err := patch(connectionBody{Connection: before}, in.RawBody)
		return body.Connection, err
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
