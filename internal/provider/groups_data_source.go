package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

var _ datasource.DataSourceWithConfigure = (*groupsDataSource)(nil)

func newGroupsDataSource() datasource.DataSource {
	return &groupsDataSource{dataSource{name: "groups"}}
}

type groupsDataSource struct{ dataSource }

type groupsData struct {
	ConnectionID types.String `tfsdk:"connection_id"`
	Query        types.String `tfsdk:"query"`
	Deleted      types.Bool   `tfsdk:"deleted"`
	Groups       []groupData  `tfsdk:"groups"`
}

func (d *groupsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The groups of a connection's directory, all or those that the filters select.",
		Attributes: map[string]schema.Attribute{
			"connection_id": schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the connection."},
			"query":         schema.StringAttribute{Optional: true, MarkdownDescription: "Text that the name, the display name or an address contains, without regard to case."},
			"deleted":       schema.BoolAttribute{Optional: true, MarkdownDescription: "`true` for groups that have left the directory, `false` for those that are there. Left out: both."},
			"groups": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The groups.",
				NestedObject: schema.NestedAttributeObject{Attributes: groupAttributes()},
			},
		},
	}
}

func (d *groupsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, groupNoun, req, resp, func(c *client.Client, data *groupsData) (err error) {
		filter := client.DirectoryFilter{Query: data.Query.ValueString(), Deleted: data.Deleted.ValueBoolPointer()}
		data.Groups, err = each(c.Groups(ctx, data.ConnectionID.ValueString(), filter), groupDataOf)
		return err
	})
}
