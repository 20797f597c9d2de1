package plantruth

import (
	"strconv"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// isAnother is what comes of an entry of which neither the key nor the email stays.
const isAnother = "neither the key nor the email is that of the mapping as it is now, so the plan would delete it and create another one, which is refused with `email_previously_assigned`"

func otherSituations() []situation {
	return []situation{
		{
			head: "two states", does: "Another configuration on the same backend, with a state of its own, wants what breaks the rule.", by: byCreate,
			run: func(l *lab) {
				l.begin(isGood)
				second := l.another()
				second.try(trial{shape: isAgainst, otherwise: nothing})
				l.hears(second)
			},
		},
		{
			head: "bulk write", does: "While the apply of a create runs, others write at once, with the API's batch where it has one, what breaks the rule.", by: byTake, verdict: refusedAtApply,
			why: "the others wrote after the plan",
			run: func(l *lab) {
				// Of a warning a plan tells at the latest, so it must be brought about before that of the apply.
				l.try(trial{shape: isGood, between: func() {
					l.world.before = map[string]func(){
						"/validate": func() { l.takes(true) },
						"":          func() { l.takes(false) },
					}
				}})
			},
		},
		{
			head: "deleted outside", does: "Somebody deleted the object, and then others broke the rule, so that it cannot be made again.", by: byTake,
			run: func(l *lab) {
				l.begin(isGood)
				l.each(func(lane *lane) {
					lane.remove(lane.id())
					lane.isTaken()
				})
				l.try(trial{shape: isGood, otherwise: nothing})
			},
		},
		{
			head: "changed outside", does: "Somebody changed the object, and the configuration changes as well.", by: byUpdate,
			run: func(l *lab) {
				l.begin(isGood)
				l.each((*lane).changes)
				l.try(trial{shape: isUpdated, otherwise: isChanged})
			},
			but: map[string]exception{
				"another spelling":                         {changes, "the plan undoes what the others changed"},
				userMapping + " opted_out":                 {otherwise, "the plan also undoes what the others did to the email, so that does not stay; it warns of `unproven_rename`"},
				userMappings + " opted_out":                {otherRefusal, isAnother},
				userMappings + " unproven_rename of a key": {otherRefusal, isAnother},
			},
		},
		{
			head: "sign-in", does: "A sign-in made the mapping before Terraform did. It is imported and changed; of the rules about another mapping, a new resource stands against it.", by: bySignIn,
			run: func(l *lab) {
				l.each((*lane).signsIn)
				l.try(trial{shape: isAgainstSignIn, otherwise: func(lane *lane) string { return isImported(lane, lane.good) }})
			},
			but: map[string]exception{
				userMappings + " opted_out":                                    {otherRefusal, isAnother},
				userMappings + " email_previously_assigned of a removed entry": {otherwise, "the other entry is not there yet, so nobody has its email; the plan warns of `unproven_rename`"},
			},
		},
	}
}

// isAgainst is what breaks the rule beside the good values of another configuration.
func isAgainst(l *lane) string {
	switch {
	case l.pair != nil:
		l.broken = true
		return l.block(l.pair[1]).String()
	case l.create != nil:
		return l.block(l.besideGood()).String()
	}
	return l.block(l.second()).String()
}

// hears takes over what another configuration was told.
func (l *lab) hears(other *lab) {
	for i, lane := range other.lanes {
		l.lanes[i].told, l.lanes[i].broken = lane.told, lane.broken
	}
}

// takes turns the world in the lanes of warnings, or in those of refusals.
func (l *lab) takes(warnings bool) {
	l.each(func(lane *lane) {
		if lane.warns == warnings {
			lane.isTaken()
		}
	})
}

// isTaken turns the world while the resource is not there.
func (l *lane) isTaken() {
	if l.take != nil {
		l.brings(l.take)
	}
}

// changes is a change of the object of the lane behind Terraform's back.
func (l *lane) changes() {
	l.t.Helper()
	if !l.isMapping() {
		changedByOthers(l)
		return
	}
	m, err := l.server.Client.UserMapping(l.ctx, l.id())
	l.must(err)
	m.Email = "jane.third@example.com"
	_, _, err = l.server.Client.UpdateUserMapping(l.ctx, m)
	l.must(err)
}

// isChanged is the configuration that takes over what changes did.
func isChanged(l *lane) string {
	if l.isMapping() {
		return l.block(l.good.with(values{"email": quoted("jane.third@example.com")})).String()
	}
	return l.block(l.good.with(values{"unmapped_policy": quoted("fail")})).String()
}

// signsIn lets the user of a mapping sign in, which makes it.
func (l *lane) signsIn() {
	l.t.Helper()
	if !l.isMapping() {
		return
	}
	email, err := strconv.Unquote(l.good["email"])
	l.must(err)
	user, err := strconv.Unquote(l.good["user_id"])
	l.must(err)
	answer, err := l.server.Client.SignIn(l.ctx, client.NewKey(), idmap.SignInAttempt{
		Source: idmap.SignInEnd{Connection: idmap.Ref{ID: l.source}}, Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: l.destination}}, Email: email, UserID: user,
	})
	l.must(err)
	if answer.UserMapping == nil {
		l.t.Fatalf("%s: the sign-in made no mapping: %+v", l.key, answer)
	}
	l.known = answer.UserMapping.ID
}

func isAgainstSignIn(l *lane) string {
	switch {
	case !l.isMapping():
		return isGood(l)
	case l.pair != nil:
		l.broken = true
		return l.block(l.pair[1]).String()
	}
	return isImported(l, l.wants(l.update))
}

func isImported(l *lane, wanted values) string {
	if !l.isMapping() {
		return isGood(l)
	}
	return l.block(wanted).String() + "import {\n  to = " + l.address() + "\n  id = " + strconv.Quote(l.importID()) + "\n}\n"
}
