package provider

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userMappingModel is idmap_user_mapping in Terraform.
type userMappingModel struct {
	ID                      types.String `tfsdk:"id"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	Email                   emailValue   `tfsdk:"email"`
	EmailSource             types.String `tfsdk:"email_source"`
	UserID                  userIDValue  `tfsdk:"user_id"`
	SourceAccountID         types.String `tfsdk:"source_account_id"`
	DestinationAccountID    types.String `tfsdk:"destination_account_id"`
	Origin                  types.String `tfsdk:"origin"`
}

// attributes returns the attributes of the schema, all of which are strings. The model is taken from the wire form of
// Terraform and put back into it by them, without the framework's reflection: that compiles a regular expression for
// each field at each turn, which took longer than all else that a plan without a change does here.
func (m *userMappingModel) attributes() map[string]*types.String {
	return map[string]*types.String{
		"id":                        &m.ID,
		"source_connection_id":      &m.SourceConnectionID,
		"destination_connection_id": &m.DestinationConnectionID,
		"email":                     &m.Email.StringValue,
		"email_source":              &m.EmailSource,
		"user_id":                   &m.UserID.StringValue,
		"source_account_id":         &m.SourceAccountID,
		"destination_account_id":    &m.DestinationAccountID,
		"origin":                    &m.Origin,
	}
}

// takeMapping takes an object of Terraform. What it cannot take is a bug.
func takeMapping(raw tftypes.Value, diags *diag.Diagnostics) (m userMappingModel) {
	var values map[string]tftypes.Value
	err := raw.As(&values)
	if err == nil && raw.IsNull() {
		err = errors.New("it is null")
	}
	if err != nil {
		diags.AddError("Unexpected Failure", "The resource cannot be read: "+err.Error()+". This is a bug of the provider.")
		return m
	}
	for name, field := range m.attributes() {
		*field = stringFrom(values[name])
	}
	return m
}

// value returns the object of Terraform.
func (m userMappingModel) value(typ tftypes.Type) tftypes.Value {
	values := map[string]tftypes.Value{}
	for name, field := range m.attributes() {
		values[name] = rawString(*field)
	}
	return tftypes.NewValue(typ, values)
}

// rawString is the reverse of stringFrom.
func rawString(s types.String) tftypes.Value {
	switch {
	case s.IsUnknown():
		return tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	case s.IsNull():
		return tftypes.NewValue(tftypes.String, nil)
	}
	return tftypes.NewValue(tftypes.String, s.ValueString())
}

// userMappingNoun is how a mapping is called in diagnostics.
var userMappingNoun = noun{resource: "idmap_user_mapping", fields: map[string]string{
	"email":                     "email",
	"email_source":              "email",
	"user_id":                   "user_id",
	"source.connection.id":      "source_connection_id",
	"destination.connection.id": "destination_connection_id",
	"source.account.id":         "source_account_id",
	"destination.account.id":    "destination_account_id",
}}

// toAPI returns the mapping to write. An email that follows the username is the backend's to make, so it is left out.
func (m userMappingModel) toAPI() idmap.UserMapping {
	wanted := idmap.UserMapping{
		Source:      mappingEnd(m.SourceConnectionID, m.SourceAccountID),
		Destination: mappingEnd(m.DestinationConnectionID, m.DestinationAccountID),
		EmailSource: idmap.EmailSource(m.EmailSource.ValueString()),
		UserID:      m.UserID.ValueString(),
	}
	if wanted.EmailSource != idmap.EmailFromUsername {
		wanted.Email = m.Email.ValueString()
	}
	return wanted
}

func mappingEnd(connectionID, accountID types.String) idmap.MappingEnd {
	return idmap.MappingEnd{
		Connection: idmap.Ref{ID: connectionID.ValueString()},
		Account:    idmap.RefTo(accountID.ValueString()),
	}
}

// fromAPI takes over what the backend has. The accounts are only shown where the configuration pins them: which account
// a mapping is bound to is the backend's to find, and is no difference from a configuration that does not say.
func (m *userMappingModel) fromAPI(in idmap.UserMapping) {
	m.ID = types.StringValue(in.ID)
	m.SourceConnectionID = types.StringValue(in.Source.Connection.ID)
	m.DestinationConnectionID = types.StringValue(in.Destination.Connection.ID)
	m.Email = folded[emailSpelling](in.Email)
	m.EmailSource = types.StringValue(string(in.EmailSource))
	m.UserID = folded[userIDSpelling](in.UserID)
	m.Origin = types.StringValue(string(in.Origin))
	if !m.SourceAccountID.IsNull() {
		m.SourceAccountID = optionalString(in.Source.AccountID())
	}
	if !m.DestinationAccountID.IsNull() {
		m.DestinationAccountID = optionalString(in.Destination.AccountID())
	}
}

// known reports whether all that a write sends is known. The email that follows the username is not sent.
func (m userMappingModel) known() bool {
	sent := []attr.Value{m.SourceConnectionID, m.DestinationConnectionID, m.UserID, m.EmailSource, m.SourceAccountID, m.DestinationAccountID}
	if m.EmailSource.ValueString() != string(idmap.EmailFromUsername) {
		sent = append(sent, m.Email)
	}
	for _, value := range sent {
		if value.IsUnknown() {
			return false
		}
	}
	return true
}

// follows reports whether the email follows the username.
func (m userMappingModel) follows() bool {
	return m.EmailSource.ValueString() == string(idmap.EmailFromUsername)
}

// says reports whether a mapping of the backend is what the model says, in whatever spelling. An email that follows the
// username may be any.
func (m userMappingModel) says(in idmap.UserMapping) bool {
	return m.SourceConnectionID.ValueString() == in.Source.Connection.ID &&
		m.DestinationConnectionID.ValueString() == in.Destination.Connection.ID &&
		m.EmailSource.ValueString() == string(in.EmailSource) &&
		(m.follows() || idmap.SameEmail(m.Email.ValueString(), in.Email)) &&
		idmap.SameUserID(m.UserID.ValueString(), in.UserID)
}

// moved reports whether the two are mappings of different connections, which are different mappings.
func (m userMappingModel) moved(prior userMappingModel) bool {
	return !m.SourceConnectionID.Equal(prior.SourceConnectionID) || !m.DestinationConnectionID.Equal(prior.DestinationConnectionID)
}

// settled reports whether there is nothing to change but, perhaps, an email that follows the username and that the plan
// has not looked at.
func (m userMappingModel) settled(prior userMappingModel) bool {
	return !m.moved(prior) &&
		m.EmailSource.Equal(prior.EmailSource) &&
		(m.follows() || m.Email.same(prior.Email.StringValue)) &&
		m.UserID.same(prior.UserID.StringValue) &&
		m.SourceAccountID.Equal(prior.SourceAccountID) && m.DestinationAccountID.Equal(prior.DestinationAccountID)
}
