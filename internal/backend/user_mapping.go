package backend

import (
	"context"
	"errors"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindUserMapping = "user_mapping"

// UserMapping returns one mapping.
func (b *Backend) UserMapping(ctx context.Context, id string) (idmap.UserMapping, error) {
	var found idmap.UserMapping
	err := b.view(ctx, func(r store.Reader) (err error) {
		if found, err = userMapping(ctx, r, id); err != nil {
			return err
		}
		return tellRenamed(ctx, r, []*idmap.UserMapping{&found})
	})
	return found, err
}

func userMapping(ctx context.Context, r store.Reader, id string) (idmap.UserMapping, error) {
	found, err := r.UserMappings(ctx, store.UserMappingKeys{IDs: []string{id}})
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
			found, err := r.ListUserMappings(ctx, f, page)
			if err != nil {
				return nil, err
			}
			return found, tellRenamed(ctx, r, pointers(found))
		},
		func(r store.Reader) (int, error) { return r.CountUserMappings(ctx, f) })
}

// CreateUserMapping stores a new mapping. It answers with warnings, if there are any.
func (b *Backend) CreateUserMapping(ctx context.Context, call Call, m idmap.UserMapping) (idmap.UserMappingVerdict, error) {
	return b.applyOne(ctx, call, func(store.Reader) (idmap.UserMappingIntent, error) {
		return idmap.UserMappingIntent{Operation: idmap.OperationCreate, IdempotencyKey: call.IdempotencyKey, UserMapping: &m}, nil
	})
}

// UpdateUserMapping writes what change makes of the stored mapping. revision is the one that the caller saw, 0 for any.
func (b *Backend) UpdateUserMapping(
	ctx context.Context, call Call, id string, revision int64, change func(idmap.UserMapping) (idmap.UserMapping, error),
) (idmap.UserMappingVerdict, error) {
	return b.applyOne(ctx, call, func(r store.Reader) (idmap.UserMappingIntent, error) {
		intent := idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: id, Revision: revision}
		before, err := userMapping(ctx, r, id)
		if err != nil {
			return intent, err
		}
		wanted, err := change(before)
		intent.UserMapping = &wanted
		return intent, err
	})
}

// DeleteUserMapping removes a mapping. Both accounts and the ledger stay.
func (b *Backend) DeleteUserMapping(ctx context.Context, call Call, id string, revision int64) error {
	_, err := b.applyOne(ctx, call, func(store.Reader) (idmap.UserMappingIntent, error) {
		return idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: id, Revision: revision}, nil
	})
	return err
}

func (b *Backend) applyOne(ctx context.Context, call Call, intent func(store.Reader) (idmap.UserMappingIntent, error)) (idmap.UserMappingVerdict, error) {
	var verdict idmap.UserMappingVerdict
	err := b.update(ctx, func(tx store.Tx) error {
		in, err := intent(tx)
		if err != nil {
			return err
		}
		verdicts, err := b.apply(ctx, tx, call, []idmap.UserMappingIntent{in}, "")
		if err != nil {
			return err
		}
		verdict = verdicts[0]
		return idmap.Refuse(verdict.Violations...)
	})
	return verdict, err
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

// ApplySeparately makes each of the writes that can be made, whatever becomes of the others. The verdicts are in the
// order of the intents; one with violations was not made. Of two that cannot both be, the first is made.
func (b *Backend) ApplySeparately(ctx context.Context, call Call, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	verdicts := make([]idmap.UserMappingVerdict, len(intents))
	for i, in := range intents {
		one, err := b.applyOne(ctx, call, func(store.Reader) (idmap.UserMappingIntent, error) { return in, nil })
		if err != nil && len(idmap.ViolationsOf(err)) == 0 {
			return nil, err
		}
		verdicts[i] = one
		verdicts[i].Violations = idmap.ViolationsOf(err)
	}
	return verdicts, nil
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
	verdicts := make([]idmap.UserMappingVerdict, len(intents))
	groups := map[int][]int{}
	for i, in := range intents {
		groups[in.Group] = append(groups[in.Group], i)
	}
	err := b.view(ctx, func(r store.Reader) error {
		for _, members := range groups {
			group := make([]idmap.UserMappingIntent, len(members))
			for n, i := range members {
				group[n] = intents[i]
			}
			p, err := b.prepare(ctx, r, call, group, proposed)
			if err != nil {
				return err
			}
			if err := p.recallAnswers(ctx, r); err != nil {
				return err
			}
			for n, verdict := range p.judge() {
				verdicts[members[n]] = verdict
			}
		}
		return nil
	})
	return verdicts, err
}
