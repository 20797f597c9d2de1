package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ datasource.DataSourceWithConfigure = (*accountMapsDataSource)(nil)

func newAccountMapsDataSource() datasource.DataSource {
	return &accountMapsDataSource{dataSource{name: "account_maps"}}
}

type accountMapsDataSource struct{ dataSource }

type accountMapsData struct {
	mapFilterData
	AccountMaps []mapHead `tfsdk:"account_maps"`
}

// mapFilterData are the filters of both lists of maps.
type mapFilterData struct {
	Query                   types.String `tfsdk:"query"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
}

// read returns the maps of a kind that the filters select.
func (f mapFilterData) read(ctx context.Context, c *client.Client, kind idmap.MapKind) ([]mapHead, error) {
	return each(c.Maps(ctx, kind, client.MapFilter{
		Query:                 f.Query.ValueString(),
		SourceConnection:      f.SourceConnectionID.ValueString(),
		DestinationConnection: f.DestinationConnectionID.ValueString(),
	}), mapHeadOf)
}

// mapListAttributes are the filters, and the list under its name.
func mapListAttributes(list, description string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"query":                     schema.StringAttribute{Optional: true, MarkdownDescription: "Text that the name contains, without regard to case."},
		"source_connection_id":      schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the connection that is mapped."},
		"destination_connection_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the connection that it is mapped to."},
		list: schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: description,
			NestedObject: schema.NestedAttributeObject{Attributes: mapHeadAttributes()},
		},
	}
}

func (d *accountMapsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The account maps of the mapping backend, all or those that the filters select. What a map compares, its exceptions and its exclusions are shown by `idmap_account_map`.",
		Attributes:          mapListAttributes("account_maps", "The account maps."),
	}
}

func (d *accountMapsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, mapDataNoun, req, resp, func(c *client.Client, data *accountMapsData) (err error) {
		data.AccountMaps, err = data.read(ctx, c, idmap.AccountMap)
		return err
	})
}
