package provider

import (
	"context"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var _ datasource.DataSourceWithConfigure = (*sessionsDataSource)(nil)

func newSessionsDataSource() datasource.DataSource {
	return &sessionsDataSource{dataSource{name: "sessions"}}
}

type sessionsDataSource struct{ dataSource }

type sessionsData struct {
	signInFilter
	Sessions []sessionData      `tfsdk:"sessions"`
	Users    []sessionUsageData `tfsdk:"users"`
}

// sessionUser is whose session it is.
type sessionUser struct {
	UserMappingID           types.String `tfsdk:"user_mapping_id"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	Email                   types.String `tfsdk:"email"`
	UserID                  types.String `tfsdk:"user_id"`
}

// sessionUse is how much something is used.
type sessionUse struct {
	FirstUsedOn types.String `tfsdk:"first_used_on"`
	LastUsedOn  types.String `tfsdk:"last_used_on"`
	UseCount    types.Int64  `tfsdk:"use_count"`
}

// sessionData is a live session.
type sessionData struct {
	ID            types.String `tfsdk:"id"`
	Client        types.String `tfsdk:"client"`
	SourceAddress types.String `tfsdk:"source_address"`
	sessionUser
	sessionUse
}

// sessionUsageData sums up the live sessions of a user.
type sessionUsageData struct {
	SessionCount types.Int64 `tfsdk:"session_count"`
	sessionUser
	sessionUse
}

func sessionDataOf(s idmap.Session) sessionData {
	return sessionData{
		ID: types.StringValue(s.ID), Client: optionalString(s.Client), SourceAddress: optionalString(s.SourceAddress),
		sessionUser: sessionUserOf(s.UserMapping, s.Source, s.Destination, s.Email, s.UserID),
		sessionUse:  sessionUseOf(s.FirstUsedOn, s.LastUsedOn, s.UseCount),
	}
}

func sessionUsageDataOf(u idmap.SessionUsage) sessionUsageData {
	return sessionUsageData{
		SessionCount: types.Int64Value(int64(u.SessionCount)),
		sessionUser:  sessionUserOf(u.UserMapping, u.Source, u.Destination, u.Email, u.UserID),
		sessionUse:   sessionUseOf(u.FirstUsedOn, u.LastUsedOn, u.UseCount),
	}
}

func sessionUserOf(mapping idmap.Ref, source, destination idmap.SignInEnd, email, userID string) sessionUser {
	return sessionUser{
		UserMappingID: types.StringValue(mapping.ID), Email: types.StringValue(email), UserID: types.StringValue(userID),
		SourceConnectionID: types.StringValue(source.Connection.ID), DestinationConnectionID: types.StringValue(destination.Connection.ID),
	}
}

func sessionUseOf(from, to time.Time, count int64) sessionUse {
	return sessionUse{FirstUsedOn: timeString(&from), LastUsedOn: timeString(&to), UseCount: types.Int64Value(count)}
}

// sessionUserAttributes are those of sessionUser and sessionUse, all computed.
func sessionUserAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"user_mapping_id":           schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the user's mapping. With it all of its sessions end."},
		"source_connection_id":      schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mail connection."},
		"destination_connection_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the application connection."},
		"email":                     schema.StringAttribute{Computed: true, MarkdownDescription: "Email of the mapping, as it is now."},
		"user_id":                   schema.StringAttribute{Computed: true, MarkdownDescription: "User id of the mapping, as it is now."},
		"first_used_on":             schema.StringAttribute{Computed: true, MarkdownDescription: "When the first sign-in was, RFC 3339."},
		"last_used_on":              schema.StringAttribute{Computed: true, MarkdownDescription: "When the last sign-in was, RFC 3339."},
		"use_count":                 schema.Int64Attribute{Computed: true, MarkdownDescription: "How many sign-ins there were."},
	}
}

func sessionAttributes() map[string]schema.Attribute {
	attributes := sessionUserAttributes()
	attributes["id"] = schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the session, by which an administrator revokes it."}
	attributes["client"] = schema.StringAttribute{Computed: true, MarkdownDescription: "Program that the user sits at; null where the integration did not say. A user has one session for each."}
	attributes["source_address"] = schema.StringAttribute{Computed: true, MarkdownDescription: "IP address of the last sign-in; null where the integration did not say."}
	return attributes
}

func sessionUsageAttributes() map[string]schema.Attribute {
	attributes := sessionUserAttributes()
	attributes["session_count"] = schema.Int64Attribute{Computed: true, MarkdownDescription: "How many sessions the user has: one for each client."}
	return attributes
}

func (d *sessionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := signInFilterAttributes(
		[]validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}}, []validator.String{ruleValidator{rules.CheckUserID, "must be a user id"}})
	maps.Copy(attributes, map[string]schema.Attribute{
		"sessions": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The sessions.",
			NestedObject: schema.NestedAttributeObject{Attributes: sessionAttributes()},
		},
		"users": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The same, summed up for each user of an application.",
			NestedObject: schema.NestedAttributeObject{Attributes: sessionUsageAttributes()},
		},
	})
	resp.Schema = schema.Schema{
		MarkdownDescription: "The sessions that are live: who has access to which application, since when, from where and how often. All or those that the filters select. " +
			"A session begins with a sign-in, each further one from the same client continues it, and it ends when the user signs out, when it is revoked, or with its mapping. " +
			"Where there are many, give a connection: the lists are kept in Terraform's state.",
		Attributes: attributes,
	}
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, signInNoun, req, resp, func(c *client.Client, data *sessionsData) (err error) {
		filter := data.filter()
		if data.Sessions, err = each(c.Sessions(ctx, filter), sessionDataOf); err == nil {
			data.Users, err = each(c.SessionUsage(ctx, filter), sessionUsageDataOf)
		}
		if err != nil || len(data.Sessions) > 0 {
			return noSignIns(ctx, c, err)
		}
		unknown, err := data.unknownConnections(ctx, d.walk)
		if err == nil && len(unknown) > 0 {
			err = idmap.Refuse(unknown...)
		}
		return err
	})
}

func (d sessionsData) filter() idmap.SessionFilter {
	filter := idmap.SessionFilter{
		ConnectionID:            d.ConnectionID.ValueString(),
		SourceConnectionID:      d.SourceConnectionID.ValueString(),
		DestinationConnectionID: d.DestinationConnectionID.ValueString(),
		EmailKey:                d.emailKey(), UserKey: d.userKey(), Client: d.Client.ValueString(),
	}
	if !d.UserMappingID.IsNull() {
		filter.UserMappingIDs = []string{d.UserMappingID.ValueString()}
	}
	return filter
}
