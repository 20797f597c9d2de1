package provider

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ list.ListResourceWithConfigure = (*mapListResource)(nil)

func newAccountMapListResource() list.ListResource {
	return &mapListResource{mapResource{mapKind: accountMaps}}
}

func newGroupMapListResource() list.ListResource {
	return &mapListResource{mapResource{mapKind: groupMaps}}
}

// mapListResource lists the maps of a kind. It has the resource's name and is configured as that is.
type mapListResource struct{ mapResource }

type mapListData struct {
	listedBetween
	Name types.String `tfsdk:"name"`
}

func (r *mapListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The " + r.kind.Entry() + " maps of the backend, all or those that the filters select. " + listText,
		Attributes: map[string]schema.Attribute{
			"source_connection_id":      schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the connection that is mapped."},
			"destination_connection_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the connection that it is mapped to."},
			"name":                      schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Name of the map, without regard to case."},
		},
	}
}

func (r *mapListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filters mapListData
	l := listing{walk: r.walk, noun: r.noun().stored(), req: req}
	if l.begin(ctx, &filters, stream) {
		stream.Results = l.results(ctx, filters.listedBetween, r.find(ctx, filters, req.IncludeResource))
	}
}

// find returns the maps, each with its items where the whole of it is asked for. That takes a request for each.
func (r *mapListResource) find(ctx context.Context, f mapListData, whole bool) iter.Seq2[found, error] {
	heads := r.walk.client.Maps(ctx, r.kind, client.MapFilter{
		Name:                  f.Name.ValueString(),
		SourceConnection:      f.SourceConnectionID.ValueString(),
		DestinationConnection: f.DestinationConnectionID.ValueString(),
	})
	return func(yield func(found, error) bool) {
		for m, err := range heads {
			object := found{id: m.ID, label: m.Name}
			if err == nil && whole {
				object.model, err = r.model(ctx, m.ID)
			}
			if idmap.IsNotFound(err) {
				continue // deleted since
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

func (r *mapListResource) model(ctx context.Context, id string) (any, error) {
	m, err := r.walk.client.Map(ctx, r.kind, id)
	if err != nil {
		return nil, err
	}
	var model mapModel
	model.fromAPI(r.mapKind, m)
	return r.encode(model), nil
}
