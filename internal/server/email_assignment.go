package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type emailAssignmentOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		Type            string                `json:"type" enum:"email_assignment"`
		EmailAssignment idmap.EmailAssignment `json:"email_assignment"`
	}
}

func oneEmailAssignment(e idmap.EmailAssignment) *emailAssignmentOutput {
	out := &emailAssignmentOutput{ETag: etag(e.Revision)}
	out.Body.Type, out.Body.EmailAssignment = "email_assignment", e
	return out
}

type emailAssignmentsInput struct {
	ListInput
	Connection string `query:"connection" maxLength:"255" doc:"The mail connection."`
	Address    string `query:"address" maxLength:"320"`
	Holder     string `query:"holder" maxLength:"255" doc:"Id of a holding account, or a user id."`
	Released   string `query:"released" enum:"true,false"`
}

type emailAssignmentsOutput struct {
	Body struct {
		Type             string                  `json:"type" enum:"email_assignments"`
		EmailAssignments []idmap.EmailAssignment `json:"email_assignments" nullable:"false"`
		Meta             meta                    `json:"meta"`
	}
}

type releaseInput struct {
	IDInput
	CreateInput
	Body struct {
		Reason string `json:"reason" maxLength:"1000" doc:"Who asked for it, and why it is safe. The audit keeps it."`
	}
}

func (s *server) emailAssignments() {
	const collection, one = "/v1/email_assignments", "/v1/email_assignments/{id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List the address ledger"), s.listEmailAssignments)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get an entry of the address ledger"), s.getEmailAssignment)
	huma.Register(s.api, operation(http.MethodPost, one+"/release", idmap.ScopeAdmin, "Release an address for its next holder"), s.releaseEmailAssignment)
}

func (s *server) listEmailAssignments(ctx context.Context, in *emailAssignmentsInput) (*emailAssignmentsOutput, error) {
	page, c, err := in.page()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	f := idmap.EmailAssignmentFilter{
		ConnectionID: in.Connection, AddressKey: emailFilter(in.Address), Holder: in.Holder, Released: flag(in.Released), Query: folded(in.Q),
	}
	found, err := s.backend.EmailAssignments(ctx, f, page)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	out := &emailAssignmentsOutput{}
	out.Body.Type, out.Body.EmailAssignments = "email_assignments", found.Items
	out.Body.Meta = envelope(&in.ListInput, c, found, func(e idmap.EmailAssignment) string { return e.ID })
	return out, nil
}

func (s *server) getEmailAssignment(ctx context.Context, in *IDInput) (*emailAssignmentOutput, error) {
	e, err := s.backend.EmailAssignment(ctx, in.ID)
	return answer(ctx, s, oneEmailAssignment(e), err)
}

func (s *server) releaseEmailAssignment(ctx context.Context, in *releaseInput) (*emailAssignmentOutput, error) {
	e, err := s.backend.ReleaseEmail(ctx, callOf(ctx, in.IdempotencyKey), in.ID, in.Body.Reason)
	return answer(ctx, s, oneEmailAssignment(e), err)
}
