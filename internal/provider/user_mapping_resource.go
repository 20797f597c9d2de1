package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ resource.ResourceWithConfigure   = (*userMappingResource)(nil)
	_ resource.ResourceWithIdentity    = (*userMappingResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*userMappingResource)(nil)
	_ resource.ResourceWithImportState = (*userMappingResource)(nil)
)

func newUserMappingResource() resource.Resource { return &userMappingResource{} }

type userMappingResource struct{ walk *walk }

func (r *userMappingResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_user_mapping"
}

func (r *userMappingResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	connectionID := func(which string) schema.StringAttribute {
		return schema.StringAttribute{
			MarkdownDescription: "Id of the " + which + ". A mapping of another connection is another mapping: it is replaced.",
			Required:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
		}
	}
	pin := func(of, value string) schema.StringAttribute {
		return schema.StringAttribute{
			MarkdownDescription: "Pins the mapping to this account of the " + of + " connection: the " + value + " must belong to it. Without a pin the " + value + " alone says which account is meant.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		}
	}
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	resp.Schema = schema.Schema{
		Version: userMappingVersion,
		MarkdownDescription: "Links one account of a mail connection, by its email, with one account of an application connection, by its user id.\n\n" +
			"The accounts behind a mapping never change. Email and user id may follow a rename of the same person; a change that would make the mapping another person's is refused, at plan. " +
			"To map another person, remove the resource and add a new one. If you rename a resource, write a `moved` block. " +
			"Do not combine `create_before_destroy` with a replacement (`-replace`, `replace_triggered_by`, another connection): the successor needs the email that its predecessor still has.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Opaque id of the mapping.",
				Computed:            true,
				PlanModifiers:       keep,
			},
			"source_connection_id":      connectionID("mail connection"),
			"destination_connection_id": connectionID("application connection"),
			"email": schema.StringAttribute{
				MarkdownDescription: "Email of the person in the mail connection, a primary address or an alias. Another spelling of the same address (case, an `SMTP:` scheme, Unicode or IDNA form) is no change. " +
					"If left out, the email is the username at the mail connection's `mail_domain`, and follows a rename of the username. " +
					emailLengths(),
				CustomType:    foldedType[emailSpelling]{},
				Optional:      true,
				Computed:      true,
				Validators:    []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}},
				PlanModifiers: []planmodifier.String{keepSpelling[emailSpelling]{}},
			},
			"email_source": schema.StringAttribute{
				MarkdownDescription: "`explicit` if the email is given, `username` if it follows the username.",
				Computed:            true,
			},
			"user_id": schema.StringAttribute{
				MarkdownDescription: "User id in the application, such as a username. Another spelling of the same (case, Unicode form) is no change.",
				CustomType:          foldedType[userIDSpelling]{},
				Required:            true,
				Validators:          []validator.String{ruleValidator{rules.CheckUserID, "must be a user id"}},
				PlanModifiers:       []planmodifier.String{keepSpelling[userIDSpelling]{}},
			},
			"source_account_id":      pin("mail", "email"),
			"destination_account_id": pin("application", "user id"),
			"origin": schema.StringAttribute{
				MarkdownDescription: "What made the mapping: `api`, which includes Terraform, or `sign_in`, a user's first sign-in.",
				Computed:            true,
				PlanModifiers:       keep,
			},
		},
	}
}

func (r *userMappingResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Version: identityVersion, Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: "Id of the mapping."},
	}}
}

