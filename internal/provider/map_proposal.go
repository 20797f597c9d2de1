package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxProposedRows is how many rows of new files a plan sends along for a map to be checked. Unlike a mapping, a map is about
// the whole directory.
const maxProposedRows = 200_000

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
	p.diags.AddWarning("Map Not Checked at Plan", fmt.Sprintf(
		"The new directory files of the connections of %q have %d rows. A plan checks a map against %d at most, so this one is checked at apply. "+
			"To see its effect in a plan, apply the connections first (-target).", p.plan.Name.ValueString(), rows, maxProposedRows))
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
