package provider

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

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
