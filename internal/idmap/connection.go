package idmap

import (
	"cmp"
	"time"
)

// Connection is one directory of identities on one platform: a Microsoft 365 tenant, a Sales pod, an AD domain.
type Connection struct {
	ID       string      `json:"id,omitempty" doc:"Opaque. A client may choose it when it creates the connection; else the server does."`
	Name     string      `json:"name" doc:"Unique among connections, compared without regard to case."`
	Platform PlatformRef `json:"platform" doc:"Cannot change."`
	// Authoritative: an email or user id that the directory does not know does not exist.
	Authoritative bool   `json:"authoritative,omitempty" doc:"What the directory does not know does not exist."`
	MailDomain    string `json:"mail_domain,omitempty" doc:"Domain of addresses that follow the username."`
	// The settings of sign-ins are those of an application connection.
	SignInDisabled    bool          `json:"sign_in_disabled,omitempty" doc:"Nobody signs in to the application, whatever mappings there are."`
	SignInMapping     SignInMapping `json:"sign_in_mapping,omitempty" enum:"create,require" doc:"What a permitted sign-in of a user without a mapping does: make one (create, the default), or be denied (require)."`
	OnSignOut         OnSignOut     `json:"on_sign_out,omitempty" enum:"keep,remove" doc:"What becomes of a mapping that a sign-in made when its last session ends: it stays (keep, the default), or is deleted (remove)."`
	SignInHistoryDays int           `json:"sign_in_history_days,omitempty" doc:"How long the sign-in history is kept, in days; 1 to 3650, 180 if left out."`
	Features          *Features     `json:"features,omitempty" doc:"What the platform supports. Read-only."`
	Directory         *Directory    `json:"directory,omitempty" doc:"The files that were imported last. Read-only."`
	Revision          int64         `json:"revision,omitempty" doc:"Read-only."`
	CreatedOn         *time.Time    `json:"created_on,omitempty" doc:"Read-only."`
	ModifiedOn        *time.Time    `json:"modified_on,omitempty" doc:"Read-only."`
}

// SignInMapping says what a permitted sign-in of a user without a mapping does.
type SignInMapping string

// A first sign-in makes the mapping, or somebody must have made it before.
const (
	SignInCreates  SignInMapping = "create"
	SignInRequires SignInMapping = "require"
)

// OnSignOut says what becomes of a mapping that a sign-in made when its last session ends.
type OnSignOut string

// The mapping stays, or goes with the session.
const (
	OnSignOutKeep   OnSignOut = "keep"
	OnSignOutRemove OnSignOut = "remove"
)

// DefaultSignInHistoryDays is how long the sign-in history of a connection is kept that does not say, or is gone.
const DefaultSignInHistoryDays = 180

// WithDefaults returns the connection with the settings that were left out.
func (c Connection) WithDefaults() Connection {
	c.SignInMapping = cmp.Or(c.SignInMapping, SignInCreates)
	c.OnSignOut = cmp.Or(c.OnSignOut, OnSignOutKeep)
	c.SignInHistoryDays = cmp.Or(c.SignInHistoryDays, DefaultSignInHistoryDays)
	return c
}

// PlatformRef names a platform by its id.
type PlatformRef struct {
	ID string `json:"id" doc:"One of the platforms that the server knows, such as microsoft365."`
}

// Directory says which files the accounts and the groups of a connection came from.
type Directory struct {
	Accounts *Import `json:"accounts,omitempty"`
	Groups   *Import `json:"groups,omitempty"`
}

// Import describes a directory file that was imported whole. It is forgotten when somebody edits one of its rows, so
// that a client sees that the directory is no longer what its file says.
type Import struct {
	SHA256     string    `json:"sha256" doc:"Hex digest of the file as it was sent."`
	Count      int       `json:"count" doc:"Rows in the file."`
	ImportedOn time.Time `json:"imported_on"`
}

// Key returns the form under which connection names are unique.
func (c Connection) Key() string { return Fold(c.Name) }

// ConnectionFilter selects connections. Empty fields select all.
type ConnectionFilter struct {
	Key        string // folded name
	PlatformID string
	Query      string // folded text, in the name
}
