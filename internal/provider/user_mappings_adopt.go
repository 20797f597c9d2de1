package provider

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// adopted looks at creates that were answered with a mapping that is older, or refused because of one. What is exactly as
// wanted is the resource's. It returns those that are to be created under another key: theirs has served its time.
func (w *mappingsWrite) adopted(ctx context.Context, creates []*writtenChange) []*writtenChange {
	var old []*writtenChange
	var ids []string
	for _, c := range creates {
		switch {
		case c.older:
			old, ids = append(old, c), append(ids, c.owned.ID)
		case w.plan.Adopt.ValueBool() && len(c.verdict.Violations) > 0:
			if holder := (&userMappingPlan{}).ownHolder(c.verdict.Violations); holder != "" {
				old, ids = append(old, c), append(ids, holder)
			}
		}
	}
	found, err := w.walk.mappingsByID(ctx, ids)
	if err != nil {
		for _, c := range old {
			c.done = false
		}
		w.fail(err)
		return nil
	}
	var again, taken []*writtenChange
	for i, c := range old {
		switch m := found[i]; {
		case m != nil && w.plan.one(*c.to).says(*m):
			c.owned, c.verdict = ownedMapping{ID: m.ID, Revision: m.Revision}, idmap.UserMappingVerdict{UserMapping: m}
			taken = append(taken, c)
		case len(c.verdict.Violations) == 0:
			c.intent.IdempotencyKey, c.done = client.NewKey(), false
			again = append(again, c)
		}
	}
	w.warnNow(ctx, taken)
	return again
}

// warnNow adds what there is to warn of mappings that were made before, as if they were made now.
func (w *mappingsWrite) warnNow(ctx context.Context, taken []*writtenChange) {
	if !w.walk.checks() {
		return
	}
	parts := slices.Collect(slices.Chunk(taken, idmap.MaxBatch/2))
	_ = atOnce(len(parts), func(n int) error {
		var intents []idmap.UserMappingIntent
		for i, c := range parts[n] {
			wanted := w.plan.one(*c.to).toAPI()
			intents = append(intents,
				idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &wanted, Group: i + 1},
				idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: c.owned.ID, Group: i + 1})
		}
		verdicts, err := w.walk.client.ValidateUserMappings(ctx, intents, nil)
		if err != nil { // the mappings are there, whatever else there is to say
			return err
		}
		for i, c := range parts[n] {
			c.verdict.Warnings = verdicts[2*i].Warnings
		}
		return nil
	})
}
