package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mapPlan is one plan of an idmap_account_map or an idmap_group_map. Like [userMappingPlan], it asks the backend whether
// what is planned would be accepted, and what it would do. A plan that changes neither the map nor its directories asks
// nothing.
type mapPlan struct {
	walk      *walk
	kind      mapKind
	plan      mapModel
	prior     *mapModel // nil for a create
	replacing string    // the map that a create replaces, if any
	// sourceDefault is the default of the stored map's source, which an update keeps.
	sourceDefault *idmap.Principal
	revision      int64 // of the map as it was read last, which without a refresh is long ago; 0 for any
	foretold      bool  // the first plan of a replacement has given its warnings
	config        tfsdk.Config
	token         string // under which the plan claims
	wire          mapWire
	diags         *diag.Diagnostics
}

// foretoldKey is the key of private state under which the first plan of a replacement notes that it has given the warnings
// of both.
const foretoldKey = "foretold"

// check checks the plan.
func (p *mapPlan) check(ctx context.Context) {
	p.claimStored()
	p.claimName()
	switch {
	case p.diags.HasError():
		return
	case p.prior != nil && p.plan.unchanged(*p.prior):
		p.checkUnchanged(ctx)
		return
	case p.prior != nil && p.plan.moved(*p.prior):
		p.foretell(ctx) // Terraform plans a replacement again, as a create
		return
	}
	if !p.walk.checks() || p.onPlatform(ctx) {
		return
	}
	if !p.plan.known() {
		p.checkGoing(ctx, p.replacing)
		return
	}
	p.wire = p.plan.toAPI(p.kind)
	if verdict, ok := p.ask(ctx); ok {
		p.take(verdict)
	}
}

// foretell gives the warnings of a replacement, as which this plan is known already: Terraform shows none of the second
// plan. What refuses it, that one says.
func (p *mapPlan) foretell(ctx context.Context) {
	if !p.walk.checks() || p.onPlatform(ctx) {
		return
	}
	p.foretold = true
	going := p.prior.ID.ValueString()
	if !p.plan.known() {
		p.checkGoing(ctx, going)
		return
	}
	p.wire = p.plan.toAPI(p.kind)
	directories, ok := p.directories()
	if !ok {
		return
	}
	p.wire.ID = ""
	create := idmap.MapIntent{Operation: idmap.OperationCreate, Map: &p.wire.Map}
	verdict, err := p.validate(ctx, create, going, directories)
	if err != nil {
		p.report(err)
		return
	}
	p.called().addWarnings(verdict.Warnings, p.diags)
}

// checkDelete warns of what will refuse the deletion. It never refuses the plan: a job that uses the map may finish before
// the apply, and a destroy must not fail on checks.
func (p *mapPlan) checkDelete(ctx context.Context) {
	if p.walk.checks() && !p.onPlatform(ctx) {
		p.checkGoing(ctx, p.prior.ID.ValueString())
	}
}

// checkGoing does so for a map that goes away, if there is one.
func (p *mapPlan) checkGoing(ctx context.Context, id string) {
	if id == "" {
		return
	}
	verdicts, err := p.walk.client.ValidateMaps(ctx, p.kind.kind, []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: id}}, nil)
	if err != nil {
		p.walk.excuse(err, p.diags) // any other reason is for the apply to tell
		return
	}
	p.warnOfUse(verdicts[0])
}

// warnOfUse warns that jobs use the map that goes away. The second plan of a replacement that the first did not know of,
// such as with -replace, refuses it: a warning of it nobody would see.
func (p *mapPlan) warnOfUse(verdict idmap.MapVerdict) {
	for _, v := range inUse(verdict) {
		if p.replacing == "" || p.prior != nil || p.foretold {
			p.called().addWarnings([]idmap.Violation{v}, p.diags)
		} else {
			p.called().addViolations([]idmap.Violation{v}, p.diags)
		}
	}
}

// inUse returns what says that jobs use a map that is to be deleted.
func inUse(verdict idmap.MapVerdict) []idmap.Violation {
	return slices.DeleteFunc(slices.Clone(verdict.Violations), func(v idmap.Violation) bool { return v.Code != idmap.CodeMapInUse })
}

// claimStored takes the stored map, where there is one. Both plans of a replacement claim in its name.
func (p *mapPlan) claimStored() {
	id := p.replacing
	if p.prior != nil {
		id = p.prior.ID.ValueString()
	}
	if id == "" {
		p.token = uuid.NewString()
		return
	}
	p.token = "id:" + id
	p.claim(p.idClaim(id))
}

// claimName refuses two maps of one name in one configuration.
func (p *mapPlan) claimName() {
	if !p.plan.Name.IsUnknown() {
		p.claim(p.nameClaim())
	}
}

// nameClaim is the key of the map's name.
func (p *mapPlan) nameClaim() string {
	return string(p.kind.kind) + "|name|" + idmap.Fold(p.plan.Name.ValueString())
}

