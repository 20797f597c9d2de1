package rulestest

import (
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MapCase is one line of the specification of maps: in the world of maps, beside another map, somebody wants a map.
type MapCase struct {
	Name  string
	Kind  idmap.MapKind
	Other *idmap.Map // of the kind; stored first
	// Before is the map as it is stored before; nil: Want is to be created.
	Before *idmap.Map
	Then   []MapEvent // what happens in the directories after Before was stored
	Want   idmap.Map
	// Refused are all codes of the refusal, in the order of the rules; none: allowed.
	Refused []idmap.Code
	// Field is the field of the first violation, or of the first warning where nothing is refused.
	Field   string
	Warned  []idmap.Code         // without those of the map's effect
	Becomes func(idmap.Map) bool // what holds of the stored map, with its items; nil: anything
}

// MapBetween returns a map that compares ids, and has no items.
func MapBetween(source, destination string, edits ...func(*idmap.Map)) idmap.Map {
	m := idmap.Map{
		Name:   "Staff",
		Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: source}}, Destination: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: destination}},
		MapBy: idmap.MapBy{ID: true}, Exceptions: &[]idmap.MapException{}, Exclusions: &[]idmap.MapExclusion{},
	}
	for _, edit := range edits {
		edit(&m)
	}
	return m
}

func files(edits ...func(*idmap.Map)) idmap.Map { return MapBetween(OldFiles, NewFiles, edits...) }

func by(b idmap.MapBy) func(*idmap.Map) { return func(m *idmap.Map) { m.MapBy = b } }

func called(name string) func(*idmap.Map) { return func(m *idmap.Map) { m.Name = name } }

func named(name string) idmap.Principal { return idmap.Principal{Name: name} }

// pair adds an exception between what two texts name; pairOf one between principals.
func pair(source, destination string) func(*idmap.Map) {
	return pairOf(named(source), named(destination))
}

func pairOf(source, destination idmap.Principal) func(*idmap.Map) {
	return func(m *idmap.Map) {
		m.Exceptions = new(append(slices.Clone(*m.Exceptions), idmap.MapException{Source: source, Destination: destination}))
	}
}

func without(location idmap.Location, who ...string) func(*idmap.Map) {
	return func(m *idmap.Map) {
		for _, name := range who {
			m.Exclusions = new(append(slices.Clone(*m.Exclusions), idmap.MapExclusion{Location: location, SID: named(name)}))
		}
	}
}

func defaultTo(name string) func(*idmap.Map) {
	return func(m *idmap.Map) { m.Destination.Default = new(named(name)) }
}

func sourceDefault(name string) func(*idmap.Map) {
	return func(m *idmap.Map) { m.Source.Default = new(named(name)) }
}

func itemsAsTheyAre(m *idmap.Map) { m.Exceptions, m.Exclusions = nil, nil }

// pairs reports whether the exceptions of a map are between accounts of these ids: a source, its destination, and so
// on.
func pairs(ids ...string) func(idmap.Map) bool {
	return func(m idmap.Map) bool {
		var got []string
		for _, e := range *m.Exceptions {
			got = append(got, e.Source.ID, e.Destination.ID)
		}
		return slices.Equal(got, ids)
	}
}

// MapCases returns the specification of maps. Every code of the rules of maps is in it.
func MapCases() []MapCase {
	var all []MapCase
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		cases := commonMapCases()
		if kind == idmap.AccountMap {
			cases = append(append(cases, accountOptionCases()...), slices.Concat(accountItemCases(), accountUpdateCases())...)
		} else {
			cases = append(cases, groupCases()...)
		}
		for _, c := range cases {
			c.Kind, c.Name = kind, kind.Entry()+" map: "+c.Name
			all = append(all, c)
		}
	}
	return all
}

