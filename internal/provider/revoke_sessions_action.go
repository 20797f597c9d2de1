package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	tfaction "github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ tfaction.ActionWithConfigure        = (*revokeSessionsAction)(nil)
	_ tfaction.ActionWithConfigValidators = (*revokeSessionsAction)(nil)
	_ tfaction.ActionWithModifyPlan       = (*revokeSessionsAction)(nil)
)

func newRevokeSessionsAction() tfaction.Action { return &revokeSessionsAction{} }

// revokeSessionsAction ends the sessions of one user. Those of a whole connection it does not: a variable that happens to be
// null must not sign everybody out.
type revokeSessionsAction struct{ walk *walk }

type revokeSessionsData struct {
	ConnectionID  types.String `tfsdk:"connection_id"`
	UserID        userIDValue  `tfsdk:"user_id"`
	Email         emailValue   `tfsdk:"email"`
	UserMappingID types.String `tfsdk:"user_mapping_id"`
}

func (a *revokeSessionsAction) Metadata(_ context.Context, req tfaction.MetadataRequest, resp *tfaction.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_revoke_sessions"
}

func (a *revokeSessionsAction) Schema(_ context.Context, _ tfaction.SchemaRequest, resp *tfaction.SchemaResponse) {
	inConnection := stringvalidator.AlsoRequires(path.MatchRoot("connection_id"))
	resp.Schema = schema.Schema{
		MarkdownDescription: "Revokes all live sessions of a user. Where there is none, nothing happens, so the action may be repeated. " +
			"The user may sign in again. To keep somebody out, disable the account in the directory of the application connection, or set `sign_in_mapping = \"require\"` on the connection and delete the mapping, with which its sessions end by themselves. " +
			"Terraform 1.14 and later have actions, OpenTofu does not.",
		Attributes: map[string]schema.Attribute{
			"connection_id": schema.StringAttribute{
				Optional: true, Validators: named(),
				MarkdownDescription: "Id of the application connection, or of the mail connection. Either it is needed, with `user_id`, `email` or both, or `user_mapping_id`.",
			},
			"user_id": schema.StringAttribute{
				Optional: true, CustomType: foldedType[userIDSpelling]{}, MarkdownDescription: "User id in the application, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckUserID, "must be a user id"}, inConnection},
			},
			"email": schema.StringAttribute{
				Optional: true, CustomType: foldedType[emailSpelling]{}, MarkdownDescription: "Email in the mail connection, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}, inConnection},
			},
			"user_mapping_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the user mapping."},
		},
	}
}

func (a *revokeSessionsAction) ConfigValidators(context.Context) []tfaction.ConfigValidator {
	return []tfaction.ConfigValidator{
		actionvalidator.AtLeastOneOf(path.MatchRoot("user_mapping_id"), path.MatchRoot("user_id"), path.MatchRoot("email")),
		actionvalidator.Conflicting(path.MatchRoot("user_mapping_id"), path.MatchRoot("connection_id")),
	}
}

func (a *revokeSessionsAction) Configure(_ context.Context, req tfaction.ConfigureRequest, resp *tfaction.ConfigureResponse) {
	a.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan looks whether what the configuration names is there. How many sessions there are is not said: they come and go.
func (a *revokeSessionsAction) ModifyPlan(ctx context.Context, req tfaction.ModifyPlanRequest, resp *tfaction.ModifyPlanResponse) {
	var data revokeSessionsData
	resp.Diagnostics.Append(readAction(ctx, a, req.Config, &data)...)
	if resp.Diagnostics.HasError() || a.walk == nil || !a.walk.checks() {
		return
	}
	if slices.ContainsFunc([]attr.Value{data.ConnectionID, data.UserMappingID}, attr.Value.IsUnknown) {
		return
	}
	switch err := data.overlooked(ctx, a.walk); {
	case idmap.IsNotFound(err):
		resp.Diagnostics.AddWarning("Nothing to Revoke", data.gone())
	case err != nil && !a.walk.excuse(err, &resp.Diagnostics):
		addFindError(signInNoun, err, &resp.Diagnostics)
	}
}

func (a *revokeSessionsAction) Invoke(ctx context.Context, req tfaction.InvokeRequest, resp *tfaction.InvokeResponse) {
	var data revokeSessionsData
	resp.Diagnostics.Append(readAction(ctx, a, req.Config, &data)...)
	if resp.Diagnostics.HasError() || !a.walk.ready(&resp.Diagnostics) {
		return
	}
	count, err := a.walk.client.RevokeSessions(ctx, data.filter())
	told := fmt.Sprintf("Revoked %s of %s.", sessionCount(count), data.whose())
	if err == nil && count == 0 {
		told = fmt.Sprintf("There is no live session of %s. The data source idmap_sessions shows who is signed in.", data.whose())
		if err = data.overlooked(ctx, a.walk); idmap.IsNotFound(err) {
			told, err = data.gone(), nil
		}
	}
	if err != nil {
		addFindError(signInNoun, err, &resp.Diagnostics)
		return
	}
	resp.SendProgress(tfaction.InvokeProgressEvent{Message: told})
}

func (d revokeSessionsData) filter() idmap.SessionFilter {
	filter := idmap.SessionFilter{ConnectionID: d.ConnectionID.ValueString(), UserKey: idmap.Fold(d.UserID.ValueString())}
	if !d.Email.IsNull() {
		filter.EmailKey, _ = idmap.CanonicalEmail(d.Email.ValueString()) // checked by readAction
	}
	if !d.UserMappingID.IsNull() {
		filter.UserMappingIDs = []string{d.UserMappingID.ValueString()}
	}
	return filter
}

// overlooked is the error of a connection that there is not, or idmap's not_found of a mapping, which is none: its sessions
// are over.
func (d revokeSessionsData) overlooked(ctx context.Context, w *walk) error {
	if !d.UserMappingID.IsNull() {
		_, err := w.client.UserMapping(ctx, d.UserMappingID.ValueString())
		return err
	}
	unknown, err := signInFilter{ConnectionID: d.ConnectionID}.unknownConnections(ctx, w)
	if err != nil {
		return err
	}
	return idmap.Refuse(unknown...)
}

func (d revokeSessionsData) gone() string {
	return fmt.Sprintf("There is no user mapping with the id %q. The sessions of a mapping end with it.", d.UserMappingID.ValueString())
}

// whose says which sessions are meant.
func (d revokeSessionsData) whose() string {
	if !d.UserMappingID.IsNull() {
		return fmt.Sprintf("the mapping %q", d.UserMappingID.ValueString())
	}
	var parts []string
	if !d.UserID.IsNull() {
		parts = append(parts, fmt.Sprintf("user %q", d.UserID.ValueString()))
	}
	if !d.Email.IsNull() {
		parts = append(parts, fmt.Sprintf("email %q", d.Email.ValueString()))
	}
	return strings.Join(parts, ", ")
}

func sessionCount(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}
