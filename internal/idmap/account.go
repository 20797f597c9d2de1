package idmap

import (
	"slices"
	"time"
)

// UserType says what an account can do on its platform.
type UserType string

// The user types. Full accounts sign in; non-interactive ones use web services only; synchronized ones cannot sign in
// until they are licensed; stubs only ever own records.
const (
	UserTypeFull           UserType = "full"
	UserTypeNonInteractive UserType = "non_interactive"
	UserTypeSynchronized   UserType = "synchronized"
	UserTypeStub           UserType = "stub"
)

// UserTypes returns all user types.
func UserTypes() []UserType {
	return []UserType{UserTypeFull, UserTypeNonInteractive, UserTypeSynchronized, UserTypeStub}
}

// Account is a person or a service in a connection. Its ID never changes; all else may.
type Account struct {
	ID        string   `json:"id" doc:"Immutable id on the platform, such as an Entra object id."`
	Username  string   `json:"username,omitempty"`
	Email     string   `json:"email,omitempty" doc:"Primary address."`
	Aliases   []string `json:"aliases,omitempty" nullable:"false" doc:"Further (proxy) addresses."`
	Name      string   `json:"name,omitempty" doc:"Display name."`
	GivenName string   `json:"given_name,omitempty"`
	Surname   string   `json:"surname,omitempty"`
	UserType  UserType `json:"user_type,omitempty" enum:"full,non_interactive,synchronized,stub"`
	Disabled  bool     `json:"disabled,omitempty"`
	Admin     bool     `json:"admin,omitempty"`
	BuiltIn   bool     `json:"built_in,omitempty"`
	Readonly  bool     `json:"readonly,omitempty"`
	External  bool     `json:"external,omitempty" doc:"A guest, at home in another organisation."`
	// SignInPermitted is whether the application gives the user the permission to use the integration (S2); nil: the
	// directory does not say.
	SignInPermitted *bool      `json:"sign_in_permitted,omitempty" doc:"The application permits the user to sign in through the integration. Left out where the directory does not say."`
	DeletedOn       *time.Time `json:"deleted_on,omitempty" doc:"Set when the account left the directory. Read-only."`
	Revision        int64      `json:"revision,omitempty" doc:"Read-only."`
}

// UserID returns what the application knows the account by: its username, or its id where it has none.
func (a Account) UserID() string {
	if a.Username != "" {
		return a.Username
	}
	return a.ID
}

// UserKey returns the canonical form of UserID.
func (a Account) UserKey() string { return Fold(a.UserID()) }

// Deleted reports whether the account has left the directory.
func (a Account) Deleted() bool { return a.DeletedOn != nil }

// Address is an address as it was written, and its canonical form.
type Address struct{ Text, Key string }

// Addresses returns the primary address and the aliases, the primary first, each once. What is not an address is left
// out: directories contain such values, and nobody can hold them.
func (a Account) Addresses() []Address {
	return addresses(append([]string{a.Email}, a.Aliases...))
}

// AddressKeys returns the canonical forms of Addresses.
func (a Account) AddressKeys() []string { return keysOf(a.Addresses()) }

// Label names the account to a person: its display name and what it is known by.
func (a Account) Label() string {
	known := a.UserID()
	if a.Username == "" && a.Email != "" {
		known = a.Email
	}
	if a.Name == "" || a.Name == known {
		return known
	}
	return a.Name + " (" + known + ")"
}

func addresses(texts []string) []Address {
	var found []Address
	for _, text := range texts {
		key, err := CanonicalEmail(text)
		known := slices.ContainsFunc(found, func(a Address) bool { return a.Key == key })
		if err == nil && !known {
			found = append(found, Address{StripScheme(text), key})
		}
	}
	return found
}

func keysOf(addresses []Address) []string {
	var keys []string
	for _, a := range addresses {
		keys = append(keys, a.Key)
	}
	return keys
}

// DirectoryFilter selects accounts or groups. Empty fields select all.
type DirectoryFilter struct {
	AddressKey string
	UserKey    string // accounts only
	Deleted    *bool
	Query      string // folded text, in name, user id (or caption) and addresses
}
