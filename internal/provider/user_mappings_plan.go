package provider

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userMappingsPlan is one plan of an idmap_user_mappings. Entries that stay as they are cost no request, so a plan that
// changes nothing asks nothing. What changes is asked for in few calls, and held against the other mappings of the walk.
type userMappingsPlan struct {
	walk     *walk
	plan     userMappingsModel
	owned    ownedMappings
	going    map[string]bool // ids of the mappings that a replacement deletes
	asked    []*askedChange  // creates and updates, in the order of their keys
	leaving  []*askedChange  // deletes
	inTheWay map[string]idmap.UserMapping
	waited   bool // for the plans of other resources
	silent   bool // this plan is made again, which reports the refusals
	token    string
	report   *entryReport
	diags    *diag.Diagnostics
}

func (r *userMappingsResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.walk == nil {
		return
	}
	p := &userMappingsPlan{walk: r.walk, token: uuid.NewString(), report: newEntryReport(&resp.Diagnostics), diags: &resp.Diagnostics}
	defer p.report.end()
	p.owned = remembered[ownedMappings](ctx, resp.Private, ownedKey, &resp.Diagnostics)
	var prior *userMappingsModel
	if !req.State.Raw.IsNull() {
		state, ok := takeMappings(req.State.Raw, &resp.Diagnostics)
		if !ok {
			return
		}
		prior = &state
	}
	if req.Plan.Raw.IsNull() {
		p.leave(prior)
		return
	}
	plan, ok := takeMappings(req.Plan.Raw, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	p.plan = plan
	p.plan.identify()
	// Terraform plans a replacement in two calls, of which the second looks like a create.
	replaces := remembered[bool](ctx, resp.Private, replacingKey, &resp.Diagnostics)
	if prior != nil {
		remember(ctx, resp.Private, replacingKey, !prior.Keep.ValueBool(), &resp.Diagnostics)
	}
	p.make(ctx, prior, replaces)
	resp.Plan.Raw = p.plan.value(req.Plan.Raw.Type())
}

// leave plans that the resource is destroyed.
func (p *userMappingsPlan) leave(prior *userMappingsModel) {
	if prior.Keep.ValueBool() {
		return // its mappings stay
	}
	p.plan = *prior
	for _, e := range prior.entries {
		p.leaves(mappingChange{from: &e, owned: p.owned[e.user]})
	}
}

// leaves plans that a mapping is deleted, or may be, as long as keep_removed is not known.
func (p *userMappingsPlan) leaves(c mappingChange) {
	p.manages(c, p.plan.Keep.IsUnknown())
	p.report.refuse(c, p.walk.leaves(c.owned.ID))
}

// manages tells the walk of a mapping that the state has.
func (p *userMappingsPlan) manages(c mappingChange, kept bool) {
	p.report.managedTwice(p.plan.one(*c.from), c, p.walk.manages(c.owned.ID, kept))
}

// make completes the plan and checks it.
func (p *userMappingsPlan) make(ctx context.Context, prior *userMappingsModel, replaces bool) {
	moved := prior != nil && p.plan.moved(*prior)
	switch {
	case prior == nil || moved:
		p.replace(prior, replaces)
	case !p.plan.Mappings.IsKnown():
		return
	default:
		changes := changesOf(prior.entries, p.plan.entries, p.owned, p.calls)
		if changes.settled(p.plan.entries) {
			p.plan.Mappings, p.plan.entries = prior.Mappings, prior.entries // in the stored spelling
		}
		p.enter(ctx, changes)
	}
	known := !p.plan.Source.IsUnknown() && !p.plan.Destination.IsUnknown()
	// In an apply the writes come next, and are judged by the same rules.
	if p.silent = moved; !known || len(p.asked) == 0 || !p.walk.checks() || p.walk.isApplying() {
		return
	}
	if err := p.ask(ctx); err != nil {
		if !p.walk.excuse(err, p.diags) {
			userMappingsNoun.addError(err, p.diags)
		}
		return
	}
	for _, a := range p.asked {
		p.take(a)
	}
}

// replace plans that all entries are created, beside the deletion of what the resource has, if it replaces itself.
func (p *userMappingsPlan) replace(prior *userMappingsModel, replaces bool) {
	p.going = map[string]bool{}
	if prior != nil {
		for i, e := range prior.entries {
			c := mappingChange{from: &prior.entries[i], owned: p.owned[e.user]}
			p.manages(c, false)
			p.claim(e, "id:"+c.owned.ID, mappingClaim(c.owned.ID))
		}
		replaces = !prior.Keep.ValueBool()
	}
	if replaces {
		for _, o := range p.owned {
			p.going[o.ID] = true
		}
	}
	for _, c := range changesOf(nil, p.plan.entries, nil, p.calls).written {
		p.asks(c)
	}
}

// enter plans the changes of a resource that stays.
func (p *userMappingsPlan) enter(ctx context.Context, changes mappingChanges) {
	for _, c := range changes.kept {
		p.stays(c)
	}
	for _, c := range changes.written {
		if !c.creates() {
			p.stays(c)
		}
		p.asks(c)
	}
	for _, c := range changes.removed {
		if !p.plan.Keep.ValueBool() {
			p.leaves(c)
			p.leaving = append(p.leaving, &askedChange{mappingChange: c, intent: idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: c.owned.ID}})
		}
	}
	p.foresee(ctx, changes.kept)
}

