package provider

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// directoryAccount names an account of a directory.
type directoryAccount struct{ connection, id string }

func accountOf(end idmap.MappingEnd) directoryAccount {
	return directoryAccount{end.Connection.ID, end.AccountID()}
}

// foresee warns of what a new directory does in this very apply to entries that stay as they are.
func (p *userMappingsPlan) foresee(ctx context.Context, kept []mappingChange) {
	if !p.walk.checks() || !p.walk.bringsAccounts(p.plan.Source.ValueString()) && !p.walk.bringsAccounts(p.plan.Destination.ValueString()) {
		return
	}
	touched := slices.DeleteFunc(slices.Clone(kept), func(c mappingChange) bool {
		stored, seen := p.walk.seenMapping(c.owned.ID)
		return !seen || !p.walk.mayTouch(stored)
	})
	accounts, err := p.accountsOf(ctx, touched)
	if err != nil {
		if !p.walk.excuse(err, p.diags) {
			userMappingsNoun.addError(err, p.diags)
		}
		return
	}
	if accounts != nil { // else each entry finds that out for itself
		touched = slices.DeleteFunc(touched, func(c mappingChange) bool {
			stored, _ := p.walk.seenMapping(c.owned.ID)
			return stored.RenamedTo == "" && !p.walk.changes(stored.Source, accounts) && !p.walk.changes(stored.Destination, accounts)
		})
	}
	for part := range slices.Chunk(touched, spelledOut) {
		p.report.tellAtOnce(part, func(c mappingChange, found *diag.Diagnostics) {
			one := p.plan.one(*c.from)
			one.ID = stringOf(c.owned.ID)
			(&userMappingPlan{walk: p.walk, plan: one, prior: &one, entry: c.key(), accounts: accounts, diags: found}).foresee(ctx)
		})
	}
}

// mayTouch reports whether the new accounts files of this walk say anything of a mapping that is to be told. It asks
// nothing, so that of thousands of entries only those cost something that change.
func (w *walk) mayTouch(stored idmap.UserMapping) bool {
	if stored.RenamedTo != "" {
		return true
	}
	if user, in := w.pendingAccount(stored.Destination); in.ID != "" &&
		(user == nil || user.Disabled || !idmap.SameUserID(user.UserID(), stored.UserID)) {
		return true
	}
	mailbox, in := w.pendingAccount(stored.Source)
	return in.ID != "" && (mailbox == nil || mailbox.Disabled || !slices.Contains(mailbox.AddressKeys(), stored.EmailCanonical))
}

// changes reports whether the new accounts file of this walk makes another account of what is there.
func (w *walk) changes(end idmap.MappingEnd, accounts map[directoryAccount]idmap.Account) bool {
	after, in := w.pendingAccount(end)
	now, known := accounts[accountOf(end)]
	return in.ID != "" && known && !now.Deleted() &&
		(after == nil || after.Disabled != now.Disabled || !idmap.SameUserID(after.UserID(), now.UserID()) || !slices.Equal(after.AddressKeys(), now.AddressKeys()))
}

// accountsOf reads the accounts of many mappings by listing the directories once. Those of a few are cheaper to read
// when they are needed.
func (p *userMappingsPlan) accountsOf(ctx context.Context, touched []mappingChange) (map[directoryAccount]idmap.Account, error) {
	if len(touched) <= spelledOut {
		return nil, nil
	}
	accounts := map[directoryAccount]idmap.Account{}
	for _, id := range []string{p.plan.Source.ValueString(), p.plan.Destination.ValueString()} {
		if !p.walk.bringsAccounts(id) {
			continue
		}
		for a, err := range p.walk.client.Accounts(ctx, id, client.DirectoryFilter{}) {
			if err != nil {
				return nil, err
			}
			accounts[directoryAccount{id, a.ID}] = a
		}
	}
	return accounts, nil
}

// tellAtOnce tells of entries in their order. What it asks for is asked at the same time, which the client sends in one
// call. Once no more is spelt out, nothing is asked, and the rest is named by its keys.
func (r *entryReport) tellAtOnce(part []mappingChange, tell func(mappingChange, *diag.Diagnostics)) {
	if r.full() {
		for _, c := range part {
			r.warning(c.key(), "", "")
		}
		return
	}
	found := make([]diag.Diagnostics, len(part))
	var running sync.WaitGroup
	for i, c := range part {
		running.Go(func() { tell(c, &found[i]) })
	}
	running.Wait()
	for i, c := range part {
		r.pass(c.key(), found[i])
	}
}
