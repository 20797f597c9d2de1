package backend

import (
	"context"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// write stores those that were judged and are to be made: mappings, ledger, idempotency answers and audit, in a number of
// statements that does not depend on how many mappings there are, renames apart.
func (p *plan) write(ctx context.Context, tx store.Tx, verdicts []idmap.UserMappingVerdict, made []int, reason why) error {
	var w writes
	for _, i := range made {
		w.add(p, p.requests[i].call, p.changes[i], &verdicts[i], reason(verdicts[i]))
	}
	if err := w.storeMappings(ctx, tx); err != nil {
		return err
	}
	if err := w.storeLedger(ctx, tx, p.b); err != nil {
		return err
	}
	if err := p.answerKeys(ctx, tx, verdicts, made); err != nil || len(w.audit) == 0 {
		return err
	}
	return tx.AppendAudit(ctx, w.audit)
}

// writes sorts what is to be written by statement.
type writes struct {
	insert, update []store.UserMapping
	remove         []idmap.UserMapping
	removed        []string
	claims         []store.EmailClaim
	renames        []store.HolderRename
	audit          []idmap.AuditEntry
}

func (w *writes) add(p *plan, call Call, change rules.Change, verdict *idmap.UserMappingVerdict, reason string) {
	before, after := change.Before, verdict.UserMapping
	switch {
	case after == nil:
		w.remove, w.removed = append(w.remove, *before), append(w.removed, before.ID)
		w.audit = append(w.audit, p.b.audit(call, "delete", kindUserMapping, before.ID, before, nil, reason))
		return
	case before == nil:
		after.ID = p.b.opts.NewID()
		w.insert = append(w.insert, p.row(*after))
		w.audit = append(w.audit, p.b.audit(call, "create", kindUserMapping, after.ID, nil, after, reason))
	case after.Revision == before.Revision:
		return
	default:
		w.update = append(w.update, p.row(*after))
		w.audit = append(w.audit, p.b.audit(call, "update", kindUserMapping, after.ID, before, after, reason))
		if before.UserKey() != after.UserKey() {
			w.renames = append(w.renames, store.HolderRename{
				MailConnectionID: after.Source.Connection.ID, ConnectionID: after.Destination.Connection.ID,
				AccountID: after.Destination.AccountID(), OldUserKey: before.UserKey(), NewUserKey: after.UserKey(),
			})
		}
	}
	if before != nil && before.EmailCanonical == after.EmailCanonical && before.UserKey() == after.UserKey() {
		return // a spelling: the rules let it pass whatever the ledger says, and so must this
	}
	w.claims = append(w.claims, store.EmailClaim{
		ID: p.b.opts.NewID(), ConnectionID: after.Source.Connection.ID, AddressKey: after.EmailCanonical, Address: after.Email,
		Holders: rules.Holders(p.world, *after), SeenBy: idmap.SeenByMapping,
	})
}

func (p *plan) row(m idmap.UserMapping) store.UserMapping {
	return store.UserMapping{UserMapping: m, EmailScope: rules.EmailScope(p.world.Connections[m.Destination.Connection.ID])}
}

// storeMappings removes first, then changes, then inserts, so that a value may pass from one mapping to the next.
func (w *writes) storeMappings(ctx context.Context, tx store.Tx) error {
	if len(w.remove) > 0 {
		if err := tx.DeleteUserMappings(ctx, w.remove); err != nil {
			return err
		}
		if err := tx.ForgetIdempotencyKeys(ctx, w.removed); err != nil {
			return err
		}
		if err := endSessionsOf(ctx, tx, w.removed); err != nil {
			return err
		}
	}
	if len(w.update) > 0 {
		if err := tx.UpdateUserMappings(ctx, w.update); err != nil {
			return err
		}
	}
	if len(w.insert) > 0 {
		return tx.InsertUserMappings(ctx, w.insert)
	}
	return nil
}

func (w *writes) storeLedger(ctx context.Context, tx store.Tx, b *Backend) error {
	for _, rename := range w.renames {
		if err := tx.RenameHolder(ctx, rename); err != nil {
			return err
		}
	}
	if len(w.claims) == 0 {
		return nil
	}
	refused, err := tx.ClaimEmails(ctx, w.claims, b.now())
	if err == nil && len(refused) > 0 {
		// The rules saw no other holder, so one has come since: run again, and they will.
		err = fmt.Errorf("address %q: %w", w.claims[refused[0]].AddressKey, store.ErrConflict)
	}
	return err
}

// answerKeys stores the answers to the creates that came with a key. If another transaction has answered one meanwhile,
// this one fails, and finds the answer when it runs again.
func (p *plan) answerKeys(ctx context.Context, tx store.Tx, verdicts []idmap.UserMappingVerdict, made []int) error {
	var records []store.IdempotencyRecord
	for _, i := range made {
		if record := p.records[i]; record.Key != "" {
			record.ObjectID, record.Answer = verdicts[i].UserMapping.ID, document(verdicts[i])
			records = append(records, record)
		}
	}
	if len(records) == 0 {
		return nil
	}
	if err := tx.AddIdempotencyRecords(ctx, records, keepAnswers); err != nil {
		return err
	}
	return tx.ExpireIdempotencyKeys(ctx, p.b.now().Add(-keepAnswers), sweepKeys+2*len(records))
}
