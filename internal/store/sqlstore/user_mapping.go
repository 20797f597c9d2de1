package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const userMappingColumns = `id, source_connection_id, source_account_id, destination_connection_id, ` +
	`destination_account_id, email, email_key, email_source, email_scope, user_id, origin, last_sign_in_on, revision, ` +
	`created_on, modified_on`

var userMappings = table[store.UserMapping]{
	name: "user_mappings", columns: userMappingColumns, scan: scanUserMapping,
	id: func(m store.UserMapping) string { return m.ID },
}

func scanUserMapping(r row) (m store.UserMapping, err error) {
	err = r.Scan(&m.ID, &m.Source.Connection.ID, reference{&m.Source.Account}, &m.Destination.Connection.ID,
		reference{&m.Destination.Account}, &m.Email, &m.EmailCanonical, &m.EmailSource, &m.EmailScope, &m.UserID,
		&m.Origin, when{&m.LastSignInOn}, &m.Revision, when{&m.CreatedOn}, when{&m.ModifiedOn})
	return m, err
}

// storedUserMappingColumns are all columns of the table.
const storedUserMappingColumns = userMappingColumns + ", email_domain, user_key, search"

// userMappingValues are the values of storedUserMappingColumns.
func userMappingValues(m store.UserMapping) ([]any, error) {
	userKey := m.UserKey()
	if m.EmailCanonical == "" || userKey == "" || m.EmailScope == "" {
		return nil, fmt.Errorf("user mapping %q has no canonical email, no email scope or no user id", m.ID)
	}
	domain := m.EmailCanonical[strings.LastIndexByte(m.EmailCanonical, '@')+1:]
	return []any{
		m.ID, m.Source.Connection.ID, m.Source.AccountID(), m.Destination.Connection.ID,
		m.Destination.AccountID(), m.Email, m.EmailCanonical, string(m.EmailSource), m.EmailScope, m.UserID,
		string(m.Origin), micros(m.LastSignInOn), m.Revision, micros(m.CreatedOn), micros(m.ModifiedOn),
		domain, userKey, searchText(m.EmailCanonical, m.Email, m.UserID),
	}, nil
}

func (s *session) UserMappings(ctx context.Context, keys store.UserMappingKeys) ([]store.UserMapping, error) {
	from := userMappings
	if keys.RenamedTo {
		from = renamedMappings
	}
	l := newLookup(s, from)
	l.any(ctx, keys.IDs, "id IN (*)")
	byScope := map[string][]string{}
	for _, k := range keys.Emails {
		byScope[k.EmailScope] = append(byScope[k.EmailScope], k.EmailKey)
	}
	for scope, emails := range byScope {
		l.any(ctx, emails, "email_scope = ? AND email_key IN (*)", scope)
	}
	return l.answer()
}

func (s *session) UserMappingsOf(ctx context.Context, connectionID string, keys store.DirectoryKeys) ([]store.UserMapping, error) {
	l := newLookup(s, userMappings)
	l.any(ctx, keys.IDs, "source_connection_id = ? AND source_account_id IN (*)", connectionID)
	l.any(ctx, keys.AddressKeys, "source_connection_id = ? AND email_key IN (*)", connectionID)
	l.any(ctx, keys.IDs, "destination_connection_id = ? AND destination_account_id IN (*)", connectionID)
	l.any(ctx, keys.UserKeys, "destination_connection_id = ? AND user_key IN (*)", connectionID)
	return l.answer()
}

func userMappingWhere(f idmap.UserMappingFilter) (w where) {
	if id := f.ConnectionID; id != "" {
		w.and("(source_connection_id = ? OR destination_connection_id = ?)", id, id)
	}
	w.equal("source_connection_id", f.SourceConnectionID)
	w.equal("destination_connection_id", f.DestinationConnectionID)
	if f.FromID != "" {
		w.and("id >= ?", f.FromID)
	}
	if f.ToID != "" {
		w.and("id < ?", f.ToID)
	}
	w.equal("email_key", f.EmailKey)
	w.equal("user_key", f.UserKey)
	if id := f.AccountID; id != "" {
		w.and("(source_account_id = ? OR destination_account_id = ?)", id, id)
	}
	w.equal("origin", string(f.Origin))
	w.equal("email_domain", f.Domain)
	w.contains("search", f.Query)
	return w
}

func (s *session) ListUserMappings(ctx context.Context, f idmap.UserMappingFilter, page idmap.Page) ([]idmap.UserMapping, error) {
	found, err := list(ctx, s, renamedMappings, userMappingWhere(f), page)
	mappings := make([]idmap.UserMapping, len(found))
	for i, m := range found {
		mappings[i] = m.UserMapping
	}
	return mappings, err
}

func (s *session) CountUserMappings(ctx context.Context, f idmap.UserMappingFilter) (int, error) {
	return count(ctx, s, "user_mappings", userMappingWhere(f))
}

func (s *session) InsertUserMappings(ctx context.Context, mappings []store.UserMapping) error {
	return s.writeUserMappings(ctx, mappings, "")
}

