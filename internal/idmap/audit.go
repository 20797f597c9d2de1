package idmap

import (
	"encoding/json"
	"time"
)

// AuditEntry says who did what to an object, and what it was before and after.
type AuditEntry struct {
	ID       string          `json:"id"`
	On       time.Time       `json:"on"`
	Who      string          `json:"who" doc:"Name of the token that was used."`
	Action   string          `json:"action" doc:"create, update, delete, bind, import, release, refuse (a change that the directory asked for), revoke or sign_out."`
	Kind     string          `json:"kind" doc:"The noun, such as user_mapping."`
	ObjectID string          `json:"object_id"`
	Before   json.RawMessage `json:"before,omitempty"`
	After    json.RawMessage `json:"after,omitempty"`
	Reason   string          `json:"reason,omitempty"`
}

// AuditFilter selects audit entries. Empty fields select all.
type AuditFilter struct {
	Kind     string
	ObjectID string
	Who      string
	Action   string
	From, To *time.Time
}
