package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ resource.ResourceWithConfigure      = (*connectionResource)(nil)
	_ resource.ResourceWithIdentity       = (*connectionResource)(nil)
	_ resource.ResourceWithValidateConfig = (*connectionResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*connectionResource)(nil)
	_ resource.ResourceWithImportState    = (*connectionResource)(nil)
)

func newConnectionResource() resource.Resource { return &connectionResource{} }

type connectionResource struct{ walk *walk }

func (r *connectionResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_connection"
}

func (r *connectionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version: connectionVersion,
		MarkdownDescription: "A directory of identities on one platform, such as a Microsoft 365 tenant or a Sales pod. User mappings link an account of one connection with an account of another.\n\n" +
			"The accounts and groups of the directory can be brought from files, which are uploaded when their content changes. Terraform's state keeps only a digest of them.\n\n" +
			"A replacement (another `platform`, `-replace`) also deletes the mappings and maps of the connection and makes them anew. The plan shows that, and cannot check what is made anew, since the new connection's id is known only after the apply: " +
			"make no other change of them in the same apply. Do not combine it with `create_before_destroy`: the successor needs the name that its predecessor still has.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Opaque id of the connection. It is known at plan where the name has not been used before, so that mappings can be checked in the same plan.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Name, unique among the connections of the backend without regard to case, at most %d characters.", rules.MaxConnectionNameLength),
				Required:            true,
			},
			"platform": schema.StringAttribute{
				MarkdownDescription: "Kind of the directory: `" + strings.Join(idmap.PlatformIDs(), "`, `") + "`. Another platform is another connection: it is replaced.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(idmap.PlatformIDs()...)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"authoritative": schema.BoolAttribute{
				MarkdownDescription: "Whether the directory knows everybody: an email or a user id that it does not know is then refused. Default: `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"mail_domain": schema.StringAttribute{
				MarkdownDescription: "Domain of the addresses of mappings whose email follows the username, such as `example.com`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"accounts_file": schema.StringAttribute{
				MarkdownDescription: "Path of a file with the accounts, as CSV (`.csv`) or JSON lines (`.jsonl`), with the fields `id`, `username`, `email`, `aliases`, `name`, `given_name`, `surname`, `user_type`, `disabled`, `admin`, `built_in`, `external` (a guest, who is at home in another organisation) and `sign_in_permitted` (whether the application permits the user to sign in through the integration; empty where that is not known). " +
					"Only `id` is required. `user_type` is `full`, `non_interactive`, `synchronized` or `stub` (owns records and never signs in). Where it is empty it is `full`; on `dynamics_crm` it is `stub`, so give it there. " +
					"In CSV `aliases` are separated by `;`, in JSON lines they are an array of strings. " +
					"The file replaces the accounts of the directory. It is checked at plan, and uploaded when its content changes or when somebody changed the directory behind Terraform's back. " +
					"Without it the accounts are left as they are.",
				Optional: true,
			},
			"accounts_sha256": schema.StringAttribute{
				MarkdownDescription: "SHA-256 of the accounts file that the directory came from. Null without `accounts_file`.",
				Computed:            true,
			},
			"groups_file": schema.StringAttribute{
				MarkdownDescription: "Path of a file with the groups, as CSV or JSON lines, with the fields `id`, `name`, `caption`, `addresses` (written like the aliases of accounts), `disabled` and `built_in`. Only `id` is required. Otherwise like `accounts_file`.",
				Optional:            true,
			},
			"groups_sha256": schema.StringAttribute{
				MarkdownDescription: "SHA-256 of the groups file that the directory came from. Null without `groups_file`.",
				Computed:            true,
			},
		},
	}
	addSignInSettings(resp.Schema.Attributes)
}

func (r *connectionResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Version: identityVersion, Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: "Id of the connection."},
	}}
}

