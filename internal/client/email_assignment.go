package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// EmailAssignment returns the ledger entry of that id.
func (c *Client) EmailAssignment(ctx context.Context, id string) (idmap.EmailAssignment, error) {
	return call[idmap.EmailAssignment](ctx, c, get("email_assignments", id), "email_assignment")
}

// EmailAssignments returns the ledger entries that the filter selects. It follows pages as it is read, and ends with the
// first error.
func (c *Client) EmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter) iter.Seq2[idmap.EmailAssignment, error] {
	query := params("q", f.Query, "connection", f.ConnectionID, "address", f.AddressKey, "holder", f.Holder, "released", optionalBool(f.Released))
	return list[idmap.EmailAssignment](ctx, c, "email_assignments", query, "email_assignments")
}

// ReleaseEmail frees the address of a ledger entry for another holder. It needs the scope admin.
func (c *Client) ReleaseEmail(ctx context.Context, key, id, reason string) (idmap.EmailAssignment, error) {
	body := struct {
		Reason string `json:"reason"`
	}{reason}
	return call[idmap.EmailAssignment](ctx, c, write(key, body, "email_assignments", id, "release"), "email_assignment")
}
