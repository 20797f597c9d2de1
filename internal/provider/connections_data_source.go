package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ datasource.DataSourceWithConfigure = (*connectionsDataSource)(nil)

func newConnectionsDataSource() datasource.DataSource {
	return &connectionsDataSource{dataSource{name: "connections"}}
}

type connectionsDataSource struct{ dataSource }

type connectionsData struct {
	Query       types.String     `tfsdk:"query"`
	Platform    types.String     `tfsdk:"platform"`
	Connections []connectionData `tfsdk:"connections"`
}

func (d *connectionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The connections of the mapping backend, all or those that the filters select.",
		Attributes: map[string]schema.Attribute{
			"query": schema.StringAttribute{Optional: true, MarkdownDescription: "Text that the name contains, without regard to case."},
			"platform": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Kind of the directories, such as `microsoft365`.",
				Validators: []validator.String{stringvalidator.OneOf(idmap.PlatformIDs()...)},
			},
			"connections": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The connections.",
				NestedObject: schema.NestedAttributeObject{Attributes: connectionAttributes()},
			},
		},
	}
}

func (d *connectionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, connectionNoun, req, resp, func(c *client.Client, data *connectionsData) (err error) {
		filter := client.ConnectionFilter{Query: data.Query.ValueString(), Platform: data.Platform.ValueString()}
		data.Connections, err = each(c.Connections(ctx, filter), connectionDataOf)
		return err
	})
}
