package provider

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// stringMap and stringList are values of a configuration.
func stringMap(pairs ...string) types.Map {
	values := map[string]attr.Value{}
	for pair := range slices.Chunk(pairs, 2) {
		values[pair[0]] = types.StringValue(pair[1])
	}
	return types.MapValueMust(types.StringType, values)
}

func stringList(names ...string) types.List {
	values := []attr.Value{}
	for _, name := range names {
		values = append(values, types.StringValue(name))
	}
	return types.ListValueMust(types.StringType, values)
}

// mapFlags is a nested attribute of which only these options are on.
func mapFlags(of map[string]attr.Type, on ...string) types.Object {
	values := map[string]attr.Value{}
	for name := range of {
		values[name] = types.BoolValue(strings.Contains(" "+strings.Join(on, " ")+" ", " "+name+" "))
	}
	return types.ObjectValueMust(of, values)
}

func accountMapOf(change func(*mapModel)) mapModel {
	m := mapModel{
		mapShared: mapShared{
			ID: types.StringValue("m1"), Name: types.StringValue("Move"),
			SourceConnectionID: types.StringValue("old"), DestinationConnectionID: types.StringValue("new"),
			Match:                 mapFlags(accountMaps.matchTypes(), "emails", "names"),
			Exceptions:            stringMap("jane", "jdoe", "Anna@old.example", "anna@new.example"),
			SourceExclusions:      stringList("svc-b", "svc-a"),
			DestinationExclusions: types.ListNull(types.StringType),
			UnmappedPolicy:        types.StringValue("skip"),
		},
		Fuzzy:         types.ObjectValueMust(fuzzyTypes, map[string]attr.Value{"threshold": types.NumberValue(decimal(0.85))}),
		ExternalUsers: mapFlags(externalUsersTypes, "retain"),
		Default:       types.StringValue("archive"),
	}
	if change != nil {
		change(&m)
	}
	return m
}

func TestMapToAPI(t *testing.T) {
	t.Parallel()
	named := func(name string) idmap.Principal { return idmap.Principal{Name: name} }
	want := idmap.Map{
		ID: "m1", Name: "Move", UnmappedPolicy: idmap.UnmappedSkip,
		Source:      idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "old"}},
		Destination: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "new"}, Default: &idmap.Principal{Name: "archive"}},
		MapBy: idmap.MapBy{
			Email: true, Name: true, Fuzzy: true, FuzzyThreshold: new(0.85), ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveNever,
		},
		Exceptions: &[]idmap.MapException{
			{Source: named("Anna@old.example"), Destination: named("anna@new.example")}, {Source: named("jane"), Destination: named("jdoe")},
		},
		Exclusions: &[]idmap.MapExclusion{{Location: "source", SID: named("svc-b")}, {Location: "source", SID: named("svc-a")}},
	}
	got := accountMapOf(nil).toAPI(accountMaps)
	if !reflect.DeepEqual(got.Map, want) {
		t.Errorf("%+v, want %+v", got.Map, want)
	}
	for field, at := range map[string]string{
		"exceptions[1].source": `exceptions["jane"]`, "exceptions[0].destination": `exceptions["Anna@old.example"]`,
		"exclusions[1].sid": "source_exclusions[1]", "exclusions": "source_exclusions", "map_by": "match", "map_by.email": "match",
		"map_by.fuzzy": "fuzzy", "map_by.fuzzy_threshold": "fuzzy", "map_by.external_resolve": "external_users",
		"destination.default": "default_account", "destination.default.name": "default_account", "source.connection.id": "source_connection_id",
	} {
		if found, ok := got.noun(accountMaps).attribute(field); !ok || found.String() != at {
			t.Errorf("%s is reported at %s, want %s", field, found, at)
		}
	}
	for _, field := range []string{"exceptions[2].source", "exclusions[99999999999999999999].sid", "map_by.ldap", "revision"} {
		if found, ok := got.noun(accountMaps).attribute(field); ok {
			t.Errorf("%s is reported at %s", field, found)
		}
	}
}

func TestMapFromAPI(t *testing.T) {
	t.Parallel()
	stored := accountMapOf(nil).toAPI(accountMaps).Map
	imported := mapModel{}
	imported.fromAPI(accountMaps, stored)
	// The order of a list is that of the backend, where no state has one.
	if want := accountMapOf(nil); !imported.unchanged(want) || imported.ID != want.ID {
		t.Errorf("%+v, want %+v", imported, want)
	}
	bare := mapModel{}
	bare.fromAPI(accountMaps, idmap.Map{Name: "Move", Exceptions: &[]idmap.MapException{}, Exclusions: &[]idmap.MapExclusion{}})
	for name, value := range map[string]attr.Value{
		"match": bare.Match, "fuzzy": bare.Fuzzy, "external_users": bare.ExternalUsers, "exceptions": bare.Exceptions,
		"source_exclusions": bare.SourceExclusions, "default_account": bare.Default,
	} {
		if !value.IsNull() {
			t.Errorf("%s of a map without any is %s", name, value)
		}
	}
	if bare.UnmappedPolicy.ValueString() != "skip" {
		t.Errorf("the policy of a server that does not say is %s", bare.UnmappedPolicy)
	}
}

