package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindEmailAssignment = "email_assignment"

// EmailAssignment returns one entry of the address ledger.
func (b *Backend) EmailAssignment(ctx context.Context, id string) (idmap.EmailAssignment, error) {
	var found idmap.EmailAssignment
	err := b.view(ctx, func(r store.Reader) (err error) {
		found, err = r.EmailAssignment(ctx, id)
		return err
	})
	return found, err
}

// EmailAssignments lists the address ledger.
func (b *Backend) EmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter, page idmap.Page) (List[idmap.EmailAssignment], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.EmailAssignment, error) {
			return r.ListEmailAssignments(ctx, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountEmailAssignments(ctx, f) })
}

// ReleaseEmail frees an address, so that its next holder may be somebody else. The entry stays as history.
func (b *Backend) ReleaseEmail(ctx context.Context, call Call, id, reason string) (idmap.EmailAssignment, error) {
	var released idmap.EmailAssignment
	if err := idmap.Refuse(rules.CheckReason(reason)...); err != nil {
		return released, err
	}
	err := b.update(ctx, func(tx store.Tx) (err error) {
		request := map[string]string{"release": id, "reason": reason}
		released, err = once(ctx, b, tx, call, request, func() (idmap.EmailAssignment, string, error) {
			e, err := b.release(ctx, tx, call, id, reason)
			return e, e.ID, err
		})
		return err
	})
	return released, err
}

func (b *Backend) release(ctx context.Context, tx store.Tx, call Call, id, reason string) (idmap.EmailAssignment, error) {
	before, err := tx.EmailAssignment(ctx, id)
	if err != nil {
		return before, err
	}
	if before.Released != nil {
		return before, idmap.Refusef(idmap.CodeAlreadyReleased, "", "Address %q was released by %s on %s already.",
			before.Address, before.Released.By, before.Released.On.Format("2006-01-02"))
	}
	after := before
	after.Revision++
	after.Released = &idmap.Release{On: b.now(), By: call.Token.Name, Reason: reason}
	if err := tx.ReleaseEmailAssignment(ctx, after); err != nil {
		return after, err
	}
	return after, tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "release", kindEmailAssignment, id, before, after, reason)})
}
