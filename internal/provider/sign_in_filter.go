package provider

import (
	"context"
	"errors"
	"fmt"

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
func signInFilterAttributes(email, userID []validator.String) map[string]schema.Attribute {
	optional := func(description string, validators []validator.String) schema.Attribute {
		return schema.StringAttribute{Optional: true, Validators: validators, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"connection_id":             optional("Id of the connection on either side.", named()),
		"source_connection_id":      optional("Id of the mail connection.", named()),
		"destination_connection_id": optional("Id of the application connection.", named()),
		"user_mapping_id":           optional("Id of the user mapping.", named()),
		"email":                     optional("Email, in any spelling.", email),
		"user_id":                   optional("User id in the application, in any spelling.", userID),
		"client":                    optional("Name of the program that the user sits at, such as `outlook-addin`, exactly.", append(named(), stringvalidator.UTF8LengthAtMost(idmap.MaxClientLength))),
	}
}

func (f signInFilter) emailKey() string { return idmap.EmailKey(f.Email.ValueString()) }

func (f signInFilter) userKey() string { return idmap.Fold(f.UserID.ValueString()) }

// unknownConnections returns a finding for each connection of the filter that there is not. A name in the place of an id
// selects nothing, which would pass for good news. A connection that this walk plans to create is one.
func (f signInFilter) unknownConnections(ctx context.Context, w *walk) ([]idmap.Violation, error) {
	var unknown []idmap.Violation
	for _, named := range []struct {
		field string
		id    types.String
	}{
		{"connection.id", f.ConnectionID}, {"source.connection.id", f.SourceConnectionID}, {"destination.connection.id", f.DestinationConnectionID},
	} {
		id := named.id.ValueString()
		if named.id.IsNull() || w.expects(id) {
			continue
		}
		switch _, err := w.client.Connection(ctx, id); {
		case idmap.IsNotFound(err):
			unknown = append(unknown, idmap.Violation{
				Code: idmap.CodeUnknownConnection, Field: named.field,
				Description: fmt.Sprintf("There is no connection of the id %q. The id of a connection is required, not its name: the data source idmap_connection finds it by the name.", id),
			})
		case err != nil:
			return nil, err
		}
	}
	return unknown, nil
}

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
