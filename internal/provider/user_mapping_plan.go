package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userMappingPlan is one plan of an idmap_user_mapping. It asks the backend whether what is planned would be accepted,
// and holds it against the other mappings of the same walk. A plan that changes nothing asks nothing, so a
// configuration can be destroyed whatever else is wrong with it; but a user whom a new directory renames is told of.
type userMappingPlan struct {
	walk      *walk
	config    userMappingModel
	plan      userMappingModel
	prior     *userMappingModel // nil for a create
	replacing string            // the mapping that a create replaces, if any
	former    string            // the user id before a rename outside of Terraform, if any
	revision  int64             // of the mapping as it was read last, which without a refresh is long ago; 0 for any
	token     string            // under which the plan claims
	inTheWay  []idmap.UserMapping
	diags     *diag.Diagnostics

	entry    string                             // the key, where the mapping is an entry of an idmap_user_mappings
	accounts map[directoryAccount]idmap.Account // that were read already
}

// make completes the plan and checks it.
func (p *userMappingPlan) make(ctx context.Context) {
	p.planEmail()
	p.claimStored()
	switch {
	case p.prior == nil:
	case p.plan.settled(*p.prior):
		p.plan.Email = p.prior.Email
		p.foresee(ctx)
		return
	case p.plan.moved(*p.prior):
		p.foretell(ctx) // Terraform plans a replacement again, as a create
		return
	}
	// In an apply the write comes next, and is judged by the same rules: asking before it as well would double the requests.
	// An email that follows the username has to be asked for, since the plan may have shown it.
	judgedAnyway := p.walk.isApplying() && !p.plan.Email.IsUnknown()
	if !p.plan.known() || !p.walk.checks() || judgedAnyway {
		return
	}
	if verdict, ok := p.ask(ctx); ok {
		p.take(ctx, verdict)
	}
}

// foretell gives the warnings of a replacement, as which this plan is known already: Terraform shows none of the second
// plan. What refuses it, that one says.
func (p *userMappingPlan) foretell(ctx context.Context) {
	if !p.plan.known() || !p.walk.checks() {
		return
	}
	wanted := p.plan.toAPI()
	create := idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &wanted}
	verdict, err := p.validate(ctx, create, p.prior.ID.ValueString())
	if err != nil {
		p.report(err)
		return
	}
	userMappingNoun.addWarnings(verdict.Warnings, p.diags)
}

// mayBePlanned reports whether a connection that does not exist may be planned by another alias of the provider, which
// runs in a process of its own: its id was made from a name, as ids are in a plan.
func (p *userMappingPlan) mayBePlanned(v idmap.Violation) bool {
	named := map[string]string{
		"source.connection.id": p.plan.SourceConnectionID.ValueString(), "destination.connection.id": p.plan.DestinationConnectionID.ValueString(),
	}
	id, err := uuid.Parse(named[v.Field])
	return v.Code == idmap.CodeUnknownConnection && err == nil && id.Version() == 5
}

// planEmail plans where the email comes from, which the configuration alone says.
func (p *userMappingPlan) planEmail() {
	switch {
	case p.config.Email.IsUnknown():
		p.plan.EmailSource = types.StringUnknown()
	case p.config.Email.IsNull():
		p.plan.EmailSource = types.StringValue(string(idmap.EmailFromUsername))
		p.plan.Email = unknownFolded[emailSpelling]()
	default:
		p.plan.EmailSource = types.StringValue(string(idmap.EmailExplicit))
	}
}

// take enters the backend's verdict into the plan.
func (p *userMappingPlan) take(ctx context.Context, verdict idmap.UserMappingVerdict) {
	called := userMappingNoun
	if p.prior != nil {
		called = called.stored()
	}
	var refused []idmap.Violation
	for _, v := range p.tellRemade(ctx, p.tellRename(verdict.Violations, p.diags.AddAttributeError)) {
		if p.mayBePlanned(v) {
			v.Description += " If another provider block of this configuration (an alias) creates it, that is seen only at apply."
			called.addWarnings([]idmap.Violation{v}, p.diags)
		} else {
			refused = append(refused, v)
		}
	}
	called.addViolations(refused, p.diags)
	p.walk.tells(p.plan.user(), verdict.Warnings)
	called.addWarnings(p.tellRename(verdict.Warnings, p.diags.AddAttributeWarning), p.diags)
	m := verdict.UserMapping
	if m == nil || len(verdict.Violations) > 0 {
		return
	}
	if p.plan.Email.IsUnknown() {
		p.plan.Email = folded[emailSpelling](m.Email)
	}
	p.claim(verdict.Claims...)
}

