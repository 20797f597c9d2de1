package provider

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// How many entries of the sign-in history are read, by default and at most: they are kept in Terraform's state.
const (
	defaultSignIns = 1000
	maxSignIns     = 10_000
)

var (
	_ datasource.DataSourceWithConfigure      = (*signInsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*signInsDataSource)(nil)
)

func newSignInsDataSource() datasource.DataSource {
	return &signInsDataSource{dataSource{name: "sign_ins"}}
}

type signInsDataSource struct{ dataSource }

// signInNoun is how sign-ins and sessions are called in diagnostics.
var signInNoun = noun{fields: map[string]string{
	"connection.id": "connection_id", "source.connection.id": "source_connection_id", "destination.connection.id": "destination_connection_id",
	"email": "email", "user_id": "user_id", "client": "client", "from": "from", "to": "to", "reason": "reason",
}}

type signInsData struct {
	signInFilter
	Outcome   types.String `tfsdk:"outcome"`
	Reason    types.String `tfsdk:"reason"`
	From      types.String `tfsdk:"from"`
	To        types.String `tfsdk:"to"`
	Limit     wholeNumber  `tfsdk:"limit"`
	Truncated types.Bool   `tfsdk:"truncated"`
	SignIns   []signInData `tfsdk:"sign_ins"`
}

