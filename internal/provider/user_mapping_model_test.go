package provider

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func mappingModel(change func(*userMappingModel)) userMappingModel {
	m := userMappingModel{
		ID:                      types.StringValue("m1"),
		SourceConnectionID:      types.StringValue("mail"),
		DestinationConnectionID: types.StringValue("app"),
		Email:                   folded[emailSpelling]("jane@example.com"),
		EmailSource:             types.StringValue("explicit"),
		UserID:                  folded[userIDSpelling]("JDOE"),
		Origin:                  types.StringValue("api"),
	}
	if change != nil {
		change(&m)
	}
	return m
}

func TestUserMappingToAPI(t *testing.T) {
	t.Parallel()
	got := mappingModel(func(m *userMappingModel) { m.SourceAccountID = types.StringValue("a1") }).toAPI()
	want := idmap.UserMapping{
		Source:      idmap.MappingEnd{Connection: idmap.Ref{ID: "mail"}, Account: &idmap.Ref{ID: "a1"}},
		Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: "app"}},
		Email:       "jane@example.com", EmailSource: idmap.EmailExplicit, UserID: "JDOE",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	follows := mappingModel(func(m *userMappingModel) { m.EmailSource = types.StringValue("username") })
	if got := follows.toAPI(); got.Email != "" {
		t.Errorf("an email that follows the username is sent: %q", got.Email)
	}
}

func TestUserMappingFromAPI(t *testing.T) {
	t.Parallel()
	in := idmap.UserMapping{
		ID:          "m1",
		Source:      idmap.MappingEnd{Connection: idmap.Ref{ID: "mail"}, Account: &idmap.Ref{ID: "a1"}},
		Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: "app"}, Account: &idmap.Ref{ID: "b1"}},
		Email:       "jane@example.com", EmailSource: idmap.EmailExplicit, UserID: "JDOE", Origin: idmap.OriginAPI,
	}
	var imported userMappingModel
	imported.fromAPI(in)
	if want := mappingModel(nil); !reflect.DeepEqual(imported, want) {
		t.Errorf("%+v, want %+v", imported, want)
	}
	pinned := userMappingModel{DestinationAccountID: types.StringValue("b0")}
	pinned.fromAPI(in)
	if !pinned.SourceAccountID.IsNull() || pinned.DestinationAccountID.ValueString() != "b1" {
		t.Errorf("accounts are not shown just where they are pinned: %+v", pinned)
	}
}

func TestUserMappingSettled(t *testing.T) {
	t.Parallel()
	prior := mappingModel(nil)
	for name, test := range map[string]struct {
		change func(*userMappingModel)
		want   bool
	}{
		"nothing":         {nil, true},
		"spelling":        {func(m *userMappingModel) { m.UserID = folded[userIDSpelling]("jdoe") }, true},
		"user id":         {func(m *userMappingModel) { m.UserID = folded[userIDSpelling]("JSMITH") }, false},
		"email":           {func(m *userMappingModel) { m.Email = folded[emailSpelling]("joan@example.com") }, false},
		"unknown email":   {func(m *userMappingModel) { m.Email = unknownFolded[emailSpelling]() }, false},
		"pin":             {func(m *userMappingModel) { m.SourceAccountID = types.StringValue("a1") }, false},
		"opting in":       {func(m *userMappingModel) { m.EmailSource = types.StringValue("username") }, false},
		"unknown user id": {func(m *userMappingModel) { m.UserID = unknownFolded[userIDSpelling]() }, false},
		"connection":      {func(m *userMappingModel) { m.SourceConnectionID = types.StringValue("mail2") }, false},
	} {
		if got := mappingModel(test.change).settled(prior); got != test.want {
			t.Errorf("%s: settled %v, want %v", name, got, test.want)
		}
	}
}

