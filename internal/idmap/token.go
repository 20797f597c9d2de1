package idmap

import (
	"slices"
	"time"
)

// Scope is a right that a token gives.
type Scope string

// Write includes read. SignIn is for an integration: it signs users in and out, and includes nothing else, nor does
// read or write include it. Admin includes all.
const (
	ScopeSignIn Scope = "sign_in"
	ScopeRead   Scope = "read"
	ScopeWrite  Scope = "write"
	ScopeAdmin  Scope = "admin"
)

// Scopes returns all scopes, in the order in which they are documented.
func Scopes() []Scope { return []Scope{ScopeSignIn, ScopeRead, ScopeWrite, ScopeAdmin} }

// includes reports whether the scope gives the right of another.
func (s Scope) includes(other Scope) bool {
	return s == other || s == ScopeAdmin || s == ScopeWrite && other == ScopeRead
}

// Token is an API token as it is stored: never its secret.
type Token struct {
	ID        string     `json:"id,omitempty" doc:"Read-only."`
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	Scopes    []Scope    `json:"scopes" nullable:"false" doc:"read, write (includes read), admin (includes all), and sign_in, which an integration needs to sign users in and out, and gives nothing else."`
	ExpiresOn *time.Time `json:"expires_on,omitempty"`
	CreatedOn *time.Time `json:"created_on,omitempty" doc:"Read-only."`
	Secret    string     `json:"secret,omitempty" doc:"Given once, in the answer that creates the token. Read-only."`
}

// Allows reports whether the token gives the right of scope.
func (t Token) Allows(scope Scope) bool {
	return slices.ContainsFunc(t.Scopes, func(has Scope) bool { return has.includes(scope) })
}

// Expired reports whether the token is no longer valid at that time.
func (t Token) Expired(now time.Time) bool { return t.ExpiresOn != nil && !now.Before(*t.ExpiresOn) }
