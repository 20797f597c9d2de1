package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// userSessionColumns are the columns of the table itself; those that scanUserSession reads besides are the mapping's.
const userSessionColumns = `id, user_mapping_id, client, source_address, first_used_on, last_used_on, use_count`

// returnedUserSession is what a statement returns of the sessions that it writes, and of their mappings. A mapping that
// is gone has no connection.
const returnedUserSession = "RETURNING " + userSessionColumns + `, ` +
	`COALESCE((SELECT source_connection_id FROM user_mappings WHERE user_mappings.id = user_mapping_id), ''), ` +
	`COALESCE((SELECT destination_connection_id FROM user_mappings WHERE user_mappings.id = user_mapping_id), ''), ` +
	`COALESCE((SELECT email FROM user_mappings WHERE user_mappings.id = user_mapping_id), ''), ` +
	`COALESCE((SELECT user_id FROM user_mappings WHERE user_mappings.id = user_mapping_id), '')`

// useSession continues the session of a mapping and a client.
const useSession = `ON CONFLICT (user_mapping_id, client) DO UPDATE SET source_address = excluded.source_address, ` +
	`first_used_on = CASE WHEN excluded.first_used_on < sessions.first_used_on ` +
	`THEN excluded.first_used_on ELSE sessions.first_used_on END, ` +
	`last_used_on = CASE WHEN excluded.last_used_on > sessions.last_used_on ` +
	`THEN excluded.last_used_on ELSE sessions.last_used_on END, ` +
	`use_count = sessions.use_count + excluded.use_count ` + returnedUserSession

const withMapping = ` JOIN user_mappings ON user_mappings.id = user_mapping_id`

var userSessions = table[idmap.Session]{
	name: "sessions" + withMapping,
	columns: "sessions." + userSessionColumns +
		", source_connection_id, destination_connection_id, email, user_id",
	scan: scanUserSession,
	id:   func(u idmap.Session) string { return u.ID },
}

func scanUserSession(r row) (u idmap.Session, err error) {
	err = r.Scan(&u.ID, &u.UserMapping.ID, &u.Client, &u.SourceAddress, instant{&u.FirstUsedOn}, instant{&u.LastUsedOn},
		&u.UseCount, &u.Source.Connection.ID, &u.Destination.Connection.ID, &u.Email, &u.UserID)
	return u, err
}

// endingSessions are sessions to be ended, also those of a mapping that the transaction has deleted.
var endingSessions = table[idmap.Session]{
	name: "sessions LEFT" + withMapping, columns: "sessions.id, user_mapping_id",
	scan: func(r row) (u idmap.Session, err error) { return u, r.Scan(&u.ID, &u.UserMapping.ID) },
}

func (s *session) Sessions(ctx context.Context, ids []string) ([]idmap.Session, error) {
	l := newLookup(s, userSessions)
	l.any(ctx, ids, "sessions.id IN (*)")
	return l.answer()
}

// userSessionWhere keeps a connection from choosing an index: all sessions of its mappings would be read and sorted for
// a page of them.
func userSessionWhere(f idmap.SessionFilter) (w where) {
	if id := f.ConnectionID; id != "" {
		w.and("(source_connection_id || '' = ? OR destination_connection_id || '' = ?)", id, id)
	}
	w.equal("sessions.id", f.ID)
	w.equal("source_connection_id || ''", f.SourceConnectionID)
	w.equal("destination_connection_id || ''", f.DestinationConnectionID)
	w.equal("email_key", f.EmailKey)
	w.equal("user_key", f.UserKey)
	w.equal("client", f.Client)
	return w
}

// userSessionWheres returns conditions that no two hold for one mapping: one statement takes only so many ids, and they
// are taken in their order. A list of
// mappings that is there and empty names none, so that who ends the sessions of no mappings does not end all.
func (s *session) userSessionWheres(f idmap.SessionFilter) (all []where) {
	if f.UserMappingIDs == nil {
		return []where{userSessionWhere(f)}
	}
	for chunk := range s.dialect.chunks(f.UserMappingIDs) {
		w := userSessionWhere(f)
		w.and("user_mapping_id IN ("+repeated("?", len(chunk))+")", anys(chunk)...)
		all = append(all, w)
	}
	return all
}

func (s *session) ListSessions(ctx context.Context, f idmap.SessionFilter, page idmap.Page) ([]idmap.Session, error) {
	return s.listSessions(ctx, userSessions, f, page)
}

