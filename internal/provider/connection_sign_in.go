package provider

import (
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// signInSettings are what an application connection says of sign-ins.
type signInSettings struct {
	SignInDisabled    types.Bool   `tfsdk:"sign_in_disabled"`
	SignInMapping     types.String `tfsdk:"sign_in_mapping"`
	OnSignOut         types.String `tfsdk:"on_sign_out"`
	SignInHistoryDays wholeNumber  `tfsdk:"sign_in_history_days"`
}

func signInSettingsOf(c idmap.Connection) signInSettings {
	c = c.WithDefaults()
	return signInSettings{
		SignInDisabled: types.BoolValue(c.SignInDisabled), SignInMapping: types.StringValue(string(c.SignInMapping)),
		OnSignOut: types.StringValue(string(c.OnSignOut)), SignInHistoryDays: wholeOf(c.SignInHistoryDays),
	}
}

// addSettingsTo writes the settings into a connection. A default is left out, as every own field that is not set: a
// server that has no such settings need not know them.
func (s signInSettings) addSettingsTo(c *idmap.Connection) {
	c.SignInDisabled = s.SignInDisabled.ValueBool()
	c.SignInMapping = unless(idmap.SignInMapping(s.SignInMapping.ValueString()), idmap.SignInCreates)
	c.OnSignOut = unless(idmap.OnSignOut(s.OnSignOut.ValueString()), idmap.OnSignOutKeep)
	c.SignInHistoryDays = unless(int(s.SignInHistoryDays.ValueInt64()), idmap.DefaultSignInHistoryDays)
}

// unless returns the value, or nothing where it is the default.
func unless[T comparable](value, standard T) T {
	var nothing T
	if value == standard {
		return nothing
	}
	return value
}

// What the settings are, for the documentation.
const (
	aboutSignInDisabled    = "Whether nobody signs in to this application, whatever mappings there are."
	aboutSignInMapping     = "What a permitted sign-in of a user without a mapping does: `create` makes the mapping, `require` denies the sign-in until somebody has made it."
	aboutOnSignOut         = "What becomes of a mapping that a sign-in made when its last session ends: `keep` it, or `remove` it, also if Terraform has imported it. A mapping with the origin `api` always stays."
	aboutSignInHistoryDays = "How many days the sign-in history of this application is kept."
)

// addSignInSettings adds the settings to the attributes of the resource.
func addSignInSettings(attributes map[string]schema.Attribute) {
	maps.Copy(attributes, map[string]schema.Attribute{
		"sign_in_disabled": schema.BoolAttribute{
			MarkdownDescription: aboutSignInDisabled + " Default: `false`. This and the other settings of sign-ins are those of an application connection: on a mail connection they do nothing.",
			Optional:            true, Computed: true,
			Default: booldefault.StaticBool(false),
		},
		"sign_in_mapping": schema.StringAttribute{
			MarkdownDescription: aboutSignInMapping + " Default: `create`.",
			Optional:            true, Computed: true,
			Default:    stringdefault.StaticString(string(idmap.SignInCreates)),
			Validators: []validator.String{oneOf([]idmap.SignInMapping{idmap.SignInCreates, idmap.SignInRequires})},
		},
		"on_sign_out": schema.StringAttribute{
			MarkdownDescription: aboutOnSignOut + " Default: `keep`.",
			Optional:            true, Computed: true,
			Default:    stringdefault.StaticString(string(idmap.OnSignOutKeep)),
			Validators: []validator.String{oneOf([]idmap.OnSignOut{idmap.OnSignOutKeep, idmap.OnSignOutRemove})},
		},
		"sign_in_history_days": schema.Int64Attribute{
			CustomType:          wholeType{},
			MarkdownDescription: fmt.Sprintf("%s Default: `%d`, at most `%d`. With fewer days, what is older is deleted soon after the apply.", aboutSignInHistoryDays, idmap.DefaultSignInHistoryDays, rules.MaxSignInHistoryDays),
			Optional:            true, Computed: true,
			Default:    int64default.StaticInt64(idmap.DefaultSignInHistoryDays),
			Validators: []validator.Int64{int64validator.Between(1, rules.MaxSignInHistoryDays)},
		},
	})
}

// addSignInSettingsData adds the settings to the attributes of a data source.
func addSignInSettingsData(attributes map[string]datasourceschema.Attribute) {
	maps.Copy(attributes, map[string]datasourceschema.Attribute{
		"sign_in_disabled":     datasourceschema.BoolAttribute{Computed: true, MarkdownDescription: aboutSignInDisabled},
		"sign_in_mapping":      datasourceschema.StringAttribute{Computed: true, MarkdownDescription: aboutSignInMapping},
		"on_sign_out":          datasourceschema.StringAttribute{Computed: true, MarkdownDescription: aboutOnSignOut},
		"sign_in_history_days": datasourceschema.Int64Attribute{CustomType: wholeType{}, Computed: true, MarkdownDescription: aboutSignInHistoryDays},
	})
}
