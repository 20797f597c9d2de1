package client

import (
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mapWire is a map as a DryvIQ platform reads and writes it. All options are sent, also those that are off: an update may
// leave alone what it does not name.
type mapWire struct {
	Type           idmap.MapKind        `json:"type,omitempty"`
	ID             string               `json:"id,omitempty"`
	Name           string               `json:"name"`
	Source         mapEndWire           `json:"source"`
	Destination    mapEndWire           `json:"destination"`
	UnmappedPolicy idmap.UnmappedPolicy `json:"unmapped_policy,omitempty"`
	MapBy          mapByWire            `json:"map_by"`
}

type mapEndWire struct {
	Connection idmap.ConnectionRef `json:"connection"`
	// Default is left out where it is nil, and null where it points to nil.
	Default **idmap.Principal `json:"default,omitempty"`
}

type mapByWire struct {
	ID                  bool `json:"id"`
	Name                bool `json:"name"`
	Username            bool `json:"username"`
	Email               bool `json:"email"`
	Caption             bool `json:"caption"`
	Default             bool `json:"default"`
	Fuzzy               bool `json:"fuzzy"`
	ExternalPassthrough bool `json:"external_passthrough"`
	Passthrough         bool `json:"passthrough"`
	BuiltIn             bool `json:"built_in"`
	LDAP                bool `json:"ldap"`
}

// mapToWire returns the map as an update sends it: with a policy, and with null where an end has no default, so that
// neither stays as it was. It leaves out what is not published. The values of the policy are not; that names are handed
// over as they are has an option of its own, which is.
func mapToWire(kind idmap.MapKind, m idmap.Map) mapWire {
	if m.UnmappedPolicy == idmap.UnmappedPassthrough {
		m.UnmappedPolicy, m.MapBy.Passthrough = idmap.UnmappedSkip, true
	}
	return mapWire{
		Type: kind, Name: m.Name, Source: mapEndToWire(kind, m.Source), Destination: mapEndToWire(kind, m.Destination),
		UnmappedPolicy: orDefault(m.UnmappedPolicy, idmap.UnmappedSkip),
		MapBy: mapByWire{
			ID: m.MapBy.ID, Name: m.MapBy.Name, Username: m.MapBy.Username, Email: m.MapBy.Email, Caption: m.MapBy.Caption,
			Default: m.MapBy.Default, Fuzzy: m.MapBy.Fuzzy, ExternalPassthrough: m.MapBy.ExternalPassthrough,
			Passthrough: m.MapBy.Passthrough, BuiltIn: m.MapBy.BuiltIn, LDAP: m.MapBy.LDAP,
		},
	}
}

// newMapToWire returns the map as a create sends it: without the policy that a platform has by itself.
func newMapToWire(kind idmap.MapKind, m idmap.Map) mapWire {
	w := mapToWire(kind, m)
	if w.UnmappedPolicy == idmap.UnmappedSkip {
		w.UnmappedPolicy = ""
	}
	for _, end := range []*mapEndWire{&w.Source, &w.Destination} {
		if *end.Default == nil {
			end.Default = nil
		}
	}
	return w
}

func mapFromWire(w mapWire) idmap.Map {
	return idmap.Map{
		ID: w.ID, Name: w.Name, Source: mapEndFromWire(w.Source), Destination: mapEndFromWire(w.Destination),
		UnmappedPolicy: orDefault(w.UnmappedPolicy, idmap.UnmappedSkip),
		MapBy: idmap.MapBy{
			ID: w.MapBy.ID, Name: w.MapBy.Name, Username: w.MapBy.Username, Email: w.MapBy.Email, Caption: w.MapBy.Caption,
			Default: w.MapBy.Default, Fuzzy: w.MapBy.Fuzzy, ExternalPassthrough: w.MapBy.ExternalPassthrough,
			Passthrough: w.MapBy.Passthrough, BuiltIn: w.MapBy.BuiltIn, LDAP: w.MapBy.LDAP,
		},
	}
}

func mapEndToWire(kind idmap.MapKind, e idmap.MapEnd) mapEndWire {
	var named *idmap.Principal
	if e.Default != nil {
		named = new(principalToWire(kind, *e.Default))
	}
	return mapEndWire{e.Connection, &named}
}

func mapEndFromWire(w mapEndWire) idmap.MapEnd {
	e := idmap.MapEnd{Connection: w.Connection}
	if w.Default != nil {
		e.Default = *w.Default
	}
	return e
}

// principalToWire names an account or a group in the way that a platform reads: by a name that is an email, or else by a
// name that stands as the id too.
func principalToWire(kind idmap.MapKind, p idmap.Principal) idmap.Principal {
	out := idmap.Principal{Type: kind.Entry(), ID: p.ID, Name: p.Text(), Caption: p.Caption}
	address := strings.Contains(out.Name, "@")
	if kind == idmap.AccountMap {
		out.Username = p.Username
	}
	switch {
	case address && kind == idmap.AccountMap:
		out.Email = orDefault(p.Email, out.Name)
	case !address:
		out.ID = orDefault(p.ID, out.Name)
	}
	return out
}
