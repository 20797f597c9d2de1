package provider

import (
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// mapModel is a map of either kind in Terraform.
type mapModel struct {
	mapShared
	Fuzzy         types.Object // account maps only
	ExternalUsers types.Object // account maps only
	Default       types.String
}

// mapShared are the attributes that both kinds have under the same name.
type mapShared struct {
	ID                      types.String `tfsdk:"id"`
	Name                    types.String `tfsdk:"name"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	Match                   types.Object `tfsdk:"match"`
	Exceptions              types.Map    `tfsdk:"exceptions"`
	SourceExclusions        types.List   `tfsdk:"source_exclusions"`
	DestinationExclusions   types.List   `tfsdk:"destination_exclusions"`
	UnmappedPolicy          types.String `tfsdk:"unmapped_policy"`
}

// accountMapModel is idmap_account_map in Terraform.
type accountMapModel struct {
	mapShared
	Fuzzy          types.Object `tfsdk:"fuzzy"`
	ExternalUsers  types.Object `tfsdk:"external_users"`
	DefaultAccount types.String `tfsdk:"default_account"`
}

// groupMapModel is idmap_group_map in Terraform.
type groupMapModel struct {
	mapShared
	DefaultGroup types.String `tfsdk:"default_group"`
}

// The types of the nested attributes that only account maps have.
var (
	fuzzyTypes         = map[string]attr.Type{"threshold": types.NumberType}
	externalUsersTypes = map[string]attr.Type{"retain": types.BoolType, "resolve_first": types.BoolType}
)

// mapWire is a map as it goes to the backend, and where its items stand in the configuration.
type mapWire struct {
	idmap.Map
	exceptions []string     // keys, in their order
	exclusions []listedItem // in their order
}

// listedItem is an element of one of the two lists of exclusions.
type listedItem struct {
	attribute string
	index     int
}

// toAPI returns the map to write. What is unknown is left out.
func (m mapModel) toAPI(k mapKind) mapWire {
	wire := mapWire{Map: idmap.Map{
		ID: m.ID.ValueString(), Name: m.Name.ValueString(),
		Source:         idmap.MapEnd{Connection: idmap.ConnectionRef{ID: m.SourceConnectionID.ValueString()}},
		Destination:    idmap.MapEnd{Connection: idmap.ConnectionRef{ID: m.DestinationConnectionID.ValueString()}},
		UnmappedPolicy: idmap.UnmappedPolicy(m.UnmappedPolicy.ValueString()),
		MapBy:          m.mapBy(k),
	}}
	if name, known := textOf(m.Default); known && !m.Default.IsNull() {
		wire.Destination.Default = &idmap.Principal{Name: name}
	}
	wire.takeExceptions(m.Exceptions)
	wire.Exclusions = &[]idmap.MapExclusion{}
	wire.takeExclusions("source_exclusions", m.SourceExclusions, idmap.LocationSource)
	wire.takeExclusions("destination_exclusions", m.DestinationExclusions, idmap.LocationDestination)
	return wire
}

// mapBy returns the options. A guest that is not retained is nothing to resolve first.
func (m mapModel) mapBy(k mapKind) idmap.MapBy {
	by := idmap.MapBy{
		Fuzzy:               !m.Fuzzy.IsNull() && !m.Fuzzy.IsUnknown(),
		ExternalPassthrough: flagOf(m.ExternalUsers, "retain"),
	}
	for _, option := range k.match {
		*option.of(&by) = flagOf(m.Match, option.name)
	}
	if threshold, ok := m.Fuzzy.Attributes()["threshold"].(types.Number); ok && !threshold.IsNull() && !threshold.IsUnknown() {
		by.FuzzyThreshold = new(floatOf(threshold))
	}
	switch {
	case flagOf(m.ExternalUsers, "resolve_first"):
		by.ExternalResolve = idmap.ExternalResolveFirst
	case by.ExternalPassthrough:
		by.ExternalResolve = idmap.ExternalResolveNever
	}
	return by
}

// takeExceptions takes the exceptions in the order of their keys, which Terraform does not keep.
func (w *mapWire) takeExceptions(from types.Map) {
	elements := from.Elements()
	w.exceptions = make([]string, 0, len(elements))
	all := make([]idmap.MapException, 0, len(elements))
	for _, key := range slices.Sorted(maps.Keys(elements)) {
		if to, known := textOf(elements[key]); known {
			w.exceptions = append(w.exceptions, key)
			all = append(all, idmap.MapException{Source: idmap.Principal{Name: key}, Destination: idmap.Principal{Name: to}})
		}
	}
	w.Exceptions = &all
}

func (w *mapWire) takeExclusions(attribute string, from types.List, at idmap.Location) {
	for i, element := range from.Elements() {
		if name, known := textOf(element); known {
			w.exclusions = append(w.exclusions, listedItem{attribute, i})
			*w.Exclusions = append(*w.Exclusions, idmap.MapExclusion{Location: at, SID: idmap.Principal{Name: name}})
		}
	}
}

// textOf returns a string that is known. Null is no text either: the backend says of an empty one what is wrong.
func textOf(v attr.Value) (string, bool) {
	s, ok := v.(types.String)
	return s.ValueString(), ok && !s.IsUnknown()
}

// flagOf returns an option of a nested attribute; one that is null or unknown is off.
func flagOf(o types.Object, name string) bool {
	b, _ := o.Attributes()[name].(types.Bool)
	return b.ValueBool()
}

// parts are the values that a write sends.
func (m mapModel) parts() []attr.Value {
	return []attr.Value{
		m.Name, m.SourceConnectionID, m.DestinationConnectionID, m.Match, m.Fuzzy, m.ExternalUsers,
		m.Exceptions, m.SourceExclusions, m.DestinationExclusions, m.Default, m.UnmappedPolicy,
	}
}

// known reports whether all that a write sends is known.
func (m mapModel) known() bool { return !slices.ContainsFunc(m.parts(), hasUnknown) }

// hasUnknown reports whether a value, or one in it, is unknown.
func hasUnknown(v attr.Value) bool {
	if v.IsUnknown() {
		return true
	}
	var inner []attr.Value
	switch v := v.(type) {
	case types.Object:
		inner = slices.Collect(maps.Values(v.Attributes()))
	case types.Map:
		inner = slices.Collect(maps.Values(v.Elements()))
	case types.List:
		inner = v.Elements()
	}
	return slices.ContainsFunc(inner, attr.Value.IsUnknown)
}

// moved reports whether the two are maps of different connections, which are different maps.
func (m mapModel) moved(prior mapModel) bool {
	return !m.SourceConnectionID.Equal(prior.SourceConnectionID) || !m.DestinationConnectionID.Equal(prior.DestinationConnectionID)
}

// unchanged reports whether there is nothing to write.
func (m mapModel) unchanged(prior mapModel) bool {
	return slices.EqualFunc(m.parts(), prior.parts(), sameValue)
}

// sameValue compares numbers as the backend does.
func sameValue(a, b attr.Value) bool {
	one, ok := a.(types.Object)
	if !ok || a.IsNull() || a.IsUnknown() || b.IsNull() || b.IsUnknown() {
		return a.Equal(b)
	}
	other, _ := b.(types.Object)
	return maps.EqualFunc(one.Attributes(), other.Attributes(), func(a, b attr.Value) bool {
		f, isNumber := a.(types.Number)
		g, _ := b.(types.Number)
		return a.Equal(b) || isNumber && f.IsNull() == g.IsNull() && f.IsUnknown() == g.IsUnknown() && floatOf(f) == floatOf(g)
	})
}

// floatOf returns a number as the backend takes it; infinite where it is too large for that, and 0 where there is none.
func floatOf(n types.Number) float64 {
	if n.IsNull() || n.IsUnknown() {
		return 0
	}
	f, _ := n.ValueBigFloat().Float64()
	return f
}

// decimal returns a number as Terraform reads the shortest text of it. What is exactly a float64 has more digits than that.
func decimal(f float64) *big.Float {
	const precision = 512 // Terraform's
	n, _, err := big.ParseFloat(strconv.FormatFloat(f, 'g', -1, 64), 10, precision, big.ToNearestEven)
	if err != nil {
		return big.NewFloat(f)
	}
	return n
}

// fromAPI takes over what the backend has. Where that says what the model says, the model's spelling and order stay. An
// answer without items leaves them as they are.
func (m *mapModel) fromAPI(k mapKind, in idmap.Map) {
	m.ID, m.Name = types.StringValue(in.ID), types.StringValue(in.Name)
	m.SourceConnectionID = types.StringValue(in.Source.Connection.ID)
	m.DestinationConnectionID = types.StringValue(in.Destination.Connection.ID)
	form := spellingOf(caseMatters(in))
	m.takePolicy(in)
	m.takeDefault(form, in.Destination.Default)
	m.takeMatch(k, in.MapBy)
	if k.accounts {
		m.takeFuzzy(in.MapBy)
		m.takeExternalUsers(in.MapBy)
	}
	items := map[idmap.ItemRole][]idmap.MapItem{}
	for _, i := range in.Items() {
		items[i.Role] = append(items[i.Role], i)
	}
	if in.Exceptions != nil {
		m.Exceptions = form.takeExceptions(m.Exceptions, items[idmap.RoleException])
	}
	if in.Exclusions != nil {
		m.SourceExclusions = form.takeExclusions(m.SourceExclusions, items[idmap.RoleSourceExclusion])
		m.DestinationExclusions = form.takeExclusions(m.DestinationExclusions, items[idmap.RoleDestinationExclusion])
	}
}

// takePolicy reads both ways in which the published API says that a name is handed over as it is.
func (m *mapModel) takePolicy(in idmap.Map) {
	switch {
	case in.MapBy.Passthrough:
		m.UnmappedPolicy = types.StringValue(string(idmap.UnmappedPassthrough))
	case in.UnmappedPolicy != "":
		m.UnmappedPolicy = types.StringValue(string(in.UnmappedPolicy))
	case m.UnmappedPolicy.ValueString() == "":
		m.UnmappedPolicy = types.StringValue(string(idmap.UnmappedSkip))
	}
}

func (m *mapModel) takeDefault(form textForm, in *idmap.Principal) {
	switch {
	case in == nil:
		m.Default = types.StringNull()
	case !form.calls(m.Default.ValueString(), *in):
		m.Default = optionalString(in.Text())
	}
}

// takeMatch leaves a match that is null where nothing is compared.
func (m *mapModel) takeMatch(k mapKind, by idmap.MapBy) {
	values, compares := map[string]attr.Value{}, false
	for _, option := range k.match {
		on := *option.of(&by) || by.Default
		values[option.name] = types.BoolValue(on)
		compares = compares || on
	}
	if compares || !m.Match.IsNull() {
		m.Match = types.ObjectValueMust(k.matchTypes(), values)
	} else {
		m.Match = types.ObjectNull(k.matchTypes())
	}
}

// takeFuzzy leaves the threshold as it is where a server has none.
func (m *mapModel) takeFuzzy(by idmap.MapBy) {
	if !by.Fuzzy {
		m.Fuzzy = types.ObjectNull(fuzzyTypes)
		return
	}
	threshold, _ := m.Fuzzy.Attributes()["threshold"].(types.Number)
	switch {
	case by.FuzzyThreshold != nil && *by.FuzzyThreshold != floatOf(threshold):
		threshold = types.NumberValue(decimal(*by.FuzzyThreshold))
	case threshold.IsNull():
		threshold = types.NumberValue(decimal(rules.DefaultFuzzyThreshold))
	}
	m.Fuzzy = types.ObjectValueMust(fuzzyTypes, map[string]attr.Value{"threshold": threshold})
}

// takeExternalUsers leaves resolve_first as it is where a server does not know it.
func (m *mapModel) takeExternalUsers(by idmap.MapBy) {
	if !by.ExternalPassthrough && m.ExternalUsers.IsNull() {
		m.ExternalUsers = types.ObjectNull(externalUsersTypes)
		return
	}
	first := by.ExternalResolve == idmap.ExternalResolveFirst ||
		by.ExternalResolve == "" && by.ExternalPassthrough && flagOf(m.ExternalUsers, "resolve_first")
	m.ExternalUsers = types.ObjectValueMust(externalUsersTypes, map[string]attr.Value{
		"retain": types.BoolValue(by.ExternalPassthrough), "resolve_first": types.BoolValue(first),
	})
}

// says reports whether a map of the backend, with its items, is what the model says, in whatever spelling and order.
func (m mapModel) says(k mapKind, in idmap.Map) bool {
	stored := m
	stored.fromAPI(k, in)
	return stored.unchanged(m)
}
