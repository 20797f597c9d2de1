package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// mapResource is the life cycle of idmap_account_map and idmap_group_map, all but their schemas.
type mapResource struct {
	mapKind
	walk *walk
}

func (r *mapResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + string(r.kind)
}

func (r *mapResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Version: identityVersion, Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: "Id of the map."},
	}}
}

func (r *mapResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *mapResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	config, diags := r.decode(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	wire := config.toAPI(r.mapKind)
	for _, v := range rules.CheckMap(r.kind, wire.Map) {
		if config.judged(v) {
			wire.noun(r.mapKind).addViolations([]idmap.Violation{v}, &resp.Diagnostics)
		}
	}
}

func (r *mapResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.walk == nil {
		return
	}
	p := &mapPlan{walk: r.walk, kind: r.mapKind, config: req.Config, diags: &resp.Diagnostics}
	if !req.State.Raw.IsNull() {
		prior, diags := r.decode(ctx, req.State)
		resp.Diagnostics.Append(diags...)
		p.prior = &prior
	}
	if req.Plan.Raw.IsNull() {
		p.kind.noun().addViolations(r.walk.leaves(p.prior.ID.ValueString()), &resp.Diagnostics)
		p.checkDelete(ctx)
		return
	}
	var diags diag.Diagnostics
	p.plan, diags = r.decode(ctx, req.Plan)
	resp.Diagnostics.Append(diags...)
	p.replacing = remembered[string](ctx, resp.Private, replacingKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	p.revision = remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	p.foretold = remembered[bool](ctx, req.Private, foretoldKey, &resp.Diagnostics)
	p.sourceDefault = remembered[*idmap.Principal](ctx, req.Private, sourceDefaultKey, &resp.Diagnostics)
	if p.prior != nil {
		remember(ctx, resp.Private, replacingKey, p.prior.ID.ValueString(), &resp.Diagnostics)
	}
	p.check(ctx)
	if p.foretold {
		remember(ctx, resp.Private, foretoldKey, true, &resp.Diagnostics)
	}
}

func (r *mapResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan, diags := r.decode(ctx, req.Plan)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	wire := plan.toAPI(r.mapKind)
	key := r.walk.mapKey(r.mapKind, wire)
	defer r.walk.writes.begin(key)()
	created, warnings, err := r.create(ctx, key, plan, wire)
	if err != nil {
		wire.noun(r.mapKind).addError(err, &resp.Diagnostics)
	}
	if created.ID == "" {
		return
	}
	if !r.walk.writes.own(created.ID) {
		addCreatedTwice("name", r.kind.Entry()+" map "+created.Name, idmap.CodeNameInUse, &resp.Diagnostics)
		return
	}
	r.addWarnings(wire, plan.Name.ValueString(), warnings, &resp.Diagnostics)
	// Where there is an error all the same, the map is there in part: Terraform keeps it as tainted.
	plan.ID = types.StringValue(created.ID)
	r.put(ctx, objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}, created, plan)
}

// put stores a map that was read or written.
func (r *mapResource) put(ctx context.Context, sink objectSink, m idmap.Map, model mapModel) {
	sink.put(ctx, m.ID, m.Revision, r.encode(model))
	remember(ctx, sink.private, sourceDefaultKey, m.Source.Default, sink.diags)
	remember(ctx, sink.private, caseFreeKey, m.Exceptions != nil && m.Exclusions != nil && !caseMatters(m), sink.diags)
}

// create creates the map, as [userMappingResource.create] does. A server that does not say when it made an object repeats no
// answer either: what it answers is what this request made. The map may be there in spite of an error: then it has an ID.
func (r *mapResource) create(ctx context.Context, key string, plan mapModel, wire mapWire) (idmap.Map, []idmap.Violation, error) {
	wire.ID = ""
	began := time.Now()
	created, warnings, err := r.walk.client.CreateMap(ctx, r.kind, key, wire.Map)
	if err != nil || created.CreatedOn == nil || madeSince(began, created.CreatedOn) {
		return created, warnings, err
	}
	switch stored, err := r.walk.client.Map(ctx, r.kind, created.ID); {
	case idmap.IsNotFound(err), err == nil && !plan.says(r.mapKind, stored):
		return r.walk.client.CreateMap(ctx, r.kind, client.NewKey(), wire.Map)
	case err != nil:
		return created, nil, err
	default:
		return stored, nil, nil
	}
}

func (r *mapResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state, diags := r.decode(ctx, req.State)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	sink := objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}
	sink.identify(state.ID.ValueString())
	imported := state.Name.IsNull() // there is nothing yet that could stay as it is
	if imported && !r.walk.ready(&resp.Diagnostics) || !imported && !r.walk.refreshes() {
		return
	}
	m, err := r.walk.client.Map(ctx, r.kind, state.ID.ValueString())
	switch {
	case idmap.IsNotFound(err):
		r.walk.loses(r.resource(), state.Name.ValueString(), state.ID.ValueString())
		resp.State.RemoveResource(ctx)
	case err != nil && !imported && r.walk.excuse(err, &resp.Diagnostics):
	case err != nil:
		r.noun().addError(err, &resp.Diagnostics)
	default:
		r.walk.sawMap(m.ID)
		state.fromAPI(r.mapKind, m)
		r.put(ctx, sink, m, state)
	}
}

