package provider

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestConnectionModel(t *testing.T) {
	t.Parallel()
	stored := idmap.Connection{
		ID: "c1", Name: "Mail", Platform: idmap.PlatformRef{ID: "microsoft365"}, Authoritative: true, MailDomain: "example.com",
	}
	var m connectionModel
	m.fromAPI(stored)
	if got := m.toAPI(); !reflect.DeepEqual(got, stored) {
		t.Errorf("%+v, want %+v", got, stored)
	}
}

func TestConnectionModelDigests(t *testing.T) {
	t.Parallel()
	both := &idmap.Directory{Accounts: &idmap.Import{SHA256: "aa"}, Groups: &idmap.Import{SHA256: "bb"}}
	for name, test := range map[string]struct {
		model            connectionModel
		directory        *idmap.Directory
		accounts, groups types.String
	}{
		"no file configured":  {connectionModel{}, both, types.StringNull(), types.StringNull()},
		"both configured":     {connectionModel{AccountsFile: types.StringValue("a"), GroupsFile: types.StringValue("g")}, both, types.StringValue("aa"), types.StringValue("bb")},
		"edited by hand":      {connectionModel{AccountsFile: types.StringValue("a"), AccountsSHA256: types.StringValue("aa")}, &idmap.Directory{}, types.StringNull(), types.StringNull()},
		"never had directory": {connectionModel{AccountsFile: types.StringValue("a"), AccountsSHA256: types.StringValue("aa")}, nil, types.StringNull(), types.StringNull()},
	} {
		test.model.fromAPI(idmap.Connection{Directory: test.directory})
		if !test.model.AccountsSHA256.Equal(test.accounts) || !test.model.GroupsSHA256.Equal(test.groups) {
			t.Errorf("%s: %s and %s", name, test.model.AccountsSHA256, test.model.GroupsSHA256)
		}
	}
}
