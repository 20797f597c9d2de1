package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var (
	_ planmodifier.Map    = keepExceptions{}
	_ planmodifier.List   = keepExclusions{}
	_ planmodifier.String = keepName{}
)

const sameItems = "Another order, or another spelling of the same names, is no change, unless the map names somebody by an id that has letters."

// textForm returns the form of a text under which it is the same as another one.
type textForm func(text string) string

// spellingOf returns how the texts of a map are compared. Letter case is overlooked only where it is known not to matter.
func spellingOf(caseMatters bool) textForm {
	if caseMatters {
		return func(text string) string { return text }
	}
	return nameKey
}

// spellingFrom returns how the texts of the map are compared that the last Read found.
func spellingFrom(ctx context.Context, private privateState, diags *diag.Diagnostics) textForm {
	return spellingOf(!remembered[bool](ctx, private, caseFreeKey, diags))
}

// caseMatters reports whether a map names somebody by an id that has letters. Another spelling of that may be the id of
// somebody else.
func caseMatters(m idmap.Map) bool {
	return m.Destination.Default != nil && lettersOfID(*m.Destination.Default) ||
		slices.ContainsFunc(m.Items(), func(i idmap.MapItem) bool { return lettersOfID(i.Subject) || lettersOfID(i.Target) })
}

// lettersOfID reports whether a principal is called by its id, and that has letters of some case.
func lettersOfID(p idmap.Principal) bool {
	called := p.Name == p.ID || p.Named() == idmap.Principal{}
	return p.ID != "" && called && (idmap.Fold(p.ID) != p.ID || strings.ToUpper(p.ID) != p.ID)
}

// keepExceptions plans the stored exceptions where the configuration has the same in another spelling. It takes time in
// proportion to their number, which a plan modifier, or a type, of the single element would not.
type keepExceptions struct{}

func (keepExceptions) Description(context.Context) string         { return sameItems }
func (keepExceptions) MarkdownDescription(context.Context) string { return sameItems }

func (keepExceptions) PlanModifyMap(ctx context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	form := spellingFrom(ctx, req.Private, &resp.Diagnostics)
	if !req.ConfigValue.IsNull() && !req.StateValue.IsNull() && form.sameExceptions(req.ConfigValue, req.StateValue) {
		resp.PlanValue = req.StateValue
	}
}

// keepExclusions does so with a list of exclusions.
type keepExclusions struct{}

func (keepExclusions) Description(context.Context) string         { return sameItems }
func (keepExclusions) MarkdownDescription(context.Context) string { return sameItems }

func (keepExclusions) PlanModifyList(ctx context.Context, req planmodifier.ListRequest, resp *planmodifier.ListResponse) {
	form := spellingFrom(ctx, req.Private, &resp.Diagnostics)
	if !req.ConfigValue.IsNull() && !req.StateValue.IsNull() && form.sameExclusions(req.ConfigValue, req.StateValue) {
		resp.PlanValue = req.StateValue
	}
}

// keepName does so with the one name of a default.
type keepName struct{}

func (keepName) Description(context.Context) string         { return sameItems }
func (keepName) MarkdownDescription(context.Context) string { return sameItems }

func (keepName) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	form := spellingFrom(ctx, req.Private, &resp.Diagnostics)
	wanted, known := textOf(req.ConfigValue)
	if known && !req.ConfigValue.IsNull() && !req.StateValue.IsNull() && form(wanted) == form(req.StateValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}

// nameKey returns the form under which spellings of what names an account or a group are the same: that of an address if
// it is one, else that of a name.
func nameKey(text string) string {
	if email, err := idmap.CanonicalEmail(text); err == nil {
		return email
	}
	return idmap.NameKey(text)
}

// calls reports whether the text is one of the spellings of what a principal is called.
func (form textForm) calls(text string, p idmap.Principal) bool {
	key := form(text)
	return slices.ContainsFunc(namesOf(p), func(name string) bool { return name == text || form(name) == key })
}

// namesOf returns all that a principal is called: first what it was called by in what was sent. A server that answers
// with all the names of an account does not say which that was.
func namesOf(p idmap.Principal) []string {
	all := []string{p.Text()}
	for _, name := range []string{p.Email, p.Username, p.ID, p.Caption} {
		if name != "" && name != all[0] {
			all = append(all, name)
		}
	}
	return all
}