func TestUserMappingKnown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*userMappingModel)
		want   bool
	}{
		"all":        {nil, true},
		"connection": {func(m *userMappingModel) { m.SourceConnectionID = types.StringUnknown() }, false},
		"pin":        {func(m *userMappingModel) { m.SourceAccountID = types.StringUnknown() }, false},
		"email":      {func(m *userMappingModel) { m.Email = unknownFolded[emailSpelling]() }, false},
		"email that follows the username": {func(m *userMappingModel) {
			m.Email, m.EmailSource = unknownFolded[emailSpelling](), types.StringValue("username")
		}, true},
		"id": {func(m *userMappingModel) { m.ID = types.StringUnknown() }, true},
	} {
		if got := mappingModel(test.change).known(); got != test.want {
			t.Errorf("%s: known %v, want %v", name, got, test.want)
		}
	}
}

// TestUserMappingConversion holds the model's way from and to the wire form against the framework's own, for every
// attribute of the schema and everything that may stand in it.
func TestUserMappingConversion(t *testing.T) {
	t.Parallel()
	var of resource.SchemaResponse
	newUserMappingResource().Schema(t.Context(), resource.SchemaRequest{}, &of)
	object, ok := of.Schema.Type().TerraformType(t.Context()).(tftypes.Object)
	if !ok || len(object.AttributeTypes) == 0 {
		t.Fatal("the schema is no object")
	}
	check := func(t *testing.T, raw tftypes.Value) {
		t.Helper()
		var want userMappingModel
		var refused diag.Diagnostics
		said := tfsdk.State{Raw: raw, Schema: of.Schema}.Get(t.Context(), &want)
		got := takeMapping(raw, &refused)
		if refused.HasError() != said.HasError() {
			t.Fatalf("%s is taken with %v, by the framework with %v", raw, refused, said)
		}
		if refused.HasError() {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is\n%+v, by the framework\n%+v", raw, got, want)
		}
		put := tfsdk.State{Schema: of.Schema}
		if said := put.Set(t.Context(), want); said.HasError() {
			t.Fatal(said)
		}
		if got := want.value(object); !got.Equal(put.Raw) || !got.Equal(raw) {
			t.Errorf("%+v is\n%s, by the framework\n%s", want, got, put.Raw)
		}
	}
	with := func(of func(name string) any) tftypes.Value {
		values := map[string]tftypes.Value{}
		for name, typ := range object.AttributeTypes {
			values[name] = tftypes.NewValue(typ, of(name))
		}
		return tftypes.NewValue(object, values)
	}
	check(t, tftypes.NewValue(object, nil))
	check(t, tftypes.NewValue(object, tftypes.UnknownValue))
	for state, value := range map[string]any{"null": nil, "unknown": tftypes.UnknownValue, "empty": "", "a spelling": "SMTP:Jäne@EXAMPLE.com"} {
		check(t, with(func(string) any { return value }))
		for one := range object.AttributeTypes {
			t.Run(one+" "+state, func(t *testing.T) {
				t.Parallel()
				check(t, with(func(name string) any {
					if name == one {
						return value
					}
					return "the " + name
				}))
			})
		}
	}
}

// TestIdentify holds the identity that is put against the framework's own, over none and over one.
func TestIdentify(t *testing.T) {
	t.Parallel()
	var of resource.IdentitySchemaResponse
	(&userMappingResource{}).IdentitySchema(t.Context(), resource.IdentitySchemaRequest{}, &of)
	want := tfsdk.ResourceIdentity{Schema: of.IdentitySchema, Raw: tftypes.NewValue(of.IdentitySchema.Type().TerraformType(t.Context()), nil)}
	got := want
	for _, id := range []string{"m1", "m2"} {
		objectSink{identity: &got}.identify(id)
		if said := want.SetAttribute(t.Context(), path.Root("id"), id); said.HasError() || !got.Raw.Equal(want.Raw) {
			t.Errorf("the identity is %s, by the framework %s (%v)", got.Raw, want.Raw, said)
		}
	}
}
