package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// userMappingsModel is idmap_user_mappings in Terraform. It is taken from the wire form of Terraform without the
// framework's reflection, which costs more than all else where the entries are many.
type userMappingsModel struct {
	ID, Source, Destination types.String
	Adopt, Keep             types.Bool    // unknown in a plan whose values come from what is not there yet; else never null
	Mappings                tftypes.Value // as Terraform has it
	entries                 []mappingEntry
}

// mappingEntry is a key of the attribute mappings with its value.
type mappingEntry struct {
	key, user   string // as typed, and canonical
	email, mail string // as typed, and canonical
	follows     bool   // there is no email: it follows the username
	unknown     bool   // the email is known only after apply
}

// same reports whether the entries are spellings of one mapping.
func (e mappingEntry) same(o mappingEntry) bool {
	return e.user == o.user && e.mail == o.mail && e.follows == o.follows && !e.unknown && !o.unknown
}

// theMappings is the type of the attribute mappings.
var theMappings = tftypes.Map{ElementType: tftypes.String}

// userMappingsFrom takes an object of Terraform.
func userMappingsFrom(raw tftypes.Value) (m userMappingsModel, err error) {
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil {
		return m, err
	}
	m = userMappingsModel{
		ID: stringFrom(attributes["id"]), Source: stringFrom(attributes["source_connection_id"]), Destination: stringFrom(attributes["destination_connection_id"]),
		Adopt: choiceFrom(attributes["adopt_existing"]), Keep: choiceFrom(attributes["keep_removed"]), Mappings: attributes["mappings"],
	}
	m.entries, err = entriesFrom(m.Mappings)
	return m, err
}

// entriesFrom returns the entries in the order of their keys.
func entriesFrom(mappings tftypes.Value) ([]mappingEntry, error) {
	if mappings.IsNull() || !mappings.IsKnown() {
		return nil, nil
	}
	var values map[string]tftypes.Value
	if err := mappings.As(&values); err != nil {
		return nil, err
	}
	entries := make([]mappingEntry, 0, len(values))
	for key, value := range values {
		email := stringFrom(value)
		e := mappingEntry{key: key, user: idmap.Fold(key), email: email.ValueString(), follows: email.IsNull(), unknown: email.IsUnknown()}
		if user, err := idmap.CanonicalUserID(key); err == nil {
			e.user = user
		}
		if e.email != "" {
			e.mail = idmap.EmailKey(e.email)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b mappingEntry) int { return strings.Compare(a.key, b.key) })
	return entries, nil
}

func stringFrom(v tftypes.Value) types.String {
	var text *string
	switch {
	case !v.IsKnown():
		return types.StringUnknown()
	case v.As(&text) != nil || text == nil:
		return types.StringNull()
	}
	return types.StringValue(*text)
}

// choiceFrom takes a choice, which is false where it is left out.
func choiceFrom(v tftypes.Value) types.Bool {
	if !v.IsKnown() {
		return types.BoolUnknown()
	}
	var is *bool
	return types.BoolValue(v.As(&is) == nil && is != nil && *is)
}

// setEntries makes the mappings those of the entries.
func (m *userMappingsModel) setEntries(entries []mappingEntry) {
	values := make(map[string]tftypes.Value, len(entries))
	for _, e := range entries {
		if e.follows {
			values[e.key] = tftypes.NewValue(tftypes.String, nil)
		} else {
			values[e.key] = tftypes.NewValue(tftypes.String, e.email)
		}
	}
	m.Mappings, m.entries = tftypes.NewValue(theMappings, values), entries
}

// value returns the object of Terraform.
func (m userMappingsModel) value(typ tftypes.Type) tftypes.Value {
	choice := func(b types.Bool) tftypes.Value {
		if b.IsUnknown() {
			return tftypes.NewValue(tftypes.Bool, tftypes.UnknownValue)
		}
		return tftypes.NewValue(tftypes.Bool, b.ValueBool())
	}
	return tftypes.NewValue(typ, map[string]tftypes.Value{
		"id": rawString(m.ID), "source_connection_id": rawString(m.Source), "destination_connection_id": rawString(m.Destination), "mappings": m.Mappings,
		"adopt_existing": choice(m.Adopt), "keep_removed": choice(m.Keep),
	})
}

// identify gives the object its id, which its connections are.
func (m *userMappingsModel) identify() {
	m.ID = types.StringUnknown()
	if !m.Source.IsUnknown() && !m.Destination.IsUnknown() {
		m.ID = types.StringValue(m.Source.ValueString() + "/" + m.Destination.ValueString())
	}
}

// ends returns the connections, also of an object of which only the id is known.
func (m userMappingsModel) ends() (source, destination string) {
	if m.Source.ValueString() != "" || m.Destination.ValueString() != "" {
		return m.Source.ValueString(), m.Destination.ValueString()
	}
	source, destination, _ = strings.Cut(m.ID.ValueString(), "/")
	return source, destination
}

// moved reports whether the two are of different connections.
func (m userMappingsModel) moved(prior userMappingsModel) bool {
	return !m.Source.Equal(prior.Source) || !m.Destination.Equal(prior.Destination)
}

// one returns an entry as a resource of its own would have it, so that both judge and write the same.
func (m userMappingsModel) one(e mappingEntry) userMappingModel {
	one := userMappingModel{
		SourceConnectionID: m.Source, DestinationConnectionID: m.Destination,
		Email: folded[emailSpelling](e.email), EmailSource: types.StringValue(string(idmap.EmailExplicit)), UserID: folded[userIDSpelling](e.key),
	}
	if e.follows {
		one.EmailSource = types.StringValue(string(idmap.EmailFromUsername))
	}
	return one
}

// entryOf returns the entry of a mapping of the backend, in the spelling of the one that the state has.
func entryOf(found idmap.UserMapping, had mappingEntry) mappingEntry {
	e := mappingEntry{key: found.UserID, user: found.UserKey()}
	if e.user == had.user {
		e.key = had.key
	}
	if e.follows = found.EmailSource == idmap.EmailFromUsername; e.follows {
		return e
	}
	e.email, e.mail = found.Email, idmap.EmailKey(found.Email)
	if e.mail == had.mail {
		e.email = had.email
	}
	return e
}

// ownedKey is the key of private state under which stands which mappings the entries are.
const ownedKey = "owned"

// ownedMappings are the mappings of the backend that a resource has, by canonical user id.
type ownedMappings map[string]ownedMapping

// ownedMapping says which mapping of the backend an entry is, at which revision, and what its user was called before a
// rename outside of Terraform, if there was one.
type ownedMapping struct {
	ID       string
	Revision int64
	Former   string
}

// MarshalJSON writes an array: with thousands of entries, names of fields would be most of what the state holds.
func (o ownedMapping) MarshalJSON() ([]byte, error) {
	if o.Former == "" {
		return json.Marshal([]any{o.ID, o.Revision})
	}
	return json.Marshal([]any{o.ID, o.Revision, o.Former})
}

// UnmarshalJSON reads it.
func (o *ownedMapping) UnmarshalJSON(data []byte) error {
	parts := []any{&o.ID, &o.Revision, &o.Former}
	if err := json.Unmarshal(data, &parts); err != nil {
		return fmt.Errorf("a mapping of the resource: %w", err)
	}
	return nil
}
