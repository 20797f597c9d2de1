package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// words returns a refusal in the words of Terraform, where the backend's own speak of fields that no configuration has.
func (w mapWire) words(k mapKind, v idmap.Violation) idmap.Violation {
	sentence := ""
	switch {
	case v.Code == idmap.CodeNoMatchOption:
		sentence = k.noMatchWords()
	case v.Code == idmap.CodeInvalid && v.Field == "map_by.fuzzy_threshold" && w.MapBy.FuzzyThreshold != nil:
		sentence = fmt.Sprintf("fuzzy.threshold is %v, and it must be from %v to 1, where 1 takes equal names only. Leave it out for %v.",
			*w.MapBy.FuzzyThreshold, rules.MinFuzzyThreshold, rules.DefaultFuzzyThreshold)
	case v.Code == idmap.CodeUnsupportedOption && v.Field == "map_by.fuzzy" && (w.MapBy.Name || w.MapBy.Username || w.MapBy.Email):
		// The platform is at fault, and is named.
	case v.Code == idmap.CodeUnsupportedOption:
		sentence = unsupportedWords[v.Field]
	}
	if sentence != "" {
		v.Description = sentence
	}
	return v
}

// unsupportedWords say of a field what was found, what is required, and the way out.
var unsupportedWords = map[string]string{
	"map_by.fuzzy": "fuzzy is given, and compares what match.names, match.usernames and match.emails say, none of which is on. Set one of them to true, or leave fuzzy out.",
	"map_by.external_passthrough": "external_users.retain is on, and the platform of the destination connection cannot take guests as they are. " +
		"Leave external_users out, or map to a connection whose platform can.",
	"map_by.external_resolve": "external_users.resolve_first is on, and external_users.retain is not, so the map does not keep guests. " +
		"Set external_users.retain to true, or leave resolve_first out.",
}

// noMatchWords say that a map compares nothing. An argument of a nested attribute that this does not have never comes to the
// provider: Terraform drops it, and says nothing.
func (k mapKind) noMatchWords() string {
	return fmt.Sprintf("The map compares nothing, so it could map nobody. At least one of %s must be true. "+
		"If one is given: Terraform drops an argument of match that it does not know, such as one that is spelled otherwise, without a word.", strings.Join(k.ways(), ", "))
}

// ways are the arguments of which a map needs one.
func (k mapKind) ways() []string {
	var all []string
	for _, option := range k.match {
		all = append(all, "match."+option.name)
	}
	if k.accounts {
		all = append(all, "external_users.retain")
	}
	return all
}

// ownSummaries are the headlines that are other ones for a group map.
func (k mapKind) ownSummaries() map[idmap.Code]string {
	if k.accounts {
		return nil
	}
	return map[idmap.Code]string{
		idmap.CodeUnknownAccount:   "Unknown Group",
		idmap.CodeAmbiguousAccount: "Ambiguous Group",
		idmap.CodeInactiveAccount:  "Group Is Inactive",
	}
}

// maxListed is how many findings of one kind a warning lists.
const maxListed = 20

// inOne makes one warning of all with the code. Of those about items of a map there may be one for each item.
func inOne(warnings []idmap.Violation, code idmap.Code) []idmap.Violation {
	var all []idmap.Violation
	var lines []string
	first := 0
	for _, v := range warnings {
		if v.Code != code {
			all = append(all, v)
			continue
		}
		if len(lines) == 0 {
			first = len(all)
		}
		lines = append(lines, "- "+v.Description)
	}
	if len(lines) < 2 {
		return warnings
	}
	if more := len(lines) - maxListed; more > 0 {
		lines = append(lines[:maxListed], fmt.Sprintf("- and %d more.", more))
	}
	return slices.Insert(all, first, idmap.Violation{Code: code, Description: strings.Join(lines, "\n")})
}

// maxLabel is how much of an object's name stands in a headline.
const maxLabel = 60

// labelled returns a headline with the name of its object. Terraform shows only the first of the warnings that have one
// headline in common.
func labelled(summary, name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > maxLabel {
		name = string(runes[:maxLabel]) + "…"
	}
	if name == "" {
		return summary
	}
	return summary + ": " + name
}