// idClaim is the key of a stored map: one resource has it.
func (p *mapPlan) idClaim(id string) string { return string(p.kind.kind) + ":" + id }

// claim takes for the planned map what only one may have.
func (p *mapPlan) claim(key string) {
	name := fmt.Sprintf("%q", p.plan.Name.ValueString())
	other, taken := p.walk.claim(p.token, claimant{what: name}, key)
	if !taken {
		return
	}
	words := fmt.Sprintf("Two %s maps of this configuration are called %s and %s, which is the same name: names are compared without regard to case.\n\n"+
		"If both are the same map, remove one of the two resources. If they are two maps, give one of them another name.", p.kind.kind.Entry(), name, other.what)
	if key != p.nameClaim() {
		words = fmt.Sprintf("Two resources of this configuration, %s and %s, claim one %s map: either both have it in the state, or one is to take the name that the other has until the apply.\n\n"+
			"If both are the same map, remove one of the two resources. To hand a name over, first apply the new name of the one that has it; then add the other.", name, other.what, p.kind.kind.Entry())
	}
	p.diags.AddAttributeError(path.Root("name"), "Claimed Twice", words+"\n\nCode: "+string(idmap.CodeNameInUse))
}

// onPlatform reports whether the server is a DryvIQ platform, which can check nothing at plan, and warns of it once in a
// walk. It is true as well where there was no answer.
func (p *mapPlan) onPlatform(ctx context.Context) bool {
	platform, err := p.walk.client.Platform(ctx)
	if err != nil {
		return !p.report(err)
	}
	if platform && p.walk.firstOnPlatform() {
		p.diags.AddWarning("Server Checks Nothing at Plan",
			"The server is a DryvIQ platform. It has no checks for a plan, and keeps no revisions: what it refuses is seen at apply, and a change that somebody else makes between plan and apply is overwritten.\n\n"+
				"It knows neither fuzzy.threshold nor external_users.resolve_first: what a map says there, it overlooks."+p.overlooked(ctx))
	}
	return platform
}

// overlooked says which of the options that a DryvIQ platform does not have are set in the configuration.
func (p *mapPlan) overlooked(ctx context.Context) string {
	var set []string
	if p.kind.accounts {
		var threshold types.Number
		p.diags.Append(p.config.GetAttribute(ctx, path.Root("fuzzy").AtName("threshold"), &threshold)...)
		if !threshold.IsNull() {
			set = append(set, "fuzzy.threshold")
		}
	}
	if flagOf(p.plan.ExternalUsers, "resolve_first") {
		set = append(set, "external_users.resolve_first")
	}
	if len(set) == 0 {
		return ""
	}
	return fmt.Sprintf(" The map %q sets %s.", p.plan.Name.ValueString(), strings.Join(set, " and "))
}

// ask asks the backend. It is false where there is no answer, which is reported.
func (p *mapPlan) ask(ctx context.Context) (idmap.MapVerdict, bool) {
	directories, ok := p.directories()
	if !ok {
		return idmap.MapVerdict{}, false
	}
	verdict, err := p.validate(ctx, p.intent(), p.replacing, directories)
	if err != nil {
		return verdict, p.report(err)
	}
	if holder := p.ownHolder(verdict); holder != "" {
		return p.askBeside(ctx, holder, verdict, directories)
	}
	return verdict, true
}

// report is always false: there is no verdict.
func (p *mapPlan) report(err error) bool {
	if !p.walk.excuse(err, p.diags) {
		p.called().addError(err, p.diags)
	}
	return false
}

// called is how the map is called in diagnostics.
func (p *mapPlan) called() noun {
	if p.prior != nil {
		return p.wire.noun(p.kind).stored().named(cmp.Or(p.wire.Name, p.prior.Name.ValueString()))
	}
	return p.wire.noun(p.kind).named(p.plan.Name.ValueString())
}

// intent is what Create or Update will ask for.
func (p *mapPlan) intent() idmap.MapIntent {
	if p.prior == nil {
		return idmap.MapIntent{Operation: idmap.OperationCreate, Map: &p.wire.Map}
	}
	p.wire.Source.Default = p.sourceDefault
	return idmap.MapIntent{Operation: idmap.OperationUpdate, ID: p.prior.ID.ValueString(), Revision: p.revision, Map: &p.wire.Map}
}

// validate asks for the verdict on the intent, beside the deletion of the map that goes away, if any. What will refuse that
// is only warned of, as checkDelete does.
func (p *mapPlan) validate(ctx context.Context, intent idmap.MapIntent, going string, directories []idmap.ProposedDirectory) (idmap.MapVerdict, error) {
	if going == "" {
		verdicts, err := p.walk.client.ValidateMaps(ctx, p.kind.kind, []idmap.MapIntent{intent}, directories)
		if err != nil {
			return idmap.MapVerdict{}, err
		}
		return verdicts[0], nil
	}
	verdict, deletion, err := p.validateBeside(ctx, intent, going, directories)
	if err == nil {
		p.warnOfUse(deletion)
	}
	return verdict, err
}

