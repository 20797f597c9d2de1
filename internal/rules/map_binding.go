package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// side is an end of a map, and who is there.
type side struct {
	in    *idmap.Connection
	index *match.Index // nil: nobody knows who is there, so nobody is looked up
	byID  bool         // the platform finds those to whom something goes by their id only
}

// describe names whom an id is of.
func (s side) describe(id string) string {
	if s.index != nil {
		if found := s.index.Find(idmap.Principal{ID: id}).Entries; len(found) == 1 {
			return describe(found[0])
		}
	}
	return id
}

// spot is where in a map a principal stands.
type spot struct {
	list  string // "" for a default
	index int
	part  string // of the item; for a default the whole field
	role  string // what the item is called in a sentence
	item  *idmap.Principal
	use   use
	// changed: it is the subject of a stored item that gets another target.
	changed bool
}

// use says what becomes of whom a principal names, for what is said of one that is not active any more.
type use int

const (
	useExcluded use = iota
	useSource       // it is mapped
	useTarget       // it gets what others have
)

func (s spot) field() string {
	if s.list == "" {
		return s.part
	}
	return fmt.Sprintf("%s[%d].%s", s.list, s.index, s.part)
}

func (s spot) listField() string {
	if s.list == "" {
		return s.part
	}
	return s.list
}

// title begins a sentence about the item. What has no name has a number, from 1.
func (s spot) title() string {
	if text := s.item.Text(); text != "" || s.list == "" {
		return fmt.Sprintf("%s %q:", s.role, clip(text))
	}
	return fmt.Sprintf("%s %d:", s.role, s.index+1)
}

// noun is the role within a sentence.
func (s spot) noun() string {
	if s.role == "Exception" {
		return "exception"
	}
	return "exclusion"
}

// such names what p asks for: an item's own name stands before the sentence already.
func (s spot) such(kind idmap.MapKind, p idmap.Principal, plural bool) string {
	entry := kind.Entry()
	if plural {
		entry += "s"
	}
	if s.item.Text() == keyOf(p) {
		return "such " + entry
	}
	return fmt.Sprintf("%s %q", entry, clip(keyOf(p)))
}

// keyOf returns the part of a principal that decides whom it names.
func keyOf(p idmap.Principal) string { return firstOf(p.ID, p.Email, p.Username, p.Text()) }

// bind returns the principal with the id of whom it names, and whether there is one. bound is the id that it stays
// bound to, "" for what is to be looked up.
func (c *mapCheck) bind(s side, at spot, p idmap.Principal, bound string) (idmap.Principal, bool) {
	sent := p
	if bound != "" {
		p.ID = bound
		if !c.checkKept(s, at, p) {
			return p, false
		}
	} else {
		e, found := c.lookUp(s, at, p)
		if !found {
			return p, false
		}
		p.ID = e.Principal.ID
		if at.use == useTarget && e.Deleted {
			c.refuseItem(at, idmap.CodeUnknownAccount, "%s has left the directory of connection %q. Name another.", describe(e), s.in.Name)
			return p, false
		}
		c.warnOfInactive(s, at, e)
	}
	if at.use == useTarget && s.byID && sent.ID != p.ID && sent.Name != p.ID {
		c.refuseItem(at, idmap.CodeGroupIDRequired, "%q is not the group's id, and connection %q is on platform %s, which finds groups by id only. Name it %q.",
			clip(sent.Text()), s.in.Name, s.in.Platform.ID, p.ID)
	}
	return p, true
}

// checkKept checks what stays bound. Its name may be another one's by now: who gives it another destination then may
// mean either, and who leaves it alone is told.
func (c *mapCheck) checkKept(s side, at spot, p idmap.Principal) bool {
	if s.index == nil {
		return true
	}
	found := s.index.Find(idmap.Principal{ID: p.ID}).Entries
	if len(found) != 1 { // a directory that is proposed has not those who leave with it
		if at.use == useTarget {
			c.warnOfItem(at, idmap.CodeInactiveAccount, "%q, id %s, is not in the directory of connection %q any more, so nobody is mapped there. Name another.",
				clip(p.Text()), p.ID, s.in.Name)
		}
		return true
	}
	if now := s.index.Find(p.Named()); len(now.Entries) > 0 && !now.Mismatch && !now.Entries[0].Deleted && !contains(now.Entries, p.ID) {
		if at.changed {
			c.refuseItem(at, idmap.CodeAmbiguousAccount, "this was %s when the %s was made, and is %s now. Name the one that is meant by the id.",
				describe(found[0]), at.noun(), describe(now.Entries[0]))
			return false
		}
		c.warnOfItem(at, idmap.CodeNameReused, "it stays with whom it was made for, %s, and is %s by now. If that one is meant, name it by its id.",
			describe(found[0]), describe(now.Entries[0]))
	}
	c.warnOfInactive(s, at, found[0])
	return true
}

