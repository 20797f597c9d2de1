package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ resource.ResourceWithConfigure      = (*userMappingsResource)(nil)
	_ resource.ResourceWithIdentity       = (*userMappingsResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*userMappingsResource)(nil)
	_ resource.ResourceWithImportState    = (*userMappingsResource)(nil)
	_ resource.ResourceWithValidateConfig = (*userMappingsResource)(nil)
)

func newUserMappingsResource() resource.Resource { return &userMappingsResource{} }

type userMappingsResource struct{ walk *walk }

func (r *userMappingsResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_user_mappings"
}

func (r *userMappingsResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	connectionID := func(which string) schema.StringAttribute {
		return schema.StringAttribute{
			MarkdownDescription: "Id of the " + which + ". Mappings of another connection are other mappings: the resource is replaced.",
			Required:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
		}
	}
	choice := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{MarkdownDescription: description, Optional: true, Computed: true, Default: booldefault.StaticBool(false)}
	}
	resp.Schema = schema.Schema{
		Version: userMappingsVersion,
		MarkdownDescription: "Links many accounts of a mail connection with accounts of an application connection: many `idmap_user_mapping` in one resource, in a fraction of the time.\n\n" +
			"The resource has the mappings that it lists, and no others: mappings of the same connections that it does not list are neither shown nor changed. " +
			"Each entry is checked at plan by the same rules as a resource of its own, and an error names its key. If some entries cannot be written at apply, the others are, and the state says what there is.\n\n" +
			"An email that moves to another key is a rename of that user: the mapping stays and gets the new user id. " +
			"Keys may also pass from one entry to another in one apply (chains, swaps) where the directory of the application calls the users so; without one, rename one user with each apply, to a key that no entry has. " +
			"An email that changes at a key may follow a rename of the same person. What would make a mapping another person's is refused: remove the entry and apply, then add the new one.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The ids of the two connections: `<source_connection_id>/<destination_connection_id>`.",
				Computed:            true,
			},
			"source_connection_id":      connectionID("mail connection"),
			"destination_connection_id": connectionID("application connection"),
			"mappings": schema.MapAttribute{
				MarkdownDescription: "Of each user id in the application the email of the person in the mail connection. With `null` the email follows the username, as in an `idmap_user_mapping` without `email`. " +
					"Another spelling of a user id or of an email (case, Unicode form, an `SMTP:` scheme) is no change. " +
					"Where both the old key and the new one have `null`, only the directory can tell a rename: write the new key once the mapping has followed it, or together with the new `accounts_file`. " +
					"Otherwise the old mapping is deleted, which ends its sessions, and a new one is made.",
				Required:    true,
				ElementType: types.StringType,
			},
			"adopt_existing": choice("Whether a mapping that exists already, exactly as an entry says, is taken over instead of refused: such as one that another resource has let go, or that a sign-in made. Default: `false`."),
			"keep_removed":   choice("Whether entries that are removed from `mappings` are only forgotten, and their mappings stay in the backend. When the whole resource is destroyed or replaced, the value of the last apply counts. Default: `false`."),
		},
	}
}

func (r *userMappingsResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	id := func(which string) identityschema.StringAttribute {
		return identityschema.StringAttribute{RequiredForImport: true, Description: "Id of the " + which + " connection."}
	}
	resp.IdentitySchema = identityschema.Schema{Version: identityVersion, Attributes: map[string]identityschema.Attribute{
		"source_connection_id": id("mail"), "destination_connection_id": id("application"),
	}}
}

func (r *userMappingsResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig holds every entry against the rules that need nothing but the entries. Validators of the attribute's
// elements would be called one by one, through reflection.
func (r *userMappingsResource) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	config, ok := takeMappings(req.Config.Raw, &resp.Diagnostics)
	if !ok {
		return
	}
	report := newEntryReport(&resp.Diagnostics)
	checkEntries(config.entries, checkForm, report)
	report.end()
}

func checkForm(e mappingEntry) []idmap.Violation {
	found := rules.CheckUserID(e.key)
	if !e.follows && !e.unknown {
		found = append(found, rules.CheckEmail(e.email)...)
	}
	return found
}

// takeMappings takes an object of Terraform. What it cannot take is a bug.
func takeMappings(raw tftypes.Value, diags *diag.Diagnostics) (userMappingsModel, bool) {
	m, err := userMappingsFrom(raw)
	if err != nil {
		diags.AddError("Unexpected Failure", "The resource cannot be read: "+err.Error()+". This is a bug of the provider.")
	}
	return m, err == nil
}

// mappingsSink is where a method of the resource puts the mappings.
type mappingsSink struct {
	state    *tfsdk.State
	identity *tfsdk.ResourceIdentity
	private  privateState
	diags    *diag.Diagnostics
}

