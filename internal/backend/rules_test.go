package backend_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var admin = backend.Call{Token: idmap.Token{ID: "t", Name: "tester", Scopes: []idmap.Scope{idmap.ScopeAdmin}}}

// TestSpecification runs every case of the rules through the store: validate and apply must say what the rules say.
func TestSpecification(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, open func(testing.TB) store.Store) {
		for _, c := range rulestest.Cases() {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				b := backend.New(open(t), backend.Options{})
				intent := stage(t, b, c)
				validated, err := b.ValidateUserMappings(t.Context(), admin, []idmap.UserMappingIntent{intent}, nil)
				if err != nil {
					t.Fatal(err)
				}
				rulestest.Check(t, c, validated[0])
				checkApplied(t, b, c, intent, validated[0])
			})
		}
	})
}

// stage puts the world of a case into the backend and returns the intent that the case is about.
func stage(t *testing.T, b *backend.Backend, c rulestest.Case) idmap.UserMappingIntent {
	t.Helper()
	acctest.Stage(t, b, admin)
	for _, m := range c.Gone {
		v := create(t, b, m)
		if err := b.DeleteUserMapping(t.Context(), admin, v.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range c.Live {
		create(t, b, m)
	}
	want := c.Want
	if c.Update == nil {
		return idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &want}
	}
	before := create(t, b, *c.Update)
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: before.ID, Revision: before.Revision, UserMapping: &want}
}

func create(t *testing.T, b *backend.Backend, m idmap.UserMapping) idmap.UserMapping {
	t.Helper()
	v, err := b.CreateUserMapping(t.Context(), admin, m)
	if err != nil {
		t.Fatalf("creating %s: %v", m.Label(), err)
	}
	return *v.UserMapping
}

// checkApplied applies what was validated and compares.
func checkApplied(t *testing.T, b *backend.Backend, c rulestest.Case, intent idmap.UserMappingIntent, validated idmap.UserMappingVerdict) {
	t.Helper()
	applied, err := b.ApplyUserMappings(t.Context(), admin, []idmap.UserMappingIntent{intent})
	if len(c.Refused) > 0 {
		var refused *idmap.Error
		if !errors.As(err, &refused) {
			t.Fatalf("apply answered %v, want a refusal", err)
		}
		rulestest.Check(t, rulestest.Case{Refused: c.Refused, Field: "items[0]." + c.Field}, idmap.UserMappingVerdict{Violations: refused.Violations})
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	rulestest.Check(t, c, applied[0])
	stored, err := b.UserMapping(t.Context(), applied[0].UserMapping.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, stored), text(t, *applied[0].UserMapping); got != want {
		t.Errorf("stored\n%s\nwant what apply answered\n%s", got, want)
	}
	if stored.EmailCanonical != validated.UserMapping.EmailCanonical || stored.Revision != validated.UserMapping.Revision {
		t.Errorf("stored %+v, want what validate foretold: %+v", stored, validated.UserMapping)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