// validateBeside returns the verdict on the deletion as well.
func (p *mapPlan) validateBeside(ctx context.Context, intent idmap.MapIntent, going string, directories []idmap.ProposedDirectory) (verdict, deletion idmap.MapVerdict, err error) {
	intents := []idmap.MapIntent{intent, {Operation: idmap.OperationDelete, ID: going}}
	verdicts, err := p.walk.client.ValidateMaps(ctx, p.kind.kind, intents, directories)
	if err != nil {
		return verdict, deletion, err
	}
	return verdicts[0], verdicts[1], nil
}

// ownHolder returns the map that alone stands in the way of a create; "" if there is none. It can be the resource's own:
// made by an interrupted apply, or tainted.
func (p *mapPlan) ownHolder(verdict idmap.MapVerdict) string {
	if p.prior != nil || p.replacing != "" || len(verdict.Violations) != 1 {
		return ""
	}
	if c := verdict.Violations[0].Conflict; c != nil && c.Kind == string(p.kind.kind) {
		return c.ID
	}
	return ""
}

// askBeside asks again about a create that a map of the same name stands in the way of. As with user mappings, it is
// right all the same where it repeats a create whose answer was lost, and where the map is this resource's own, tainted
// one, which is deleted first and so may be anything.
func (p *mapPlan) askBeside(ctx context.Context, holder string, refused idmap.MapVerdict, directories []idmap.ProposedDirectory) (idmap.MapVerdict, bool) {
	stored, err := p.walk.client.Map(ctx, p.kind.kind, holder)
	switch {
	case idmap.IsNotFound(err): // deleted since: in an apply, by the resource that had it
		verdict, err := p.validate(ctx, p.intent(), "", directories)
		return verdict, err == nil || p.report(err)
	case err != nil:
		return refused, true
	}
	verdict, seen := refused, p.walk.seenMap(holder)
	if p.plan.says(p.kind, stored) {
		repeat := p.intent()
		repeat.IdempotencyKey = p.walk.mapKey(p.kind, p.wire)
		if verdict, err = p.validate(ctx, repeat, "", directories); err != nil {
			return verdict, p.report(err)
		}
	}
	if len(verdict.Violations) > 0 && (!seen || !p.walk.awaits(holder, refused.Violations)) {
		return refused, true
	}
	verdict, deletion, err := p.validateBeside(ctx, p.intent(), holder, directories)
	if err != nil {
		return verdict, p.report(err)
	}
	if used := inUse(deletion); len(used) > 0 {
		used[0].Description += " If the map's resource only has a new name, write a moved block from the old name to the new one."
		if !p.walk.awaits(holder, used) { // under another name, which cannot be deleted
			return idmap.MapVerdict{Violations: used}, true
		}
		p.warnOfUse(deletion)
	}
	p.claim(p.idClaim(holder))
	if !seen {
		p.addExistsAlready(stored)
	}
	return verdict, true
}

// addExistsAlready warns of a create that will take over a map instead of making one.
func (p *mapPlan) addExistsAlready(stored idmap.Map) {
	p.diags.AddAttributeWarning(path.Root("name"), "Map Exists Already", fmt.Sprintf(
		"There is a map %q, and it is as this configuration would make it. If an apply of this configuration was interrupted, or the resource was renamed, this one takes up what is there. "+
			"If another configuration made it, do not apply: both would own one map, and either could delete it. Remove it from the other configuration, then import it here:\n\n%s",
		stored.Name, importBlock(p.kind.resource(), stored.ID)))
}

// take reports the backend's verdict.
func (p *mapPlan) take(verdict idmap.MapVerdict) {
	for _, v := range verdict.Violations {
		if p.mayBePlanned(v) {
			v.Description += " If another provider block of this configuration (an alias) creates it, that is seen only at apply."
			p.called().addWarnings([]idmap.Violation{v}, p.diags)
		} else {
			v = p.walk.tellRemade(p.kind.resource(), p.plan.Name.ValueString(), v)
			p.called().addViolations([]idmap.Violation{v}, p.diags)
		}
	}
	p.walk.tells(namedObject{p.kind.resource(), p.plan.Name.ValueString()}, verdict.Warnings)
	p.called().addWarnings(verdict.Warnings, p.diags)
}

// mayBePlanned is that of [userMappingPlan].
func (p *mapPlan) mayBePlanned(v idmap.Violation) bool {
	named := map[string]string{
		"source.connection.id": p.plan.SourceConnectionID.ValueString(), "destination.connection.id": p.plan.DestinationConnectionID.ValueString(),
	}
	id, err := uuid.Parse(named[v.Field])
	return v.Code == idmap.CodeUnknownConnection && err == nil && id.Version() == 5
}

// mapKey returns the Idempotency-Key of the create.
func (w *walk) mapKey(k mapKind, wire mapWire) string {
	wire.ID = ""
	return w.requestKey(string(k.kind), wire.Map)
}
