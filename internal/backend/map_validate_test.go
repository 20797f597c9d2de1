package backend_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func suggests(v idmap.Violation, who string) bool {
	return strings.Contains(v.Description, "Did you mean") && strings.Contains(v.Description, who)
}

func validateMaps(t *testing.T, b *backend.Backend, kind idmap.MapKind, intents ...idmap.MapIntent) []idmap.MapVerdict {
	t.Helper()
	verdicts, err := b.ValidateMaps(t.Context(), admin, kind, intents, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Map != nil && (v.Map.Exceptions != nil || v.Map.Exclusions != nil) {
			t.Errorf("the verdict has items: %+v", v.Map)
		}
		if v.Effect != nil {
			checkTotals(t, b, kind, rulestest.OldFiles, v.Effect.Totals)
		}
	}
	return verdicts
}

func TestEffectOfACreate(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		wanted := staffMap(idmap.AccountMap, func(m *idmap.Map) { m.MapBy = idmap.MapBy{Name: true} })
		v := validateMaps(t, b, idmap.AccountMap, idmap.MapIntent{Operation: idmap.OperationCreate, Map: &wanted})[0]
		if !slices.Equal(rulestest.CodesOf(v.Warnings), []idmap.Code{idmap.CodeMapIncomplete}) || v.Effect.Totals.ByReason[idmap.ReasonAmbiguous] != 2 || v.Effect.Changed != 0 {
			t.Errorf("got %+v and %+v", v.Warnings, v.Effect)
		}
		if created, err := b.CreateMap(t.Context(), admin, idmap.AccountMap, wanted); err != nil || created.Effect != nil || len(created.Warnings) > 0 {
			t.Errorf("a create computed %+v, %v", created.Effect, err)
		}
	})
}

func TestEffectOfAnUpdate(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		for _, kind := range bothKinds {
			one, two := "jane.doe", "lea.ver"
			if kind == idmap.GroupMap {
				one, two = "sales", "eng"
			}
			m := createMap(t, b, kind, staffMap(kind, exception(one, two)))
			use := transfer(&m, nil)
			if kind == idmap.GroupMap {
				use = transfer(nil, &m)
			}
			createJob(t, b, use)
			createJob(t, b, use)
			validate := func(edits ...func(*idmap.Map)) idmap.MapVerdict {
				t.Helper()
				wanted := staffMap(kind, edits...)
				return validateMaps(t, b, kind, idmap.MapIntent{Operation: idmap.OperationUpdate, ID: m.ID, Revision: 1, Map: &wanted})[0]
			}
			if v := validate(exception(one, two)); v.Effect != nil || v.Map == nil || v.Map.Revision != 1 || len(v.Warnings) > 0 {
				t.Errorf("%s: nothing changes: %+v", kind, v)
			}
			if v := validate(exception(one, two), func(m *idmap.Map) { m.Name = "People" }); v.Effect == nil || v.Effect.Changed != 0 || v.Effect.Jobs != 0 || v.Map.Revision != 2 || len(v.Warnings) > 0 {
				t.Errorf("%s: another name: %+v, %+v", kind, v.Effect, v.Warnings)
			}
			if v := validate(exception(one, one)); v.Effect.Changed != 1 || v.Effect.Jobs != 2 ||
				!slices.Equal(rulestest.CodesOf(v.Warnings), []idmap.Code{idmap.CodeMapChangesResults, idmap.CodeMapNotRetroactive}) {
				t.Errorf("%s: another destination: %+v, %+v", kind, v.Effect, v.Warnings)
			}
			// The exception says now what the rule says as well.
			if v := validate(); v.Effect.Changed != 1 || v.Effect.Jobs != 2 {
				t.Errorf("%s: no exception: %+v", kind, v.Effect)
			}
			if v := validate(exception(one, two), func(m *idmap.Map) { m.UnmappedPolicy = idmap.UnmappedFail }); v.Effect.Changed != 0 || v.Effect.Jobs != 2 {
				t.Errorf("%s: another policy: %+v", kind, v.Effect)
			}
		}
	})
}

