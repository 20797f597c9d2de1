package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	tfaction "github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ tfaction.ActionWithConfigure        = (*releaseEmailAction)(nil)
	_ tfaction.ActionWithConfigValidators = (*releaseEmailAction)(nil)
	_ tfaction.ActionWithModifyPlan       = (*releaseEmailAction)(nil)
)

func newReleaseEmailAction() tfaction.Action { return &releaseEmailAction{} }

// releaseEmailAction frees an address of the ledger for its next holder. It may be repeated: what it names is one entry, or
// the one of a holder, and never that of whoever has the address by then.
type releaseEmailAction struct{ walk *walk }

type releaseEmailData struct {
	EmailAssignmentID types.String `tfsdk:"email_assignment_id"`
	ConnectionID      types.String `tfsdk:"connection_id"`
	Email             emailValue   `tfsdk:"email"`
	Holder            types.String `tfsdk:"holder"`
	Reason            types.String `tfsdk:"reason"`
}

// releaseNoun is how the ledger is called in diagnostics of the action.
var releaseNoun = noun{fields: map[string]string{"connection.id": "connection_id", "reason": "reason"}}

func (a *releaseEmailAction) Metadata(_ context.Context, req tfaction.MetadataRequest, resp *tfaction.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_release_email"
}

func (a *releaseEmailAction) Schema(_ context.Context, _ tfaction.SchemaRequest, resp *tfaction.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Releases an address of the address ledger, so that its next holder may be somebody else: an administrator's decision, for a token with the scope `admin`. The ledger keeps the history, and a release is not taken back. " +
			"The plan says whose address it is. Where the holder has it no more, nothing happens, so the action may be repeated.\n\n" +
			"Run it by itself, with `terraform apply -invoke=action.idmap_release_email.<name>`, before the apply that gives the address to somebody else: that one's plan asks whether the address is free. " +
			"Terraform 1.14 and later have actions, OpenTofu does not.",
		Attributes: map[string]schema.Attribute{
			"email_assignment_id": schema.StringAttribute{
				Optional: true, Validators: named(),
				MarkdownDescription: "Id of the ledger entry, as the refusal `email_previously_assigned` and the data source `idmap_email_assignment` say it. Either this is needed, or `connection_id`, `email` and `holder`.",
			},
			"connection_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the mail connection."},
			"email": schema.StringAttribute{
				Optional: true, CustomType: foldedType[emailSpelling]{}, MarkdownDescription: "The address, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}},
			},
			"holder": schema.StringAttribute{
				Optional: true, Validators: named(),
				MarkdownDescription: "Who holds it: the user id, the id of the account, or the name by which the refusal calls the holder. Somebody else who has the address by now keeps it.",
			},
			"reason": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: fmt.Sprintf("Who asked for it, and why it is safe, in at most %d characters. The audit keeps it.", rules.MaxReasonLength),
				Validators:          []validator.String{ruleValidator{rules.CheckReason, "must be a reason"}},
			},
		},
	}
}

func (a *releaseEmailAction) ConfigValidators(context.Context) []tfaction.ConfigValidator {
	return []tfaction.ConfigValidator{
		actionvalidator.ExactlyOneOf(path.MatchRoot("email_assignment_id"), path.MatchRoot("email")),
		actionvalidator.RequiredTogether(path.MatchRoot("connection_id"), path.MatchRoot("email"), path.MatchRoot("holder")),
	}
}

