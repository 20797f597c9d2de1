package idmap

import "time"

// Session is a user's access to an application from one client: it begins with a sign-in, each further sign-in from the
// same client continues it, and it ends when the user signs out, when an administrator revokes it, or with its mapping.
type Session struct {
	ID            string    `json:"id"`
	UserMapping   Ref       `json:"user_mapping"`
	Source        SignInEnd `json:"source" doc:"The mail connection."`
	Destination   SignInEnd `json:"destination" doc:"The application connection."`
	Email         string    `json:"email" doc:"Of the mapping, as it is now."`
	UserID        string    `json:"user_id" doc:"Of the mapping, as it is now."`
	Client        string    `json:"client,omitempty" doc:"Program that the user sits at."`
	SourceAddress string    `json:"source_address,omitempty" doc:"IP address of the last sign-in."`
	FirstUsedOn   time.Time `json:"first_used_on"`
	LastUsedOn    time.Time `json:"last_used_on"`
	UseCount      int64     `json:"use_count" doc:"How many sign-ins."`
}

// SessionUsage sums up the live sessions of a user in an application.
type SessionUsage struct {
	UserMapping  Ref       `json:"user_mapping"`
	Source       SignInEnd `json:"source" doc:"The mail connection."`
	Destination  SignInEnd `json:"destination" doc:"The application connection."`
	Email        string    `json:"email"`
	UserID       string    `json:"user_id"`
	FirstUsedOn  time.Time `json:"first_used_on"`
	LastUsedOn   time.Time `json:"last_used_on"`
	UseCount     int64     `json:"use_count" doc:"How many sign-ins."`
	SessionCount int       `json:"session_count" doc:"How many clients."`
}

// SessionFilter selects sessions. Empty fields select all.
type SessionFilter struct {
	ID                      string
	UserMappingIDs          []string // nil selects all, an empty list none
	ConnectionID            string   // either side
	SourceConnectionID      string
	DestinationConnectionID string
	EmailKey                string
	UserKey                 string
	Client                  string
}