func (p *userMappingsPlan) stays(c mappingChange) {
	p.manages(c, true)
	p.claim(*c.to, "id:"+c.owned.ID, mappingClaim(c.owned.ID))
}

func (p *userMappingsPlan) asks(c mappingChange) {
	p.asked = append(p.asked, &askedChange{mappingChange: c, intent: c.intent(p.plan)})
}

// calls returns what the user of an entry is to be called: what it was called before a rename that the configuration does
// not know of yet, or what a directory calls it: a new one of this walk, or one that the mapping could not follow.
func (p *userMappingsPlan) calls(_ mappingEntry, o ownedMapping) string {
	stored, _ := p.walk.seenMapping(o.ID)
	switch {
	case o.Former != "":
		return o.Former
	case !p.walk.bringsAccounts(p.plan.Destination.ValueString()):
		return stored.RenamedTo
	}
	if after, _ := p.walk.pendingAccount(stored.Destination); after != nil {
		return after.UserID()
	}
	return ""
}

// claim takes for an entry what only one mapping may have.
func (p *userMappingsPlan) claim(e mappingEntry, token string, keys ...string) {
	mine := claimantOf(p.plan.one(e).toAPI())
	if other, taken := p.walk.claim(token, mine, keys...); taken {
		p.report.claimedTwice(e.key, mine, other)
	}
}

// take enters the backend's verdict on a change into the plan.
func (p *userMappingsPlan) take(a *askedChange) {
	p.walk.tells(p.plan.one(*a.to).user(), a.verdict.Warnings)
	p.report.warn(a.mappingChange, a.verdict.Warnings)
	if p.silent || a.tooMany {
		return
	}
	var refused []idmap.Violation
	one := userMappingPlan{plan: p.plan.one(*a.to)}
	for _, v := range p.tellRemade(a, p.tellRename(a)) {
		if one.mayBePlanned(v) {
			v.Description += " If another provider block of this configuration (an alias) creates it, that is seen only at apply."
			userMappingsNoun.addWarnings([]idmap.Violation{v}, p.diags)
		} else {
			refused = append(refused, v)
		}
	}
	p.report.refuse(a.mappingChange, refused)
	if len(a.verdict.Violations) > 0 {
		return
	}
	token := p.token + ":" + a.to.user
	if !a.creates() {
		token = "id:" + a.owned.ID
	}
	p.claim(*a.to, token, append(a.takes, a.verdict.Claims...)...)
	if a.repeats != nil {
		p.report.existsAlready(a.key(), *a.repeats)
	}
	if a.adopts != nil {
		p.report.mayBeAdopted(a.key(), *a.adopts)
	}
}

// tellRemade is that of a single mapping: what was made in the place of the entry's own one is told as what it is.
func (p *userMappingsPlan) tellRemade(a *askedChange, found []idmap.Violation) []idmap.Violation {
	if a.inPlace == nil || len(found) == 0 {
		return found
	}
	old, gone := p.walk.missed(userOf(*a.inPlace))
	if !gone || old.user() != p.plan.one(*a.to).user() {
		return found
	}
	p.report.remade(a.key(), old, *a.inPlace, found)
	return nil
}

// tellRename says what the backend finds about a key of before as what it is, and returns what is left to say.
func (p *userMappingsPlan) tellRename(a *askedChange) []idmap.Violation {
	found := a.verdict.Violations
	if a.creates() || a.owned.Former == "" || a.to.user != idmap.Fold(a.owned.Former) || len(found) == 0 {
		return found
	}
	p.report.error(a.to.key, renamedUser, fmt.Sprintf(
		"The user of this entry was renamed from %q to %q since Terraform last wrote the mapping, and the configuration still has the key %q, so this plan goes back to it. %s\n\n"+
			"To keep the new name, write the key %q instead: then there is nothing to change.\n\nCode: %s",
		a.owned.Former, a.from.key, a.to.key, idmap.Sentences(found), a.from.key, codesOf(found)))
	return nil
}
