package backend_test

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// TestMapSpecification runs every case of the rules of maps through the store: validate, create and update must say
// what the rules say. Cases in whose directories something happens have a world of their own; the others share one.
func TestMapSpecification(t *testing.T) {
	t.Parallel()
	mapped(t, func(t *testing.T, b *backend.Backend) {
		for _, c := range rulestest.MapCases() {
			if c.Then == nil {
				t.Run(c.Name, func(t *testing.T) { checkMapCase(t, b, c) })
				if err := b.DeleteMaps(t.Context(), admin, c.Kind); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestMapSpecificationAfterEvents(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		for _, c := range rulestest.MapCases() {
			if c.Then != nil {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					b := backend.New(open(t), backend.Options{})
					stageMaps(t, b)
					checkMapCase(t, b, c)
				})
			}
		}
	})
}

func checkMapCase(t *testing.T, b *backend.Backend, c rulestest.MapCase) {
	t.Helper()
	intent := stageMapCase(t, b, c)
	validated, err := b.ValidateMaps(t.Context(), admin, c.Kind, []idmap.MapIntent{intent}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rulestest.CheckMap(t, c, validated[0])
	if effect := validated[0].Effect; effect != nil {
		checkTotals(t, b, c.Kind, c.Want.Source.Connection.ID, effect.Totals)
	}
	checkMapWritten(t, b, c, intent, validated[0])
}

// stageMapCase stores the maps of a case, lets happen what happens then, and returns the intent that the case is about.
func stageMapCase(t *testing.T, b *backend.Backend, c rulestest.MapCase) idmap.MapIntent {
	t.Helper()
	if c.Other != nil {
		createMap(t, b, c.Kind, *c.Other)
	}
	intent := idmap.MapIntent{Operation: idmap.OperationCreate, Map: &c.Want}
	if c.Before != nil {
		before := createMap(t, b, c.Kind, *c.Before)
		intent.Operation, intent.ID, intent.Revision = idmap.OperationUpdate, before.ID, before.Revision
	}
	for _, e := range c.Then {
		play(t, b, e)
	}
	return intent
}

// checkMapWritten writes what was validated and compares.
func checkMapWritten(t *testing.T, b *backend.Backend, c rulestest.MapCase, intent idmap.MapIntent, validated idmap.MapVerdict) {
	t.Helper()
	verdict, err := writeMap(t, b, c.Kind, intent)
	if len(c.Refused) > 0 {
		rulestest.CheckMap(t, c, idmap.MapVerdict{Violations: idmap.ViolationsOf(err)})
		if got, want := text(t, idmap.ViolationsOf(err)), text(t, validated.Violations); got != want {
			t.Errorf("refused with\n%s\nwant what validate foretold\n%s", got, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	rulestest.CheckMap(t, c, verdict)
	stored := rereadMap(t, b, c.Kind, verdict.Map.ID)
	rulestest.CheckStoredMap(t, c, stored)
	if validated.Map == nil || stored.Revision != validated.Map.Revision || stored.UnmappedPolicy != validated.Map.UnmappedPolicy {
		t.Errorf("stored %+v, want what validate foretold: %+v", stored, validated.Map)
	}
	stored.Exceptions, stored.Exclusions = nil, nil
	if got, want := text(t, stored), text(t, *verdict.Map); got != want {
		t.Errorf("stored\n%s\nwant what was answered\n%s", got, want)
	}
	report(t, b, backend.MapSubject{Kind: c.Kind, ID: stored.ID}, c.Want.Source.Connection.ID)
}

func writeMap(t *testing.T, b *backend.Backend, kind idmap.MapKind, in idmap.MapIntent) (idmap.MapVerdict, error) {
	t.Helper()
	if in.Operation == idmap.OperationCreate {
		return b.CreateMap(t.Context(), admin, kind, *in.Map)
	}
	return b.UpdateMap(t.Context(), admin, kind, in.ID, in.Revision, func(idmap.Map) (idmap.Map, error) { return *in.Map, nil })
}