func (r *connectionResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *connectionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config connectionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, v := range rules.CheckConnection(config.toAPI()) {
		if config.judged(v.Field) {
			connectionNoun.addViolations([]idmap.Violation{v}, &resp.Diagnostics)
		}
	}
}

func (r *connectionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.walk == nil {
		return
	}
	p := &connectionPlan{walk: r.walk, diags: &resp.Diagnostics}
	if !req.State.Raw.IsNull() {
		p.prior = &connectionModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, p.prior)...)
	}
	if req.Plan.Raw.IsNull() {
		r.walk.warnOfUsers(ctx, p.prior.ID.ValueString(), p.prior.Name.ValueString(), &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &p.plan)...)
	p.replacing = remembered[string](ctx, resp.Private, replacingKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if p.prior == nil {
		r.walk.warnOfUsers(ctx, p.replacing, p.plan.Name.ValueString(), &resp.Diagnostics)
	} else {
		remember(ctx, resp.Private, replacingKey, p.prior.ID.ValueString(), &resp.Diagnostics)
	}
	p.make(ctx)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, p.plan)...)
}

func (r *connectionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan connectionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	// Files first: one that cannot be uploaded should not leave a connection behind.
	files := uploads(r.walk.client, plan, connectionModel{}, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	key := r.walk.connectionKey(plan)
	defer r.walk.writes.begin(key)()
	created, err := r.create(ctx, key, plan)
	if err != nil {
		connectionNoun.addError(err, &resp.Diagnostics)
		return
	}
	if !r.walk.writes.own(created.ID) {
		addCreatedTwice("name", "connection "+created.Name, idmap.CodeNameInUse, &resp.Diagnostics)
		return
	}
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	written := plan
	written.fromAPI(created)
	sink.put(ctx, created.ID, created.Revision, written)
	if r.upload(ctx, sink, plan, created, files); resp.Diagnostics.HasError() {
		// Kept with an error it would be tainted, and the next apply would delete the connection to make it anew. The next
		// create finds it by its key, and takes up what was done.
		resp.State.RemoveResource(ctx)
		resp.Diagnostics.AddWarning("Connection Lacks Its Directory", fmt.Sprintf(
			"The connection %q was made, and is in the mapping backend (%s), but not all of its files were uploaded. Terraform does not have it in its state yet. "+
				"Once what the error says is put right, apply again: within a day that takes the connection up. Later, or to delete it, import it first:\n\n%s",
			created.Name, created.ID, importBlock(connectionNoun.resource, created.ID)))
	}
}

// create creates the connection, as [userMappingResource.create] does.
func (r *connectionResource) create(ctx context.Context, key string, plan connectionModel) (idmap.Connection, error) {
	began := time.Now()
	created, err := r.walk.client.CreateConnection(ctx, key, plan.toAPI())
	if err != nil || madeSince(began, created.CreatedOn) {
		return created, err
	}
	stored, err := r.walk.client.Connection(ctx, created.ID)
	if err == nil && !plan.says(stored) || idmap.IsNotFound(err) {
		return r.walk.client.CreateConnection(ctx, client.NewKey(), plan.toAPI())
	}
	return stored, err
}

func (r *connectionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state connectionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	sink.identify(state.ID.ValueString())
	imported := state.Name.IsNull() // there is nothing yet that could stay as it is
	if imported && !r.walk.ready(&resp.Diagnostics) || !imported && !r.walk.refreshes() {
		return
	}
	c, err := r.walk.client.Connection(ctx, state.ID.ValueString())
	switch {
	case idmap.IsNotFound(err):
		r.walk.loses(connectionNoun.resource, state.Name.ValueString(), state.ID.ValueString())
		resp.State.RemoveResource(ctx)
	case err != nil && !imported && r.walk.excuse(err, &resp.Diagnostics):
	case err != nil:
		connectionNoun.addError(err, &resp.Diagnostics)
	default:
		r.walk.sawConnection(c.ID)
		state.fromAPI(c)
		sink.put(ctx, c.ID, c.Revision, state)
	}
}

func (r *connectionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state connectionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	files := uploads(r.walk.client, plan, state, &resp.Diagnostics)
	wanted := plan.toAPI()
	wanted.Revision = remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	updated, err := r.walk.client.UpdateConnection(ctx, wanted)
	if err == nil {
		err = changedSincePlan(plan, state, wanted.Revision, updated)
	}
	if err != nil {
		connectionNoun.stored().addError(err, &resp.Diagnostics)
		return
	}
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	written := plan
	written.fromAPI(updated)
	sink.put(ctx, updated.ID, updated.Revision, written)
	r.upload(ctx, sink, plan, updated, files)
}

// changedSincePlan refuses an update where somebody else changed the connection, or its directory, after the plan had
// seen it. An update of the connection's own fields says so by itself. One that changes none of them succeeds at every
// revision, since it may be a repeated one, so what it returns must be the revision that the plan saw.
func changedSincePlan(plan, state connectionModel, seen int64, now idmap.Connection) error {
	own := !plan.says(state.toAPI()) // this update may have made a revision
	if seen == 0 || now.Revision == seen || own && now.Revision == seen+1 {
		return nil
	}
	return idmap.Refusef(idmap.CodeRevisionConflict, "",
		"The connection %q, or its directory, is at revision %d, and the plan was made for revision %d. Nothing was uploaded.", now.Name, now.Revision, seen)
}

// upload sends the files of a connection that was just written, and stores what it then is.
func (r *connectionResource) upload(ctx context.Context, sink objectSink, plan connectionModel, c idmap.Connection, files []upload) {
	if len(files) > 0 {
		r.sendAll(ctx, c, files, sink.diags)
		now, err := r.walk.client.Connection(ctx, c.ID)
		if err != nil {
			connectionNoun.addError(err, sink.diags)
			return
		}
		plan.fromAPI(now)
		sink.put(ctx, now.ID, now.Revision, plan)
	}
	if !sink.diags.HasError() {
		r.walk.arrived(c.ID)
	}
}

func (r *connectionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state connectionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	revision := remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	defer r.walk.writes.begin(r.walk.connectionKey(state))()
	if r.walk.writes.owned(state.ID.ValueString()) {
		return // the successor has taken it over
	}
	if err := r.walk.client.DeleteConnection(ctx, state.ID.ValueString(), revision); err != nil {
		connectionNoun.addError(err, &resp.Diagnostics)
	}
}

func (r *connectionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if req.ID == "" {
		resource.ImportStatePassthroughWithIdentity(ctx, path.Root("id"), path.Root("id"), req, resp)
		return
	}
	if !r.walk.ready(&resp.Diagnostics) {
		return
	}
	c, err := connectionByIDOrName(ctx, r.walk.client, req.ID)
	switch {
	case idmap.IsNotFound(err):
		resp.Diagnostics.AddError("Object Not Found", fmt.Sprintf("There is no connection with the id or the name %q. Import takes either.", req.ID))
	case err != nil:
		addFindError(connectionNoun, err, &resp.Diagnostics)
	default:
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), types.StringValue(c.ID))...)
	}
}

// connectionByIDOrName finds a connection by what people call it. A blank name is nobody's: as a filter it would select
// any connection.
func connectionByIDOrName(ctx context.Context, c *client.Client, name string) (idmap.Connection, error) {
	if blank(name) {
		return idmap.Connection{}, &findError{"Invalid Import ID", fmt.Sprintf("%q names no connection: it is blank. The id or the name of a connection is required.", name)}
	}
	found, err := c.Connection(ctx, name)
	if !idmap.IsNotFound(err) {
		return found, err
	}
	for found, err := range c.Connections(ctx, client.ConnectionFilter{Name: name}) {
		if err != nil || found.Key() == idmap.Fold(name) { // a filter that is overlooked must not choose another one
			return found, err
		}
	}
	return idmap.Connection{}, idmap.NotFound("connection", name)
}