// claimStored takes the stored mapping, where there is one. Both plans of a replacement claim in its name.
func (p *userMappingPlan) claimStored() {
	id := p.replacing
	if p.prior != nil {
		id = p.prior.ID.ValueString()
	}
	if id == "" {
		p.token = uuid.NewString()
		return
	}
	p.token = "id:" + id
	p.claim(mappingClaim(id))
}

// claim takes for the planned mapping what only one may have.
func (p *userMappingPlan) claim(keys ...string) {
	m := p.plan.toAPI()
	m.Email = p.plan.Email.ValueString()
	if other, taken := p.walk.claim(p.token, claimantOf(m), keys...); taken {
		addMappingClaimedTwice(claimantOf(m), other, p.diags)
	}
}

// mappingClaim is the key of a stored mapping: one resource has it.
func mappingClaim(id string) string { return "user_mapping:" + id }

// ask asks the backend. It is false where there is no answer, which is reported.
func (p *userMappingPlan) ask(ctx context.Context) (idmap.UserMappingVerdict, bool) {
	verdict, err := p.validate(ctx, p.intent(), p.replacing)
	if err == nil && p.isPassed(ctx, verdict.Violations) {
		verdict, err = p.validate(ctx, p.intent(), p.replacing)
	}
	if err == nil && p.followHolders(ctx, verdict) {
		verdict, err = p.validate(ctx, p.intent(), p.replacing)
	}
	if err != nil {
		return verdict, p.report(err)
	}
	if holder := p.ownHolder(verdict.Violations); holder != "" {
		return p.askBeside(ctx, holder, verdict)
	}
	return verdict, true
}

// followHolders looks at the mappings that stand in the way where the plan brings a new directory: their users may have
// other names in it, so it is worth asking again with what the directory says of them.
func (p *userMappingPlan) followHolders(ctx context.Context, refused idmap.UserMappingVerdict) bool {
	if len(p.walk.proposals(p.plan.toAPI())) == 0 {
		return false
	}
	for _, v := range refused.Violations {
		if v.Conflict == nil || v.Conflict.Kind != "user_mapping" || v.Conflict.ID == "" {
			continue
		}
		if m, err := p.walk.client.UserMapping(ctx, v.Conflict.ID); err == nil {
			p.inTheWay = append(p.inTheWay, m)
		}
	}
	return len(p.inTheWay) > 0
}

func (p *userMappingPlan) report(err error) bool {
	if !p.walk.excuse(err, p.diags) {
		userMappingNoun.addError(err, p.diags)
	}
	return false
}

// intent is what Create or Update will ask for.
func (p *userMappingPlan) intent() idmap.UserMappingIntent {
	wanted := p.plan.toAPI()
	if p.prior == nil {
		return idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &wanted}
	}
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: p.prior.ID.ValueString(), Revision: p.revision, UserMapping: &wanted}
}

// isPassed reports whether the mapping has changed since it was read, and yet is what the plan shows, before or after. So
// it is when an upload of the directory in the same apply makes it follow a rename; then any revision will do.
func (p *userMappingPlan) isPassed(ctx context.Context, refused []idmap.Violation) bool {
	if !slices.ContainsFunc(refused, func(v idmap.Violation) bool { return v.Code == idmap.CodeRevisionConflict }) {
		return false
	}
	stored, err := p.walk.client.UserMapping(ctx, p.prior.ID.ValueString())
	if err != nil || !isShown(stored, p.plan, *p.prior) {
		return false
	}
	p.revision = 0
	return true
}

// validate asks for the verdict on the intent, beside the deletion of the mapping that goes away, if any.
func (p *userMappingPlan) validate(ctx context.Context, intent idmap.UserMappingIntent, going string) (idmap.UserMappingVerdict, error) {
	intents := []idmap.UserMappingIntent{intent}
	if going != "" {
		intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: going})
	}
	verdicts, err := p.walk.client.ValidateUserMappings(ctx, intents, p.walk.proposals(p.touched(*intent.UserMapping)...))
	if err != nil {
		return idmap.UserMappingVerdict{}, err
	}
	return verdicts[0], nil
}