func (r *userMappingResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *userMappingResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	p := &userMappingPlan{walk: r.walk, diags: &resp.Diagnostics}
	if !req.State.Raw.IsNull() {
		prior := takeMapping(req.State.Raw, &resp.Diagnostics)
		p.prior = &prior
	}
	if r.walk == nil || resp.Diagnostics.HasError() {
		return
	}
	kept := !req.Plan.Raw.IsNull()
	if p.prior != nil {
		tellManagedTwice(*p.prior, r.walk.manages(p.prior.ID.ValueString(), kept), &resp.Diagnostics)
	}
	if !kept {
		userMappingNoun.addViolations(r.walk.leaves(p.prior.ID.ValueString()), &resp.Diagnostics)
		return
	}
	p.config = takeMapping(req.Config.Raw, &resp.Diagnostics)
	p.plan = takeMapping(req.Plan.Raw, &resp.Diagnostics)
	p.replacing = remembered[string](ctx, resp.Private, replacingKey, &resp.Diagnostics)
	p.former = remembered[string](ctx, resp.Private, formerUserKey, &resp.Diagnostics)
	p.revision = remembered[int64](ctx, resp.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if p.prior != nil {
		remember(ctx, resp.Private, replacingKey, p.prior.ID.ValueString(), &resp.Diagnostics)
	}
	p.make(ctx)
	resp.Plan.Raw = p.plan.value(req.Plan.Raw.Type())
}

func (r *userMappingResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := takeMapping(req.Plan.Raw, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	defer r.walk.writes.begin(plan.user().lock())()
	created, warnings, err := r.create(ctx, r.walk.mappingKey(plan), plan)
	if err != nil {
		userMappingNoun.addError(err, &resp.Diagnostics)
		return
	}
	if !r.walk.writes.own(created.ID) {
		addCreatedTwice("user_id", "the mapping of "+created.Label(), idmap.CodeUserAlreadyMapped, &resp.Diagnostics)
		return
	}
	r.addWarnings(plan.user(), warnings, &resp.Diagnostics)
	plan.fromAPI(created)
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	sink.put(ctx, created.ID, created.Revision, plan.value(req.Plan.Raw.Type()))
}

// create creates the mapping. An answer that is older than the request repeats that of an earlier run, and counts only if
// the mapping still is what is wanted; else the key has served its time.
func (r *userMappingResource) create(ctx context.Context, key string, plan userMappingModel) (idmap.UserMapping, []idmap.Violation, error) {
	began := time.Now()
	created, warnings, err := r.walk.client.CreateUserMapping(ctx, key, plan.toAPI())
	if err != nil || madeSince(began, created.CreatedOn) {
		return created, warnings, err
	}
	stored, err := r.walk.client.UserMapping(ctx, created.ID)
	if err == nil && !plan.says(stored) || idmap.IsNotFound(err) {
		return r.walk.client.CreateUserMapping(ctx, client.NewKey(), plan.toAPI())
	}
	if err != nil {
		return stored, nil, err
	}
	return stored, r.warningsNow(ctx, plan, stored.ID), nil
}

// warningsNow returns what there is to warn of a mapping that was made before, as if it were made now.
func (r *userMappingResource) warningsNow(ctx context.Context, plan userMappingModel, id string) []idmap.Violation {
	if !r.walk.checks() {
		return nil
	}
	wanted := plan.toAPI()
	verdicts, err := r.walk.client.ValidateUserMappings(ctx, []idmap.UserMappingIntent{
		{Operation: idmap.OperationCreate, UserMapping: &wanted}, {Operation: idmap.OperationDelete, ID: id},
	}, nil)
	if err != nil { // the mapping is there, whatever else there is to say
		return nil
	}
	return verdicts[0].Warnings
}

func (r *userMappingResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := takeMapping(req.State.Raw, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	sink.identify(state.ID.ValueString())
	imported := state.UserID.IsNull() // there is nothing yet that could stay as it is
	if imported && !r.walk.ready(&resp.Diagnostics) || !imported && !r.walk.refreshes() {
		return
	}
	m, err := r.walk.client.UserMapping(ctx, state.ID.ValueString())
	switch {
	case idmap.IsNotFound(err):
		r.walk.misses(state)
		resp.State.RemoveResource(ctx)
	case err != nil && !imported && r.walk.excuse(err, &resp.Diagnostics):
	case err != nil:
		userMappingNoun.addError(err, &resp.Diagnostics)
	default:
		r.walk.sawMapping(m)
		r.sawRename(ctx, state, m, resp.Private, &resp.Diagnostics)
		state.fromAPI(m)
		sink.put(ctx, m.ID, m.Revision, state.value(req.State.Raw.Type()))
	}
}

func (r *userMappingResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan := takeMapping(req.Plan.Raw, &resp.Diagnostics)
	state := takeMapping(req.State.Raw, &resp.Diagnostics)
	revision := remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	updated, warnings, err := r.update(ctx, plan, state, revision)
	if err != nil {
		userMappingNoun.stored().addError(err, &resp.Diagnostics)
		return
	}
	r.addWarnings(plan.user(), warnings, &resp.Diagnostics)
	plan.fromAPI(updated)
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	sink.put(ctx, updated.ID, updated.Revision, plan.value(req.Plan.Raw.Type()))
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, formerUserKey, nil)...) // what the user is called is the plan's doing now
}

// update writes what is planned, provided that the mapping is what the plan saw.
func (r *userMappingResource) update(ctx context.Context, plan, state userMappingModel, revision int64) (idmap.UserMapping, []idmap.Violation, error) {
	wanted := plan.toAPI()
	wanted.ID, wanted.Revision = state.ID.ValueString(), revision
	updated, warnings, err := r.walk.client.UpdateUserMapping(ctx, wanted)
	if now, same := r.sameAtRevision(ctx, err, state, plan); same {
		wanted.Revision = now
		return r.walk.client.UpdateUserMapping(ctx, wanted)
	}
	return updated, warnings, err
}

// sameAtRevision looks again at a mapping of which a write was refused because its revision changed. It is true where
// the mapping is what the plan showed, before or after: an upload of the directory in the same apply makes a revision when
// the mapping follows a rename.
func (r *userMappingResource) sameAtRevision(ctx context.Context, refusal error, state userMappingModel, shown ...userMappingModel) (int64, bool) {
	if !idmap.IsKind(refusal, idmap.KindRevision) {
		return 0, false
	}
	stored, err := r.walk.client.UserMapping(ctx, state.ID.ValueString())
	if err != nil {
		return 0, false
	}
	return stored.Revision, isShown(stored, append(shown, state)...)
}

// isShown reports whether the email and the user of a mapping are among what a plan showed.
func isShown(stored idmap.UserMapping, shown ...userMappingModel) bool {
	email := slices.ContainsFunc(shown, func(m userMappingModel) bool {
		return m.EmailSource.ValueString() == string(stored.EmailSource) && idmap.SameEmail(m.Email.ValueString(), stored.Email)
	})
	user := slices.ContainsFunc(shown, func(m userMappingModel) bool { return idmap.SameUserID(m.UserID.ValueString(), stored.UserID) })
	return email && user
}

// addWarnings passes on what a write warns of, unless the plan of the same apply has said it.
func (r *userMappingResource) addWarnings(of mappedUser, warnings []idmap.Violation, diags *diag.Diagnostics) {
	userMappingNoun.addWarnings(r.walk.untold(of, warnings), diags)
}

func (r *userMappingResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := takeMapping(req.State.Raw, &resp.Diagnostics)
	revision := remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	defer r.walk.writes.begin(state.user().lock())()
	id := state.ID.ValueString()
	if r.walk.writes.owned(id) {
		return // the successor has taken it over
	}
	err := r.walk.client.DeleteUserMapping(ctx, id, revision)
	if now, same := r.sameAtRevision(ctx, err, state); same {
		err = r.walk.client.DeleteUserMapping(ctx, id, now)
	}
	if err != nil {
		r.walk.writes.keep(id)
		userMappingNoun.addError(err, &resp.Diagnostics)
	}
}

func (r *userMappingResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !r.walk.ready(&resp.Diagnostics) {
		return
	}
	if req.ID == "" {
		resource.ImportStatePassthroughWithIdentity(ctx, path.Root("id"), path.Root("id"), req, resp)
	} else if id := r.findImported(ctx, req.ID, &resp.Diagnostics); id != "" {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	var id string
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, path.Root("id"), &id)...)
	r.walk.imports(id)
}

// emailLengths says how long an email may be, and on which platforms of either connection it must be shorter.
func emailLengths() string {
	var shorter []string
	for _, id := range idmap.PlatformIDs() {
		if p, _ := idmap.PlatformByID(id); p.EmailMax < idmap.MaxEmailLength {
			shorter = append(shorter, fmt.Sprintf("on `%s` %d", id, p.EmailMax))
		}
	}
	return fmt.Sprintf("It has at most %d characters, with a connection %s.", idmap.MaxEmailLength, strings.Join(shorter, ", "))
}
