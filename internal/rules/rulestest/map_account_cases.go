package rulestest

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

func accountOptionCases() []MapCase {
	fuzzy, guests := idmap.MapBy{Name: true, Fuzzy: true}, idmap.MapBy{ExternalPassthrough: true}
	resolve := func(b idmap.MapBy, r idmap.ExternalResolve) func(*idmap.Map) { b.ExternalResolve = r; return by(b) }
	threshold := func(b idmap.MapBy, at float64) func(*idmap.Map) { b.FuzzyThreshold = &at; return by(b) }
	return []MapCase{
		{Name: "usernames and emails", Want: files(by(idmap.MapBy{Username: true, Email: true}))},
		{Name: "partial matches", Want: files(by(fuzzy)), Becomes: func(m idmap.Map) bool { return *m.MapBy.FuzzyThreshold > 0.5 }},
		{Name: "partial matches by the default rules", Want: files(by(idmap.MapBy{Default: true, Fuzzy: true}))},
		{Name: "partial matches from a threshold on", Want: files(threshold(fuzzy, 0.75)), Becomes: func(m idmap.Map) bool { return *m.MapBy.FuzzyThreshold == 0.75 }},
		{Name: "partial matches to a directory without guests", Want: MapBetween(OldFiles, Corporate, by(fuzzy))},
		{Name: "a threshold that is too low", Want: files(threshold(fuzzy, 0.1)), Refused: codes(idmap.CodeInvalid), Field: "map_by.fuzzy_threshold"},
		{Name: "a threshold of 0", Want: files(threshold(fuzzy, 0)), Refused: codes(idmap.CodeInvalid), Field: "map_by.fuzzy_threshold"},
		{Name: "a threshold of 2", Want: files(threshold(fuzzy, 2)), Refused: codes(idmap.CodeInvalid), Field: "map_by.fuzzy_threshold"},
		{
			Name: "a threshold of nothing", Want: files(threshold(idmap.MapBy{ID: true}, 0.8)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.fuzzy_threshold",
		},
		{
			Name: "partial matches of nothing", Want: files(by(idmap.MapBy{ID: true, Fuzzy: true})),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.fuzzy",
		},
		{
			Name: "partial matches to a platform that has none", Want: MapBetween(OldFiles, Archive, by(fuzzy)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.fuzzy",
		},
		{
			Name: "partial matches from a platform that has none", Want: MapBetween(Archive, NewFiles, by(fuzzy)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.fuzzy",
		},

		{Name: "guests", Want: files(by(guests)), Becomes: func(m idmap.Map) bool { return m.MapBy.ExternalResolve == idmap.ExternalResolveNever }},
		{Name: "guests that are looked for first", Want: files(resolve(guests, idmap.ExternalResolveFirst))},
		{Name: "guests from a platform that has none", Want: MapBetween(Corporate, NewFiles, by(guests))},
		{
			Name: "guests to a platform that has none", Want: MapBetween(OldFiles, Corporate, by(guests)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.external_passthrough",
		},
		{
			Name: "guests that are looked for first and not kept", Want: files(resolve(idmap.MapBy{ID: true}, idmap.ExternalResolveFirst)),
			Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.external_resolve",
		},
		{
			Name: "no such way to look for guests", Want: files(resolve(guests, "sometimes")),
			Refused: codes(idmap.CodeInvalid), Field: "map_by.external_resolve",
		},
		{Name: "captions", Want: files(by(idmap.MapBy{ID: true, Caption: true})), Refused: codes(idmap.CodeUnsupportedOption), Field: "map_by.caption"},
	}
}

func accountItemCases() []MapCase {
	return []MapCase{
		{Name: "an exception by usernames", Want: files(pair("Jane.Doe", "john.roe")), Becomes: pairs("s-jane", "d-john")},
		{Name: "an exception by an address and an alias", Want: files(pair("JANE.DOE@contoso.com", "jdoe@fabrikam.com")), Becomes: pairs("s-jane", "d-jane")},
		{Name: "an exception by ids", Want: files(pair("s-john", "d-lea")), Becomes: pairs("s-john", "d-lea")},
		{Name: "an exception by display names", Want: files(pair("  lea  VÉR ", "John Roe")), Becomes: pairs("s-lea", "d-john")},
		{
			Name: "an exception as the published clients write it",
			Want: files(pairOf(
				idmap.Principal{Type: "account", Name: "Jane D.", Email: "jane.doe@contoso.com"},
				idmap.Principal{Type: "account", Name: "Jane D.", Email: "jane.doe@fabrikam.com"})),
			Becomes: pairs("s-jane", "d-jane"),
		},
		{Name: "a self exception", Want: files(pair("jane.doe", "jane.doe")), Becomes: pairs("s-jane", "d-jane")},
		{Name: "circular exceptions", Want: files(pair("jane.doe", "john.roe"), pair("john.roe", "jane.doe")), Becomes: pairs("s-jane", "d-john", "s-john", "d-jane")},
		{Name: "two accounts that become one", Want: files(pair("jane.doe", "lea.ver"), pair("john.roe", "lea.ver"))},
		{Name: "a guest", Want: files(pair("gus@partner.example", "jane.doe")), Becomes: pairs("s-guest", "d-jane")},
		{Name: "to a stub", Want: files(pair("jane.doe", "stu.stub")), Becomes: pairs("s-jane", "d-stub")},
		{Name: "a disabled source", Want: files(pair("ollie.off", "jane.doe")), Becomes: pairs("s-off", "d-jane")},
		{
			Name: "twins by their ids, described alike",
			Want: files(
				pairOf(idmap.Principal{ID: "s-twin-1", Name: "Sam Twin"}, named("sam.one")),
				pairOf(idmap.Principal{ID: "s-twin-2", Name: "Sam Twin"}, named("sam.two"))),
			Becomes: pairs("s-twin-1", "d-twin-1", "s-twin-2", "d-twin-2"),
		},
		{
			Name:    "one's id that is another's username",
			Want:    files(pairOf(idmap.Principal{ID: "s-jane"}, named("jane.doe")), pairOf(idmap.Principal{Username: "s-jane"}, named("john.roe"))),
			Becomes: pairs("s-jane", "d-jane", "s-odd", "d-john"),
		},
		{
			Name: "exclusions on both sides",
			Want: files(without(idmap.LocationSource, "jane.doe", "gus@partner.example"), without(idmap.LocationDestination, "jane.doe", "stu.stub")),
		},
		{Name: "an exclusion of one who has left", Want: files(without(idmap.LocationSource, "gail.gone"))},
		{Name: "an exception of one who is excluded", Want: files(pair("jane.doe", "jane.doe"), without(idmap.LocationSource, "jane.doe"))},
		{Name: "defaults", Want: files(defaultTo("lea.ver"), sourceDefault("jane.doe")), Becomes: func(m idmap.Map) bool {
			return m.Destination.Default.ID == "d-lea" && m.Source.Default.ID == "s-jane"
		}},

		{Name: "an unknown source", Want: files(pair("jane.do@contoso.com", "jane.doe")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].source"},
		{
			Name: "an unknown destination", Want: files(pair("john.roe", "john.roe"), pair("jane.doe", "jane.doe@contoso.com")),
			Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[1].destination",
		},
		{
			Name: "unknown exclusions", Want: files(without(idmap.LocationSource, "d-jane"), without(idmap.LocationDestination, "s-jane")),
			Refused: codes(idmap.CodeUnknownAccount, idmap.CodeUnknownAccount), Field: "exclusions[0].sid",
		},
		{Name: "an unknown default", Want: files(defaultTo("s-jane")), Refused: codes(idmap.CodeUnknownAccount), Field: "destination.default"},
		{Name: "an unknown default of the source", Want: files(sourceDefault("d-jane")), Refused: codes(idmap.CodeUnknownAccount), Field: "source.default"},
		{Name: "a default without a name", Want: files(defaultTo(" ")), Refused: codes(idmap.CodeInvalid), Field: "destination.default"},
		{Name: "a destination that has left", Want: files(pair("jane.doe", "gail.gone")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].destination"},
		{Name: "a default that has left", Want: files(defaultTo("d-gone")), Refused: codes(idmap.CodeUnknownAccount), Field: "destination.default"},
		{Name: "one of two twins", Want: files(pair("Sam Twin", "jane.doe")), Refused: codes(idmap.CodeAmbiguousAccount), Field: "exceptions[0].source"},
		{Name: "to one of two twins", Want: files(pair("jane.doe", "Sam Twin")), Refused: codes(idmap.CodeAmbiguousAccount), Field: "exceptions[0].destination"},
		{Name: "a default of two twins", Want: files(defaultTo("Sam Twin")), Refused: codes(idmap.CodeAmbiguousAccount), Field: "destination.default"},
		{
			Name: "an id that is also another's username", Want: files(without(idmap.LocationSource, "s-jane")),
			Refused: codes(idmap.CodeAmbiguousAccount), Field: "exclusions[0].sid",
		},
		{
			Name: "parts that name two accounts", Want: files(pairOf(idmap.Principal{ID: "s-jane", Email: "john.roe@contoso.com"}, named("jane.doe"))),
			Refused: codes(idmap.CodeAccountMismatch), Field: "exceptions[0].source",
		},
		{
			Name: "a group", Want: files(pairOf(idmap.Principal{Type: "group", Name: "jane.doe"}, named("jane.doe"))),
			Refused: codes(idmap.CodeInvalid), Field: "exceptions[0].source",
		},
		{
			Name: "one source twice, in two spellings", Want: files(pair("jane.doe", "jane.doe"), pair("JANE.DOE", "john.roe")),
			Refused: codes(idmap.CodeDuplicateException), Field: "exceptions[1].source",
		},
		{
			Name: "one source twice, by two of its names", Want: files(pair("jane.doe", "jane.doe"), pair("jdoe@contoso.com", "john.roe")),
			Refused: codes(idmap.CodeDuplicateException), Field: "exceptions[1].source",
		},
		{
			Name: "one exclusion twice", Want: files(without(idmap.LocationSource, "jane.doe", "s-john", "jdoe@contoso.com")),
			Refused: codes(idmap.CodeDuplicateException), Field: "exclusions[2].sid",
		},
		{
			Name: "an exception to one who is excluded", Want: files(pair("jane.doe", "jane.doe"), without(idmap.LocationDestination, "d-jane")),
			Refused: codes(idmap.CodeInvalid), Field: "exceptions[0].destination",
		},
		{
			Name: "a default that is excluded", Want: files(defaultTo("jane.doe"), without(idmap.LocationDestination, "d-jane")),
			Refused: codes(idmap.CodeInvalid), Field: "destination.default",
		},

		{Name: "to one who is disabled", Want: files(pair("jane.doe", "ollie.off")), Warned: codes(idmap.CodeInactiveAccount), Field: "exceptions[0].destination"},
		{Name: "a default that is disabled", Want: files(defaultTo("ollie.off")), Warned: codes(idmap.CodeInactiveAccount), Field: "destination.default"},
		{Name: "a source that has left", Want: files(pair("gail.gone", "jane.doe")), Warned: codes(idmap.CodeInactiveAccount), Field: "exceptions[0].source"},
	}
}

func accountUpdateCases() []MapCase {
	jane := files(pair("jane.doe", "jane.doe"))
	two := files(pair("jane.doe", "jane.doe"), pair("john.roe", "john.roe"))
	// Jane marries, and another Jane Doe gets her username.
	married := []MapEvent{
		{Connection: OldFiles, Account: &idmap.Account{ID: "s-jane", Username: "jane.smith", Name: "Jane Smith", Email: "jane.smith@contoso.com"}},
		{Connection: OldFiles, Account: &idmap.Account{ID: "s-jane-2", Username: "jane.doe", Name: "Jane Doe", Email: "jane.doe@contoso.com"}},
		{Connection: NewFiles, Account: &idmap.Account{ID: "d-jane", Username: "jane.smith", Name: "Jane Smith", Email: "jane.smith@fabrikam.com"}},
	}
	left := []MapEvent{{Connection: NewFiles, Account: &idmap.Account{ID: "d-jane", Username: "jane.doe", Name: "Jane Doe"}, Leaves: true}}
	return []MapCase{
		{Name: "update: nothing", Before: &two, Want: two, Becomes: pairs("s-jane", "d-jane", "s-john", "d-john")},
		{Name: "update: items stay as they are", Before: &two, Want: files(called("Other"), itemsAsTheyAre), Becomes: pairs("s-jane", "d-jane", "s-john", "d-john")},
		{Name: "update: an item goes", Before: &two, Want: jane, Becomes: pairs("s-jane", "d-jane")},
		{Name: "update: another order", Before: &two, Want: files(pair("john.roe", "john.roe"), pair("jane.doe", "jane.doe"))},
		{Name: "update: two destinations swapped", Before: &two, Want: files(pair("jane.doe", "john.roe"), pair("john.roe", "jane.doe")), Becomes: pairs("s-jane", "d-john", "s-john", "d-jane")},
		{Name: "update: another destination, which is unknown", Before: &two, Want: files(pair("JANE.DOE@contoso.com", "D-JANE@x.example"), pair("john.roe", "john.roe")), Refused: codes(idmap.CodeUnknownAccount), Field: "exceptions[0].destination"},
		{Name: "update: another spelling of the source", Before: &two, Want: files(pair("JANE.DOE@contoso.com", "jane.doe"), pair("john.roe", "john.roe")), Becomes: pairs("s-jane", "d-jane", "s-john", "d-john")},
		{
			Name: "update: kept after a rename, though another has the name", Before: &jane, Then: married, Want: jane,
			Warned: codes(idmap.CodeNameReused), Field: "exceptions[0].source", Becomes: pairs("s-jane", "d-jane"),
		},
		{
			Name:   "update: called by one text what was stored under several",
			Before: new(files(pairOf(idmap.Principal{Username: "jane.doe", Caption: "Jane Doe"}, idmap.Principal{ID: "d-jane"}))), Then: married,
			Want: files(pair("jane.doe", "d-jane")), Warned: codes(idmap.CodeNameReused), Field: "exceptions[0].source", Becomes: pairs("s-jane", "d-jane"),
		},
		{
			Name: "update: another destination, and another has the name", Before: &jane, Then: married, Want: files(pair("jane.doe", "lea.ver")),
			Refused: codes(idmap.CodeAmbiguousAccount), Field: "exceptions[0].source",
		},
		{
			Name: "update: the renamed account a second time", Before: &jane, Then: married, Want: files(pair("jane.doe", "jane.doe"), pair("jane.smith", "john.roe")),
			Refused: codes(idmap.CodeDuplicateException), Field: "exceptions[1].source",
		},
		{
			Name: "update: the new holder of the name, by the id", Before: &jane, Then: married,
			Want:    files(pairOf(idmap.Principal{ID: "s-jane-2", Name: "jane.doe"}, named("lea.ver"))),
			Becomes: pairs("s-jane-2", "d-lea"),
		},
		{Name: "update: kept, and its destination has left", Before: &jane, Then: left, Want: jane, Warned: codes(idmap.CodeInactiveAccount), Field: "exceptions[0].destination"},
		{
			Name: "update: a default that has left stays", Before: new(files(defaultTo("jane.doe"))), Then: left, Want: files(defaultTo("jane.doe")),
			Warned: codes(idmap.CodeInactiveAccount), Field: "destination.default",
		},
		{
			Name: "update: a new exclusion of an exception's destination", Before: &jane,
			Want:    files(func(m *idmap.Map) { m.Exceptions = nil }, without(idmap.LocationDestination, "d-jane")),
			Refused: codes(idmap.CodeInvalid), Field: "exclusions[0].sid",
		},
		{
			Name: "update: a new default that was excluded before", Before: new(files(without(idmap.LocationDestination, "d-jane"))),
			Want: files(itemsAsTheyAre, defaultTo("jane.doe")), Refused: codes(idmap.CodeInvalid), Field: "destination.default",
		},
	}
}
