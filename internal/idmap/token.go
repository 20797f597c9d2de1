package idmap

import (
	"slices"
	"time"
)

// Scope is a right that a token gives.
type Scope string

// Admin includes write, and write includes read.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
)

// Scopes returns all scopes, the weakest first.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeAdmin} }

// Token is an API token as it is stored: never its secret.
type Token struct {
	ID        string     `json:"id,omitempty" doc:"Read-only."`
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	Scopes    []Scope    `json:"scopes" nullable:"false" doc:"read, write, admin; each includes those before it."`
	ExpiresOn *time.Time `json:"expires_on,omitempty"`
	CreatedOn *time.Time `json:"created_on,omitempty" doc:"Read-only."`
	Secret    string     `json:"secret,omitempty" doc:"Given once, in the answer that creates the token. Read-only."`
}

// Allows reports whether the token gives the right of scope.
func (t Token) Allows(scope Scope) bool {
	all := Scopes()
	want := slices.Index(all, scope)
	return slices.ContainsFunc(t.Scopes, func(has Scope) bool { return slices.Index(all, has) >= want })
}

// Expired reports whether the token is no longer valid at that time.
func (t Token) Expired(now time.Time) bool { return t.ExpiresOn != nil && !now.Before(*t.ExpiresOn) }