func (form textForm) sameExceptions(a, b types.Map) bool {
	keysA, okA := form.exceptions(a)
	keysB, okB := form.exceptions(b)
	if !okA || !okB || len(keysA) != len(keysB) {
		return false
	}
	for source, destination := range keysA {
		if other, has := keysB[source]; !has || other != destination {
			return false
		}
	}
	return true
}

// exceptions returns the exceptions in the form in which they are compared. It is false where something is unknown or where two keys
// differ in their spelling alone: ids can.
func (form textForm) exceptions(m types.Map) (map[string]string, bool) {
	elements := m.Elements()
	forms := make(map[string]string, len(elements))
	for key, element := range elements {
		to, known := textOf(element)
		if !known {
			return nil, false
		}
		forms[form(key)] = form(to)
	}
	return forms, !m.IsUnknown() && len(forms) == len(elements)
}

func (form textForm) sameExclusions(a, b types.List) bool {
	keysA, okA := form.exclusions(a)
	keysB, okB := form.exclusions(b)
	return okA && okB && slices.Equal(keysA, keysB)
}

// exclusions returns the exclusions in the form in which they are compared, sorted. It is false where something is unknown.
func (form textForm) exclusions(l types.List) ([]string, bool) {
	elements := l.Elements()
	forms := make([]string, 0, len(elements))
	for _, element := range elements {
		name, known := textOf(element)
		if !known {
			return nil, false
		}
		forms = append(forms, form(name))
	}
	slices.Sort(forms)
	return forms, !l.IsUnknown()
}

// spellings are the names that a state has for items, each to be given away once.
type spellings struct {
	form  textForm
	exact map[string]bool
	alike map[string]string // by form, to one that is spelled so
}

func (form textForm) spellings(names []string) spellings {
	s := spellings{form: form, exact: make(map[string]bool, len(names)), alike: make(map[string]string, len(names))}
	for _, name := range names {
		s.exact[name] = true
		s.alike[form(name)] = name
	}
	return s
}

// of returns for each item the name that the state has for its subject, and else the name that the backend has. What is
// spelled exactly alike goes first: a spelling that is only similar could be that of another item.
func (s spellings) of(items []idmap.MapItem) []string {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = s.give(item.Subject, func(name string) string { return name })
	}
	for i, text := range subjectTexts(items) {
		if names[i] == "" {
			names[i] = s.give(items[i].Subject, func(name string) string { return s.alike[s.form(name)] })
		}
		if names[i] == "" {
			names[i] = text
		}
	}
	return names
}

// give gives away the first name of the state that is, as spelled, one of the principal's; "" if there is none.
func (s spellings) give(p idmap.Principal, spelled func(string) string) string {
	for _, name := range namesOf(p) {
		if name = spelled(name); s.exact[name] {
			delete(s.exact, name)
			return name
		}
	}
	return ""
}

// takeExceptions returns the exceptions that the backend has, in the spelling of the state.
func (form textForm) takeExceptions(state types.Map, items []idmap.MapItem) types.Map {
	had := state.Elements()
	if len(items) == 0 && len(had) == 0 {
		return orNullMap(state)
	}
	keys := make([]string, 0, len(had))
	for key := range had {
		keys = append(keys, key)
	}
	values := make(map[string]attr.Value, len(items))
	for i, name := range form.spellings(keys).of(items) {
		target := items[i].Target
		if to, known := textOf(had[name]); known && form.calls(to, target) {
			values[name] = had[name]
		} else {
			values[name] = types.StringValue(target.Text())
		}
	}
	return types.MapValueMust(types.StringType, values)
}

// takeExclusions returns the exclusions that the backend has, in the spelling and the order of the state; those that the
// state does not have come last.
func (form textForm) takeExclusions(state types.List, items []idmap.MapItem) types.List {
	if len(items) == 0 && len(state.Elements()) == 0 {
		return orNullList(state)
	}
	var had []string
	for _, element := range state.Elements() {
		name, _ := textOf(element)
		had = append(had, name)
	}
	names := form.spellings(had).of(items)
	found := make(map[string]bool, len(names))
	for _, name := range names {
		found[name] = true
	}
	var values []attr.Value
	for _, name := range append(had, names...) {
		if found[name] {
			values = append(values, types.StringValue(name))
			delete(found, name)
		}
	}
	return types.ListValueMust(types.StringType, values)
}

// orNullMap returns an empty map as it is; the zero value lacks its type.
func orNullMap(m types.Map) types.Map {
	if m.IsNull() {
		return types.MapNull(types.StringType)
	}
	return m
}

func orNullList(l types.List) types.List {
	if l.IsNull() {
		return types.ListNull(types.StringType)
	}
	return l
}