func (a *releaseEmailAction) Configure(_ context.Context, req tfaction.ConfigureRequest, resp *tfaction.ConfigureResponse) {
	a.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan says whose address will be released: Terraform itself shows the configuration alone, which may name no more
// than an id.
func (a *releaseEmailAction) ModifyPlan(ctx context.Context, req tfaction.ModifyPlanRequest, resp *tfaction.ModifyPlanResponse) {
	var data releaseEmailData
	resp.Diagnostics.Append(readAction(ctx, a, req.Config, &data)...)
	if resp.Diagnostics.HasError() || a.walk == nil || !a.walk.checks() || slices.ContainsFunc(data.names(), attr.Value.IsUnknown) {
		return
	}
	entry, told, err := data.find(ctx, a.walk)
	switch {
	case err != nil:
		if !a.walk.excuse(err, &resp.Diagnostics) {
			addFindError(releaseNoun, err, &resp.Diagnostics)
		}
	case entry == nil:
		resp.Diagnostics.AddWarning("Nothing to Release", told)
	default:
		resp.Diagnostics.AddWarning("Address Will Be Released", told+" Once it is released, it may be mapped to somebody else. A release is not taken back.")
	}
}

func (a *releaseEmailAction) Invoke(ctx context.Context, req tfaction.InvokeRequest, resp *tfaction.InvokeResponse) {
	var data releaseEmailData
	resp.Diagnostics.Append(readAction(ctx, a, req.Config, &data)...)
	if resp.Diagnostics.HasError() || !a.walk.ready(&resp.Diagnostics) {
		return
	}
	told, err := data.release(ctx, a.walk)
	if err != nil {
		addFindError(releaseNoun, err, &resp.Diagnostics)
		return
	}
	resp.SendProgress(tfaction.InvokeProgressEvent{Message: told})
}

// release releases the entry, and says what it did.
func (d releaseEmailData) release(ctx context.Context, w *walk) (string, error) {
	entry, told, err := d.find(ctx, w)
	if err != nil || entry == nil {
		return told, err
	}
	released, err := w.client.ReleaseEmail(ctx, client.NewKey(), entry.ID, d.Reason.ValueString())
	for _, v := range idmap.ViolationsOf(err) {
		if v.Code == idmap.CodeAlreadyReleased { // since it was found
			return v.Description, nil
		}
	}
	return fmt.Sprintf("Released %s. Its history stays in the ledger (id %s).", released.Address, released.ID), err
}

// names are what says which entry is meant.
func (d releaseEmailData) names() []attr.Value {
	return []attr.Value{d.EmailAssignmentID, d.ConnectionID, d.Email, d.Holder}
}

// find returns the entry to release and, in a sentence, what there is; a nil entry where there is nothing to do.
func (d releaseEmailData) find(ctx context.Context, w *walk) (*idmap.EmailAssignment, string, error) {
	if !d.EmailAssignmentID.IsNull() {
		id := d.EmailAssignmentID.ValueString()
		entry, err := w.client.EmailAssignment(ctx, id)
		if err != nil {
			return nil, "", notFound(err, fmt.Sprintf("entry of the address ledger with the id %q", id))
		}
		return unreleased(entry)
	}
	key, _ := idmap.CanonicalEmail(d.Email.ValueString()) // checked by readAction
	all, err := collect(w.client.EmailAssignments(ctx, idmap.EmailAssignmentFilter{ConnectionID: d.ConnectionID.ValueString(), AddressKey: key}))
	if err != nil {
		return nil, "", err
	}
	if len(all) == 0 {
		return nil, fmt.Sprintf("Nobody holds %s: the ledger has no entry of it.", d.Email.ValueString()), d.overlooked(ctx, w)
	}
	return d.choose(all)
}

// choose returns the entry of the holder out of all those of the address.
func (d releaseEmailData) choose(all []idmap.EmailAssignment) (*idmap.EmailAssignment, string, error) {
	mine := slices.DeleteFunc(slices.Clone(all), func(e idmap.EmailAssignment) bool { return !slices.ContainsFunc(e.Holders, d.isHolder) })
	if len(mine) > 0 {
		return unreleased(current(mine))
	}
	last := current(all)
	if last.Released == nil {
		return nil, "", &findError{"Address Held by Another", fmt.Sprintf(
			"%s The holder to release it from must be one of these, and %q is none. Correct the holder, or name the entry by its id: email_assignment_id = %q.",
			heldText(last), d.Holder.ValueString(), last.ID)}
	}
	return unreleased(last)
}

// current returns the entry that is not released, of which an address has at most one, or else the one that was released
// last. The order of the entries says nothing: it is that of their ids.
func current(entries []idmap.EmailAssignment) idmap.EmailAssignment {
	return slices.MaxFunc(entries, func(a, b idmap.EmailAssignment) int {
		switch {
		case a.Released == nil:
			return 1
		case b.Released == nil:
			return -1
		default:
			return a.Released.On.Compare(b.Released.On)
		}
	})
}

// isHolder reports whether the configuration means that holder. It may say what a refusal calls it. A blank means nobody:
// a holder need not have a user id, nor a name.
func (d releaseEmailData) isHolder(h idmap.EmailHolder) bool {
	named := idmap.Fold(d.Holder.ValueString())
	return named != "" && (d.Holder.ValueString() == h.AccountID() || named == idmap.Fold(h.UserID) || named == idmap.Fold(h.Name))
}

// unreleased returns the entry and whose it is, or, of one that was released, only who did that.
func unreleased(e idmap.EmailAssignment) (*idmap.EmailAssignment, string, error) {
	if r := e.Released; r != nil {
		return nil, fmt.Sprintf("%s was released by %s on %s already (id %s).", e.Address, r.By, r.On.Format(time.DateOnly), e.ID), nil
	}
	return &e, heldText(e), nil
}

func heldText(e idmap.EmailAssignment) string {
	holders := make([]string, len(e.Holders))
	for i, h := range e.Holders {
		holders[i] = fmt.Sprintf("%q", h.Label())
	}
	return fmt.Sprintf("%s has been that of %s since %s.", e.Address, strings.Join(holders, " and "), e.FirstSeenOn.Format(time.DateOnly))
}

// overlooked is the error of a connection that there is not: a name in the place of an id would find nothing to release.
func (d releaseEmailData) overlooked(ctx context.Context, w *walk) error {
	unknown, err := signInFilter{ConnectionID: d.ConnectionID}.unknownConnections(ctx, w)
	if err != nil {
		return err
	}
	return idmap.Refuse(unknown...)
}
