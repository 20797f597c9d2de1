package idmap

import "time"

// EmailSource says where the email of a mapping comes from.
type EmailSource string

// An explicit email stays when the username changes; an email of source username follows it.
const (
	EmailExplicit     EmailSource = "explicit"
	EmailFromUsername EmailSource = "username"
)

// Origin says what made a mapping.
type Origin string

// A mapping is made by a call of the API (Terraform is one caller) or by a user's first sign-in.
const (
	OriginAPI    Origin = "api"
	OriginSignIn Origin = "sign_in"
)

// UserMapping links one account of a mail connection (Source, by Email) with one account of an application connection
// (Destination, by UserID). The accounts behind a mapping never change during its life.
type UserMapping struct {
	ID             string      `json:"id,omitempty" doc:"Opaque. Read-only."`
	Source         MappingEnd  `json:"source" doc:"The mail connection."`
	Destination    MappingEnd  `json:"destination" doc:"The application connection."`
	Email          string      `json:"email,omitempty" doc:"As typed. Left out on a write: it follows the username."`
	EmailCanonical string      `json:"email_canonical,omitempty" doc:"Read-only."`
	EmailSource    EmailSource `json:"email_source,omitempty" enum:"explicit,username" doc:"On a write, username makes the email follow the username, whatever email says."`
	UserID         string      `json:"user_id" doc:"User id in the application, as typed."`
	RenamedTo      string      `json:"renamed_to,omitempty" doc:"What the authoritative directory of the application calls the user now, where the mapping could not follow. Only where mappings are read. Read-only."`
	Origin         Origin      `json:"origin,omitempty" enum:"api,sign_in" doc:"Read-only."`
	LastSignInOn   *time.Time  `json:"last_sign_in_on,omitempty" doc:"Read-only."`
	Revision       int64       `json:"revision,omitempty" doc:"Read-only."`
	CreatedOn      *time.Time  `json:"created_on,omitempty" doc:"Read-only."`
	ModifiedOn     *time.Time  `json:"modified_on,omitempty" doc:"Read-only."`
}

// MappingEnd is one side of a mapping.
type MappingEnd struct {
	Connection Ref `json:"connection"`
	// Account is the account that the mapping is bound to. On a write it pins the account: the email (or the user id)
	// must belong to it. It is nil while no directory knows the account.
	Account *Ref `json:"account,omitempty"`
}

// AccountID returns the id of the bound account, or "".
func (e MappingEnd) AccountID() string {
	if e.Account == nil {
		return ""
	}
	return e.Account.ID
}

// Ref names another object by its id.
type Ref struct {
	ID string `json:"id"`
}

// RefTo returns a reference, or nil for no id.
func RefTo(id string) *Ref {
	if id == "" {
		return nil
	}
	return &Ref{ID: id}
}

// UserKey returns the canonical form of the user id; "" where it is none.
func (m UserMapping) UserKey() string {
	key, err := CanonicalUserID(m.UserID)
	if err != nil {
		return ""
	}
	return key
}

// Label names the mapping to a person.
func (m UserMapping) Label() string { return m.Email + " ↔ " + m.UserID }

// SignInEnds returns the connections of the mapping, as sign-ins and sessions name them.
func (m UserMapping) SignInEnds() (source, destination SignInEnd) {
	return SignInEnd{m.Source.Connection}, SignInEnd{m.Destination.Connection}
}

// UserMappingKey is the natural key of a mapping: in a destination connection one user id, or one email.
// Exactly one of ID, UserID and Email is set.
type UserMappingKey struct {
	ID                      string `json:"id,omitempty"`
	SourceConnectionID      string `json:"source_connection_id,omitempty" doc:"Only needed where several mail connections map to one application."`
	DestinationConnectionID string `json:"destination_connection_id,omitempty"`
	UserID                  string `json:"user_id,omitempty"`
	Email                   string `json:"email,omitempty"`
}

// Operation is what an intent wants to do.
type Operation string

// The operations of an intent.
const (
	OperationCreate Operation = "create"
	OperationUpdate Operation = "update"
	OperationDelete Operation = "delete"
)

// UserMappingIntent is one write that somebody wants to make, to be validated or applied.
type UserMappingIntent struct {
	Operation Operation `json:"operation" enum:"create,update,delete"`
	ID        string    `json:"id,omitempty" doc:"The mapping to update or delete."`
	Revision  int64     `json:"revision,omitempty" minimum:"0" doc:"If set, the stored revision must be this one."`
	// IdempotencyKey is the key that a later create will carry. A create that it would repeat is valid.
	IdempotencyKey string       `json:"idempotency_key,omitempty" maxLength:"255" doc:"For a create: the Idempotency-Key that it will carry."`
	UserMapping    *UserMapping `json:"user_mapping,omitempty" doc:"The mapping as wanted; not for a delete."`
	// Group parts the intents of one validation: those of one group are judged as made together, those of another group as
	// if nobody had asked for them.
	Group int `json:"group,omitempty" minimum:"0" doc:"For validate: intents of one group see each other, and none of another group."`
}

// ReadAhead asks a look-up for more than its keys: for the mappings from one id on, in the order of ids, whatever their
// connections. Mappings that were made together have ids next to each other.
type ReadAhead struct {
	From  string `json:"from" minLength:"1" maxLength:"255" doc:"The least id."`
	To    string `json:"to,omitempty" maxLength:"255" doc:"The id before which to end; empty for no end."`
	Limit int    `json:"limit" minimum:"1" maximum:"1000" doc:"The most mappings."`
	// Before asks for so many besides that are before From, those next to it.
	Before int `json:"before,omitempty" minimum:"0" maximum:"1000" doc:"The most mappings before the least id, besides: those next to it."`
}

// UserMappingVerdict is the answer to an intent.
type UserMappingVerdict struct {
	// UserMapping is the object as it would be stored (or was); nil for a delete and where violations forbid it.
	UserMapping *UserMapping `json:"user_mapping,omitempty"`
	Violations  []Violation  `json:"violations,omitempty" nullable:"false"`
	Warnings    []Violation  `json:"warnings,omitempty" nullable:"false"`
	// Claims are opaque keys of what only one mapping may have. Two intents with one claim in common cannot both be.
	Claims []string `json:"claims,omitempty" nullable:"false" doc:"Opaque keys of what only one mapping may have."`
}

// ProposedDirectory is a connection as it is going to be, for validation only: the connection itself where it is not
// stored yet, and of its future accounts and groups all that an intent could touch. Where given, Accounts and Groups
// replace what is stored.
type ProposedDirectory struct {
	Connection Connection `json:"connection"`
	Accounts   *[]Account `json:"accounts,omitempty"`
	Groups     *[]Group   `json:"groups,omitempty"`
}

// UserMappingFilter selects mappings. Empty fields select all.
type UserMappingFilter struct {
	ConnectionID            string // either side
	SourceConnectionID      string
	DestinationConnectionID string
	EmailKey                string
	UserKey                 string
	AccountID               string // either side
	Origin                  Origin
	Domain                  string
	Query                   string // folded text, in email or user id
	FromID, ToID            string // the least id, and the id before which to end
}