// signInData is an entry of the sign-in history.
type signInData struct {
	ID                      types.String `tfsdk:"id"`
	Time                    types.String `tfsdk:"time"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	Email                   types.String `tfsdk:"email"`
	UserID                  types.String `tfsdk:"user_id"`
	Client                  types.String `tfsdk:"client"`
	SourceAddress           types.String `tfsdk:"source_address"`
	Outcome                 types.String `tfsdk:"outcome"`
	Reasons                 []string     `tfsdk:"reasons"`
	Messages                []string     `tfsdk:"messages"`
	UserMappingID           types.String `tfsdk:"user_mapping_id"`
	MappingCreated          types.Bool   `tfsdk:"mapping_created"`
	SessionID               types.String `tfsdk:"session_id"`
}

func signInDataOf(s idmap.SignIn) signInData {
	data := signInData{
		ID: types.StringValue(s.ID), Time: timeString(&s.On),
		SourceConnectionID: types.StringValue(s.Source.Connection.ID), DestinationConnectionID: types.StringValue(s.Destination.Connection.ID),
		Email: types.StringValue(s.Email), UserID: types.StringValue(s.UserID),
		Client: optionalString(s.Client), SourceAddress: optionalString(s.SourceAddress),
		Outcome: types.StringValue(string(s.Outcome)), Reasons: codeList(s.Reasons), Messages: []string{},
		UserMappingID: refString(s.UserMapping), MappingCreated: types.BoolValue(s.MappingCreated), SessionID: refString(s.Session),
	}
	for _, v := range s.Reasons {
		data.Messages = append(data.Messages, v.Description)
	}
	return data
}

// codeList returns the codes of findings, each as often as it was found.
func codeList(found []idmap.Violation) []string {
	codes := []string{}
	for _, v := range found {
		codes = append(codes, string(v.Code))
	}
	return codes
}

// refString returns the id of another object, or null.
func refString(r *idmap.Ref) types.String {
	if r == nil {
		return types.StringNull()
	}
	return optionalString(r.ID)
}

// signInAttributes are those of signInData, all computed.
func signInAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                        schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the entry."},
		"time":                      schema.StringAttribute{Computed: true, MarkdownDescription: "When the user came, RFC 3339, by the clock of the server."},
		"source_connection_id":      schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mail connection."},
		"destination_connection_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the application connection."},
		"email":                     schema.StringAttribute{Computed: true, MarkdownDescription: "Email that the integration sent, whatever it was."},
		"user_id":                   schema.StringAttribute{Computed: true, MarkdownDescription: "User id that the integration sent, whatever it was."},
		"client":                    schema.StringAttribute{Computed: true, MarkdownDescription: "Program that the user sat at; null where the integration did not say."},
		"source_address":            schema.StringAttribute{Computed: true, MarkdownDescription: "IP address that the user came from; null where the integration did not say."},
		"outcome":                   schema.StringAttribute{Computed: true, MarkdownDescription: "`allowed` or `denied`."},
		"reasons":                   schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Codes of all that the sign-in was denied for, such as `mapping_required`; empty where it was allowed."},
		"messages":                  schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The same in sentences, in the same order."},
		"user_mapping_id":           schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mapping that let the user in, or would have; null where there was none. It may be gone."},
		"mapping_created":           schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the sign-in made the mapping."},
		"session_id":                schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the session that the sign-in began or continued; null where it was denied. It may be over."},
	}
}

func (d *signInsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	// The history also has what is no address and no user id: somebody tried to come in with it.
	attempted := append(named(), stringvalidator.UTF8LengthAtMost(idmap.MaxRecordedLength))
	attributes := signInFilterAttributes(attempted, attempted)
	maps.Copy(attributes, map[string]schema.Attribute{
		"outcome": schema.StringAttribute{
			Optional: true, MarkdownDescription: "`allowed` or `denied`.",
			Validators: []validator.String{oneOf([]idmap.Outcome{idmap.OutcomeAllowed, idmap.OutcomeDenied})},
		},
		"reason": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Only sign-ins that were denied for this, among other reasons: " + choices(signInReasons) + ".",
			Validators: []validator.String{ruleValidator{checkReason, "must be the code of a denial"}},
		},
		"from":      schema.StringAttribute{Optional: true, Validators: timed(), MarkdownDescription: "Only sign-ins at this time or later, RFC 3339."},
		"to":        schema.StringAttribute{Optional: true, Validators: timed(), MarkdownDescription: "Only sign-ins before this time, RFC 3339."},
		"limit":     schema.Int64Attribute{CustomType: wholeType{}, Optional: true, Validators: []validator.Int64{int64validator.Between(1, maxSignIns)}, MarkdownDescription: fmt.Sprintf("The most entries that are read, the newest. Default: `%d`, at most `%d`: they are kept in Terraform's state.", defaultSignIns, maxSignIns)},
		"truncated": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the filters select more than `limit`: the oldest are left out."},
		"sign_ins": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The entries, the newest first.",
			NestedObject: schema.NestedAttributeObject{Attributes: signInAttributes()},
		},
	})
	resp.Schema = schema.Schema{
		MarkdownDescription: "The sign-in history: who came in, and who was denied and why. All entries or those that the filters select, the newest first. " +
			"An entry is there as long as the application connection keeps it (`sign_in_history_days`).",
		Attributes: attributes,
	}
}

// signInReasons are the codes that a sign-in can be denied for, in the order of its checks.
var signInReasons = []idmap.Code{
	idmap.CodeSignInDisabled,
	idmap.CodeMappingRequired, idmap.CodeUserAlreadyMapped, idmap.CodeAccountRepointed, idmap.CodeUnprovenRename,
	idmap.CodeInvalidEmail, idmap.CodeUnknownEmail, idmap.CodeMailboxDisabled,
	idmap.CodeInvalidUserID, idmap.CodeUnknownUserID, idmap.CodeUserCannotSignIn,
	idmap.CodeNonInteractiveUser, idmap.CodeUnlicensedUser, idmap.CodePermissionMissing,
	idmap.CodeEmailInUse, idmap.CodeEmailPreviouslyAssigned, idmap.CodeEmailIsAliasOfAnother,
}

// checkReason refuses a code that no denial has: as a filter it would select nothing, and pass for good news.
func checkReason(code string) []idmap.Violation {
	if slices.Contains(signInReasons, idmap.Code(code)) {
		return nil
	}
	return []idmap.Violation{{Code: idmap.CodeInvalid, Description: fmt.Sprintf(
		"No sign-in is denied for %q. The code of a denial is required, as it stands in reasons: %s.", code, strings.Join(texts(signInReasons), ", "))}}
}

// ValidateConfig refuses filters that nothing can pass together.
func (d *signInsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var data signInsData
	resp.Diagnostics.Append(req.Config.Get(ctx, &data)...)
	from, to := timeOf(data.From), timeOf(data.To)
	if from != nil && to != nil && !from.Before(*to) {
		resp.Diagnostics.AddAttributeError(path.Root("to"), "Invalid Value", fmt.Sprintf(
			"The span from %s to %s is empty, so nothing can be in it. Give a to that is after from, or leave one of them out.", data.From.ValueString(), data.To.ValueString()))
	}
	if data.Outcome.ValueString() == string(idmap.OutcomeAllowed) && data.Reason.ValueString() != "" {
		resp.Diagnostics.AddAttributeError(path.Root("reason"), "Invalid Value", fmt.Sprintf(
			"A sign-in that was allowed has no reason, so nothing can have the outcome %q and the reason %q. Leave one of them out.", idmap.OutcomeAllowed, data.Reason.ValueString()))
	}
}

func (d *signInsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, signInNoun, req, resp, func(c *client.Client, data *signInsData) error {
		limit := defaultSignIns
		if !data.Limit.IsNull() {
			limit = int(data.Limit.ValueInt64())
		}
		found, err := collect(first(c.SignIns(ctx, data.filter()), limit+1))
		data.Truncated, data.SignIns = types.BoolValue(len(found) > limit), []signInData{}
		for _, s := range found[:min(limit, len(found))] {
			data.SignIns = append(data.SignIns, signInDataOf(s))
		}
		if err != nil || len(found) > 0 {
			return noSignIns(ctx, c, err)
		}
		return d.warnOfUnknownConnections(ctx, data.signInFilter, &resp.Diagnostics)
	})
}

// warnOfUnknownConnections warns where nothing is found. It is no error: the history outlives its connections.
func (d *signInsDataSource) warnOfUnknownConnections(ctx context.Context, filter signInFilter, diags *diag.Diagnostics) error {
	unknown, err := filter.unknownConnections(ctx, d.walk)
	signInNoun.addWarnings(unknown, diags)
	return err
}

func (d signInsData) filter() idmap.SignInFilter {
	return idmap.SignInFilter{
		ConnectionID:            d.ConnectionID.ValueString(),
		SourceConnectionID:      d.SourceConnectionID.ValueString(),
		DestinationConnectionID: d.DestinationConnectionID.ValueString(),
		UserMappingID:           d.UserMappingID.ValueString(),
		EmailKey:                d.emailKey(), UserKey: d.userKey(), Client: d.Client.ValueString(),
		Outcome: idmap.Outcome(d.Outcome.ValueString()), Reason: idmap.Code(d.Reason.ValueString()),
		From: timeOf(d.From), To: timeOf(d.To),
	}
}

// first ends a list after some.
func first[T any](found iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := n
		for item, err := range found {
			if left--; !yield(item, err) || left == 0 {
				return
			}
		}
	}
}
