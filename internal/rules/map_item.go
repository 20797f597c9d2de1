package rules

import (
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// checkDefaults binds the defaults.
func (c *mapCheck) checkDefaults() {
	var source, destination *idmap.Principal
	if c.Before != nil {
		source, destination = c.Before.Source.Default, c.Before.Destination.Default
	}
	c.m.Source.Default = c.checkDefault(c.source, fieldSourceDefault, c.After.Source.Default, source)
	c.m.Destination.Default = c.checkDefault(c.destination, fieldDestinationDefault, c.After.Destination.Default, destination)
}

func (c *mapCheck) checkDefault(s side, field string, p, before *idmap.Principal) *idmap.Principal {
	if p == nil {
		return nil
	}
	at := spot{part: field, role: "Default", item: p, use: useTarget}
	if !c.checkPrincipal(at, *p) {
		return p
	}
	bound := ""
	if before != nil && keeps(*p, *before) {
		bound = before.ID
	}
	found, _ := c.bind(s, at, *p, bound)
	return &found
}

// checkItems binds the exceptions and the exclusions that were sent.
func (c *mapCheck) checkItems() {
	c.checkList(&c.exceptions)
	if c.After.Exclusions != nil {
		c.checkLocations(*c.After.Exclusions)
	}
	c.checkList(&c.exclusions)
}

func (c *mapCheck) checkList(l *itemList) {
	if l.tooMany() {
		c.refuse(idmap.CodeInvalid, l.field, nil, "There are %d %s, and a map has at most %d. Let rules map most of them, or split the map.",
			l.count, l.field, idmap.MaxMapItems)
		l.sent = nil
	}
	if len(l.sent) == 0 {
		return
	}
	seen := newSeenItems(*l)
	for i := range l.sent {
		l.sent[i] = c.checkItem(l.field, i, l.sent[i], seen)
	}
	c.stored.adopt(*l)
}

func (c *mapCheck) checkLocations(exclusions []idmap.MapExclusion) {
	for i, e := range exclusions {
		if e.Location != idmap.LocationSource && e.Location != idmap.LocationDestination {
			c.refuseItem(spot{list: fieldExclusions, index: i, part: "location", role: "Exclusion", item: &e.SID}, idmap.CodeInvalid,
				"there is no location %q. An exclusion is at %s or %s.", clip(string(e.Location)), idmap.LocationSource, idmap.LocationDestination)
		}
	}
}

// checkItem binds both ends of an item. What is called as a stored one is stays bound as that is.
func (c *mapCheck) checkItem(list string, i int, item idmap.MapItem, seen seenItems) idmap.MapItem {
	at := spot{list: list, index: i, part: "sid", role: "Exclusion", item: &item.Subject}
	s := c.source
	switch item.Role {
	case idmap.RoleException:
		at.part, at.role, at.use = "source", "Exception", useSource
	case idmap.RoleDestinationExclusion:
		s = c.destination
	case idmap.RoleSourceExclusion:
	}
	var old idmap.MapItem // zero for a new one
	if x := c.stored.Like(item); x != nil {
		old = *x
	}
	at.changed = old.ID != "" && item.Role == idmap.RoleException && !keeps(item.Target, old.Target)
	if c.checkPrincipal(at, item.Subject) && !c.checkSpelledTwice(at, item, seen) {
		item.Subject = c.bindSubject(s, at, item, old, seen)
	}
	if item.Role == idmap.RoleException {
		item.Target = c.bindTarget(at, item, old)
	}
	return item
}

// bindSubject also refuses a subject that an item before has: two spellings can name one account.
func (c *mapCheck) bindSubject(s side, at spot, item, old idmap.MapItem, seen seenItems) idmap.Principal {
	subject, found := c.bind(s, at, item.Subject, old.Subject.ID)
	if !found {
		return subject
	}
	key := itemSubject{item.Role, subject.ID}
	if first, again := seen.bound[key]; again {
		c.refuseItem(at, idmap.CodeDuplicateException, "%s %q is about the same %s already, %s. Keep one of the two.",
			at.noun(), clip(first), c.Kind.Entry(), s.describe(subject.ID))
	} else {
		seen.bound[key] = subject.Text()
	}
	return subject
}

func (c *mapCheck) bindTarget(at spot, item, old idmap.MapItem) idmap.Principal {
	at.part, at.use, at.item, at.changed = "destination", useTarget, &item.Subject, false
	if !c.checkPrincipal(at, item.Target) {
		return item.Target
	}
	bound := ""
	if keeps(item.Target, old.Target) {
		bound = old.Target.ID
	}
	target, _ := c.bind(c.destination, at, item.Target, bound)
	return target
}

// checkSpelledTwice refuses what is spelled alike to the letter. Other spellings may be two ids: whom they name decides.
func (c *mapCheck) checkSpelledTwice(at spot, item idmap.MapItem, seen seenItems) bool {
	key := itemName{item.Role, item.Subject}
	first, again := seen.called[key]
	if again {
		c.refuseItem(at, idmap.CodeDuplicateException, "%s %q is about the same %s already. Keep one of the two.",
			at.noun(), clip(first), c.Kind.Entry())
	} else {
		seen.called[key] = item.Subject.Text()
	}
	return again
}

// checkPrincipal checks the form of a principal, and reports whether it can be looked up.
func (c *mapCheck) checkPrincipal(at spot, p idmap.Principal) bool {
	if p.Type != "" && p.Type != c.Kind.Entry() {
		c.refuseItem(at, idmap.CodeInvalid, "%q is named as of type %q, and %s is about %ss. Leave the type out, or name %s.",
			clip(p.Text()), clip(p.Type), c.Kind.WithArticle(), c.Kind.Entry(), anEntry(c.Kind))
		return false
	}
	named := false
	for _, text := range []struct {
		field, value string
		limit        int
	}{
		{"id", p.ID, maxIDLength},
		{"name", p.Name, idmap.MaxNameLength},
		{"username", p.Username, idmap.MaxNameLength},
		{"email", p.Email, idmap.MaxNameLength},
		{"caption", p.Caption, idmap.MaxNameLength},
	} {
		if err := idmap.PlainText(text.value, text.limit); err != nil {
			c.refuseItem(at, idmap.CodeInvalid, "the %s cannot be stored: %s.", text.field, err)
			return false
		}
		named = named || strings.TrimSpace(text.value) != ""
	}
	if !named {
		c.refuseItem(at, idmap.CodeInvalid, "nothing names %s here. Give an id, or a name.", anEntry(c.Kind))
	}
	return named
}

// maxItemFindings is the most violations, and the most warnings, that are told of the items of one map.
const maxItemFindings = 1000

// findings counts what is found about items, and what of it is not told.
type findings struct {
	told, untold int
	code         idmap.Code // of the first that is not told
	field        string
}

// tell reports whether one more finding is to be told.
func (f *findings) tell(code idmap.Code, field string) bool {
	if f.told < maxItemFindings {
		f.told++
		return true
	}
	if f.untold == 0 {
		f.code, f.field = code, field
	}
	f.untold++
	return false
}

// tellMore says how many findings were not told.
func (c *mapCheck) tellMore() {
	const text = "So it is with more of the map's items (%d), which are not told one by one. Correct these %d first."
	if f := c.refused; f.untold > 0 {
		c.refuse(f.code, f.field, nil, text, f.untold, f.told)
	}
	if f := c.warned; f.untold > 0 {
		c.warn(f.code, f.field, text, f.untold, f.told)
	}
}

func (c *mapCheck) refuseItem(at spot, code idmap.Code, format string, args ...any) {
	if c.refused.tell(code, at.listField()) {
		c.refuse(code, at.field(), nil, "%s %s", at.title(), fmt.Sprintf(format, args...))
	}
}

func (c *mapCheck) warnOfItem(at spot, code idmap.Code, format string, args ...any) {
	if c.warned.tell(code, at.listField()) {
		c.warn(code, at.field(), "%s %s", at.title(), fmt.Sprintf(format, args...))
	}
}
