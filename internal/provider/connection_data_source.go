package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var (
	_ datasource.DataSourceWithConfigure        = (*connectionDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*connectionDataSource)(nil)
)

func newConnectionDataSource() datasource.DataSource {
	return &connectionDataSource{dataSource{name: "connection"}}
}

type connectionDataSource struct{ dataSource }

// connectionData is a connection as a data source shows it.
type connectionData struct {
	ID             types.String `tfsdk:"id"`
	Name           types.String `tfsdk:"name"`
	Platform       types.String `tfsdk:"platform"`
	Authoritative  types.Bool   `tfsdk:"authoritative"`
	MailDomain     types.String `tfsdk:"mail_domain"`
	AccountsSHA256 types.String `tfsdk:"accounts_sha256"`
	GroupsSHA256   types.String `tfsdk:"groups_sha256"`
	CreatedOn      types.String `tfsdk:"created_on"`
	ModifiedOn     types.String `tfsdk:"modified_on"`
	signInSettings
}

func connectionDataOf(c idmap.Connection) connectionData {
	data := connectionData{
		ID: types.StringValue(c.ID), Name: types.StringValue(c.Name), Platform: types.StringValue(c.Platform.ID),
		Authoritative: types.BoolValue(c.Authoritative), MailDomain: optionalString(c.MailDomain),
		CreatedOn: timeString(c.CreatedOn), ModifiedOn: timeString(c.ModifiedOn), signInSettings: signInSettingsOf(c),
	}
	if c.Directory != nil && c.Directory.Accounts != nil {
		data.AccountsSHA256 = types.StringValue(c.Directory.Accounts.SHA256)
	}
	if c.Directory != nil && c.Directory.Groups != nil {
		data.GroupsSHA256 = types.StringValue(c.Directory.Groups.SHA256)
	}
	return data
}

// connectionAttributes are those of connectionData, all computed.
func connectionAttributes() map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"id":              schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the connection."},
		"name":            schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the connection."},
		"platform":        schema.StringAttribute{Computed: true, MarkdownDescription: "Kind of the directory, such as `microsoft365`."},
		"authoritative":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the directory knows everybody."},
		"mail_domain":     schema.StringAttribute{Computed: true, MarkdownDescription: "Domain of the addresses that follow the username."},
		"accounts_sha256": schema.StringAttribute{Computed: true, MarkdownDescription: "SHA-256 of the file that the accounts came from; null if somebody changed one since."},
		"groups_sha256":   schema.StringAttribute{Computed: true, MarkdownDescription: "SHA-256 of the file that the groups came from; null if somebody changed one since."},
		"created_on":      schema.StringAttribute{Computed: true, MarkdownDescription: "When the connection was created, RFC 3339."},
		"modified_on":     schema.StringAttribute{Computed: true, MarkdownDescription: "When the connection was last changed, RFC 3339."},
	}
	addSignInSettingsData(attributes)
	return attributes
}

func (d *connectionDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := connectionAttributes()
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Opaque id of the connection. Exactly one of `id` and `name` is needed."}
	attributes["name"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Name of the connection, without regard to case."}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One connection, by its id or its name.",
		Attributes:          attributes,
	}
}

func (d *connectionDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
}

func (d *connectionDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, connectionNoun, req, resp, func(c *client.Client, data *connectionData) error {
		if id := data.ID.ValueString(); !data.ID.IsNull() {
			found, err := c.Connection(ctx, id)
			*data = connectionDataOf(found)
			return notFound(err, fmt.Sprintf("connection with the id %q", id))
		}
		name := data.Name.ValueString()
		found, err := only(c.Connections(ctx, client.ConnectionFilter{Name: name}), fmt.Sprintf("connection called %q", name),
			func(c idmap.Connection) string { return c.Name })
		*data = connectionDataOf(found)
		return err
	})
}
