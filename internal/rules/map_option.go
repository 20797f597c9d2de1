package rules

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// mapOption is an option of a map: which kinds of map have it, and whether it is a way to find somebody.
type mapOption struct {
	name     string
	accounts bool
	groups   bool
	finds    bool
	set      func(idmap.MapBy) bool
}

var mapOptions = []mapOption{
	{"id", true, true, true, func(b idmap.MapBy) bool { return b.ID }},
	{"name", true, true, true, func(b idmap.MapBy) bool { return b.Name }},
	{"username", true, false, true, func(b idmap.MapBy) bool { return b.Username }},
	{"email", true, false, true, func(b idmap.MapBy) bool { return b.Email }},
	{"caption", false, true, true, func(b idmap.MapBy) bool { return b.Caption }},
	{"default", true, true, true, func(b idmap.MapBy) bool { return b.Default }},
	{"fuzzy", true, false, false, func(b idmap.MapBy) bool { return b.Fuzzy }},
	{"fuzzy_threshold", true, false, false, func(b idmap.MapBy) bool { return b.FuzzyThreshold != nil }},
	{"external_passthrough", true, false, true, func(b idmap.MapBy) bool { return b.ExternalPassthrough }},
	{"external_resolve", true, false, false, func(b idmap.MapBy) bool { return b.ExternalResolve != "" }},
	{"passthrough", true, true, true, func(b idmap.MapBy) bool { return b.Passthrough }},
	{"built_in", false, false, false, func(b idmap.MapBy) bool { return b.BuiltIn }},
	{"ldap", false, false, false, func(b idmap.MapBy) bool { return b.LDAP }},
}

func (o mapOption) has(kind idmap.MapKind) bool {
	if kind == idmap.GroupMap {
		return o.groups
	}
	return o.accounts
}

func optionField(name string) string { return fieldMapBy + "." + name }

// checkMapBy checks the options as they were sent: that one of them compares something, and that each is one of the
// kind of map and has the options that it needs.
func (c *mapCheck) checkMapBy() {
	by, finds := c.After.MapBy, false
	for _, o := range mapOptions {
		finds = finds || o.finds && o.set(by)
		if o.set(by) && !o.has(c.Kind) {
			c.refuseOption(o)
		}
	}
	if !finds {
		options := "id, name, username, email, default, external_passthrough, passthrough"
		if c.Kind == idmap.GroupMap {
			options = "id, name, caption, default, passthrough"
		}
		c.refuse(idmap.CodeNoMatchOption, fieldMapBy, nil, "The map compares nothing, so it could map nobody. Choose at least one of %s.", options)
	}
	if c.Kind == idmap.AccountMap {
		c.checkFuzzy(by)
		c.checkExternal(by)
	}
}

func (c *mapCheck) refuseOption(o mapOption) {
	const text = "Option %s is not supported in %s. %s"
	advice := "Leave it out."
	switch {
	case o.groups:
		advice = "Leave it out, or use it in a group map."
	case o.accounts:
		advice = "Leave it out, or use it in an account map."
	}
	c.refuse(idmap.CodeUnsupportedOption, optionField(o.name), nil, text, o.name, c.Kind.WithArticle(), advice)
}

func (c *mapCheck) checkFuzzy(by idmap.MapBy) {
	switch {
	case !by.Fuzzy && by.FuzzyThreshold != nil:
		c.refuse(idmap.CodeUnsupportedOption, optionField("fuzzy_threshold"), nil,
			"A threshold is given, and fuzzy is off, so nothing reads it. Set fuzzy, or leave the threshold out.")
	case by.Fuzzy && by.FuzzyThreshold != nil:
		c.violations = append(c.violations, checkFuzzyThreshold(*by.FuzzyThreshold)...)
	}
	if by.Fuzzy && !by.Name && !by.Username && !by.Email && !by.Default {
		c.refuse(idmap.CodeUnsupportedOption, optionField("fuzzy"), nil,
			"Fuzzy compares what the other options say, and none of name, username, email and default is set. Set one of them, or leave fuzzy out.")
	}
}

// checkFuzzyThreshold reports why a threshold cannot be one.
func checkFuzzyThreshold(threshold float64) []idmap.Violation {
	if threshold >= match.MinThreshold && threshold <= 1 {
		return nil
	}
	return []idmap.Violation{{
		Code: idmap.CodeInvalid, Field: optionField("fuzzy_threshold"),
		Description: fmt.Sprintf("The threshold is %v, and it must be from %v to 1, where 1 takes equal names only. Leave it out for %v.",
			threshold, match.MinThreshold, match.DefaultThreshold),
	}}
}

func (c *mapCheck) checkExternal(by idmap.MapBy) {
	switch by.ExternalResolve {
	case "":
		return
	case idmap.ExternalResolveFirst, idmap.ExternalResolveNever:
		if !by.ExternalPassthrough {
			c.refuse(idmap.CodeUnsupportedOption, optionField("external_resolve"), nil,
				"The map is to resolve guests %q, and external_passthrough is off, so it does not keep guests. Set external_passthrough, or leave external_resolve out.",
				by.ExternalResolve)
		}
	default:
		c.refuse(idmap.CodeInvalid, optionField("external_resolve"), nil, "There is no way %q to resolve guests. Take %s or %s.",
			clip(string(by.ExternalResolve)), idmap.ExternalResolveFirst, idmap.ExternalResolveNever)
	}
}

// checkPlatforms refuses options that the platforms of the connections do not support.
func (c *mapCheck) checkPlatforms() {
	if c.Kind == idmap.GroupMap {
		return // has none of these options anyway
	}
	fuzzy := func(f idmap.Features) bool { return f.Fuzzy }
	external := func(f idmap.Features) bool { return f.ExternalUsers }
	if c.m.MapBy.Fuzzy {
		c.needFeature(c.Source, "fuzzy", "match partially", fuzzy)
		c.needFeature(c.Destination, "fuzzy", "match partially", fuzzy)
	}
	if c.m.MapBy.ExternalPassthrough {
		c.needFeature(c.Destination, "external_passthrough", "take guests as they are", external)
	}
}

func (c *mapCheck) needFeature(in *idmap.Connection, option, what string, has func(idmap.Features) bool) {
	if in == nil {
		return
	}
	if p, known := idmap.PlatformByID(in.Platform.ID); known && !has(p.Features) {
		c.refuse(idmap.CodeUnsupportedOption, optionField(option), nil, "Connection %q is on platform %s, which cannot %s. Leave %s out.",
			in.Name, p.ID, what, option)
	}
}