func TestIntentsSeeEachOthersNames(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		called := func(name string) *idmap.Map {
			return new(staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Name = name }))
		}
		one, two := createMap(t, b, idmap.AccountMap, *called("One")), createMap(t, b, idmap.AccountMap, *called("Two"))
		for _, c := range []struct {
			name    string
			intents []idmap.MapIntent
			refused []idmap.Code // of the last intent
		}{
			{"two of one name", []idmap.MapIntent{{Operation: idmap.OperationCreate, Map: called("New")}, {Operation: idmap.OperationCreate, Map: called("NEW")}}, []idmap.Code{idmap.CodeNameInUse}},
			{"two of two names", []idmap.MapIntent{{Operation: idmap.OperationCreate, Map: called("New")}, {Operation: idmap.OperationCreate, Map: called("Newer")}}, nil},
			{"the name of one that goes", []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: one.ID}, {Operation: idmap.OperationCreate, Map: called("One")}}, nil},
			{"names swapped", []idmap.MapIntent{
				{Operation: idmap.OperationUpdate, ID: one.ID, Map: called("Two")},
				{Operation: idmap.OperationUpdate, ID: two.ID, Map: called("One")},
			}, nil},
			{"one map twice", []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: one.ID}, {Operation: idmap.OperationDelete, ID: one.ID}}, []idmap.Code{idmap.CodeDuplicateItem}},
			{"no such map", []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: "none"}}, []idmap.Code{idmap.CodeNotFound}},
			{"no map", []idmap.MapIntent{{Operation: idmap.OperationCreate}}, []idmap.Code{idmap.CodeInvalid}},
			{"an old revision", []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: one.ID, Revision: 9}}, []idmap.Code{idmap.CodeRevisionConflict}},
		} {
			verdicts := validateMaps(t, b, idmap.AccountMap, c.intents...)
			if got := rulestest.CodesOf(verdicts[len(verdicts)-1].Violations); !slices.Equal(got, c.refused) {
				t.Errorf("%s: refused with %v, want %v", c.name, got, c.refused)
			}
		}
	})
}

func TestMapsOfProposedDirectories(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		target := idmap.Connection{ID: "soon", Name: "Soon", Platform: idmap.PlatformRef{ID: "generic"}}
		wanted := rulestest.MapBetween(rulestest.OldFiles, "soon")
		wanted.MapBy = idmap.MapBy{Username: true}
		exception("jane.doe", "jane.d")(&wanted)
		judge := func(directories ...idmap.ProposedDirectory) idmap.MapVerdict {
			t.Helper()
			v, err := b.ValidateMaps(t.Context(), admin, idmap.AccountMap, []idmap.MapIntent{{Operation: idmap.OperationCreate, Map: &wanted}}, directories)
			if err != nil {
				t.Fatal(err)
			}
			return v[0]
		}
		wantCode(t, idmap.Refuse(judge().Violations...), idmap.CodeUnknownConnection)
		v := judge(idmap.ProposedDirectory{Connection: target, Accounts: &[]idmap.Account{{ID: "1", Username: "jane.doe"}}})
		if wantCode(t, idmap.Refuse(v.Violations...), idmap.CodeUnknownAccount); !suggests(v.Violations[0], "jane.doe") {
			t.Errorf("the refusal suggests nobody: %+v", v.Violations)
		}
		v = judge(idmap.ProposedDirectory{Connection: target, Accounts: &[]idmap.Account{{ID: "2", Username: "john.roe"}, {ID: "1", Username: "jane.d"}}})
		if len(v.Violations) > 0 || v.Effect.Totals.ByResolution[idmap.ResolvedException] != 1 || v.Effect.Totals.ByResolution[idmap.ResolvedUsername] != 1 {
			t.Errorf("got %+v with %+v", v.Violations, v.Effect)
		}
		checkTotals(t, b, idmap.AccountMap, rulestest.OldFiles, v.Effect.Totals)
		if _, err := b.Connection(t.Context(), "soon"); !idmap.IsNotFound(err) {
			t.Errorf("validating stored the proposal: %v", err)
		}
	})
}

