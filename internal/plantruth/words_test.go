package plantruth

import (
	"slices"
	"strings"
)

// aboutOthers are the codes of what another object stands in the way of.
var aboutOthers = []string{"email_in_use", "user_already_mapped", "name_in_use"}

// checkWords holds what the lane was told against what words must have: of two resources of one configuration, both and
// both ways out; of an object in the way of a create, the import block.
func (l *lane) checkWords(s situation) {
	l.t.Helper()
	if !slices.Contains(aboutOthers, l.code) {
		return
	}
	var refusals []told
	for _, t := range l.told {
		if t.isError() && slices.Contains(t.codes(), l.code) {
			refusals = append(refusals, t)
		}
	}
	twice := slices.IndexFunc(refusals, func(t told) bool { return t.summary == "Claimed Twice" })
	switch {
	case twice >= 0 && l.handsOver:
		l.wantWords(refusals[twice], quoted(l.key+" renamed"), quoted(strings.ToUpper(l.key)), "If both are the same", "To hand a name over")
	case twice >= 0 && s.only != "":
		l.wantWords(refusals[twice], l.pair[0]["user_id"], l.pair[1]["user_id"], "of mappings", "emove one of the two entries")
	case twice >= 0:
		l.wantWords(refusals[twice], append(l.bothNames(), "If both are the same", "If they are two")...)
	case l.noun == userMappings:
		if len(refusals) > 0 && s.by != byUpdate && s.by != byUnseen && !slices.ContainsFunc(refusals, func(t told) bool { return strings.Contains(t.detail, "adopt_existing = true") }) {
			l.t.Errorf("%s: no adopt_existing: %s", l.key, l.report())
		}
	case len(refusals) > 0 && s.by != byUpdate && s.by != byUnseen:
		if !slices.ContainsFunc(refusals, func(t told) bool { return strings.Contains(t.detail, "import {\n    to = "+l.noun+".") }) {
			l.t.Errorf("%s: no import block: %s", l.key, l.report())
		}
	}
}

// bothNames is what the two resources of a pair are called in words.
func (l *lane) bothNames() []string {
	var names []string
	for _, one := range l.pair {
		if l.isMapping() {
			names = append(names, "the mapping of "+strings.Trim(one["email"], `"`)+" to user "+strings.Trim(one["user_id"], `"`))
		} else {
			names = append(names, quoted(l.key), quoted(strings.ToUpper(l.key)))
		}
	}
	return names
}

func (l *lane) wantWords(t told, words ...string) {
	l.t.Helper()
	for _, word := range words {
		if !strings.Contains(t.detail, word) {
			l.t.Errorf("%s: no %q in: %s: %s", l.key, word, t.summary, t.detail)
		}
	}
}
