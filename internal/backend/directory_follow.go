package backend

import (
	"context"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// putAccounts stores changed accounts and what follows from them for mappings.
func (d *directoryWrite) putAccounts(ctx context.Context, stored map[string]idmap.Account, changed []idmap.Account) error {
	if len(changed) == 0 {
		return nil
	}
	if err := d.tx.PutAccounts(ctx, d.connection.ID, changed); err != nil {
		return err
	}
	if err := d.seeAddresses(ctx, changed); err != nil {
		return err
	}
	if err := d.bindMappings(ctx, changed); err != nil {
		return err
	}
	return d.followRenames(ctx, stored, changed)
}

// seeAddresses tells the ledger who holds which address. An address that the ledger ties to somebody else stays so;
// the directory is believed as a fact, but nobody can map the address until an administrator releases it.
func (d *directoryWrite) seeAddresses(ctx context.Context, accounts []idmap.Account) error {
	var claims []store.EmailClaim
	for _, a := range accounts {
		if a.Deleted() {
			continue
		}
		holder := idmap.EmailHolder{Connection: idmap.Ref{ID: d.connection.ID}, Account: idmap.RefTo(a.ID), Name: a.Label()}
		for _, key := range a.AddressKeys() {
			claims = append(claims, store.EmailClaim{
				ID: d.b.opts.NewID(), ConnectionID: d.connection.ID, AddressKey: key, Address: key,
				Holders: []idmap.EmailHolder{holder}, SeenBy: idmap.SeenByDirectory,
			})
		}
	}
	if len(claims) == 0 {
		return nil
	}
	refused, err := d.tx.ClaimEmails(ctx, claims, d.b.now())
	for _, i := range refused {
		d.warnings = append(d.warnings, idmap.Violation{
			Code: idmap.CodeEmailPreviouslyAssigned, Field: "email",
			Description: fmt.Sprintf("Address %q is now one of %s, but the ledger ties it to another holder. It cannot be mapped until an administrator releases it.", claims[i].Address, claims[i].Holders[0].Label()),
		})
	}
	return err
}

// bindMappings binds mappings whose account nobody knew so far, now that the directory names it.
func (d *directoryWrite) bindMappings(ctx context.Context, changed []idmap.Account) error {
	byAddress, byUser := map[string]string{}, map[string]string{}
	ids, keys := keySet{}, store.DirectoryKeys{}
	for _, a := range changed {
		if a.Deleted() {
			continue
		}
		ids.add("", a.ID)
		byUser[a.UserKey()] = a.ID
		keys.UserKeys = append(keys.UserKeys, a.UserKey())
		for _, address := range a.AddressKeys() {
			if _, shared := byAddress[address]; !shared {
				byAddress[address] = a.ID
				keys.AddressKeys = append(keys.AddressKeys, address)
			}
		}
	}
	keys.IDs = ids.of("")
	found, err := d.tx.UserMappingsOf(ctx, d.connection.ID, keys)
	if err != nil || len(found) == 0 {
		return err
	}
	bound := d.bind(found, byAddress, byUser)
	if len(bound) == 0 {
		return nil
	}
	return d.tx.BindUserMappings(ctx, bound)
}

func (d *directoryWrite) bind(found []store.UserMapping, byAddress, byUser map[string]string) []idmap.UserMapping {
	var bound []idmap.UserMapping
	users := map[[2]string]bool{}     // an application account has one mapping from each mail connection,
	mailboxes := map[[2]string]bool{} // a mail account one in each scope
	for _, m := range found {
		users[[2]string{m.Source.Connection.ID, m.Destination.AccountID()}] = true
		mailboxes[[2]string{m.EmailScope, m.Source.AccountID()}] = true
	}
	for _, m := range found {
		mapping, changed := m.UserMapping, false
		mailbox := [2]string{m.EmailScope, byAddress[m.EmailCanonical]}
		if m.Source.Connection.ID == d.connection.ID && m.Source.Account == nil && mailbox[1] != "" && !mailboxes[mailbox] {
			mapping.Source.Account, mailboxes[mailbox], changed = idmap.RefTo(mailbox[1]), true, true
		}
		user := [2]string{m.Source.Connection.ID, byUser[m.UserKey()]}
		if m.Destination.Connection.ID == d.connection.ID && m.Destination.Account == nil && user[1] != "" && !users[user] {
			mapping.Destination.Account, users[user], changed = idmap.RefTo(user[1]), true, true
		}
		if changed {
			bound = append(bound, mapping)
		}
	}
	return bound
}

// followRenames lets mappings follow their application accounts whose username changed: the user id always, the email
// where it follows the username (S1). What the rules refuse stays as it was, and the report says so.
func (d *directoryWrite) followRenames(ctx context.Context, stored map[string]idmap.Account, changed []idmap.Account) error {
	renamed := map[string]idmap.Account{}
	keys := store.DirectoryKeys{}
	for _, a := range changed {
		if before, known := stored[a.ID]; known && !a.Deleted() && before.UserKey() != a.UserKey() {
			renamed[a.ID] = a
			keys.IDs = append(keys.IDs, a.ID)
		}
	}
	if len(renamed) == 0 {
		return nil
	}
	found, err := d.tx.UserMappingsOf(ctx, d.connection.ID, keys)
	if err != nil {
		return err
	}
	var intents []idmap.UserMappingIntent
	for _, m := range found {
		a, follows := renamed[m.Destination.AccountID()]
		if !follows || m.Destination.Connection.ID != d.connection.ID || m.UserKey() != stored[a.ID].UserKey() {
			continue
		}
		wanted := m.UserMapping
		wanted.UserID = a.UserID()
		intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: m.ID, UserMapping: &wanted})
	}
	return d.applyAllowed(ctx, intents)
}

// applyAllowed applies the intents that the rules allow. Leaving one out can make another impossible, so it judges
// again until none is refused.
func (d *directoryWrite) applyAllowed(ctx context.Context, intents []idmap.UserMappingIntent) error {
	for len(intents) > 0 {
		verdicts, err := d.b.apply(ctx, d.tx, d.call, intents, "the username changed in the directory of "+d.connection.Name)
		if err != nil {
			return err
		}
		var allowed []idmap.UserMappingIntent
		var warnings []idmap.Violation
		for i, v := range verdicts {
			if len(v.Violations) == 0 {
				allowed = append(allowed, intents[i])
				warnings = append(warnings, v.Warnings...)
				continue
			}
			d.warnings = append(d.warnings, v.Violations...)
		}
		if len(allowed) == len(intents) {
			d.warnings = append(d.warnings, warnings...)
			return nil
		}
		intents = allowed
	}
	return nil
}
