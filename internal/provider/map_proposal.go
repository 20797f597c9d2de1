package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxProposedRows is how many rows of new files a plan sends along for a map to be checked. Unlike a mapping, a map is about
// the whole directory.
const maxProposedRows = 200_000

// checkUnchanged says what the new directories of its connections do to a map that stays as it is. It refuses nothing:
// nothing of the map is written.
func (p *mapPlan) checkUnchanged(ctx context.Context) {
	if !p.walk.checks() {
		return
	}
	directories, ok := p.directories()
	if !ok || !slices.ContainsFunc(directories, func(d idmap.ProposedDirectory) bool { return d.Accounts != nil || d.Groups != nil }) {
		return
	}
	p.wire = p.plan.toAPI(p.kind)
	verdict, err := p.validate(ctx, p.intent(), "", directories)
	switch {
	case err == nil:
		p.called().addWarnings(slices.Concat(verdict.Violations, verdict.Warnings), p.diags)
	case !errors.Is(err, client.ErrNotSupported) && !p.walk.excuse(err, p.diags):
		p.diags.AddWarning(labelled("Map Not Checked at Plan", p.wire.Name),
			"A directory of the map changes, and what that does to the map is not known: "+err.Error()+"\n\nThe map itself stays as it is, so this stops nothing.")
	}
}

// directories returns the connections of the map that are not stored yet as planned, with all that the map can be about of
// their files. It is false, with a warning, where that is too much to send.
func (p *mapPlan) directories() ([]idmap.ProposedDirectory, bool) {
	all := p.walk.wholeProposals(p.kind, p.plan.SourceConnectionID.ValueString(), p.plan.DestinationConnectionID.ValueString())
	rows := 0
	for _, d := range all {
		if d.Accounts != nil {
			rows += len(*d.Accounts)
		}
		if d.Groups != nil {
			rows += len(*d.Groups)
		}
	}
	if rows <= maxProposedRows {
		return all, true
	}
	name := p.plan.Name.ValueString()
	p.diags.AddWarning(labelled("Map Not Checked at Plan", name), fmt.Sprintf(
		"The new directory files of the connections of %q have %d rows. A plan checks a map against %d at most, so what they do to this one is not known. "+
			"If the map changes too, it is checked at apply. To see the effect of that in a plan, apply the connections first (-target).", name, rows, maxProposedRows))
	return nil, false
}

// wholeProposals returns the connections that are not stored yet as planned, with the whole content of their files.
func (w *walk) wholeProposals(k mapKind, connectionIDs ...string) []idmap.ProposedDirectory {
	w.mu.Lock()
	defer w.mu.Unlock()
	var proposals []idmap.ProposedDirectory
	for _, id := range connectionIDs {
		d := w.pending[id]
		if d == nil {
			continue
		}
		proposal := idmap.ProposedDirectory{Connection: d.connection}
		if k.accounts {
			proposal.Accounts = d.accounts.all()
		} else {
			proposal.Groups = d.groups.all()
		}
		proposals = append(proposals, proposal)
	}
	return proposals
}

// all returns all entries, each of which has one id, in a steady order.
func (index directoryIndex[T]) all() *[]T {
	if index == nil {
		return nil
	}
	var ids []string
	for key := range index {
		if strings.HasPrefix(key, idKey("")) {
			ids = append(ids, key)
		}
	}
	slices.Sort(ids)
	entries := make([]T, 0, len(ids))
	for _, id := range ids {
		for _, entry := range index[id] {
			entries = append(entries, *entry)
		}
	}
	return &entries
}
