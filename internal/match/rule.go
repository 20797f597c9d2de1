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
type rule func(source *Entry) outcome

// rulesOf returns the rules that the map has selected, the strongest first.
func rulesOf(kind idmap.MapKind, by idmap.MapBy, x *Index) []rule {
	var rules []rule
	for _, r := range []struct {
		on   bool
		rule rule
	}{
		{by.ID || by.Default, x.sameID},
		{kind == idmap.AccountMap && (by.Email || by.Default), x.sameEmail},
		{kind == idmap.AccountMap && (by.Username || by.Default), x.sameUsername},
		{by.Name || by.Default, x.sameName},
		{kind == idmap.GroupMap && (by.Caption || by.Default), x.sameCaption},
		{kind == idmap.AccountMap && by.Fuzzy, newFuzzy(by, x).find},
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
	var first outcome
	for _, address := range source.Addresses {
		found := x.only(idmap.ResolvedEmail, x.addresses.at(address), "email", shown(address))
		switch {
		case found.reason == idmap.ReasonNoCandidate:
		case found.reason == idmap.ReasonAmbiguous:
			return found
		case first.by != "" && first.at != found.at:
			one, other := apart(x.entries[first.at].Principal, x.entries[found.at].Principal)
			first.reason = idmap.ReasonAmbiguous
			first.why = fmt.Sprintf("Its emails are those of different accounts: %s and %s", one, other)
			return first
		case first.by == "":
			first = found
		}
	}
	if first.by == "" {
		first.reason = idmap.ReasonNoCandidate
	}
	return first
}

// only returns the one candidate among the entries at the positions. Two decide nothing.
func (x *Index) only(by idmap.Resolved, positions []int32, field, value string) outcome {
	found := below(positions, x.candidates)
	switch len(found) {
	case 0:
		return outcome{reason: idmap.ReasonNoCandidate}
	case 1:
		return outcome{at: found[0], by: by, why: fmt.Sprintf("Same %s %s", field, value)}
	}
	return outcome{by: by, reason: idmap.ReasonAmbiguous, why: x.twins(found, field, value)}
}

// twins names two of those that a rule cannot tell apart, and says how many there are.
func (x *Index) twins(found []int32, field, value string) string {
	first := x.entries[found[0]].Principal
	one, other := apart(first, x.entries[found[1]].Principal)
	if len(found) == 2 {
		return fmt.Sprintf("Two %ss have the %s %s: %s and %s", first.Type, field, value, one, other)
	}
	return fmt.Sprintf("%d %ss have the %s %s, such as %s and %s", len(found), first.Type, field, value, one, other)
}
