package match

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// outcome is what a rule says of a source entry: a candidate, or the reason why there is none.
type outcome struct {
	at     int32 // of the candidate, where there is one
	by     idmap.Resolved
	score  float64
	reason idmap.Reason
	why    string // a sentence without its full stop
}

// rule looks for a source entry in the destination.
type rule struct {
	find    func(source *Entry) outcome
	partial bool // it compares letter by letter
}

// rulesOf returns the rules that the map has selected, the strongest first.
func rulesOf(by idmap.MapBy, x *Index) []rule {
	var rules []rule
	ofAccounts := x.kind == idmap.AccountMap
	for _, r := range []struct {
		on   bool
		rule rule
	}{
		{by.ID || by.Default, rule{find: x.sameID}},
		{ofAccounts && (by.Email || by.Default), rule{find: x.sameEmail}},
		{ofAccounts && (by.Username || by.Default), rule{find: x.sameUsername}},
		{by.Name || by.Default, rule{find: x.sameName}},
		{!ofAccounts && (by.Caption || by.Default), rule{find: x.sameCaption}},
		{ofAccounts && by.Fuzzy, rule{find: newFuzzy(by, x).find, partial: true}},
	} {
		if r.on {
			rules = append(rules, r.rule)
		}
	}
	return rules
}

func (x *Index) sameID(source *Entry) outcome {
	id := source.Principal.ID
	return x.only(idmap.ResolvedID, x.byID(id), "id", shown(id))
}

func (x *Index) sameUsername(source *Entry) outcome {
	found := x.usernames.at(source.UserKey)
	return x.only(idmap.ResolvedUsername, found, "username", shown(source.Principal.Username))
}

func (x *Index) sameName(source *Entry) outcome {
	found := x.names.at(source.NameKey)
	return x.only(idmap.ResolvedName, found, "name", quoted(source.Principal.Name))
}

func (x *Index) sameCaption(source *Entry) outcome {
	found := x.captions.at(source.Caption)
	return x.only(idmap.ResolvedCaption, found, "caption", quoted(source.Principal.Caption))
}

// sameEmail compares every address with every address.
func (x *Index) sameEmail(source *Entry) outcome {
	sets := make([][]int32, len(source.Addresses))
	for i, address := range source.Addresses {
		sets[i] = x.addresses.at(address)
		if twins := x.only(idmap.ResolvedEmail, sets[i], "email", shown(address)); twins.reason == idmap.ReasonAmbiguous {
			return twins
		}
	}
	all := unite(sets...)
	found := x.only(idmap.ResolvedEmail, all, "email", "")
	if found.reason == idmap.ReasonAmbiguous {
		one, other := apart(x.entries[all[0]].Principal, x.entries[all[1]].Principal)
		found.why = fmt.Sprintf("Its emails are those of different accounts: %s and %s", one, other)
	}
	for i, set := range sets {
		if found.reason == "" && has(set, found.at) {
			found.why = "Same email " + shown(source.Addresses[i])
			break
		}
	}
	return found
}

// only returns the one candidate among the entries at the positions. Two decide nothing. One that is disabled counts as
// one of the two, and nobody takes its place: who cannot sign in is the same person all the same. So it is with one that
// has left, but for this: who is there now, under the same key, is mostly that person with a new account.
func (x *Index) only(by idmap.Resolved, positions []int32, field, value string) outcome {
	live := below(positions, x.live)
	switch {
	case len(positions) == 0:
		return outcome{reason: idmap.ReasonNoCandidate}
	case len(live) == 0:
		return x.inactive(outcome{at: positions[0], by: by})
	case len(live) > 1:
		return outcome{by: by, reason: idmap.ReasonAmbiguous, why: x.twins(live, field, value)}
	case live[0] >= x.candidates:
		return x.inactive(outcome{at: live[0], by: by})
	}
	return outcome{at: live[0], by: by, why: fmt.Sprintf("Same %s %s", field, value)}
}

// inactive is the outcome of a rule that found somebody who is disabled, or has left.
func (x *Index) inactive(found outcome) outcome {
	state := "is disabled"
	found.reason = idmap.ReasonDestinationDisabled
	if found.at >= x.live {
		found.reason, state = idmap.ReasonDestinationDeleted, "has left the directory"
	}
	found.why = fmt.Sprintf("It would be %s (%s), which %s", label(x.entries[found.at].Principal), found.by, state)
	return found
}

// twins names two of those that a rule cannot tell apart, and says how many there are.
func (x *Index) twins(found []int32, field, value string) string {
	entry := x.kind.Entry()
	one, other := apart(x.entries[found[0]].Principal, x.entries[found[1]].Principal)
	if len(found) == 2 {
		return fmt.Sprintf("Two %ss have the %s %s: %s and %s", entry, field, value, one, other)
	}
	return fmt.Sprintf("%d %ss have the %s %s, such as %s and %s", len(found), entry, field, value, one, other)
}
