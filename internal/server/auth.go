package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// scopeKey is where an operation says which scope it wants. An operation that does not say is open.
const scopeKey = "scope"

type contextKey int

const (
	tokenKey contextKey = iota
	requestIDKey
)

// authenticate lets a request through whose bearer token allows the scope of its operation.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	scope, restricted := ctx.Operation().Metadata[scopeKey].(idmap.Scope)
	if !restricted {
		next(ctx)
		return
	}
	token, err := s.tokenOf(ctx.Context(), ctx.Header("Authorization"))
	if err == nil && !token.Allows(scope) {
		err = idmap.Refusef(idmap.CodeForbidden, "", "Token %q lacks the scope %s. Use a token that has it; `token create --scope %s` makes one.", token.Name, scope, scope)
	}
	if err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	next(huma.WithValue(ctx, tokenKey, token))
}

func (s *server) tokenOf(ctx context.Context, header string) (idmap.Token, error) {
	scheme, secret, _ := strings.Cut(header, " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return idmap.Token{}, idmap.Refusef(idmap.CodeUnauthorized, "", "The request has no bearer token. Send the header Authorization: Bearer <token>.")
	}
	return s.backend.Authenticate(ctx, secret)
}

func (s *server) writeRefusal(ctx huma.Context, err error) {
	p := s.refusal(ctx.Context(), err)
	if p.Status == http.StatusUnauthorized {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
	}
	for name := range p.headers {
		ctx.SetHeader(name, p.headers.Get(name))
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = s.api.Marshal(ctx.BodyWriter(), "application/json", p)
}

// callOf says in whose name the request runs.
func callOf(ctx context.Context, idempotencyKey string) backend.Call {
	token, _ := ctx.Value(tokenKey).(idmap.Token)
	return backend.Call{Token: token, IdempotencyKey: idempotencyKey}
}
