package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// sessionStep is how many sessions end in one transaction, which others wait for.
const sessionStep = 500

// ending is how sessions end, for the audit.
type ending struct{ action, reason string }

// endSessions ends some of the sessions that the filter selects, and returns how many, and whether there may be more.
func (b *Backend) endSessions(ctx context.Context, tx store.Tx, call Call, f idmap.SessionFilter, how ending) (ended int, more bool, err error) {
	listed, err := tx.ListSessions(ctx, f, idmap.Page{Limit: sessionStep})
	if err != nil || len(listed) == 0 {
		return 0, false, err
	}
	if err := lockMappingsOf(ctx, tx, listed); err != nil {
		return 0, false, err
	}
	// Only sessions of mappings that are locked, which others of the filter that began meanwhile need not be.
	f.UserMappingIDs = mappingsOf(listed)
	gone, err := tx.EndSessions(ctx, f, sessionStep)
	if err != nil {
		return 0, false, err
	}
	if err := b.recordEnds(ctx, tx, call, gone, how); err != nil {
		return 0, false, err
	}
	return len(gone), len(listed) == sessionStep, b.removeUnused(ctx, tx, call, mappingsOf(gone))
}

func mappingsOf(sessions []idmap.Session) []string {
	ids := keySet{}
	for _, s := range sessions {
		ids.add("", s.UserMapping.ID)
	}
	return ids.of("")
}

// lockMappingsOf locks the mappings of sessions that are about to end, so that of two last sessions the later one finds
// itself the last, and a sign-in comes before or after. Where a mapping may go with its session, the directories are
// held first, as for every delete.
func lockMappingsOf(ctx context.Context, tx store.Tx, sessions []idmap.Session) error {
	ids := mappingsOf(sessions)
	temporary, err := temporaryMappings(ctx, tx, ids)
	if err != nil {
		return err
	}
	connections := keySet{}
	for _, m := range temporary {
		connections.add("", m.Source.Connection.ID, m.Destination.Connection.ID)
	}
	if len(connections) > 0 {
		if err := tx.ShareConnections(ctx, connections.of("")); err != nil {
			return err
		}
	}
	return tx.LockUserMappings(ctx, ids)
}

// temporaryMappings returns those of the mappings that go with their last session.
func temporaryMappings(ctx context.Context, r store.Reader, ids []string) ([]idmap.UserMapping, error) {
	found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: ids})
	if err != nil {
		return nil, err
	}
	destinations := keySet{}
	for _, m := range found {
		if m.Origin == idmap.OriginSignIn {
			destinations.add("", m.Destination.Connection.ID)
		}
	}
	connections, err := r.Connections(ctx, destinations.of(""))
	if err != nil {
		return nil, err
	}
	removes := map[string]bool{}
	for _, c := range connections {
		removes[c.ID] = c.OnSignOut == idmap.OnSignOutRemove
	}
	var temporary []idmap.UserMapping
	for _, m := range found {
		if m.Origin == idmap.OriginSignIn && removes[m.Destination.Connection.ID] {
			temporary = append(temporary, m.UserMapping)
		}
	}
	return temporary, nil
}

// recordEnds writes down who ended the sessions, and forgets the answers that told of them.
func (b *Backend) recordEnds(ctx context.Context, tx store.Tx, call Call, ended []idmap.Session, how ending) error {
	if len(ended) == 0 {
		return nil
	}
	var ids []string
	var audit []idmap.AuditEntry
	for _, s := range ended {
		ids = append(ids, s.ID)
		audit = append(audit, b.audit(call, how.action, kindSession, s.ID, s, nil, how.reason))
	}
	if err := tx.ForgetIdempotencyKeys(ctx, ids); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, audit)
}

// removeUnused deletes the mappings that sign-ins made and that have no session any more, where their connection wants
// that. The mappings are locked, so none of them gets a session meanwhile.
func (b *Backend) removeUnused(ctx context.Context, tx store.Tx, call Call, ids []string) error {
	temporary, err := temporaryMappings(ctx, tx, ids)
	if err != nil || len(temporary) == 0 {
		return err
	}
	unused := map[string]bool{}
	for _, m := range temporary {
		unused[m.ID] = true
	}
	inUse, err := tx.ListSessionUsage(ctx, idmap.SessionFilter{UserMappingIDs: ids}, idmap.Page{Limit: len(ids)})
	if err != nil {
		return err
	}
	for _, usage := range inUse {
		delete(unused, usage.UserMapping.ID)
	}
	var intents []idmap.UserMappingIntent
	for _, m := range temporary {
		if unused[m.ID] {
			intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: m.ID})
		}
	}
	if len(intents) == 0 {
		return nil
	}
	verdicts, err := b.apply(ctx, tx, call, intents, "its last session ended, and the application connection keeps no mapping of a sign-in without one")
	if err != nil {
		return err
	}
	return refuseItems(verdicts)
}

// endSessionsOf ends the sessions of mappings that are deleted. The audit has the deletion.
func endSessionsOf(ctx context.Context, tx store.Tx, userMappingIDs []string) error {
	for {
		ended, err := tx.EndSessions(ctx, idmap.SessionFilter{UserMappingIDs: userMappingIDs}, sessionStep)
		if err != nil || len(ended) == 0 {
			return err
		}
		ids := make([]string, len(ended))
		for i, s := range ended {
			ids[i] = s.ID
		}
		if err := tx.ForgetIdempotencyKeys(ctx, ids); err != nil || len(ended) < sessionStep {
			return err
		}
	}
}