// UpdateUserMappings parks what is unique about the rows before it writes their new values. So a value may change hands
// inside of one call without deferred constraints, which distributed engines lack.
func (s *session) UpdateUserMappings(ctx context.Context, mappings []store.UserMapping) error {
	plain := make([]idmap.UserMapping, len(mappings))
	for i, m := range mappings {
		plain[i] = m.UserMapping
		plain[i].Revision-- // the stored one
	}
	// No canonical form has a control character.
	err := s.execAtRevision(ctx, plain, `UPDATE user_mappings SET email_key = CAST(? AS TEXT) || id, `+
		`user_key = CAST(? AS TEXT) || id, source_account_id = CAST(? AS TEXT) || id, `+
		`destination_account_id = CAST(? AS TEXT) || id`, "\x01", "\x01", "\x01", "\x01")
	if err != nil {
		return err
	}
	return s.writeUserMappings(ctx, mappings,
		"ON CONFLICT (id) DO UPDATE SET "+overwrite(storedUserMappingColumns, "id", "created_on", "last_sign_in_on"))
}

func (s *session) writeUserMappings(ctx context.Context, mappings []store.UserMapping, tail string) error {
	rows := make([][]any, len(mappings))
	for i, m := range mappings {
		values, err := userMappingValues(m)
		if err != nil {
			return s.fail(ctx, err)
		}
		rows[i] = values
	}
	return s.insert(ctx, "user_mappings", storedUserMappingColumns, tail, rows, nil)
}

// execAtRevision runs an UPDATE or DELETE of the mappings that are at their revision. If any is not, it fails.
func (s *session) execAtRevision(ctx context.Context, mappings []idmap.UserMapping, statement string, args ...any) error {
	for chunk := range slices.Chunk(mappings, max(1, s.dialect.Keys/2)) {
		all := slices.Clone(args)
		for _, m := range chunk {
			all = append(all, m.ID, m.Revision)
		}
		err := s.execExactly(ctx, len(chunk), statement+
			" WHERE (id, revision) IN (VALUES "+repeated("(?, CAST(? AS BIGINT))", len(chunk))+")", all...)
		if err != nil {
			return err
		}
	}
	return s.failed
}

func (s *session) BindUserMappings(ctx context.Context, mappings []idmap.UserMapping) error {
	for chunk := range slices.Chunk(mappings, max(1, s.dialect.Values/3)) {
		var args []any
		for _, m := range chunk {
			args = append(args, m.ID, m.Source.AccountID(), m.Destination.AccountID())
		}
		_, err := s.exec(ctx, `UPDATE user_mappings SET`+
			` source_account_id = CASE source_account_id WHEN '' THEN v.column2 ELSE source_account_id END,`+
			` destination_account_id = CASE destination_account_id WHEN '' THEN v.column3 ELSE destination_account_id END`+
			` FROM (VALUES `+repeated("(?, ?, ?)", len(chunk))+`) AS v`+
			` WHERE id = v.column1 AND (source_account_id = '' OR destination_account_id = '')`, args...)
		if err != nil {
			return err
		}
	}
	return s.failed
}

func (s *session) DeleteUserMappings(ctx context.Context, mappings []idmap.UserMapping) error {
	return s.execAtRevision(ctx, mappings, `DELETE FROM user_mappings`)
}

func (s *session) LockUserMappings(ctx context.Context, ids []string) error {
	for chunk := range s.dialect.chunks(ids) {
		query := "SELECT id FROM user_mappings WHERE id IN (" + repeated("?", len(chunk)) + ") ORDER BY id" + s.dialect.LockRows
		err := s.query(ctx, func(r row) error {
			var id string
			err := r.Scan(&id)
			s.holdLock(id)
			return err
		}, query, anys(chunk)...)
		if err != nil {
			return err
		}
	}
	return s.failed
}

func (s *session) holdLock(userMappingID string) {
	if s.locked == nil {
		s.locked = map[string]bool{}
	}
	s.locked[userMappingID] = true
}

func (s *session) TryLockUserMappings(ctx context.Context, ids []string) ([]store.UserMapping, error) {
	l := newLookup(s, userMappings)
	for chunk := range s.dialect.chunks(ids) {
		l.run(ctx, "id IN ("+repeated("?", len(chunk))+") ORDER BY id"+s.dialect.TryLockRows, anys(chunk))
	}
	for _, m := range l.found {
		s.holdLock(m.ID)
	}
	return l.answer()
}

// TouchUserMappings changes each row, even if its time stays: that is what locks it.
func (s *session) TouchUserMappings(ctx context.Context, ids []string, on time.Time) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	free := slices.ContainsFunc(ids, func(id string) bool { return !s.locked[id] })
	if free && len(ids) > 1 { // one statement promises no order
		if err := s.LockUserMappings(ctx, ids); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(ids, s.dialect.Keys) {
		padded := s.dialect.padded(chunk)
		err := s.execExactly(ctx, len(chunk), `UPDATE user_mappings SET last_sign_in_on = `+
			`CASE WHEN last_sign_in_on > ? THEN last_sign_in_on ELSE ? END WHERE id IN (`+repeated("?", len(padded))+`)`,
			append([]any{micros(&on), micros(&on)}, anys(padded)...)...)
		if err != nil {
			return err
		}
	}
	return s.failed
}