// TestMapSaysTheSame: what differs in its form alone is no drift, and what differs in more is.
func TestMapSaysTheSame(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*idmap.Map)
		same   bool
	}{
		"as it is": {func(*idmap.Map) {}, true},
		"other order and spelling": {func(m *idmap.Map) {
			*m.Exceptions = []idmap.MapException{
				{Source: idmap.Principal{ID: "1", Name: "JANE"}, Destination: idmap.Principal{ID: "2", Name: "JDoe"}},
				{Source: idmap.Principal{ID: "3", Name: "anna@OLD.example"}, Destination: idmap.Principal{ID: "4", Name: "anna@new.example"}},
			}
			(*m.Exclusions)[0], (*m.Exclusions)[1] = (*m.Exclusions)[1], (*m.Exclusions)[0]
		}, true},
		"a platform's full names": {func(m *idmap.Map) {
			*m.Exceptions = []idmap.MapException{
				{Source: idmap.Principal{ID: "1", Name: "Jane Doe", Username: "jane"}, Destination: idmap.Principal{ID: "2", Name: "Jane Doe", Username: "jdoe"}},
				{Source: idmap.Principal{ID: "3", Name: "Anna", Email: "anna@old.example"}, Destination: idmap.Principal{ID: "4", Name: "Anna", Email: "anna@new.example"}},
			}
		}, true},
		"a platform without the options": {func(m *idmap.Map) { m.MapBy.FuzzyThreshold, m.MapBy.ExternalResolve, m.UnmappedPolicy = nil, "", "" }, true},
		"other destination":              {func(m *idmap.Map) { (*m.Exceptions)[0].Destination.Name = "john" }, false},
		"one more exception": {func(m *idmap.Map) {
			*m.Exceptions = append(*m.Exceptions, idmap.MapException{Source: idmap.Principal{Name: "x"}, Destination: idmap.Principal{Name: "y"}})
		}, false},
		"no exception":       {func(m *idmap.Map) { m.Exceptions = &[]idmap.MapException{} }, false},
		"one exclusion less": {func(m *idmap.Map) { *m.Exclusions = (*m.Exclusions)[:1] }, false},
		"exclusion of the other side": {func(m *idmap.Map) {
			(*m.Exclusions)[0].Location = idmap.LocationDestination
		}, false},
		"other threshold":       {func(m *idmap.Map) { m.MapBy.FuzzyThreshold = new(0.9) }, false},
		"not fuzzy":             {func(m *idmap.Map) { m.MapBy.Fuzzy, m.MapBy.FuzzyThreshold = false, nil }, false},
		"guests resolved first": {func(m *idmap.Map) { m.MapBy.ExternalResolve = idmap.ExternalResolveFirst }, false},
		"guests not retained":   {func(m *idmap.Map) { m.MapBy.ExternalPassthrough, m.MapBy.ExternalResolve = false, "" }, false},
		"one option less":       {func(m *idmap.Map) { m.MapBy.Email = false }, false},
		"all options":           {func(m *idmap.Map) { m.MapBy.Default = true }, false},
		"passed through":        {func(m *idmap.Map) { m.MapBy.Passthrough = true }, false},
		"no default":            {func(m *idmap.Map) { m.Destination.Default = nil }, false},
	} {
		model := accountMapOf(nil)
		stored := model.toAPI(accountMaps).Map
		test.change(&stored)
		if got := model.says(accountMaps, stored); got != test.same {
			t.Errorf("%s: the same is %v", name, got)
		}
	}
}

func TestMapKnown(t *testing.T) {
	t.Parallel()
	if !accountMapOf(nil).known() {
		t.Error("a map of known values is unknown")
	}
	for name, change := range map[string]func(*mapModel){
		"name":  func(m *mapModel) { m.Name = types.StringUnknown() },
		"match": func(m *mapModel) { m.Match = types.ObjectUnknown(accountMaps.matchTypes()) },
		"exception": func(m *mapModel) {
			m.Exceptions = types.MapValueMust(types.StringType, map[string]attr.Value{"jane": types.StringUnknown()})
		},
		"exclusion": func(m *mapModel) {
			m.SourceExclusions = types.ListValueMust(types.StringType, []attr.Value{types.StringValue("a"), types.StringUnknown()})
		},
		"threshold": func(m *mapModel) {
			m.Fuzzy = types.ObjectValueMust(fuzzyTypes, map[string]attr.Value{"threshold": types.NumberUnknown()})
		},
	} {
		m := accountMapOf(change)
		if m.known() {
			t.Errorf("with an unknown %s all is known", name)
		}
		wire := m.toAPI(accountMaps) // goes into ValidateConfig, with what is known
		if len(wire.exceptions) != len(*wire.Exceptions) || len(wire.exclusions) != len(*wire.Exclusions) {
			t.Errorf("unknown %s: the items have lost their places", name)
		}
	}
}
