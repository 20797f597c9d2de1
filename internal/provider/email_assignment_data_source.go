package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var _ datasource.DataSourceWithConfigure = (*emailAssignmentDataSource)(nil)

func newEmailAssignmentDataSource() datasource.DataSource {
	return &emailAssignmentDataSource{dataSource{name: "email_assignment"}}
}

type emailAssignmentDataSource struct{ dataSource }

type emailAssignmentData struct {
	ConnectionID types.String      `tfsdk:"connection_id"`
	Address      emailValue        `tfsdk:"address"`
	Available    types.Bool        `tfsdk:"available"`
	ID           types.String      `tfsdk:"id"`
	Holders      []emailHolderData `tfsdk:"holders"`
	SeenBy       types.String      `tfsdk:"seen_by"`
	FirstSeenOn  types.String      `tfsdk:"first_seen_on"`
	LastSeenOn   types.String      `tfsdk:"last_seen_on"`
}

type emailHolderData struct {
	ConnectionID types.String `tfsdk:"connection_id"`
	AccountID    types.String `tfsdk:"account_id"`
	UserID       types.String `tfsdk:"user_id"`
	Name         types.String `tfsdk:"name"`
}

func (d *emailAssignmentDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Who holds an address, according to the address ledger, which remembers every address that was ever held, also after the mapping or the account is gone. " +
			"An address that somebody holds can be mapped for the same holders again; for anybody else an administrator must release it first.",
		Attributes: map[string]schema.Attribute{
			"connection_id": schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the mail connection."},
			"address": schema.StringAttribute{
				Required: true, CustomType: foldedType[emailSpelling]{}, MarkdownDescription: "The address, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}},
			},
			"available": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether nobody holds the address: it was never held, or it was released."},
			"id":        schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the ledger entry, by which an administrator releases it; null if the address is available."},
			"holders": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The accounts that hold the address, at most one for each connection.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"connection_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the account's connection."},
					"account_id":    schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the account, where a directory knows it."},
					"user_id":       schema.StringAttribute{Computed: true, MarkdownDescription: "User id in an application connection."},
					"name":          schema.StringAttribute{Computed: true, MarkdownDescription: "What the holder was called when first seen."},
				}},
			},
			"seen_by":       schema.StringAttribute{Computed: true, MarkdownDescription: "What first showed that the address is held: `mapping` or `directory`."},
			"first_seen_on": schema.StringAttribute{Computed: true, MarkdownDescription: "Since when the address is held, RFC 3339."},
			"last_seen_on":  schema.StringAttribute{Computed: true, MarkdownDescription: "When it was last seen held, RFC 3339."},
		},
	}
}

func (d *emailAssignmentDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, accountNoun, req, resp, func(c *client.Client, data *emailAssignmentData) error {
		key, _ := idmap.CanonicalEmail(data.Address.ValueString()) // validated
		released := false
		held, err := collect(c.EmailAssignments(ctx, idmap.EmailAssignmentFilter{
			ConnectionID: data.ConnectionID.ValueString(), AddressKey: key, Released: &released,
		}))
		data.Available, data.Holders = types.BoolValue(len(held) == 0), []emailHolderData{}
		if len(held) > 0 { // at most one entry of an address is not released
			data.fromAPI(held[0])
		}
		return err
	})
}

func (d *emailAssignmentData) fromAPI(a idmap.EmailAssignment) {
	d.ID, d.SeenBy = types.StringValue(a.ID), types.StringValue(string(a.SeenBy))
	d.FirstSeenOn, d.LastSeenOn = timeString(&a.FirstSeenOn), timeString(&a.LastSeenOn)
	for _, h := range a.Holders {
		d.Holders = append(d.Holders, emailHolderData{
			ConnectionID: types.StringValue(h.Connection.ID), AccountID: optionalString(h.AccountID()),
			UserID: optionalString(h.UserID), Name: optionalString(h.Name),
		})
	}
}
