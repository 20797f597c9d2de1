package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const emailAssignmentColumns = `id, connection_id, address, address_key, seen_by, first_seen_on, last_seen_on, ` +
	`released_on, released_by, release_reason, revision`

var emailAssignments = table[idmap.EmailAssignment]{
	name: "email_assignments", columns: emailAssignmentColumns, scan: scanEmailAssignment,
	id: func(e idmap.EmailAssignment) string { return e.ID },
}

// scanEmailAssignment reads an entry without its holders.
func scanEmailAssignment(r row) (e idmap.EmailAssignment, err error) {
	var releasedOn *time.Time
	var release idmap.Release
	err = r.Scan(&e.ID, &e.Connection.ID, &e.Address, &e.AddressCanonical, &e.SeenBy, instant{&e.FirstSeenOn},
		instant{&e.LastSeenOn}, when{&releasedOn}, &release.By, &release.Reason, &e.Revision)
	if releasedOn != nil {
		release.On = *releasedOn
		e.Released = &release
	}
	e.Holders = []idmap.EmailHolder{}
	return e, err
}

func (s *session) EmailAssignments(ctx context.Context, connectionID string, keys store.DirectoryKeys) ([]idmap.EmailAssignment, error) {
	l := newLookup(s, emailAssignments)
	l.any(ctx, keys.AddressKeys, "released_on IS NULL AND connection_id = ? AND address_key IN (*)", connectionID)
	// The holders come first, by themselves: of one statement either engine may begin with all entries of the connection,
	// which are far more than those of the accounts that it is asked for. Most of them have one of the addresses, too.
	held, err := s.ids(ctx, keys.IDs, `SELECT assignment_id FROM email_assignment_holders WHERE connection_id = ? AND account_id IN (*)`, connectionID)
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(id string) bool { return l.seen[id] })
	l.any(ctx, held, "released_on IS NULL AND connection_id || '' = ? AND id IN (*)", connectionID)
	return s.withHolders(ctx)(l.answer())
}

func (s *session) EmailAssignment(ctx context.Context, id string) (idmap.EmailAssignment, error) {
	l := newLookup(s, emailAssignments)
	l.any(ctx, []string{id}, "id IN (*)")
	found, err := s.withHolders(ctx)(l.answer())
	switch {
	case err != nil:
		return idmap.EmailAssignment{}, err
	case len(found) == 0:
		return idmap.EmailAssignment{}, idmap.NotFound("email_assignment", id)
	}
	return found[0], nil
}

func emailAssignmentWhere(f idmap.EmailAssignmentFilter) (w where) {
	w.equal("connection_id", f.ConnectionID)
	w.equal("address_key", f.AddressKey)
	if f.Holder != "" {
		w.and(`id IN (SELECT assignment_id FROM email_assignment_holders WHERE account_id = ? OR user_key = ?)`,
			f.Holder, f.Holder)
	}
	w.set("released_on", f.Released)
	w.contains("search", f.Query)
	return w
}

func (s *session) ListEmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter, page idmap.Page) ([]idmap.EmailAssignment, error) {
	return s.withHolders(ctx)(list(ctx, s, emailAssignments, emailAssignmentWhere(f), page))
}

func (s *session) CountEmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter) (int, error) {
	return count(ctx, s, "email_assignments", emailAssignmentWhere(f))
}

// withHolders returns a function that completes entries which were just read.
func (s *session) withHolders(ctx context.Context) func([]idmap.EmailAssignment, error) ([]idmap.EmailAssignment, error) {
	return func(entries []idmap.EmailAssignment, err error) ([]idmap.EmailAssignment, error) {
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(entries))
		index := make(map[string]*idmap.EmailAssignment, len(entries))
		for i := range entries {
			ids[i] = entries[i].ID
			index[ids[i]] = &entries[i]
		}
		return entries, s.readHolders(ctx, ids, index)
	}
}

// readHolders adds the holders to the entries with those ids, in the order of their connections.
func (s *session) readHolders(ctx context.Context, ids []string, entries map[string]*idmap.EmailAssignment) error {
	each := func(r row) error {
		var assignmentID string
		var h idmap.EmailHolder
		err := r.Scan(&assignmentID, &h.Connection.ID, reference{&h.Account}, &h.UserID, &h.Name)
		if entry := entries[assignmentID]; entry != nil {
			entry.Holders = append(entry.Holders, h)
		}
		return err
	}
	const holders = "SELECT " + holderColumns + " FROM email_assignment_holders WHERE assignment_id IN (*) " +
		"ORDER BY assignment_id, connection_id"
	for query, values := range s.dialect.keyed(holders, ids) {
		if err := s.query(ctx, each, query, values...); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) ReleaseEmailAssignment(ctx context.Context, e idmap.EmailAssignment) error {
	if e.Released == nil {
		return s.fail(ctx, errors.New("the email assignment to release has no release"))
	}
	return s.execExactly(ctx, 1, strings.Join([]string{
		`UPDATE email_assignments SET released_on = ?, released_by = ?, release_reason = ?, revision = ?`,
		`WHERE id = ? AND revision = ? AND released_on IS NULL`,
	}, " "), micros(&e.Released.On), e.Released.By, e.Released.Reason, e.Revision, e.ID, e.Revision-1)
}