func (s mappingsSink) put(ctx context.Context, m userMappingsModel, owned ownedMappings) {
	s.state.Raw = m.value(s.state.Schema.Type().TerraformType(ctx))
	s.identify(ctx, m)
	remember(ctx, s.private, ownedKey, owned, s.diags)
	s.diags.Append(s.private.SetKey(ctx, replacingKey, nil)...)
}

func (s mappingsSink) identify(ctx context.Context, m userMappingsModel) {
	source, destination := m.ends()
	s.diags.Append(s.identity.SetAttribute(ctx, path.Root("source_connection_id"), source)...)
	s.diags.Append(s.identity.SetAttribute(ctx, path.Root("destination_connection_id"), destination)...)
}

func (r *userMappingsResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state, ok := takeMappings(req.State.Raw, &resp.Diagnostics)
	owned := remembered[ownedMappings](ctx, req.Private, ownedKey, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	sink := mappingsSink{&resp.State, resp.Identity, resp.Private, &resp.Diagnostics}
	sink.identify(ctx, state)
	imported := state.Mappings.IsNull() // there is nothing yet that could stay as it is
	if imported && !r.walk.ready(&resp.Diagnostics) || !imported && !r.walk.refreshes() {
		return
	}
	report := newEntryReport(&resp.Diagnostics)
	defer report.end()
	entries, now, err := r.refresh(ctx, state, owned, imported, report)
	gone := false
	if err == nil && len(entries) == 0 {
		gone, err = r.hasNoConnections(ctx, state)
	}
	switch {
	case err != nil && !imported && r.walk.excuse(err, &resp.Diagnostics):
	case err != nil:
		userMappingsNoun.addError(err, &resp.Diagnostics)
	case gone:
		resp.State.RemoveResource(ctx)
	default:
		if changed := !sameEntries(entries, state.entries); changed || imported {
			state.setEntries(entries)
		}
		sink.put(ctx, state, now)
	}
}

func sameEntries(a, b []mappingEntry) bool { return slices.Equal(a, b) }

// hasNoConnections reports whether one of the connections is gone.
func (r *userMappingsResource) hasNoConnections(ctx context.Context, m userMappingsModel) (bool, error) {
	source, destination := m.ends()
	for _, id := range []string{source, destination} {
		if id == "" {
			return true, nil
		}
		if _, err := r.walk.client.Connection(ctx, id); err != nil {
			if idmap.IsNotFound(err) {
				return true, nil
			}
			return false, err
		}
	}
	return false, nil
}

// refresh returns the entries as the backend has them now, in the order of their keys, and which mappings they are.
func (r *userMappingsResource) refresh(
	ctx context.Context, state userMappingsModel, owned ownedMappings, imported bool, report *entryReport,
) ([]mappingEntry, ownedMappings, error) {
	if imported {
		return r.readAll(ctx, state)
	}
	had := make([]mappingEntry, 0, len(state.entries))
	ids := make([]string, 0, len(state.entries))
	for _, e := range state.entries {
		if o := owned[e.user]; o.ID != "" {
			had, ids = append(had, e), append(ids, o.ID)
		}
	}
	found, err := r.walk.mappingsByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	var behind []mappingChange
	entries, now := make([]mappingEntry, 0, len(had)), make(ownedMappings, len(had))
	for i, m := range found {
		if m == nil {
			r.walk.misses(state.missing(had[i], ids[i]))
			continue
		}
		r.walk.sawMapping(*m)
		e := entryOf(*m, had[i])
		if m.RenamedTo != "" {
			behind = append(behind, mappingChange{from: &e, owned: ownedMapping{ID: m.ID}})
		}
		entries, now[e.user] = append(entries, e), ownedMapping{m.ID, m.Revision, formerName(e, had[i], owned[had[i].user])}
	}
	r.warnBehind(ctx, behind, report)
	slices.SortFunc(entries, byKey)
	return entries, now, nil
}

// missing returns an entry whose mapping is gone, as the resource of a single mapping has it.
func (m userMappingsModel) missing(e mappingEntry, id string) userMappingModel {
	one := m.one(e)
	one.ID = types.StringValue(id)
	return one
}

// formerName returns what a user was called before a rename outside of Terraform.
func formerName(now, had mappingEntry, owned ownedMapping) string {
	switch {
	case now.user != had.user && now.user != idmap.Fold(owned.Former):
		return had.key
	case now.user != had.user:
		return ""
	}
	return owned.Former
}

// warnBehind warns of mappings that could not follow their users, as the resource of a single one does.
func (r *userMappingsResource) warnBehind(ctx context.Context, behind []mappingChange, report *entryReport) {
	for part := range slices.Chunk(behind, spelledOut) {
		report.tellAtOnce(part, func(c mappingChange, found *diag.Diagnostics) {
			m, _ := r.walk.seenMapping(c.owned.ID)
			if r.walk.bringsAccounts(m.Source.Connection.ID) || r.walk.bringsAccounts(m.Destination.Connection.ID) {
				return // the plan tells what becomes of it
			}
			found.AddWarning(renamedUser, fmt.Sprintf("The directory calls the user of this entry %q now, and the mapping of %s could not follow. %s",
				m.RenamedTo, m.Label(), (&userMappingResource{walk: r.walk}).whyBehind(ctx, m, fmt.Sprintf("write the key %q in place of %q", m.RenamedTo, c.key()), "")))
		})
	}
}

// readAll returns all mappings of the two connections, for an import.
func (r *userMappingsResource) readAll(ctx context.Context, state userMappingsModel) ([]mappingEntry, ownedMappings, error) {
	source, destination := state.ends()
	if source == "" || destination == "" {
		return nil, nil, nil
	}
	owned := ownedMappings{}
	var entries []mappingEntry
	for m, err := range r.walk.client.UserMappings(ctx, idmap.UserMappingFilter{SourceConnectionID: source, DestinationConnectionID: destination}) {
		if err != nil {
			return nil, nil, err
		}
		r.walk.sawMapping(m)
		r.walk.imports(m.ID)
		e := entryOf(m, mappingEntry{})
		entries, owned[e.user] = append(entries, e), ownedMapping{ID: m.ID, Revision: m.Revision}
	}
	slices.SortFunc(entries, byKey)
	return entries, owned, nil
}

func (r *userMappingsResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan, ok := takeMappings(req.Plan.Raw, &resp.Diagnostics)
	if !ok || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	w := newMappingsWrite(r.walk, plan, nil, nil, &resp.Diagnostics)
	w.make(ctx)
	failed := resp.Diagnostics.HasError()
	if failed && len(w.owned) == 0 {
		return // there is nothing yet, so nothing is tainted
	}
	plan.setEntries(w.entries())
	mappingsSink{&resp.State, resp.Identity, resp.Private, &resp.Diagnostics}.put(ctx, plan, w.owned)
	if failed {
		resp.Diagnostics.AddAttributeError(path.Root("mappings"), "Mappings Partly Created", fmt.Sprintf(
			"%d of %d entries were created, and the state has them. Terraform marks a resource whose creation failed as tainted, and would replace it: delete what was created, and create all. "+
				"To keep what was created and add only what is missing, run\n\n  terraform untaint ADDRESS\n\nwith the address of this resource, correct the entries above, and apply again.",
			len(w.owned), len(w.wanted)))
	}
}

func (r *userMappingsResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan, ok := takeMappings(req.Plan.Raw, &resp.Diagnostics)
	state, known := takeMappings(req.State.Raw, &resp.Diagnostics)
	owned := remembered[ownedMappings](ctx, req.Private, ownedKey, &resp.Diagnostics)
	if !ok || !known || resp.Diagnostics.HasError() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	w := newMappingsWrite(r.walk, plan, state.entries, owned, &resp.Diagnostics)
	w.make(ctx)
	if resp.Diagnostics.HasError() {
		plan.setEntries(w.entries())
	}
	mappingsSink{&resp.State, resp.Identity, resp.Private, &resp.Diagnostics}.put(ctx, plan, w.owned)
}

func (r *userMappingsResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state, ok := takeMappings(req.State.Raw, &resp.Diagnostics)
	owned := remembered[ownedMappings](ctx, req.Private, ownedKey, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() || state.Keep.ValueBool() || !r.walk.mayWrite(&resp.Diagnostics) {
		return
	}
	if len(owned) == 0 {
		found, err := r.tainted(ctx, state)
		if err != nil {
			userMappingsNoun.addError(err, &resp.Diagnostics)
			return
		}
		owned = found
	}
	none := state
	none.entries = nil
	w := newMappingsWrite(r.walk, none, state.entries, owned, &resp.Diagnostics)
	w.make(ctx)
	if resp.Diagnostics.HasError() {
		state.setEntries(w.entries())
		resp.State.Raw = state.value(resp.State.Schema.Type().TerraformType(ctx))
		remember(ctx, resp.Private, ownedKey, w.owned, &resp.Diagnostics)
	}
}

// tainted returns the mappings of a tainted resource, which Terraform deletes without the private state: those that are what
// the state says, in all of user, email and connections.
func (r *userMappingsResource) tainted(ctx context.Context, state userMappingsModel) (ownedMappings, error) {
	owned := make(ownedMappings, len(state.entries))
	for part := range slices.Chunk(state.entries, idmap.MaxBatch) {
		keys := make([]idmap.UserMappingKey, len(part))
		for i, e := range part {
			keys[i] = idmap.UserMappingKey{SourceConnectionID: state.Source.ValueString(), DestinationConnectionID: state.Destination.ValueString(), UserID: e.key}
		}
		found, err := r.walk.client.LookupUserMappings(ctx, keys)
		if err != nil {
			return nil, err
		}
		for i, m := range found {
			if m != nil && state.one(part[i]).says(*m) {
				owned[part[i].user] = ownedMapping{ID: m.ID, Revision: m.Revision}
			}
		}
	}
	return owned, nil
}
