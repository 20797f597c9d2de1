package provider

import (
	"context"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userMappingPlan is one plan of an idmap_user_mapping. It asks the backend whether what is planned would be accepted,
// and holds it against the other mappings of the same walk. A plan that changes nothing asks nothing, so a
// configuration can be destroyed whatever else is wrong with it.
type userMappingPlan struct {
	walk      *walk
	config    userMappingModel
	plan      userMappingModel
	prior     *userMappingModel // nil for a create
	replacing string            // the mapping that a create replaces, if any
	token     string            // under which the plan claims
	diags     *diag.Diagnostics
}

// make completes the plan and checks it.
func (p *userMappingPlan) make(ctx context.Context) {
	p.planEmail()
	p.claimStored()
	switch {
	case p.prior == nil:
	case p.plan.settled(*p.prior):
		p.plan.Email = p.prior.Email
		return
	case p.plan.moved(*p.prior):
		return // a replacement: Terraform plans it again, as a create
	}
	if !p.plan.known() || !p.walk.checks() {
		return
	}
	if verdict, ok := p.ask(ctx); ok {
		p.take(verdict)
	}
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
func (p *userMappingPlan) take(verdict idmap.UserMappingVerdict) {
	called := userMappingNoun
	if p.prior != nil {
		called = called.stored()
	}
	called.addViolations(verdict.Violations, p.diags)
	called.addWarnings(verdict.Warnings, p.diags)
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
	if err != nil {
		return verdict, p.report(err)
	}
	if holder := p.ownHolder(verdict); holder != "" {
		return p.askBeside(ctx, holder, verdict)
	}
	return verdict, true
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
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: p.prior.ID.ValueString(), UserMapping: &wanted}
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

// touched returns the mappings by whose values directories are searched: as it is wanted, and as it was.
func (p *userMappingPlan) touched(wanted idmap.UserMapping) []idmap.UserMapping {
	all := []idmap.UserMapping{wanted}
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
func (p *userMappingPlan) ownHolder(verdict idmap.UserMappingVerdict) string {
	if p.prior != nil || p.replacing != "" || len(verdict.Violations) == 0 {
		return ""
	}
	holder := ""
	for _, v := range verdict.Violations {
		if v.Conflict == nil || v.Conflict.Kind != "user_mapping" || holder != "" && v.Conflict.ID != holder {
			return ""
		}
		holder = v.Conflict.ID
	}
	return holder
}

// askBeside asks again about a create that a mapping of the same content stands in the way of. Two things make it right
// all the same: that the create only repeats one whose answer was lost, or that the mapping is this resource's own,
// tainted one, which is deleted first. Either way the create takes the mapping for itself, so that a second resource of
// this configuration which has it is found out.
func (p *userMappingPlan) askBeside(ctx context.Context, holder string, refused idmap.UserMappingVerdict) (idmap.UserMappingVerdict, bool) {
	stored, err := p.walk.client.UserMapping(ctx, holder)
	switch {
	case idmap.IsNotFound(err): // deleted since: in an apply, by the resource that had it
		verdict, err := p.validate(ctx, p.intent(), "")
		return verdict, err == nil || p.report(err)
	case err != nil || !p.plan.says(stored):
		return refused, true
	}
	repeat := p.intent()
	repeat.IdempotencyKey = p.walk.mappingKey(p.plan)
	verdict, err := p.validate(ctx, repeat, "")
	if _, seen := p.walk.seenMapping(holder); err == nil && len(verdict.Violations) > 0 && seen && !p.walk.isLeaving(holder) {
		verdict, err = p.validate(ctx, p.intent(), holder)
	}
	if err != nil {
		return verdict, p.report(err)
	}
	if len(verdict.Violations) > 0 {
		return refused, true
	}
	p.claim(mappingClaim(holder))
	return verdict, true
}

// mappingKey returns the Idempotency-Key of the create.
func (w *walk) mappingKey(m userMappingModel) string { return w.requestKey("user_mapping", m.toAPI()) }
