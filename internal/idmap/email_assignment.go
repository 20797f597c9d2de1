package idmap

import "time"

// SeenBy says how an address was first seen held.
type SeenBy string

// An address is seen held by a mapping or in a directory.
const (
	SeenByMapping   SeenBy = "mapping"
	SeenByDirectory SeenBy = "directory"
)

// EmailAssignment is an entry of the address ledger: who holds an address, and since when. It outlives mappings and
// accounts. A released entry stays as history; the next holder begins a new one.
type EmailAssignment struct {
	ID               string        `json:"id"`
	Connection       Ref           `json:"connection" doc:"The mail connection."`
	Address          string        `json:"address" doc:"As first seen."`
	AddressCanonical string        `json:"address_canonical"`
	Holders          []EmailHolder `json:"holders" nullable:"false" doc:"At most one for each connection."`
	SeenBy           SeenBy        `json:"seen_by" enum:"mapping,directory"`
	FirstSeenOn      time.Time     `json:"first_seen_on"`
	LastSeenOn       time.Time     `json:"last_seen_on"`
	Released         *Release      `json:"released,omitempty" doc:"Set when an administrator freed the address."`
	Revision         int64         `json:"revision"`
}

// EmailHolder is an account that holds an address, in the mail connection itself or in an application connection.
type EmailHolder struct {
	Connection Ref    `json:"connection"`
	Account    *Ref   `json:"account,omitempty" doc:"Where a directory knows the account."`
	UserID     string `json:"user_id,omitempty" doc:"Canonical user id in an application connection."`
	Name       string `json:"name,omitempty" doc:"What the holder was called when first seen."`
}

// AccountID returns the id of the holding account, or "".
func (h EmailHolder) AccountID() string {
	if h.Account == nil {
		return ""
	}
	return h.Account.ID
}

// Same reports whether h and other are one holder. Account ids decide where both are known, else user ids.
func (h EmailHolder) Same(other EmailHolder) bool {
	if h.Connection != other.Connection {
		return false
	}
	if a, b := h.AccountID(), other.AccountID(); a != "" && b != "" {
		return a == b
	}
	return h.UserID != "" && h.UserID == other.UserID
}

// Label names the holder to a person.
func (h EmailHolder) Label() string {
	for _, name := range []string{h.Name, h.UserID, h.AccountID()} {
		if name != "" {
			return name
		}
	}
	return "an unknown account"
}

// Release says who freed an address, when and why.
type Release struct {
	On     time.Time `json:"on"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// EmailAssignmentFilter selects ledger entries. Empty fields select all.
type EmailAssignmentFilter struct {
	ConnectionID string
	AddressKey   string
	Holder       string // account id or canonical user id
	Released     *bool
	Query        string // folded text, in the address
}
