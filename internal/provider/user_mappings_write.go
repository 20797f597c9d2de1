package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mappingsWrite makes the changes of one resource. Whatever fails, entries and owned say what is known to be there.
type mappingsWrite struct {
	walk   *walk
	plan   userMappingsModel
	wanted []mappingEntry
	had    []mappingEntry
	before ownedMappings
	report *entryReport
	diags  *diag.Diagnostics

	failed bool                    // a call has failed: the rest is left
	there  map[string]mappingEntry // by canonical user id
	owned  ownedMappings
}

func newMappingsWrite(w *walk, plan userMappingsModel, had []mappingEntry, before ownedMappings, diags *diag.Diagnostics) *mappingsWrite {
	return &mappingsWrite{
		walk: w, plan: plan, wanted: plan.entries, had: had, before: before, report: newEntryReport(diags), diags: diags,
		there: map[string]mappingEntry{}, owned: ownedMappings{},
	}
}

// writtenChange is a change with what came of it.
type writtenChange struct {
	mappingChange
	intent  idmap.UserMappingIntent
	verdict idmap.UserMappingVerdict
	done    bool           // there is a verdict
	older   bool           // of a create: it was answered with a mapping that was there before
	waits   *writtenChange // of a delete: what takes the email over, without which it is not made
}

func (w *mappingsWrite) entries() []mappingEntry {
	all := make([]mappingEntry, 0, len(w.there))
	for _, e := range w.there {
		all = append(all, e)
	}
	slices.SortFunc(all, byKey)
	return all
}

func byKey(a, b mappingEntry) int { return strings.Compare(a.key, b.key) }

// make makes the changes: what is deleted and updated first, since it may make room for what is created.
func (w *mappingsWrite) make(ctx context.Context) {
	defer w.report.end()
	calls, err := w.callsNow(ctx)
	w.fail(err)
	for _, e := range w.had {
		w.stays(e, w.before[e.user])
	}
	if w.failed {
		return
	}
	changes := changesOf(w.had, w.wanted, w.before, func(_ mappingEntry, o ownedMapping) string { return cmp.Or(o.Former, calls[o.ID]) })
	for _, c := range changes.kept {
		w.stays(*c.to, ownedMapping{ID: c.owned.ID, Revision: c.owned.Revision})
	}
	var first, creates []*writtenChange
	for _, c := range changes.removed {
		if w.plan.Keep.ValueBool() {
			w.goes(*c.from)
		} else {
			first = append(first, w.write(c))
		}
	}
	for _, c := range changes.written {
		if c.creates() {
			creates = append(creates, w.write(c))
		} else {
			first = append(first, w.write(c))
		}
	}
	holdDeletes(first)
	w.run(ctx, slices.DeleteFunc(slices.Clone(first), func(c *writtenChange) bool { return c.waits != nil }))
	w.run(ctx, w.passed(ctx, first))
	w.runTogether(ctx, first)
	w.run(ctx, slices.DeleteFunc(slices.Clone(first), func(c *writtenChange) bool { return c.done || c.waits == nil || !c.waits.made() }))
	w.settle(first)
	w.create(ctx, creates)
}

// create makes the creates. No delete of the walk that is about the same users comes between the answer to a create and the
// note whose mapping it is: it would take away what the answer says is there.
func (w *mappingsWrite) create(ctx context.Context, creates []*writtenChange) {
	defer w.begin(creates)()
	w.run(ctx, creates)
	w.run(ctx, w.adopted(ctx, creates))
	w.settle(creates)
}

// holdDeletes lets a delete wait for the update of another entry that takes over the email. If that is refused, nothing is
// to be lost: the person whose email it is may be the same under another name.
func holdDeletes(all []*writtenChange) {
	takes := map[string]*writtenChange{}
	for _, c := range all {
		if !c.deletes() && c.had != nil {
			takes[c.to.mail] = c
		}
	}
	for _, c := range all {
		if c.deletes() && c.from.mail != "" {
			c.waits = takes[c.from.mail]
		}
	}
}

