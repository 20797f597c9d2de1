package rulestest

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

func groupCases() []MapCase {
	toBox := func(edits ...func(*idmap.Map)) idmap.Map { return MapBetween(OldFiles, BoxFiles, edits...) }
	sales := files(pair("sales", "sales"))
	renamed := []MapEvent{
		{Connection: OldFiles, Group: &idmap.Group{ID: "sg-sales", Name: "selling", Caption: "Selling"}},
		{Connection: OldFiles, Group: &idmap.Group{ID: "sg-sales-2", Name: "sales", Caption: "Sales Team"}},
	}
	cases := []MapCase{
		{Name: "names and captions", Want: files(by(idmap.MapBy{Name: true, Caption: true}))},
		{Name: "exceptions by name, id and caption", Want: files(pair("SALES", "dg-eng"), pair("Engineering", "sales team")), Becomes: pairs("sg-sales", "dg-eng", "sg-eng", "dg-sales")},
		{Name: "a self exception and a circle", Want: files(pair("sales", "sales"), pair("eng", "team1"), pair("team1", "eng"))},
		{Name: "exclusions and defaults", Want: files(defaultTo("eng"), sourceDefault("eng"), without(idmap.LocationDestination, "sales"), without(idmap.LocationSource, "sales"))},

		{Name: "an unknown source", Want: files(pair("saless", "sales")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].source"},
		{Name: "an unknown destination", Want: files(pair("sales", "sg-sales")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].destination"},
		{Name: "an unknown exclusion", Want: files(without(idmap.LocationSource, "nobody")), Refused: codes(idmap.CodeUnknownAccount), Field: "exclusions[0].sid"},
		{Name: "an unknown default", Want: files(defaultTo("nobody")), Refused: codes(idmap.CodeUnknownAccount), Field: "destination.default"},
		{Name: "a destination that has left", Want: files(pair("sales", "gone")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].destination"},
		{Name: "one of two of one caption", Want: files(pair("The Team", "sales")), Refused: codes(idmap.CodeAmbiguousAccount), Field: "exceptions[0].source"},
		{
			Name: "parts that name two groups", Want: files(pairOf(idmap.Principal{ID: "sg-sales", Name: "eng"}, named("eng"))),
			Refused: codes(idmap.CodeAccountMismatch), Field: "exceptions[0].source",
		},
		{
			Name: "an account", Want: files(pairOf(named("sales"), idmap.Principal{Type: "account", Name: "sales"})),
			Refused: codes(idmap.CodeInvalid), Field: "exceptions[0].destination",
		},
		{
			Name: "one source twice", Want: files(pair("sales", "sales"), pair("Sales Team", "eng")),
			Refused: codes(idmap.CodeDuplicateException), Field: "exceptions[1].source",
		},
		{
			Name: "an exception to one that is excluded", Want: files(pair("sales", "sales"), without(idmap.LocationDestination, "dg-sales")),
			Refused: codes(idmap.CodeInvalid), Field: "exceptions[0].destination",
		},
		{Name: "to one that is disabled", Want: files(pair("sales", "off")), Warned: codes(idmap.CodeInactiveAccount), Field: "exceptions[0].destination"},
		{Name: "a source that has left", Want: files(pair("gone", "sales")), Warned: codes(idmap.CodeInactiveAccount), Field: "exceptions[0].source"},

		{Name: "to Box, by rules", Want: toBox(by(idmap.MapBy{Name: true}))},
		{Name: "to Box, by ids", Want: toBox(pair("sales", "bg-sales"), pairOf(named("eng"), idmap.Principal{ID: "bg-eng", Caption: "Engineering"}), defaultTo("bg-eng"))},
		{Name: "to Box, without one that is named", Want: toBox(without(idmap.LocationDestination, "sales"))},
		{Name: "from Box, by names", Want: MapBetween(BoxFiles, NewFiles, pair("sales", "sales"))},
		{Name: "to Box, by a name", Want: toBox(pair("sales", "sales")), Refused: codes(idmap.CodeGroupIDRequired), Field: "exceptions[0].destination"},
		{
			Name: "to Box, by a name that stands as the id too", Want: toBox(pairOf(named("sales"), idmap.Principal{ID: "sales", Name: "sales"})),
			Refused: codes(idmap.CodeGroupIDRequired), Field: "exceptions[0].destination",
		},
		{Name: "to Box, a default by its caption", Want: toBox(defaultTo("Sales Team")), Refused: codes(idmap.CodeGroupIDRequired), Field: "destination.default"},

		{
			Name: "update: kept after a rename, though another has the name", Before: &sales, Then: renamed, Want: sales,
			Warned: codes(idmap.CodeNameReused), Field: "exceptions[0].source", Becomes: pairs("sg-sales", "dg-sales"),
		},
	}
	for _, option := range []struct {
		name string
		by   idmap.MapBy
	}{
		{"username", idmap.MapBy{ID: true, Username: true}},
		{"email", idmap.MapBy{ID: true, Email: true}},
		{"fuzzy", idmap.MapBy{ID: true, Fuzzy: true}},
		{"fuzzy_threshold", idmap.MapBy{ID: true, FuzzyThreshold: new(0.9)}},
		{"external_passthrough", idmap.MapBy{ID: true, ExternalPassthrough: true}},
		{"external_resolve", idmap.MapBy{ID: true, ExternalResolve: idmap.ExternalResolveFirst}},
	} {
		cases = append(cases, MapCase{
			Name: "an option of account maps: " + option.name, Want: files(by(option.by)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by." + option.name,
		})
	}
	return cases
}
