package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type capabilitiesOutput struct {
	Body struct {
		Type         string       `json:"type" enum:"capabilities"`
		Capabilities capabilities `json:"capabilities"`
	}
}

type capabilities struct {
	Server    string   `json:"server" doc:"idmap: the bundled backend, which speaks the whole contract."`
	Version   string   `json:"version"`
	Batch     int      `json:"batch" doc:"Most items of a lookup, validate or batch."`
	Page      int      `json:"page" doc:"Most rows of a list at once."`
	Platforms []string `json:"platforms" nullable:"false"`
}

func (s *server) capabilities() {
	op := operation(http.MethodGet, "/v1/capabilities", idmap.ScopeRead, "What the server is and can do")
	huma.Register(s.api, op, func(context.Context, *struct{}) (*capabilitiesOutput, error) {
		out := &capabilitiesOutput{}
		out.Body.Type = "capabilities"
		out.Body.Capabilities = capabilities{
			Server: "idmap", Version: s.opts.Version, Batch: idmap.MaxBatch, Page: idmap.MaxPageSize, Platforms: idmap.PlatformIDs(),
		}
		return out, nil
	})
}

type auditInput struct {
	ListInput
	Kind     string    `query:"kind" maxLength:"100" doc:"The noun, such as user_mapping."`
	ObjectID string    `query:"object_id" maxLength:"600"`
	Who      string    `query:"who" maxLength:"255" doc:"Name of a token."`
	Action   string    `query:"action" maxLength:"100"`
	From     time.Time `query:"from" doc:"First moment."`
	To       time.Time `query:"to" doc:"First moment after the last."`
}

func (s *server) audit() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/audit", idmap.ScopeRead, "Who did what, before and after; newest first"), s.listAudit)
}

func (s *server) listAudit(ctx context.Context, in *auditInput) (*listOutput[auditEntryNoun, idmap.AuditEntry], error) {
	f := idmap.AuditFilter{Kind: in.Kind, ObjectID: in.ObjectID, Who: in.Who, Action: in.Action, From: moment(in.From), To: moment(in.To)}
	return list[auditEntryNoun](ctx, s, &in.PageInput, func(e idmap.AuditEntry) string { return e.ID }, func(page idmap.Page) (backend.List[idmap.AuditEntry], error) {
		return s.backend.Audit(ctx, f, page)
	})
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type tokenBody struct {
	Type typeOf[tokenNoun] `json:"type,omitempty"`
	idmap.Token
}

func (s *server) tokens() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/tokens", idmap.ScopeAdmin, "List tokens"), s.listTokens)
	huma.Register(s.api, created(operation(http.MethodPost, "/v1/tokens", idmap.ScopeAdmin, "Create a token")), s.createToken)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/tokens/{id}", idmap.ScopeAdmin, "Revoke a token"), s.deleteToken)
}

func (s *server) listTokens(ctx context.Context, in *ListInput) (*listOutput[tokenNoun, idmap.Token], error) {
	return list[tokenNoun](ctx, s, &in.PageInput, func(t idmap.Token) string { return t.ID }, func(page idmap.Page) (backend.List[idmap.Token], error) {
		return s.backend.Tokens(ctx, page)
	})
}

func (s *server) createToken(ctx context.Context, in *struct{ Body tokenBody }) (*plainOutput[tokenNoun, idmap.Token], error) {
	t, err := s.backend.CreateToken(ctx, callOf(ctx, ""), in.Body.Token)
	return answer(ctx, s, plain[tokenNoun](t), err)
}

func (s *server) deleteToken(ctx context.Context, in *IDInput) (*noOutput, error) {
	err := s.backend.DeleteToken(ctx, callOf(ctx, ""), in.ID)
	return answer[noOutput](ctx, s, nil, err)
}
