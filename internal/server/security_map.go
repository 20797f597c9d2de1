package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// SecurityMapInput asks what the maps of a job make of its accounts and groups.
type SecurityMapInput struct {
	ListInput
	ResolutionInput
	Include string `query:"include" maxLength:"100" doc:"Accepted from clients of the published API, whose word is all; all rows are always answered."`
}

type securityMapOutput = listOutput[itemNoun, idmap.Resolution]

func (s *server) securityMaps() {
	const summary = "What the maps of a job make of its source's accounts and groups: by the revisions of the maps that it used"
	huma.Register(s.api, operation(http.MethodGet, "/v1/transfers/{job}/security_map", idmap.ScopeRead, summary), func(ctx context.Context, in *struct {
		Job string `path:"job" maxLength:"255"`
		SecurityMapInput
	},
	) (*securityMapOutput, error) {
		return s.securityMap(ctx, in.Job, &in.SecurityMapInput)
	})
	huma.Register(s.api, operation(http.MethodGet, "/v1/transfers/security_map", idmap.ScopeRead, summary), func(ctx context.Context, in *struct {
		Job string `query:"job" required:"true" maxLength:"255"`
		SecurityMapInput
	},
	) (*securityMapOutput, error) {
		return s.securityMap(ctx, in.Job, &in.SecurityMapInput)
	})
}

func (s *server) securityMap(ctx context.Context, job string, in *SecurityMapInput) (*securityMapOutput, error) {
	f, err := in.filter(in.Q)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return list[itemNoun](ctx, s, &in.PageInput, securityMapKey, func(page idmap.Page) (backend.List[idmap.Resolution], error) {
		return s.backend.SecurityMap(ctx, job, f, page)
	})
}

// securityMapKey tells an account from a group of the same id.
func securityMapKey(r idmap.Resolution) string { return r.Source.Type + "/" + r.ID }
