package idmap

import "time"

// Group is a group in a connection. It has no username, and its addresses are nobody's mail identity.
type Group struct {
	ID        string     `json:"id" doc:"Immutable id on the platform."`
	Name      string     `json:"name,omitempty"`
	Caption   string     `json:"caption,omitempty" doc:"Display name."`
	Addresses []string   `json:"addresses,omitempty" nullable:"false"`
	BuiltIn   bool       `json:"built_in,omitempty"`
	Disabled  bool       `json:"disabled,omitempty"`
	Readonly  bool       `json:"readonly,omitempty"`
	DeletedOn *time.Time `json:"deleted_on,omitempty" doc:"Set when the group left the directory. Read-only."`
	Revision  int64      `json:"revision,omitempty" doc:"Read-only."`
}

// AddressKeys returns the canonical forms of the group's addresses, each once.
func (g Group) AddressKeys() []string { return keysOf(addresses(g.Addresses)) }

// Deleted reports whether the group has left the directory.
func (g Group) Deleted() bool { return g.DeletedOn != nil }

// Label names the group to a person.
func (g Group) Label() string {
	for _, name := range []string{g.Caption, g.Name} {
		if name != "" {
			return "group " + name
		}
	}
	return "group " + g.ID
}
