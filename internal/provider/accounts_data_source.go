package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

var _ datasource.DataSourceWithConfigure = (*accountsDataSource)(nil)

func newAccountsDataSource() datasource.DataSource {
	return &accountsDataSource{dataSource{name: "accounts"}}
}

type accountsDataSource struct{ dataSource }

type accountsData struct {
	ConnectionID types.String  `tfsdk:"connection_id"`
	Query        types.String  `tfsdk:"query"`
	Deleted      types.Bool    `tfsdk:"deleted"`
	Accounts     []accountData `tfsdk:"accounts"`
}

func (d *accountsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The accounts of a connection's directory, all or those that the filters select.",
		Attributes: map[string]schema.Attribute{
			"connection_id": schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the connection."},
			"query":         schema.StringAttribute{Optional: true, MarkdownDescription: "Text that the names, the user id or an address contains, without regard to case."},
			"deleted":       schema.BoolAttribute{Optional: true, MarkdownDescription: "`true` for accounts that have left the directory, `false` for those that are there. Left out: both."},
			"accounts": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The accounts.",
				NestedObject: schema.NestedAttributeObject{Attributes: accountAttributes()},
			},
		},
	}
}

func (d *accountsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, accountNoun, req, resp, func(c *client.Client, data *accountsData) (err error) {
		filter := client.DirectoryFilter{Query: data.Query.ValueString(), Deleted: data.Deleted.ValueBoolPointer()}
		data.Accounts, err = each(c.Accounts(ctx, data.ConnectionID.ValueString(), filter), accountDataOf)
		return err
	})
}
