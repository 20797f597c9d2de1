package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ datasource.DataSourceWithConfigure        = (*userMappingDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*userMappingDataSource)(nil)
)

func newUserMappingDataSource() datasource.DataSource {
	return &userMappingDataSource{dataSource{name: "user_mapping"}}
}

type userMappingDataSource struct{ dataSource }

// userMappingData is a mapping as a data source shows it, with the accounts that it is bound to.
type userMappingData struct {
	ID                      types.String `tfsdk:"id"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	SourceAccountID         types.String `tfsdk:"source_account_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	DestinationAccountID    types.String `tfsdk:"destination_account_id"`
	Email                   emailValue   `tfsdk:"email"`
	EmailSource             types.String `tfsdk:"email_source"`
	UserID                  userIDValue  `tfsdk:"user_id"`
	Origin                  types.String `tfsdk:"origin"`
	LastSignInOn            types.String `tfsdk:"last_sign_in_on"`
	CreatedOn               types.String `tfsdk:"created_on"`
	ModifiedOn              types.String `tfsdk:"modified_on"`
}

func userMappingDataOf(m idmap.UserMapping) userMappingData {
	return userMappingData{
		ID:                      types.StringValue(m.ID),
		SourceConnectionID:      types.StringValue(m.Source.Connection.ID),
		SourceAccountID:         optionalString(m.Source.AccountID()),
		DestinationConnectionID: types.StringValue(m.Destination.Connection.ID),
		DestinationAccountID:    optionalString(m.Destination.AccountID()),
		Email:                   folded[emailSpelling](m.Email),
		EmailSource:             types.StringValue(string(m.EmailSource)),
		UserID:                  folded[userIDSpelling](m.UserID),
		Origin:                  types.StringValue(string(m.Origin)),
		LastSignInOn:            timeString(m.LastSignInOn),
		CreatedOn:               timeString(m.CreatedOn),
		ModifiedOn:              timeString(m.ModifiedOn),
	}
}

// userMappingAttributes are those of userMappingData, all computed.
func userMappingAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                        schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the mapping."},
		"source_connection_id":      schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mail connection."},
		"source_account_id":         schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mail account that the mapping is bound to; null while no directory knows it."},
		"destination_connection_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the application connection."},
		"destination_account_id":    schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the application account that the mapping is bound to; null while no directory knows it."},
		"email":                     schema.StringAttribute{Computed: true, CustomType: foldedType[emailSpelling]{}, MarkdownDescription: "Email in the mail connection."},
		"email_source":              schema.StringAttribute{Computed: true, MarkdownDescription: "`explicit` if the email was given, `username` if it follows the username."},
		"user_id":                   schema.StringAttribute{Computed: true, CustomType: foldedType[userIDSpelling]{}, MarkdownDescription: "User id in the application."},
		"origin":                    schema.StringAttribute{Computed: true, MarkdownDescription: "What made the mapping: `api` or `sign_in`."},
		"last_sign_in_on":           schema.StringAttribute{Computed: true, MarkdownDescription: "When the user last signed in, RFC 3339; null if that never happened."},
		"created_on":                schema.StringAttribute{Computed: true, MarkdownDescription: "When the mapping was created, RFC 3339."},
		"modified_on":               schema.StringAttribute{Computed: true, MarkdownDescription: "When the mapping was last changed, RFC 3339."},
	}
}

func (d *userMappingDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := userMappingAttributes()
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Opaque id of the mapping. Exactly one of `id`, `email` and `user_id` is needed."}
	attributes["source_connection_id"] = schema.StringAttribute{
		Optional: true, Computed: true, Validators: named(),
		MarkdownDescription: "Id of the mail connection. Only needed where several mail connections map to one application.",
	}
	attributes["destination_connection_id"] = schema.StringAttribute{
		Optional: true, Computed: true, Validators: named(),
		MarkdownDescription: "Id of the application connection. Needed with `email` and with `user_id`.",
	}
	needsConnection := stringvalidator.AlsoRequires(path.MatchRoot("destination_connection_id"))
	attributes["email"] = schema.StringAttribute{
		Optional: true, Computed: true, CustomType: foldedType[emailSpelling]{},
		MarkdownDescription: "Email in the mail connection, in any spelling.",
		Validators:          []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}, needsConnection},
	}
	attributes["user_id"] = schema.StringAttribute{
		Optional: true, Computed: true, CustomType: foldedType[userIDSpelling]{},
		MarkdownDescription: "User id in the application, in any spelling.",
		Validators:          []validator.String{ruleValidator{rules.CheckUserID, "must be a user id"}, needsConnection},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One user mapping, by its id, or in an application connection by its email or its user id.",
		Attributes:          attributes,
	}
}

func (d *userMappingDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("email"), path.MatchRoot("user_id"))}
}

func (d *userMappingDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, userMappingNoun, req, resp, func(c *client.Client, data *userMappingData) error {
		asked := *data
		found, err := asked.find(ctx, c)
		*data = userMappingDataOf(found)
		// Terraform holds the provider to the spelling of the configuration.
		if !asked.Email.IsNull() {
			data.Email = asked.Email
		}
		if !asked.UserID.IsNull() {
			data.UserID = asked.UserID
		}
		return err
	})
}

func (d userMappingData) find(ctx context.Context, c *client.Client) (idmap.UserMapping, error) {
	if id := d.ID.ValueString(); !d.ID.IsNull() {
		found, err := c.UserMapping(ctx, id)
		return found, notFound(err, fmt.Sprintf("user mapping with the id %q", id))
	}
	filter := idmap.UserMappingFilter{
		SourceConnectionID:      d.SourceConnectionID.ValueString(),
		DestinationConnectionID: d.DestinationConnectionID.ValueString(),
		UserKey:                 idmap.Fold(d.UserID.ValueString()),
	}
	what := fmt.Sprintf("mapping of user %q to connection %q", d.UserID.ValueString(), filter.DestinationConnectionID)
	if !d.Email.IsNull() {
		filter.EmailKey, _ = idmap.CanonicalEmail(d.Email.ValueString()) // validated
		what = fmt.Sprintf("mapping of email %q to connection %q", d.Email.ValueString(), filter.DestinationConnectionID)
	}
	return only(c.UserMappings(ctx, filter), what, func(m idmap.UserMapping) string { return m.ID + " (" + m.Label() + ")" })
}