func (r *mapResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan, diags := r.decode(ctx, req.Plan)
	resp.Diagnostics.Append(diags...)
	revision := remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	sourceDefault := remembered[*idmap.Principal](ctx, req.Private, sourceDefaultKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	wire := plan.toAPI(r.mapKind)
	wire.Revision, wire.Source.Default = revision, sourceDefault
	updated, warnings, err := r.walk.client.UpdateMap(ctx, r.kind, wire.Map)
	if err != nil {
		wire.noun(r.mapKind).stored().addError(err, &resp.Diagnostics)
		return
	}
	r.addWarnings(wire, plan.Name.ValueString(), warnings, &resp.Diagnostics)
	r.put(ctx, objectSink{state: &resp.State, identity: resp.Identity, private: resp.Private, diags: &resp.Diagnostics}, updated, plan)
}

// addWarnings passes on what a write warns of, unless the plan of the same apply has said it.
func (r *mapResource) addWarnings(wire mapWire, name string, warnings []idmap.Violation, diags *diag.Diagnostics) {
	wire.noun(r.mapKind).addWarnings(r.walk.untold(namedObject{r.resource(), name}, warnings), diags)
}

func (r *mapResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state, diags := r.decode(ctx, req.State)
	resp.Diagnostics.Append(diags...)
	revision := remembered[int64](ctx, req.Private, revisionKey, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	wire := state.toAPI(r.mapKind)
	defer r.walk.writes.begin(r.walk.mapKey(r.mapKind, wire))()
	if r.walk.writes.owned(wire.ID) {
		return // the successor has taken it over
	}
	if err := r.walk.client.DeleteMap(ctx, r.kind, wire.ID, revision); err != nil {
		r.walk.writes.keep(wire.ID)
		r.noun().addError(err, &resp.Diagnostics)
	}
}

func (r *mapResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if req.ID == "" {
		resource.ImportStatePassthroughWithIdentity(ctx, path.Root("id"), path.Root("id"), req, resp)
		return
	}
	if !r.walk.ready(&resp.Diagnostics) {
		return
	}
	if id := r.findImported(ctx, req.ID, &resp.Diagnostics); id != "" {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	}
}

// findImported returns the id of the map of that id or name. It returns "" after an error.
func (r *mapResource) findImported(ctx context.Context, name string, diags *diag.Diagnostics) string {
	found, err := r.called(ctx, name)
	what := r.kind.Entry() + " map"
	switch {
	case err != nil:
		addFindError(r.noun(), err, diags)
	case len(found) == 0:
		diags.AddError("Object Not Found", fmt.Sprintf("There is no %s with the id or the name %q. Import takes either.", what, name))
	case len(found) > 1:
		diags.AddError("Import Is Ambiguous", fmt.Sprintf("There are %d %ss called %q. Import the one that you mean by its id:\n\n  %s",
			len(found), what, name, strings.Join(found, "\n  ")))
	default:
		return found[0]
	}
	return ""
}

// called returns the ids of the maps of that id or name. A DryvIQ platform may have several maps of one name.
func (r *mapResource) called(ctx context.Context, name string) ([]string, error) {
	if blank(name) {
		return nil, &findError{"Invalid Import ID", fmt.Sprintf("%q names no map: it is blank. The id or the name of a map is required.", name)}
	}
	if m, err := r.walk.client.Map(ctx, r.kind, name); !idmap.IsNotFound(err) {
		return []string{m.ID}, err
	}
	var ids []string
	for m, err := range r.walk.client.Maps(ctx, r.kind, client.MapFilter{Name: name}) {
		if err != nil {
			return nil, err
		}
		if m.Key() == idmap.Fold(name) { // a filter that is overlooked must not choose another one
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}