// touched returns the mappings by whose values directories are searched: as it is wanted, as it was, and those that stand
// in its way.
func (p *userMappingPlan) touched(wanted idmap.UserMapping) []idmap.UserMapping {
	all := append([]idmap.UserMapping{wanted}, p.inTheWay...)
	if p.prior != nil {
		all = append(all, p.prior.toAPI())
		if stored, seen := p.walk.seenMapping(p.prior.ID.ValueString()); seen {
			all = append(all, stored)
		}
	}
	return all
}

// ownHolder returns the mapping that alone stands in the way of a create; "" if there is none. It can be the resource's
// own: made by an interrupted apply, or tainted.
func (p *userMappingPlan) ownHolder(refused []idmap.Violation) string {
	if p.prior != nil || p.replacing != "" {
		return ""
	}
	holder := ""
	for _, v := range refused {
		if v.Conflict == nil || v.Conflict.Kind != "user_mapping" || holder != "" && v.Conflict.ID != holder {
			return ""
		}
		holder = v.Conflict.ID
	}
	return holder
}

// askBeside asks again about a create that a mapping of the same content stands in the way of. Two things make it right
// all the same: that the create only repeats one whose answer was lost, or that the mapping is this resource's own,
// tainted one, which is deleted first. Either way the create is judged as one beside the deletion of the mapping, and
// takes that for itself, so that a second resource of this configuration which has it is found out. A mapping that this
// configuration is not known to have can be another one's, as requestKey says: of that the plan warns.
func (p *userMappingPlan) askBeside(ctx context.Context, holder string, refused idmap.UserMappingVerdict) (idmap.UserMappingVerdict, bool) {
	stored, err := p.walk.client.UserMapping(ctx, holder)
	switch {
	case idmap.IsNotFound(err): // deleted since: in an apply, by the resource that had it
		verdict, err := p.validate(ctx, p.intent(), "")
		return verdict, err == nil || p.report(err)
	case err != nil:
		return refused, true
	case !p.plan.says(stored):
		return p.askInPlaceOf(ctx, holder, refused)
	}
	repeat := p.intent()
	repeat.IdempotencyKey = p.walk.mappingKey(p.plan)
	verdict, err := p.validate(ctx, repeat, "")
	if err != nil {
		return verdict, p.report(err)
	}
	_, seen := p.walk.seenMapping(holder)
	if len(verdict.Violations) > 0 && (!seen || !p.walk.awaits(holder, refused.Violations)) {
		return refused, true
	}
	if verdict, err = p.validate(ctx, p.intent(), holder); err != nil {
		return verdict, p.report(err)
	}
	p.claim(mappingClaim(holder))
	if !seen {
		addMappingExistsAlready(stored, p.diags)
	}
	return verdict, true
}

// askInPlaceOf asks again about a create that a mapping of other content stands in the way of: that is right only where the
// mapping is this resource's own, tainted one. The create takes the mapping for itself, so that a resource which has it after
// all is found out.
func (p *userMappingPlan) askInPlaceOf(ctx context.Context, holder string, refused idmap.UserMappingVerdict) (idmap.UserMappingVerdict, bool) {
	_, seen := p.walk.seenMapping(holder)
	if !seen || p.walk.isPlanned(ctx, holder) || !p.walk.awaits(holder, refused.Violations) {
		return refused, true
	}
	verdict, err := p.validate(ctx, p.intent(), holder)
	if err != nil {
		return verdict, p.report(err)
	}
	p.claim(mappingClaim(holder))
	return verdict, true
}

// addMappingExistsAlready warns of a create that will take over a mapping instead of making one.
func addMappingExistsAlready(stored idmap.UserMapping, diags *diag.Diagnostics) {
	diags.AddAttributeWarning(path.Root("user_id"), "Mapping Exists Already", fmt.Sprintf(
		"The mapping of %s exists, and is as this configuration would make it. If an apply of this configuration was interrupted, or the resource was renamed, this one takes up what is there. "+
			"If another configuration made it, do not apply: both would own one mapping, and either could delete it. Remove it from the other configuration, then import it here:\n\n%s",
		stored.Label(), importBlock(userMappingNoun.resource, stored.ID)))
}

// mappingKey returns the Idempotency-Key of the create.
func (w *walk) mappingKey(m userMappingModel) string { return w.requestKey("user_mapping", m.toAPI()) }
