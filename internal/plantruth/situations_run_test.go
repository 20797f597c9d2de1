package plantruth

import "sync"

// caseCounts is why a plan without a refresh has a change.
const caseCounts = "the provider learns only from a refresh after the last write whether the map names somebody by an id, in which letter case counts. Until then a new spelling is shown as a change"

func runSituations() []situation {
	created := func(options ...string) func(*lab) {
		return func(l *lab) { l.try(trial{shape: isBeside, otherwise: nothing, options: options}) }
	}
	return []situation{
		{
			head: "`-target`", does: "Each new resource is a target of the plan.", by: byCreate,
			run: func(l *lab) {
				l.try(trial{shape: isCreated, otherwise: nothing, option: func(lane *lane) []string { return []string{"-target=" + lane.address()} }})
			},
		},
		{
			head: "`-refresh=false`", does: "An update is planned with `-refresh=false`. For `revision_conflict`, others have changed the object before.", by: byUnseen, run: func(l *lab) {
				l.begin(isGood)
				l.try(trial{shape: isUnseen, options: []string{"-refresh=false"}})
			},
			but: map[string]exception{
				accountMap + " another spelling": {changes, caseCounts},
				groupMap + " another spelling":   {changes, caseCounts},
			},
		},
		{
			head: "`-refresh-only`", does: "`terraform plan -refresh-only`, and meanwhile others have changed what the rule looks at.", by: byTurn, verdict: passes, why: nothingPlanned, still: true,
			run: begun(isGood, trial{shape: isGood, options: []string{"-refresh-only"}}),
		},
		{
			head: "saved plan", does: "A plan is made and saved, then others break the rule, then the plan is applied.", by: byLate, verdict: refusedAtApply,
			why: "the plan was made before",
			run: func(l *lab) {
				isLate := func(lane *lane) bool { return lane.take == nil && lane.late != nil }
				l.begin(func(lane *lane) string {
					if isLate(lane) {
						return isGood(lane)
					}
					return ""
				})
				l.try(trial{
					shape: func(lane *lane) string {
						if isLate(lane) {
							return lane.block(lane.good.with(lane.late.to)).String()
						}
						return isGood(lane)
					},
					between: func() {
						l.each(func(lane *lane) {
							if isLate(lane) {
								lane.brings(lane.late.world)
								lane.drifts = lane.code == "revision_conflict"
							} else {
								lane.isTaken()
							}
						})
					},
				})
			},
		},
		{head: "`-parallelism=1`", does: "As \"two resources\", with `-parallelism=1`.", by: byCreate, run: created("-parallelism=1")},
		{head: "`-parallelism=50`", does: "As \"two resources\", with `-parallelism=50`.", by: byCreate, run: created("-parallelism=50")},
		{
			head: "two at once", does: "Two applies of one configuration and one state at once, with `-lock=false` in `TF_CLI_ARGS`.", by: byCreate,
			run: func(l *lab) {
				l.space.Env = append(l.space.Env, "TF_CLI_ARGS=-lock=false")
				l.try(trial{shape: isCreated, otherwise: nothing, apply: l.applyTwice})
			},
		},
		{
			head: "two aliases", does: "As \"two resources\", where the second one belongs to another alias of the provider.", by: byCreate,
			run: func(l *lab) {
				l.aliased = true
				l.try(trial{shape: isAliased, otherwise: nothing})
			},
			but: map[string]exception{
				"email_in_use":        {refusedAtApply, "two aliases are two processes, which know nothing of each other's plans"},
				"user_already_mapped": {refusedAtApply, "two aliases are two processes, which know nothing of each other's plans"},
				"user_already_mapped where others are adopted": {refusedAtApply, "two aliases are two processes, which know nothing of each other's plans"},
				"name_in_use": {refusedAtApply, "two aliases are two processes, which know nothing of each other's plans"},
			},
		},
		{
			head: "checks off", does: "A create with `plan_checks = false` in the provider's configuration.", by: byCreate, verdict: refusedAtApply,
			why: "the checks of the plan are switched off",
			run: func(l *lab) {
				l.settings = "plan_checks = false"
				l.try(trial{shape: isCreated, otherwise: nothing})
			},
			but: map[string]exception{
				"invalid_email":   {planned, "the form of a value is judged without the backend"},
				"invalid_user_id": {planned, "the form of a value is judged without the backend"},
				"no_match_option": {planned, "the form of a value is judged without the backend"},
				"map_incomplete":  {passes, "only a plan resolves the whole source"},
			},
		},
	}
}

// isUnseen is an update after others changed the object, of which nobody has heard.
func isUnseen(l *lane) string {
	if l.code != "revision_conflict" {
		return isUpdated(l)
	}
	l.drifts = true
	return l.block(l.wants(l.late)).String()
}

// isAliased is isBeside with the second resource in another alias, where what breaks the rule is.
func isAliased(l *lane) string {
	const other = "provider = idmap.other"
	if l.pair != nil {
		l.broken = true
		return l.block(l.pair[0]).String() + l.other(l.pair[1], other).String()
	}
	return l.block(l.second()).String() + l.other(l.wants(l.create), other).String()
}

// applyTwice runs the same apply twice at once.
func (l *lab) applyTwice() {
	l.t.Helper()
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if o := l.space.Run(l.t, "apply", "-json", "-auto-approve"); o.Code != 0 {
				l.t.Error(o)
			}
		})
	}
	wait.Wait()
}
