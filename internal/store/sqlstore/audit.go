package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const auditColumns = `id, happened_on, who, action, kind, object_id, before_json, after_json, reason`

var audit = table[idmap.AuditEntry]{
	name: "audit", columns: auditColumns, scan: scanAuditEntry,
	id: func(e idmap.AuditEntry) string { return e.ID },
}

func scanAuditEntry(r row) (e idmap.AuditEntry, err error) {
	var before, after string
	err = r.Scan(&e.ID, instant{&e.On}, &e.Who, &e.Action, &e.Kind, &e.ObjectID, &before, &after, &e.Reason)
	e.Before, e.After = rawJSON(before), rawJSON(after)
	return e, err
}

func rawJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func auditWhere(f idmap.AuditFilter) (w where) {
	w.equal("kind", f.Kind)
	w.equal("object_id", f.ObjectID)
	w.equal("who", f.Who)
	w.equal("action", f.Action)
	if f.From != nil {
		w.and("happened_on >= ?", micros(f.From))
	}
	if f.To != nil {
		w.and("happened_on < ?", micros(f.To))
	}
	return w
}

// ListAudit relies on ids that grow with time: the newest has the greatest.
func (s *session) ListAudit(ctx context.Context, f idmap.AuditFilter, page idmap.Page) ([]idmap.AuditEntry, error) {
	w := auditWhere(f)
	if page.After != "" {
		w.and("id < ?", page.After)
	}
	return listInOrder(ctx, s, audit, w, "id DESC", page.Limit)
}

func (s *session) CountAudit(ctx context.Context, f idmap.AuditFilter) (int, error) {
	return count(ctx, s, "audit", auditWhere(f))
}

func (s *session) AppendAudit(ctx context.Context, entries []idmap.AuditEntry) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{
			e.ID, micros(&e.On), e.Who, e.Action, e.Kind, e.ObjectID, string(e.Before), string(e.After), e.Reason,
		}
	}
	return s.insert(ctx, "audit", auditColumns, "", rows, nil)
}