func contains(entries []match.Entry, id string) bool {
	return slices.ContainsFunc(entries, func(e match.Entry) bool { return e.Principal.ID == id })
}

// lookUp finds whom the principal names, and refuses it where that is not one.
func (c *mapCheck) lookUp(s side, at spot, p idmap.Principal) (match.Entry, bool) {
	if s.index == nil {
		return match.Entry{}, false
	}
	named := s.index.Find(p)
	switch {
	case len(named.Entries) == 0:
		c.refuseUnknown(s, at, p)
	case named.Mismatch:
		c.refuseItem(at, idmap.CodeAccountMismatch, "its parts name different %ss of connection %q: %s. Correct them, or give the id alone.",
			c.Kind.Entry(), s.in.Name, someEntries(named))
	case len(named.Entries) > 1:
		c.refuseItem(at, idmap.CodeAmbiguousAccount, "connection %q has %d %s: %s. Name one by its id.",
			s.in.Name, named.Count, at.such(c.Kind, p, true), someEntries(named))
	default:
		return named.Entries[0], true
	}
	return match.Entry{}, false
}

// maxSuggestions is the most accounts that a sentence suggests.
const maxSuggestions = 3

func (c *mapCheck) refuseUnknown(s side, at spot, p idmap.Principal) {
	if at.list != "" && c.refused.told >= maxItemFindings {
		c.refuseItem(at, idmap.CodeUnknownAccount, "") // is counted only: to look for suggestions takes its time
		return
	}
	advice := " Check the spelling, or bring the directory up to date."
	if like := s.index.Suggest(keyOf(p), maxSuggestions); len(like) > 0 {
		advice = " Did you mean " + either(like) + "?"
	}
	c.refuseItem(at, idmap.CodeUnknownAccount, "connection %q has no %s.%s", s.in.Name, at.such(c.Kind, p, false), advice)
}

// warnOfInactive warns where an item can do nothing any more, or hands something to one who does not work there.
func (c *mapCheck) warnOfInactive(s side, at spot, e match.Entry) {
	switch {
	case at.use == useSource && e.Deleted:
		c.warnOfItem(at, idmap.CodeInactiveAccount, "%s has left the directory of connection %q, so nothing comes of it. Remove the exception.", describe(e), s.in.Name)
	case at.use == useTarget && e.Deleted:
		c.warnOfItem(at, idmap.CodeInactiveAccount, "%s has left the directory of connection %q, so nobody is mapped there. Name another.", describe(e), s.in.Name)
	case at.use == useTarget && e.Disabled:
		c.warnOfItem(at, idmap.CodeInactiveAccount, "%s is disabled in connection %q. Check that it is meant.", describe(e), s.in.Name)
	}
}

// label names an entry to a person who may want to write it down: what it is found by, and its display name.
func label(e match.Entry) string {
	known := firstOf(e.Principal.Email, e.Principal.Username, e.Principal.ID)
	return inBrackets(known, firstOf(e.Principal.Name, e.Principal.Caption))
}

// describe names an entry beyond doubt, by its id as well.
func describe(e match.Entry) string {
	known := firstOf(e.Principal.Email, e.Principal.Username)
	if known == "" {
		return label(e) // which begins with the id
	}
	return inBrackets(known, e.Principal.Name, "id "+e.Principal.ID)
}

// inBrackets adds to a text what is not the same and not empty.
func inBrackets(text string, more ...string) string {
	more = slices.DeleteFunc(more, func(s string) bool { return s == "" || s == text })
	if len(more) == 0 {
		return text
	}
	return text + " (" + strings.Join(more, ", ") + ")"
}

func someEntries(named match.Named) string {
	return someOf(named.Count, func(i int) string { return describe(named.Entries[i]) })
}

// either lists what is one of several.
func either(entries []match.Entry) string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = label(e)
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func anEntry(kind idmap.MapKind) string {
	if kind == idmap.GroupMap {
		return "a group"
	}
	return "an account"
}