// made reports whether the change was made.
func (c *writtenChange) made() bool { return c.done && len(c.verdict.Violations) == 0 }

func (w *mappingsWrite) write(c mappingChange) *writtenChange {
	in := c.intent(w.plan)
	if c.creates() {
		in.IdempotencyKey = w.walk.mappingKey(w.plan.one(*c.to))
	}
	return &writtenChange{mappingChange: c, intent: in}
}

func (w *mappingsWrite) stays(e mappingEntry, o ownedMapping) {
	w.there[e.user], w.owned[e.user] = e, o
}

func (w *mappingsWrite) goes(e mappingEntry) {
	delete(w.there, e.user)
	delete(w.owned, e.user)
}

// run makes the calls, none after one has failed.
func (w *mappingsWrite) run(ctx context.Context, all []*writtenChange) {
	if w.failed {
		return
	}
	parts := slices.Collect(slices.Chunk(all, idmap.MaxBatch))
	w.fail(atOnce(len(parts), func(n int) error {
		return w.send(ctx, parts[n], w.walk.client.ApplyUserMappingsSeparately)
	}))
}

// applyMappings makes writes. Without verdicts none was made, and they are as they were judged before.
type applyMappings func(ctx context.Context, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error)

func (w *mappingsWrite) send(ctx context.Context, part []*writtenChange, apply applyMappings) error {
	defer w.begin(slices.DeleteFunc(slices.Clone(part), func(c *writtenChange) bool { return !c.deletes() }))()
	part = slices.DeleteFunc(slices.Clone(part), func(c *writtenChange) bool {
		if c.deletes() && w.walk.writes.owned(c.owned.ID) { // the successor has taken it over
			c.done, c.verdict = true, idmap.UserMappingVerdict{}
			return true
		}
		return false
	})
	if len(part) == 0 {
		return nil
	}
	intents := make([]idmap.UserMappingIntent, len(part))
	for i, c := range part {
		intents[i] = c.intent
	}
	began := time.Now()
	verdicts, err := apply(ctx, client.NewKey(), intents)
	if err != nil {
		return err
	}
	for i := range verdicts {
		c := part[i]
		c.done, c.verdict = true, verdicts[i]
		if m := verdicts[i].UserMapping; c.creates() && m != nil && len(verdicts[i].Violations) == 0 {
			c.owned, c.older = ownedMapping{ID: m.ID, Revision: m.Revision}, !madeSince(began, m.CreatedOn)
		}
	}
	return nil
}

