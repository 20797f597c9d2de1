package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// connectionModel is idmap_connection in Terraform.
type connectionModel struct {
	ID             types.String `tfsdk:"id"`
	Name           types.String `tfsdk:"name"`
	Platform       types.String `tfsdk:"platform"`
	Authoritative  types.Bool   `tfsdk:"authoritative"`
	MailDomain     types.String `tfsdk:"mail_domain"`
	AccountsFile   types.String `tfsdk:"accounts_file"`
	AccountsSHA256 types.String `tfsdk:"accounts_sha256"`
	GroupsFile     types.String `tfsdk:"groups_file"`
	GroupsSHA256   types.String `tfsdk:"groups_sha256"`
	signInSettings
}

// connectionNoun is how a connection is called in diagnostics.
var connectionNoun = noun{resource: "idmap_connection", fields: map[string]string{
	"id": "id", "name": "name", "platform": "platform", "platform.id": "platform",
	"authoritative": "authoritative", "mail_domain": "mail_domain",
	"sign_in_disabled": "sign_in_disabled", "sign_in_mapping": "sign_in_mapping",
	"on_sign_out": "on_sign_out", "sign_in_history_days": "sign_in_history_days",
}, words: connectionWords}

// connectionWords says of an id that is taken what it means here, where the id is made from the name.
func connectionWords(v idmap.Violation) idmap.Violation {
	if v.Code == idmap.CodeIDInUse && v.Conflict != nil {
		v.Description = fmt.Sprintf("There is a connection %q already, which was made from this name.", v.Conflict.Holder)
	}
	return v
}

// toAPI returns the connection to write. What is unknown is left out.
func (m connectionModel) toAPI() idmap.Connection {
	c := idmap.Connection{
		ID:            m.ID.ValueString(),
		Name:          m.Name.ValueString(),
		Platform:      idmap.PlatformRef{ID: m.Platform.ValueString()},
		Authoritative: m.Authoritative.ValueBool(),
		MailDomain:    m.MailDomain.ValueString(),
	}
	m.addSettingsTo(&c)
	return c
}

// fromAPI takes over what the backend has. The files are the configuration's: of those that it names, the digests say
// what the backend's directory came from, and are null where somebody changed the directory since.
func (m *connectionModel) fromAPI(c idmap.Connection) {
	m.ID = types.StringValue(c.ID)
	m.Name = types.StringValue(c.Name)
	m.Platform = types.StringValue(c.Platform.ID)
	m.Authoritative = types.BoolValue(c.Authoritative)
	m.MailDomain = optionalString(c.MailDomain)
	m.signInSettings = signInSettingsOf(c)
	m.AccountsSHA256, m.GroupsSHA256 = types.StringNull(), types.StringNull()
	if c.Directory == nil {
		return
	}
	if file := c.Directory.Accounts; file != nil && !m.AccountsFile.IsNull() {
		m.AccountsSHA256 = types.StringValue(file.SHA256)
	}
	if file := c.Directory.Groups; file != nil && !m.GroupsFile.IsNull() {
		m.GroupsSHA256 = types.StringValue(file.SHA256)
	}
}

// says reports whether a connection of the backend is what the model says, its files apart.
func (m connectionModel) says(c idmap.Connection) bool {
	var stored connectionModel
	stored.fromAPI(c)
	wanted, have := m.toAPI(), stored.toAPI()
	wanted.ID, have.ID = "", ""
	return wanted == have
}

// judged reports whether a field of the wire form has a value that the rules can judge, and no validator, which says the
// same.
func (m connectionModel) judged(field string) bool {
	switch field {
	case "platform.id", "sign_in_mapping", "on_sign_out", "sign_in_history_days":
		return false
	}
	value, ok := map[string]attr.Value{"name": m.Name, "mail_domain": m.MailDomain}[field]
	return !ok || !value.IsUnknown()
}

// optionalString returns null for the empty text, which on the wire stands for an absent value.
func optionalString(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
