package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func (s *session) MapRevision(ctx context.Context, mapID string, revision int64) (m idmap.Map, err error) {
	missing := idmap.NotFound("map revision", fmt.Sprintf("%s, %d", mapID, revision))
	if !storable(mapID) {
		return m, missing
	}
	found := false
	err = s.query(ctx, func(r row) error {
		found = true
		return r.Scan(document{&m})
	}, `SELECT map_json FROM map_revisions WHERE map_id = ? AND revision = ?`, mapID, revision)
	if err == nil && !found {
		err = missing
	}
	return m, err
}

// HoldMapRevision changes the row to itself. That locks it, so that whoever finds that no job uses it waits, and sees
// the job that is about to.
func (s *session) HoldMapRevision(ctx context.Context, mapID string, revision int64) (bool, error) {
	if !storable(mapID) {
		return false, s.failed
	}
	n, err := s.exec(ctx, `UPDATE map_revisions SET revision = revision WHERE map_id = ? AND revision = ?`, mapID, revision)
	return n > 0, err
}

// KeepMapRevision holds a row that another transaction has inserted meanwhile.
func (s *session) KeepMapRevision(ctx context.Context, kind idmap.MapKind, m idmap.Map) error {
	text, err := jsonText(m)
	if err != nil {
		return s.fail(ctx, err)
	}
	return s.insert(ctx, "map_revisions", "map_id, revision, kind, map_json",
		"ON CONFLICT (map_id, revision) DO UPDATE SET revision = excluded.revision",
		[][]any{{m.ID, m.Revision, string(kind), text}}, nil)
}

// dropMapRevisions removes those of the revisions that no job uses any more, in an order on which all agree. It holds
// each before it looks who uses it: PostgreSQL decides about a row for which it waited by what it saw before.
func (s *session) dropMapRevisions(ctx context.Context, uses []idmap.MapUse) error {
	slices.SortFunc(uses, func(a, b idmap.MapUse) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Revision, b.Revision))
	})
	for _, u := range slices.Compact(uses) {
		if _, err := s.HoldMapRevision(ctx, u.ID, u.Revision); err != nil {
			return err
		}
		_, err := s.exec(ctx, `DELETE FROM map_revisions WHERE map_id = ? AND revision = ? `+
			`AND NOT EXISTS (SELECT 1 FROM jobs WHERE account_map_id = ? AND account_map_revision = ?) `+
			`AND NOT EXISTS (SELECT 1 FROM jobs WHERE group_map_id = ? AND group_map_revision = ?)`,
			u.ID, u.Revision, u.ID, u.Revision, u.ID, u.Revision)
		if err != nil {
			return err
		}
	}
	return nil
}
