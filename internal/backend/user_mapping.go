package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindUserMapping = "user_mapping"

// UserMapping returns one mapping.
func (b *Backend) UserMapping(ctx context.Context, id string) (idmap.UserMapping, error) {
	var found idmap.UserMapping
	err := b.view(ctx, func(r store.Reader) (err error) {
		found, err = oneMapping(ctx, r, id, true)
		return err
	})
	return found, err
}

func userMapping(ctx context.Context, r store.Reader, id string) (idmap.UserMapping, error) {
	return oneMapping(ctx, r, id, false)
}

// oneMapping reads a mapping, and what its user is called now if the caller wants that.
func oneMapping(ctx context.Context, r store.Reader, id string, renamed bool) (idmap.UserMapping, error) {
	found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: []string{id}, RenamedTo: renamed})
	if err != nil {
		return idmap.UserMapping{}, err
	}
	if len(found) == 0 {
		return idmap.UserMapping{}, idmap.NotFound(kindUserMapping, id)
	}
	return found[0].UserMapping, nil
}

// UserMappings lists mappings.
func (b *Backend) UserMappings(ctx context.Context, f idmap.UserMappingFilter, page idmap.Page) (List[idmap.UserMapping], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.UserMapping, error) {
			return r.ListUserMappings(ctx, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountUserMappings(ctx, f) })
}

// CreateUserMapping stores a new mapping. It answers with warnings, if there are any.
func (b *Backend) CreateUserMapping(ctx context.Context, call Call, m idmap.UserMapping) (idmap.UserMappingVerdict, error) {
	return b.write(ctx, request{call: call, pair: pairOfMapping(m), intent: idmap.UserMappingIntent{
		Operation: idmap.OperationCreate, IdempotencyKey: call.IdempotencyKey, UserMapping: &m,
	}})
}

// UpdateUserMapping writes what change makes of the stored mapping. revision is the one that the caller saw, 0 for any.
// change may be called several times, and from another goroutine, but not after UpdateUserMapping has returned.
func (b *Backend) UpdateUserMapping(
	ctx context.Context, call Call, id string, revision int64, change func(idmap.UserMapping) (idmap.UserMapping, error),
) (idmap.UserMappingVerdict, error) {
	var calling sync.Mutex
	var returned bool
	defer func() {
		calling.Lock()
		defer calling.Unlock()
		returned = true
	}()
	whileCalled := func(m idmap.UserMapping) (idmap.UserMapping, error) {
		calling.Lock()
		defer calling.Unlock()
		if returned {
			return m, context.Canceled
		}
		return change(m)
	}
	return b.writeStored(ctx, request{call: call, change: whileCalled, intent: idmap.UserMappingIntent{
		Operation: idmap.OperationUpdate, ID: id, Revision: revision,
	}})
}

// DeleteUserMapping removes a mapping. Both accounts and the ledger stay.
func (b *Backend) DeleteUserMapping(ctx context.Context, call Call, id string, revision int64) error {
	_, err := b.writeStored(ctx, request{call: call, intent: idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: id, Revision: revision}})
	return err
}

// writeStored is write for a mapping that is stored, and whose connections so say where to queue.
func (b *Backend) writeStored(ctx context.Context, q request) (idmap.UserMappingVerdict, error) {
	err := b.view(ctx, func(r store.Reader) error {
		m, err := userMapping(ctx, r, q.intent.ID)
		q.pair = pairOfMapping(m)
		return err
	})
	if err != nil {
		return idmap.UserMappingVerdict{}, err
	}
	return b.write(ctx, q)
}

// write makes a single write, in one transaction with those that others ask for at the same time.
func (b *Backend) write(ctx context.Context, q request) (idmap.UserMappingVerdict, error) {
	out, err := b.writes.do(ctx, q)
	if err == nil {
		err = out.err
	}
	return out.verdict, err
}

func pairOfMapping(m idmap.UserMapping) string {
	return pairOf(m.Source.Connection, m.Destination.Connection)
}

// ApplyUserMappings makes all the writes in one transaction, or none. The error names every item at fault: the fields
// of its violations begin with items[n].
func (b *Backend) ApplyUserMappings(ctx context.Context, call Call, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	var verdicts []idmap.UserMappingVerdict
	err := b.update(ctx, func(tx store.Tx) (err error) {
		verdicts, err = once(ctx, b, tx, call, intents, func() ([]idmap.UserMappingVerdict, string, error) {
			applied, err := b.apply(ctx, tx, call, intents, "")
			if err == nil {
				err = refuseItems(applied)
			}
			return applied, "", err
		})
		return err
	})
	return verdicts, err
}

func refuseItems(verdicts []idmap.UserMappingVerdict) error {
	var all []idmap.Violation
	for i, verdict := range verdicts {
		for _, v := range verdict.Violations {
			item := fmt.Sprintf("items[%d]", i)
			if v.Field != "" {
				item += "." + v.Field
			}
			v.Field = item
			all = append(all, v)
		}
	}
	err := idmap.Refuse(all...)
	if refused, ok := errors.AsType[*idmap.Error](err); ok && refused.Kind == idmap.KindNotFound {
		refused.Kind = idmap.KindConflict // an item is missing, not what was asked for
	}
	return err
}

// ValidateUserMappings judges writes without making them, and without waiting for writers. The intents of one group see
// each other; proposed directories stand in for what is stored.
func (b *Backend) ValidateUserMappings(
	ctx context.Context, call Call, intents []idmap.UserMappingIntent, proposed []idmap.ProposedDirectory,
) ([]idmap.UserMappingVerdict, error) {
	if err := checkProposed(proposed); err != nil {
		return nil, err
	}
	requests := make([]request, len(intents))
	for i, in := range intents {
		requests[i] = request{call: call, intent: in}
	}
	var verdicts []idmap.UserMappingVerdict
	err := b.view(ctx, func(r store.Reader) error {
		p, err := b.prepare(ctx, r, requests, proposed)
		if err == nil {
			verdicts = p.judge()
		}
		return err
	})
	return verdicts, err
}