func (s *session) listSessions(ctx context.Context, t table[idmap.Session], f idmap.SessionFilter, page idmap.Page) ([]idmap.Session, error) {
	var found []idmap.Session
	for _, w := range s.userSessionWheres(f) {
		if page.After != "" {
			w.and("sessions.id > ?", page.After)
		}
		some, err := listInOrder(ctx, s, t, w, "sessions.id", page.Limit)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b idmap.Session) int { return strings.Compare(a.ID, b.ID) })
	return found[:min(len(found), page.Limit)], s.failed
}

func (s *session) CountSessions(ctx context.Context, f idmap.SessionFilter) (n int, err error) {
	for _, w := range s.userSessionWheres(f) {
		some, err := count(ctx, s, userSessions.name, w)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, s.failed
}

// UseSessions takes the sessions in one order, so that two transactions do not wait for each other. That of a mapping
// which does not exist would never end.
func (s *session) UseSessions(ctx context.Context, sessions []idmap.Session) ([]idmap.Session, error) {
	rows := make([][]any, len(sessions))
	for i, u := range inUseOrder(sessions) {
		rows[i] = []any{
			u.ID, u.UserMapping.ID, u.Client, u.SourceAddress, micros(&u.FirstUsedOn), micros(&u.LastUsedOn), u.UseCount,
		}
	}
	stored := make(map[sessionOf]idmap.Session, len(sessions))
	err := s.insert(ctx, "sessions", userSessionColumns, useSession, rows, func(r row) error {
		u, err := scanUserSession(r)
		if err == nil && u.Source.Connection.ID == "" {
			err = fmt.Errorf("%w: user mapping %q is gone", store.ErrConflict, u.UserMapping.ID)
		}
		if _, twice := stored[ownerOf(u)]; twice { // PostgreSQL refuses it by itself
			err = cmp.Or(err, fmt.Errorf("two sessions are of the user mapping %q and the client %q", u.UserMapping.ID, u.Client))
		}
		stored[ownerOf(u)] = u
		return err
	})
	if err != nil {
		return nil, err
	}
	used := make([]idmap.Session, len(sessions))
	for i, u := range sessions {
		used[i] = stored[ownerOf(u)]
	}
	return used, nil
}

// sessionOf is what at most one session has.
type sessionOf struct{ userMappingID, client string }

func ownerOf(u idmap.Session) sessionOf { return sessionOf{u.UserMapping.ID, u.Client} }

func inUseOrder(sessions []idmap.Session) []idmap.Session {
	return slices.SortedFunc(slices.Values(sessions), func(a, b idmap.Session) int {
		return cmp.Or(strings.Compare(a.UserMapping.ID, b.UserMapping.ID), strings.Compare(a.Client, b.Client))
	})
}

// EndSessions looks again where another transaction was faster, so that who gets fewer than the limit has got all.
func (s *session) EndSessions(ctx context.Context, f idmap.SessionFilter, limit int) (ended []idmap.Session, err error) {
	page := idmap.Page{Limit: limit}
	for page.Limit > 0 {
		found, err := s.listSessions(ctx, endingSessions, f, page)
		if err != nil {
			return nil, err
		}
		removed, err := s.removeSessions(ctx, found)
		if err != nil {
			return nil, err
		}
		ended = append(ended, removed...)
		if len(found) < page.Limit {
			break
		}
		page = idmap.Page{After: found[len(found)-1].ID, Limit: limit - len(ended)}
	}
	return ended, s.failed
}

// removeSessions first locks the mappings, as a sign-in does: in another order the two would wait for each other.
func (s *session) removeSessions(ctx context.Context, sessions []idmap.Session) (removed []idmap.Session, err error) {
	ids, mappings := make([]string, len(sessions)), make([]string, len(sessions))
	for i, u := range sessions {
		ids[i], mappings[i] = u.ID, u.UserMapping.ID
	}
	if err := s.LockUserMappings(ctx, mappings); err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(ids, s.dialect.Keys) {
		query := "DELETE FROM sessions WHERE id IN (" + repeated("?", len(chunk)) + ") " + returnedUserSession
		err := s.query(ctx, func(r row) error {
			u, err := scanUserSession(r)
			removed = append(removed, u)
			return err
		}, query, anys(chunk)...)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(removed, func(a, b idmap.Session) int { return strings.Compare(a.ID, b.ID) })
	return removed, nil
}