// begin keeps creates and deletes of one walk apart that are about the same users. The keys are taken in one order
// everywhere, so that nobody waits for ever.
func (w *mappingsWrite) begin(part []*writtenChange) (end func()) {
	keys := make([]string, len(part))
	for i, c := range part {
		keys[i] = w.plan.one(*cmp.Or(c.to, c.from)).user().lock()
	}
	slices.Sort(keys)
	var ends []func()
	for _, key := range slices.Compact(keys) {
		ends = append(ends, w.walk.writes.begin(key))
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// fail reports the error of a call. Whatever depends on what it would have done is left.
func (w *mappingsWrite) fail(err error) {
	if err != nil {
		w.failed = true
		userMappingsNoun.addError(err, w.diags)
	}
}

// passed returns the writes to make again: those of mappings that changed since the plan, and yet are what it showed.
func (w *mappingsWrite) passed(ctx context.Context, all []*writtenChange) []*writtenChange {
	refused, ids := []*writtenChange{}, []string{}
	for _, c := range all {
		if slices.ContainsFunc(c.verdict.Violations, func(v idmap.Violation) bool { return v.Code == idmap.CodeRevisionConflict }) {
			refused, ids = append(refused, c), append(ids, c.owned.ID)
		}
	}
	found, err := w.walk.mappingsByID(ctx, ids)
	if err != nil {
		w.fail(err)
		return nil
	}
	var again []*writtenChange
	for i, c := range refused {
		if found[i] != nil && c.shows(*found[i]) {
			c.intent.Revision = found[i].Revision
			again = append(again, c)
		}
	}
	return again
}

// runTogether makes what was refused because of a mapping that this resource changes as well: all that depend on each
// other in one transaction, since an email may pass from one to the next.
func (w *mappingsWrite) runTogether(ctx context.Context, all []*writtenChange) {
	own := map[string]*writtenChange{}
	for _, c := range all {
		own[c.owned.ID] = c
	}
	t := together[*writtenChange]{}
	refused := map[*writtenChange]bool{}
	for _, c := range all {
		for _, v := range c.verdict.Violations {
			if other := own[conflictOf(v)]; other != nil {
				t.join(c, other)
				refused[c] = true
			}
		}
	}
	var parts, single [][]*writtenChange
	for _, group := range t.groups(all) {
		group = slices.DeleteFunc(group, func(c *writtenChange) bool { return !refused[c] && c.waits == nil }) // the others are made
		if last := len(parts) - 1; last >= 0 && len(parts[last])+len(group) <= idmap.MaxBatch {
			parts[last] = append(parts[last], group...)
		} else if len(group) <= idmap.MaxBatch {
			parts = append(parts, group)
		} else {
			continue // they stay refused, as the plan has said
		}
		single = append(single, group)
	}
	if len(parts) == 0 || w.failed || w.inOne(ctx, parts) {
		return
	}
	// One of them is refused, and the others must not be refused with it.
	single = slices.DeleteFunc(single, func(group []*writtenChange) bool {
		return !slices.ContainsFunc(group, func(c *writtenChange) bool { return len(c.verdict.Violations) > 0 })
	})
	w.inOne(ctx, single)
}

// inOne makes the changes of each part in one transaction, all or none. It is false where some were refused again.
func (w *mappingsWrite) inOne(ctx context.Context, parts [][]*writtenChange) bool {
	var refused atomic.Bool
	w.fail(atOnce(len(parts), func(n int) error {
		return w.send(ctx, parts[n], func(ctx context.Context, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
			verdicts, err := w.walk.client.ApplyUserMappings(ctx, key, intents)
			if len(idmap.ViolationsOf(err)) == 0 {
				return verdicts, err
			}
			refused.Store(true)
			return nil, nil // they stay refused as they were
		})
	}))
	return w.failed || !refused.Load()
}

// settle notes what was done, and reports what was refused. What is not there any more goes first: another entry may have
// its key by now.
func (w *mappingsWrite) settle(all []*writtenChange) {
	for _, c := range all {
		if c.done && !c.creates() && (len(c.verdict.Violations) == 0 || c.isGone()) {
			w.goes(*c.from)
		}
	}
	for _, c := range all {
		if c.done {
			w.report.warn(c.mappingChange, w.walk.untold(w.plan.one(*cmp.Or(c.to, c.from)).user(), c.verdict.Warnings))
			w.note(c)
		}
	}
}

// isGone reports whether somebody else has deleted the mapping.
func (c *writtenChange) isGone() bool {
	return slices.ContainsFunc(c.verdict.Violations, func(v idmap.Violation) bool { return v.Code == idmap.CodeNotFound })
}

func (w *mappingsWrite) note(c *writtenChange) {
	switch {
	case c.deletes() && c.isGone():
	case len(c.verdict.Violations) > 0:
		if c.deletes() {
			w.walk.writes.keep(c.owned.ID)
		}
		w.report.refuse(c.mappingChange, c.verdict.Violations)
	case c.creates() && !w.walk.writes.own(c.owned.ID):
		w.report.createdTwice(c.key(), *c.verdict.UserMapping)
	case c.creates():
		w.stays(*c.to, c.owned)
	case !c.deletes():
		w.stays(*c.to, ownedMapping{ID: c.owned.ID, Revision: c.verdict.UserMapping.Revision})
	}
}
