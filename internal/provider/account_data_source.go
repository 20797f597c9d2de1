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
	_ datasource.DataSourceWithConfigure        = (*accountDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*accountDataSource)(nil)
)

func newAccountDataSource() datasource.DataSource {
	return &accountDataSource{dataSource{name: "account"}}
}

type accountDataSource struct{ dataSource }

// accountNoun is how an account is called in diagnostics. Terraform does not manage accounts one by one.
var accountNoun = noun{fields: map[string]string{"connection_id": "connection_id"}}

// accountData is an account as a data source shows it.
type accountData struct {
	ID        types.String `tfsdk:"id"`
	Username  types.String `tfsdk:"username"`
	Email     types.String `tfsdk:"email"`
	Aliases   []string     `tfsdk:"aliases"`
	Name      types.String `tfsdk:"name"`
	GivenName types.String `tfsdk:"given_name"`
	Surname   types.String `tfsdk:"surname"`
	UserType  types.String `tfsdk:"user_type"`
	Disabled  types.Bool   `tfsdk:"disabled"`
	Admin     types.Bool   `tfsdk:"admin"`
	BuiltIn   types.Bool   `tfsdk:"built_in"`
	External  types.Bool   `tfsdk:"external"`
	Permitted types.Bool   `tfsdk:"sign_in_permitted"`
	DeletedOn types.String `tfsdk:"deleted_on"`
}

func accountDataOf(a idmap.Account) accountData {
	return accountData{
		ID: types.StringValue(a.ID), Username: optionalString(a.Username), Email: optionalString(a.Email),
		Aliases: append([]string{}, a.Aliases...),
		Name:    optionalString(a.Name), GivenName: optionalString(a.GivenName), Surname: optionalString(a.Surname),
		UserType: optionalString(string(a.UserType)),
		Disabled: types.BoolValue(a.Disabled), Admin: types.BoolValue(a.Admin), BuiltIn: types.BoolValue(a.BuiltIn),
		External:  types.BoolValue(a.External),
		Permitted: types.BoolPointerValue(a.SignInPermitted),
		DeletedOn: timeString(a.DeletedOn),
	}
}

// accountAttributes are those of accountData, all computed.
func accountAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                schema.StringAttribute{Computed: true, MarkdownDescription: "Immutable id on the platform, such as an Entra object id."},
		"username":          schema.StringAttribute{Computed: true, MarkdownDescription: "Username."},
		"email":             schema.StringAttribute{Computed: true, MarkdownDescription: "Primary address."},
		"aliases":           schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Further addresses."},
		"name":              schema.StringAttribute{Computed: true, MarkdownDescription: "Display name."},
		"given_name":        schema.StringAttribute{Computed: true, MarkdownDescription: "Given name."},
		"surname":           schema.StringAttribute{Computed: true, MarkdownDescription: "Surname."},
		"user_type":         schema.StringAttribute{Computed: true, MarkdownDescription: "What the account can do: `full`, `non_interactive`, `synchronized` or `stub`."},
		"disabled":          schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the account is disabled."},
		"admin":             schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the account is an administrator."},
		"built_in":          schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the platform made the account itself."},
		"external":          schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the account is a guest, at home in another organisation."},
		"sign_in_permitted": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the application permits the user to sign in through the integration; null where the directory does not say."},
		"deleted_on":        schema.StringAttribute{Computed: true, MarkdownDescription: "When the account left the directory, RFC 3339; null while it is there."},
	}
}

type accountLookup struct {
	ConnectionID types.String `tfsdk:"connection_id"`
	UserID       types.String `tfsdk:"user_id"`
	accountData
}

func (d *accountDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := accountAttributes()
	attributes["connection_id"] = schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the connection whose directory has the account."}
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Immutable id on the platform. Exactly one of `id`, `email` and `user_id` is needed."}
	attributes["email"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Address of the account, primary or alias. The result is the primary one where the account is searched by `id` or `user_id`, and else as given."}
	attributes["user_id"] = schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "What the application knows the account by: its username, or its id where it has none."}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One account of a connection's directory, by its id, by one of its addresses, or by its user id.",
		Attributes:          attributes,
	}
}

func (d *accountDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("email"), path.MatchRoot("user_id"))}
}

func (d *accountDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, accountNoun, req, resp, func(c *client.Client, data *accountLookup) error {
		found, err := data.find(ctx, c)
		asked := data.Email
		data.accountData = accountDataOf(found)
		if !asked.IsNull() {
			data.Email = asked // Terraform holds the provider to what the configuration says
		}
		return err
	})
}

func (l accountLookup) find(ctx context.Context, c *client.Client) (idmap.Account, error) {
	connection, id := l.ConnectionID.ValueString(), l.ID.ValueString()
	if !l.ID.IsNull() {
		found, err := c.Account(ctx, connection, id)
		return found, notFound(err, fmt.Sprintf("account with the id %q in connection %q", id, connection))
	}
	live := false
	filter := client.DirectoryFilter{Email: l.Email.ValueString(), UserID: l.UserID.ValueString(), Deleted: &live}
	return only(c.Accounts(ctx, connection, filter), fmt.Sprintf("account %q in connection %q", filter.Email+filter.UserID, connection), idmap.Account.Label)
}
