package provider

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// listText is what the documentation says of every list resource.
const listText = "For `terraform query`, in a file `*.tfquery.hcl`: Terraform 1.14 and later have it, OpenTofu does not. " +
	"Terraform lists 100 objects unless the list block's own `limit` says otherwise. " +
	"`-generate-config-out` writes for each object a resource and an `import` block that together plan no change but the import."

// listedBetween are the filters that all list resources have.
type listedBetween struct {
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
}

// found is an object that a list resource shows.
type found struct {
	id    string
	label string // names it to a person
	model any    // what Terraform imports; nil where it was not asked for
}

// listing answers one request of terraform query.
type listing struct {
	walk *walk
	noun noun
	req  list.ListRequest
}

// begin reads the filters of the request. It is false after an error, which is then all that is listed.
func (l listing) begin(ctx context.Context, filters any, to *list.ListResultsStream) bool {
	diags := l.req.Config.Get(ctx, filters)
	if diags.HasError() || !l.walk.ready(&diags) {
		to.Results = list.ListResultsStreamDiagnostics(diags)
		return false
	}
	return true
}

// results returns what is found as results, until Terraform has as many as it asked for. What fails is the last of them:
// only there does Terraform look for errors.
func (l listing) results(ctx context.Context, filters listedBetween, all iter.Seq2[found, error]) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		count := int64(0)
		for object, err := range all {
			if err != nil {
				push(l.failed(err))
				return
			}
			count++
			if !push(l.result(ctx, object)) || count == l.req.Limit {
				return
			}
		}
		if count > 0 {
			return
		}
		if err := l.overlooked(ctx, filters); err != nil {
			push(l.failed(err))
		}
	}
}

func (l listing) result(ctx context.Context, object found) list.ListResult {
	result := l.req.NewListResult(ctx)
	result.DisplayName = object.label
	result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("id"), object.id)...)
	if l.req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, object.model)...)
	}
	return result
}

func (l listing) failed(err error) list.ListResult {
	var diags diag.Diagnostics
	l.noun.addError(err, &diags)
	return list.ListResult{Diagnostics: diags}
}

// overlooked is the error of a search that found nothing because there is no such connection. A DryvIQ platform has
// connections of its own.
func (l listing) overlooked(ctx context.Context, filters listedBetween) error {
	if platform, err := l.walk.client.Platform(ctx); err != nil || platform {
		return err
	}
	named := signInFilter{SourceConnectionID: filters.SourceConnectionID, DestinationConnectionID: filters.DestinationConnectionID}
	unknown, err := named.unknownConnections(ctx, l.walk)
	if err != nil {
		return err
	}
	return idmap.Refuse(unknown...)
}
