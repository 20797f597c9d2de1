package plantruth

// entrySituations are those of many mappings in one resource.
func entrySituations() []situation {
	all := []situation{
		{
			head: "entry added", does: "A resource that is there gets another entry.", by: byCreate,
			run: func(l *lab) {
				l.begin(isGood)
				l.try(trial{shape: isJoined})
			},
		},
		{
			head: "two entries", does: "Two entries of one new resource break the rule together; where one alone breaks it, another one stands beside it.", by: byCreate,
			run: func(l *lab) { l.try(trial{shape: isPaired, otherwise: nothing}) },
		},
		{
			head: "passed on", does: "A new entry takes what another entry of the resource gives away in the same apply.", by: byCreate,
			run: func(l *lab) {
				l.begin(isGood)
				l.try(trial{shape: isPassedOn})
			},
		},
		{
			head: "removed and taken", does: "A new entry takes what an entry has that is removed in the same apply.", by: byCreate,
			run: func(l *lab) {
				l.begin(isGood)
				l.try(trial{shape: isTakenOver})
			},
			but: map[string]exception{
				"email_in_use":        {otherRefusal, "an email that moves to another key stays with its mapping, which would be another person's then: `account_repointed`"},
				"user_already_mapped": {otherRefusal, "the key stays with its mapping, which would be another person's then: `account_repointed`"},
				"user_already_mapped where others are adopted": {otherRefusal, "the key stays with its mapping, which would be another person's then: `account_repointed`"},
			},
		},
		{
			head: "entry removed", does: "An entry is removed, and meanwhile others have changed what the rule looks at.", by: byTurn, verdict: passes, why: "what goes is not judged",
			run: begun(isGood, trial{shape: isWithout}),
		},
		{
			head: "`keep_removed`", does: "An entry is removed with `keep_removed`, and meanwhile others have changed what the rule looks at. Then another resource with `adopt_existing` lists it.", by: byTurn,
			run: func(l *lab) {
				l.begin(isGood)
				l.each((*lane).letsGo)
				l.begin(isKept)
				l.each((*lane).turns)
				l.try(trial{shape: isAdopted, otherwise: isKept})
			},
		},
	}
	for i := range all {
		all[i].only = userMappings
	}
	return all
}

// joined is the resource with good values and further entries.
func (l *lane) joined(good values, others ...values) values {
	more := good["more"]
	for _, one := range others {
		more = values{"user_id": one["user_id"], "email": one["email"], "more": more}.asEntries()["mappings"]
		good = good.with(one).with(values{"user_id": good["user_id"], "email": good["email"]})
	}
	return good.with(values{"more": more})
}

// isJoined is what breaks the rule as a further entry of the resource with good values.
func isJoined(l *lane) string {
	switch {
	case l.pair != nil:
		l.broken = true
		return l.block(l.joined(l.good, l.pair[1])).String()
	case l.create != nil:
		return l.block(l.joined(l.good, l.besideGood())).String()
	}
	return l.block(l.joined(l.good, l.second())).String()
}

// isPaired is what breaks the rule as an entry beside another one, which may have its part in it.
func isPaired(l *lane) string {
	if l.pair != nil {
		return isJoined(l)
	}
	return l.block(l.joined(l.wants(l.create), l.second())).String()
}

// isPassedOn is isJoined, where the other entry gives something away.
func isPassedOn(l *lane) string {
	if l.pair != nil {
		l.broken = true
		return l.block(l.joined(l.good.with(l.gives), l.pair[1])).String()
	}
	return isJoined(l)
}

// isTakenOver is the resource without the good entry, and with another one that takes what it had, or that breaks the rule.
func isTakenOver(l *lane) string {
	none := values{"user_id": "", "email": ""}
	switch {
	case l.pair != nil:
		l.broken = true
		return l.block(l.good.with(l.pair[1])).String()
	case l.create != nil:
		return l.block(l.joined(l.good.with(none), l.besideGood())).String()
	}
	return l.block(l.joined(l.good.with(none), l.second())).String()
}

// isWithout is the resource without the good entry.
func isWithout(l *lane) string {
	return l.block(l.good.with(values{"user_id": "", "email": ""})).String()
}

// isKept is the same, where the mapping stays in the backend.
func isKept(l *lane) string {
	return l.block(l.good.with(values{"user_id": "", "email": "", "keep_removed": "true"})).String()
}

// isAdopted is isKept, with another resource that lists the entry.
func isAdopted(l *lane) string {
	return isKept(l) + l.other(l.good.with(values{"more": "", "adopt_existing": "true"})).String()
}

// letsGo notes that the resource gives up the mapping of the good entry, and that it must stay.
func (l *lane) letsGo() {
	l.known = l.id()
	l.foreign(l.known)
}
