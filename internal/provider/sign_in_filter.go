package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// signInFilter are the filters that the sign-in history and the sessions have in common.
type signInFilter struct {
	ConnectionID            types.String `tfsdk:"connection_id"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	UserMappingID           types.String `tfsdk:"user_mapping_id"`
	Email                   types.String `tfsdk:"email"`
	UserID                  types.String `tfsdk:"user_id"`
	Client                  types.String `tfsdk:"client"`
}

// signInFilterAttributes are those of signInFilter. What an email and a user id can be is the caller's to say.
func signInFilterAttributes(email, userID validator.String) map[string]schema.Attribute {
	optional := func(description string, validators ...validator.String) schema.Attribute {
		return schema.StringAttribute{Optional: true, Validators: append(named(), validators...), MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"connection_id":             optional("Id of the connection on either side."),
		"source_connection_id":      optional("Id of the mail connection."),
		"destination_connection_id": optional("Id of the application connection."),
		"user_mapping_id":           optional("Id of the user mapping."),
		"email":                     optional("Email, in any spelling.", email),
		"user_id":                   optional("User id in the application, in any spelling.", userID),
		"client":                    optional("Name of the program that the user sits at, such as `outlook-addin`, exactly.", stringvalidator.UTF8LengthAtMost(idmap.MaxClientLength)),
	}
}

// emailKey returns the canonical form of the email; of what is no address, the form in which the history keeps it.
func (f signInFilter) emailKey() string {
	if key, err := idmap.CanonicalEmail(f.Email.ValueString()); err == nil {
		return key
	}
	return idmap.Fold(f.Email.ValueString())
}

func (f signInFilter) userKey() string { return idmap.Fold(f.UserID.ValueString()) }

// noSignIns says of a server that has no sign-ins that it has none.
func noSignIns(ctx context.Context, c *client.Client, err error) error {
	if err == nil || errors.Is(err, client.ErrUnreachable) {
		return err
	}
	if platform, failure := c.Platform(ctx); failure != nil || !platform {
		return err
	}
	return &findError{
		"Server Has No Sign-Ins",
		"The server is a DryvIQ platform, where nobody signs in through mappings. A server of this product is required. Remove the data source, or give the provider the endpoint of such a server.",
	}
}
