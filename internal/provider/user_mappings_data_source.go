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

var _ datasource.DataSourceWithConfigure = (*userMappingsDataSource)(nil)

func newUserMappingsDataSource() datasource.DataSource {
	return &userMappingsDataSource{dataSource{name: "user_mappings"}}
}

type userMappingsDataSource struct{ dataSource }

type userMappingsData struct {
	SourceConnectionID      types.String      `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String      `tfsdk:"destination_connection_id"`
	AccountID               types.String      `tfsdk:"account_id"`
	Origin                  types.String      `tfsdk:"origin"`
	Domain                  types.String      `tfsdk:"domain"`
	Query                   types.String      `tfsdk:"query"`
	UserMappings            []userMappingData `tfsdk:"user_mappings"`
}

func (d *userMappingsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The user mappings of the backend, all or those that the filters select. For many mappings give the connections: the list is kept in Terraform's state.",
		Attributes: map[string]schema.Attribute{
			"source_connection_id":      schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the mail connection."},
			"destination_connection_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the application connection."},
			"account_id":                schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the account on either side."},
			"origin": schema.StringAttribute{
				Optional: true, MarkdownDescription: "What made the mapping: `api` or `sign_in`.",
				Validators: []validator.String{stringvalidator.OneOf(string(idmap.OriginAPI), string(idmap.OriginSignIn))},
			},
			"domain": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Domain of the email."},
			"query":  schema.StringAttribute{Optional: true, MarkdownDescription: "Text that the email or the user id contains, without regard to case."},
			"user_mappings": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The mappings.",
				NestedObject: schema.NestedAttributeObject{Attributes: userMappingAttributes()},
			},
		},
	}
}

func (d *userMappingsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, userMappingNoun, req, resp, func(c *client.Client, data *userMappingsData) (err error) {
		data.UserMappings, err = each(c.UserMappings(ctx, idmap.UserMappingFilter{
			SourceConnectionID:      data.SourceConnectionID.ValueString(),
			DestinationConnectionID: data.DestinationConnectionID.ValueString(),
			AccountID:               data.AccountID.ValueString(),
			Origin:                  idmap.Origin(data.Origin.ValueString()),
			Domain:                  data.Domain.ValueString(),
			Query:                   data.Query.ValueString(),
		}), userMappingDataOf)
		return err
	})
}
