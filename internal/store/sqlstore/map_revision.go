package sqlstore

import (
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

// KeepMapRevision changes a row that is there already to itself. That locks it, so that whoever finds that no job uses it
// waits, and sees the job that is about to.
func (s *session) KeepMapRevision(ctx context.Context, kind idmap.MapKind, m idmap.Map) error {
	text, err := jsonText(m)
	if err != nil {
		return s.fail(ctx, err)
	}
	return s.insert(ctx, "map_revisions", "map_id, revision, kind, map_json",
		"ON CONFLICT (map_id, revision) DO UPDATE SET revision = excluded.revision",
		[][]any{{m.ID, m.Revision, string(kind), text}}, nil)
}

// unusedRevision is the condition that no job uses a revision.
const unusedRevision = `NOT EXISTS (SELECT 1 FROM jobs WHERE account_map_id = map_revisions.map_id ` +
	`AND account_map_revision = map_revisions.revision) AND NOT EXISTS (SELECT 1 FROM jobs ` +
	`WHERE group_map_id = map_revisions.map_id AND group_map_revision = map_revisions.revision)`

// dropMapRevisions removes the revisions that no job uses any more. It locks them first, and looks again: PostgreSQL
// decides about a row for which it waited by what it saw before.
func (s *session) dropMapRevisions(ctx context.Context) error {
	var unused []any
	err := s.query(ctx, func(r row) error {
		var mapID string
		var revision int64
		err := r.Scan(&mapID, &revision)
		unused = append(unused, mapID, revision)
		return err
	}, `UPDATE map_revisions SET revision = revision WHERE `+unusedRevision+` RETURNING map_id, revision`)
	if err != nil {
		return err
	}
	for pair := range slices.Chunk(unused, 2) {
		_, err := s.exec(ctx, `DELETE FROM map_revisions WHERE map_id = ? AND revision = ? AND `+unusedRevision, pair...)
		if err != nil {
			return err
		}
	}
	return nil
}