// commonMapCases are those of both kinds.
func commonMapCases() []MapCase {
	plain := files()
	return []MapCase{
		{Name: "one rule", Want: plain, Becomes: func(m idmap.Map) bool { return m.UnmappedPolicy == idmap.UnmappedSkip }},
		{Name: "the default rules", Want: files(by(idmap.MapBy{Default: true}))},
		{Name: "whatever nothing maps is handed over", Want: files(by(idmap.MapBy{Passthrough: true}))},
		{Name: "a policy", Want: files(func(m *idmap.Map) { m.UnmappedPolicy = idmap.UnmappedFail })},
		{
			Name: "no such policy", Want: files(func(m *idmap.Map) { m.UnmappedPolicy = "drop" }),
			Refused: codes(idmap.CodeInvalid), Field: "unmapped_policy",
		},
		{
			Name: "handed over and failed", Want: files(by(idmap.MapBy{ID: true, Passthrough: true}), func(m *idmap.Map) { m.UnmappedPolicy = idmap.UnmappedFail }),
			Refused: codes(idmap.CodeInvalid), Field: "unmapped_policy",
		},
		{
			Name: "an exclusion of neither side", Want: files(without("", "sales", "jane.doe")),
			Refused: codes(idmap.CodeInvalid, idmap.CodeInvalid, idmap.CodeUnknownAccount), Field: "exclusions[0].location",
		},
		{Name: "no option at all", Want: files(by(idmap.MapBy{})), Refused: codes(idmap.CodeNoMatchOption), Field: "map_by"},
		{Name: "built-in accounts", Want: files(by(idmap.MapBy{ID: true, BuiltIn: true})), Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.built_in"},
		{Name: "a directory service", Want: files(by(idmap.MapBy{ID: true, LDAP: true})), Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.ldap"},

		{Name: "no name", Want: files(called(" ")), Refused: codes(idmap.CodeInvalid), Field: "name"},
		{Name: "a name that is as long as can be", Want: files(called(strings.Repeat("ü", 200)))},
		{Name: "a name with what nobody sees", Want: files(called("Sta\u200bff")), Refused: codes(idmap.CodeInvalid), Field: "name"},
		{Name: "a name that is too long", Want: files(called(strings.Repeat("x", 300))), Refused: codes(idmap.CodeInvalid), Field: "name"},
		{Name: "the name of another map", Other: &plain, Want: files(called("STAFF")), Refused: codes(idmap.CodeNameInUse), Field: "name"},
		{Name: "another name than another map", Other: &plain, Want: files(called("Staff 2"))},
		{Name: "update: its own name in other letters", Before: &plain, Want: files(called("STAFF"))},
		{
			Name: "update: the name of another map", Other: new(files(called("Others"))), Before: &plain, Want: files(called("others")),
			Refused: codes(idmap.CodeNameInUse), Field: "name",
		},

		{Name: "no such source", Want: MapBetween("nowhere", NewFiles), Refused: codes(idmap.CodeUnknownConnection), Field: "source.connection.id"},
		{Name: "no such destination", Want: MapBetween(OldFiles, "nowhere"), Refused: codes(idmap.CodeUnknownConnection), Field: "destination.connection.id"},
		{Name: "one connection on both sides", Want: MapBetween(OldFiles, OldFiles), Refused: codes(idmap.CodeInvalid), Field: "destination.connection.id"},
		{
			Name: "update: another source", Before: &plain, Want: MapBetween(Corporate, NewFiles),
			Refused: codes(idmap.CodeImmutable), Field: "source.connection.id",
		},
		{
			Name: "update: another destination", Before: &plain, Want: MapBetween(OldFiles, BoxFiles),
			Refused: codes(idmap.CodeImmutable), Field: "destination.connection.id",
		},
		{
			Name:    "all that is wrong is reported",
			Want:    MapBetween(OldFiles, "nowhere", called(""), by(idmap.MapBy{LDAP: true}), pair("nobody", "x")),
			Refused: codes(idmap.CodeInvalid, idmap.CodeUnsupportedOption, idmap.CodeNoMatchOption, idmap.CodeUnknownConnection, idmap.CodeUnknownAccount), Field: "name",
		},
		{Name: "an exception without a source", Want: files(pair("", "x")), Refused: codes(idmap.CodeInvalid, idmap.CodeUnknownAccount), Field: "exceptions[0].source"},
		{
			Name: "an exclusion on no side", Want: files(without("middle", "x")),
			Refused: codes(idmap.CodeInvalid, idmap.CodeUnknownAccount), Field: "exclusions[0].location",
		},
		{
			Name:    "a text that cannot be stored",
			Want:    files(pairOf(idmap.Principal{ID: strings.Repeat("x", 300)}, idmap.Principal{Caption: "a\x00b"})),
			Refused: codes(idmap.CodeInvalid, idmap.CodeInvalid), Field: "exceptions[0].source",
		},
	}
}
