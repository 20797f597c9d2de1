package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type emailAssignmentOutput = oneOutput[emailAssignmentNoun, idmap.EmailAssignment]

func oneEmailAssignment(e idmap.EmailAssignment) *emailAssignmentOutput {
	return stored[emailAssignmentNoun](e, e.Revision, nil)
}

type emailAssignmentsInput struct {
	ListInput
	Connection string `query:"connection" maxLength:"255" doc:"The mail connection."`
	Address    string `query:"address" maxLength:"320"`
	Holder     string `query:"holder" maxLength:"255" doc:"Id of a holding account, or a user id."`
	Released   string `query:"released" enum:"true,false"`
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

func (s *server) listEmailAssignments(ctx context.Context, in *emailAssignmentsInput) (*listOutput[emailAssignmentNoun, idmap.EmailAssignment], error) {
	f := idmap.EmailAssignmentFilter{
		ConnectionID: in.Connection, AddressKey: emailFilter(in.Address), Holder: in.Holder, Released: flag(in.Released), Query: folded(in.Q),
	}
	return list[emailAssignmentNoun](ctx, s, &in.PageInput, func(e idmap.EmailAssignment) string { return e.ID }, func(page idmap.Page) (backend.List[idmap.EmailAssignment], error) {
		return s.backend.EmailAssignments(ctx, f, page)
	})
}

func (s *server) getEmailAssignment(ctx context.Context, in *IDInput) (*emailAssignmentOutput, error) {
	e, err := s.backend.EmailAssignment(ctx, in.ID)
	return answer(ctx, s, oneEmailAssignment(e), err)
}

func (s *server) releaseEmailAssignment(ctx context.Context, in *releaseInput) (*emailAssignmentOutput, error) {
	e, err := s.backend.ReleaseEmail(ctx, callOf(ctx, in.IdempotencyKey), in.ID, in.Body.Reason)
	return answer(ctx, s, oneEmailAssignment(e), err)
}
