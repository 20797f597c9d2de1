package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Audit returns the audit entries that the filter selects, the newest first. It follows pages as it is read, and ends
// with the first error.
func (c *Client) Audit(ctx context.Context, f idmap.AuditFilter) iter.Seq2[idmap.AuditEntry, error] {
	query := params("kind", f.Kind, "object_id", f.ObjectID, "who", f.Who, "action", f.Action,
		"from", optionalTime(f.From), "to", optionalTime(f.To))
	return list[idmap.AuditEntry](ctx, c, "audit_entries", query, "audit")
}
