package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

type auditOutput struct {
	Body struct {
		Type         string             `json:"type" enum:"audit_entries"`
		AuditEntries []idmap.AuditEntry `json:"audit_entries" nullable:"false" doc:"Newest first."`
		Meta         meta               `json:"meta"`
	}
}

func (s *server) audit() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/audit", idmap.ScopeRead, "Who did what, before and after"), s.listAudit)
}

func (s *server) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	page, c, err := in.page()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	f := idmap.AuditFilter{Kind: in.Kind, ObjectID: in.ObjectID, Who: in.Who, Action: in.Action, From: moment(in.From), To: moment(in.To)}
	found, err := s.backend.Audit(ctx, f, page)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	out := &auditOutput{}
	out.Body.Type, out.Body.AuditEntries = "audit_entries", found.Items
	out.Body.Meta = envelope(&in.ListInput, c, found, func(e idmap.AuditEntry) string { return e.ID })
	return out, nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type tokenBody struct {
	Type string `json:"type,omitempty" enum:"token"`
	idmap.Token
}

type tokenOutput struct {
	Body struct {
		Type  string      `json:"type" enum:"token"`
		Token idmap.Token `json:"token"`
	}
}

type tokensOutput struct {
	Body struct {
		Type   string        `json:"type" enum:"tokens"`
		Tokens []idmap.Token `json:"tokens" nullable:"false"`
		Meta   meta          `json:"meta"`
	}
}

func (s *server) tokens() {
	huma.Register(s.api, operation(http.MethodGet, "/v1/tokens", idmap.ScopeAdmin, "List tokens"), s.listTokens)
	huma.Register(s.api, created(operation(http.MethodPost, "/v1/tokens", idmap.ScopeAdmin, "Create a token")), s.createToken)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/tokens/{id}", idmap.ScopeAdmin, "Revoke a token"), s.deleteToken)
}

func (s *server) listTokens(ctx context.Context, in *ListInput) (*tokensOutput, error) {
	page, c, err := in.page()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	found, err := s.backend.Tokens(ctx, page)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	out := &tokensOutput{}
	out.Body.Type, out.Body.Tokens = "tokens", found.Items
	out.Body.Meta = envelope(in, c, found, func(t idmap.Token) string { return t.ID })
	return out, nil
}

func (s *server) createToken(ctx context.Context, in *struct{ Body tokenBody }) (*tokenOutput, error) {
	t, err := s.backend.CreateToken(ctx, callOf(ctx, ""), in.Body.Token)
	out := &tokenOutput{}
	out.Body.Type, out.Body.Token = "token", t
	return answer(ctx, s, out, err)
}

func (s *server) deleteToken(ctx context.Context, in *IDInput) (*noOutput, error) {
	err := s.backend.DeleteToken(ctx, callOf(ctx, ""), in.ID)
	return answer[noOutput](ctx, s, nil, err)
}
