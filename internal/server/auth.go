package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// scopeKey is where an operation says which scopes it wants one of. An operation that does not say is open.
const scopeKey = "scope"

type contextKey int

const (
	tokenKey contextKey = iota
	requestIDKey
)

// openTo lets tokens of another scope call an operation too.
func openTo(scope idmap.Scope, op huma.Operation) huma.Operation {
	scopes, _ := op.Metadata[scopeKey].([]idmap.Scope)
	scopes = append(slices.Clone(scopes), scope)
	op.Metadata[scopeKey], op.Security = scopes, securityOf(scopes...)
	return op
}

// securityOf tells the document that one of the scopes is enough.
func securityOf(scopes ...idmap.Scope) []map[string][]string {
	return each(scopes, func(scope idmap.Scope) map[string][]string { return map[string][]string{"token": {string(scope)}} })
}

// authenticate lets a request through whose bearer token allows a scope of its operation.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	scopes, restricted := ctx.Operation().Metadata[scopeKey].([]idmap.Scope)
	if !restricted {
		next(ctx)
		return
	}
	token, err := s.tokenOf(ctx.Context(), ctx.Header("Authorization"))
	if err == nil && !slices.ContainsFunc(scopes, token.Allows) {
		err = lacks(token, scopes)
	}
	if err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	next(huma.WithValue(ctx, tokenKey, token))
}

// lacks says which scope would do. Where several would, the way out names the first, which gives the least.
func lacks(token idmap.Token, scopes []idmap.Scope) error {
	lacking, which := fmt.Sprintf("lacks the scope %s", scopes[0]), "it"
	if len(scopes) > 1 {
		lacking, which = "has none of the scopes "+joined(scopes), "one of them"
	}
	return idmap.Refusef(idmap.CodeForbidden, "", "Token %q %s. Use a token that has %s; `token create --scope %s` makes one.", token.Name, lacking, which, scopes[0])
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
