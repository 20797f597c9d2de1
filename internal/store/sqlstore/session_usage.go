package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// sessionUsage groups by the id of the mapping itself: what else it has follows from that, which PostgreSQL wants to
// know.
const sessionUsage = `SELECT user_mappings.id, source_connection_id, destination_connection_id, email, user_id, ` +
	`MIN(first_used_on), MAX(last_used_on), CAST(SUM(use_count) AS BIGINT), COUNT(*) FROM `

func scanSessionUsage(r row) (u idmap.SessionUsage, err error) {
	err = r.Scan(&u.UserMapping.ID, &u.Source.Connection.ID, &u.Destination.Connection.ID, &u.Email, &u.UserID,
		instant{&u.FirstUsedOn}, instant{&u.LastUsedOn}, &u.UseCount, &u.SessionCount)
	return u, err
}

// ListSessionUsage has its order from the conditions: where there are several, the mappings of each come after those of
// the one before.
func (s *session) ListSessionUsage(ctx context.Context, f idmap.SessionFilter, page idmap.Page) ([]idmap.SessionUsage, error) {
	var found []idmap.SessionUsage
	for _, w := range s.userSessionWheres(f) {
		w.and("user_mappings.id > ?", page.After)
		if w.nothing {
			continue
		}
		query := sessionUsage + userSessions.name + w.String() + " GROUP BY user_mappings.id ORDER BY user_mappings.id LIMIT ?"
		err := s.query(ctx, func(r row) error {
			u, err := scanSessionUsage(r)
			found = append(found, u)
			return err
		}, query, append(w.args, page.Limit)...)
		if err != nil {
			return nil, err
		}
	}
	return found[:min(len(found), page.Limit)], s.failed
}

func (s *session) CountSessionUsage(ctx context.Context, f idmap.SessionFilter) (n int, err error) {
	for _, w := range s.userSessionWheres(f) {
		used := "(SELECT DISTINCT user_mapping_id FROM " + userSessions.name + w.String() + ") AS used"
		some, err := count(ctx, s, used, where{args: w.args, nothing: w.nothing})
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, s.failed
}