func TestTooManyItems(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		wanted := staffMap(idmap.AccountMap, func(m *idmap.Map) { m.Exceptions = new(make([]idmap.MapException, idmap.MaxMapItems+1)) })
		v := validateMaps(t, b, idmap.AccountMap, idmap.MapIntent{Operation: idmap.OperationCreate, Map: &wanted})[0]
		if len(v.Violations) != 1 || v.Violations[0].Field != "exceptions" || v.Effect != nil {
			t.Errorf("got %+v", v.Violations)
		}
	})
}

// TestEffectOfADirectory: a map that stays as it is, and the directory that is going to be imported beside it.
func TestEffectOfADirectory(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		wanted := staffMap(idmap.AccountMap, exception("john.roe", "jane.doe"))
		wanted.MapBy = idmap.MapBy{Username: true}
		m := createMap(t, b, idmap.AccountMap, wanted)
		connection, err := b.Connection(t.Context(), rulestest.NewFiles)
		if err != nil {
			t.Fatal(err)
		}
		intents := []idmap.MapIntent{{Operation: idmap.OperationUpdate, ID: m.ID, Map: &wanted}}
		without := slices.DeleteFunc(slices.Clone(rulestest.MapAccounts()[rulestest.NewFiles]), func(a idmap.Account) bool { return a.Username == "jane.doe" })
		verdicts, err := b.ValidateMaps(t.Context(), admin, idmap.AccountMap, intents, []idmap.ProposedDirectory{{Connection: connection, Accounts: &without}})
		if err != nil {
			t.Fatal(err)
		}
		if e := verdicts[0].Effect; e == nil || e.Changed != 2 {
			t.Errorf("without their destination, two resolve otherwise: got %+v", e)
		}
		if got, want := rulestest.CodesOf(verdicts[0].Warnings), []idmap.Code{idmap.CodeInactiveAccount, idmap.CodeMapChangesResults}; !slices.Equal(got, want) {
			t.Errorf("the warnings are %v, want %v", got, want)
		}
		verdicts = validateMaps(t, b, idmap.AccountMap, intents...)
		if verdicts[0].Effect != nil || len(verdicts[0].Warnings) > 0 {
			t.Errorf("where nothing changes at all there is nothing to say: got %+v", verdicts[0])
		}
	})
}

// TestProposedDirectoriesAreWhole: nothing of what is proposed is overlooked.
func TestProposedDirectoriesAreWhole(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		soon := idmap.Connection{ID: "soon", Name: "Soon", Platform: idmap.PlatformRef{ID: "generic"}}
		nowhere := idmap.Connection{ID: "soon", Name: "Soon", Platform: idmap.PlatformRef{ID: "nowhere"}}
		for field, proposed := range map[string][]idmap.ProposedDirectory{
			"directories[1].connection.id":          {{Connection: soon}, {Connection: soon}},
			"directories[0].connection.platform.id": {{Connection: nowhere}},
			"directories[0].accounts[1].id":         {{Connection: soon, Accounts: &[]idmap.Account{{ID: "1"}, {ID: "1"}}}},
			"directories[0].groups[0].id":           {{Connection: soon, Groups: &[]idmap.Group{{Name: "Staff"}}}},
		} {
			_, maps := b.ValidateMaps(t.Context(), admin, idmap.AccountMap, nil, proposed)
			_, mappings := b.ValidateUserMappings(t.Context(), admin, nil, proposed)
			_, report := b.ReportMap(t.Context(), backend.MapSubject{Kind: idmap.AccountMap, Proposed: &idmap.Map{}, Directories: proposed}, idmap.ResolutionFilter{}, idmap.Page{Limit: 1})
			for _, err := range []error{maps, mappings, report} {
				if v := idmap.ViolationsOf(err); len(v) != 1 || v[0].Code != idmap.CodeInvalid || v[0].Field != field {
					t.Errorf("got %v, want invalid at %s", err, field)
				}
			}
		}
	})
}
