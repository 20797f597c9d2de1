package backend

import (
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// putAccounts stores changed accounts, binds mappings to them, and remembers them for followRenames.
func (d *directoryWrite) putAccounts(ctx context.Context, stored map[string]idmap.Account, changed []idmap.Account) error {
	if len(changed) == 0 {
		return nil
	}
	if err := d.tx.PutAccounts(ctx, d.connection.ID, changed); err != nil {
		return err
	}
	for _, a := range changed {
		before, known := stored[a.ID]
		if known && !a.Deleted() {
			d.changed[a.ID] = change{before, a}
		}
		d.seeAccess(before, a)
	}
	return d.bindMappings(ctx, changed)
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
		for _, address := range a.Addresses() {
			claims = append(claims, store.EmailClaim{
				ID: d.b.opts.NewID(), ConnectionID: d.connection.ID, AddressKey: address.Key, Address: address.Text,
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

// bindMappings binds mappings whose account nobody knew so far, now that the directory names it, and tells the ledger.
func (d *directoryWrite) bindMappings(ctx context.Context, changed []idmap.Account) error {
	keys := store.DirectoryKeys{}
	for _, a := range changed {
		keys.UserKeys = append(keys.UserKeys, a.UserKey())
		keys.AddressKeys = append(keys.AddressKeys, a.AddressKeys()...)
	}
	found, err := d.tx.UserMappingsOf(ctx, d.connection.ID, keys)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(m store.UserMapping) bool { return !d.binds(m.Source) && !d.binds(m.Destination) })
	if len(found) == 0 {
		return nil
	}
	known, taken, err := d.namedBy(ctx, found)
	if err != nil {
		return err
	}
	return d.bindAll(ctx, found, known, taken)
}

// binds reports whether an end is of this connection and not bound yet.
func (d *directoryWrite) binds(end idmap.MappingEnd) bool {
	return end.Connection.ID == d.connection.ID && end.Account == nil
}

// namedBy returns the accounts that the mappings name, and which of them have mappings already.
func (d *directoryWrite) namedBy(ctx context.Context, mappings []store.UserMapping) (*rules.World, map[string]bool, error) {
	keys := store.DirectoryKeys{}
	for _, m := range mappings {
		keys.AddressKeys, keys.UserKeys = append(keys.AddressKeys, m.EmailCanonical), append(keys.UserKeys, m.UserKey())
	}
	accounts, err := d.tx.Accounts(ctx, d.connection.ID, keys)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	bound, err := d.tx.UserMappingsOf(ctx, d.connection.ID, store.DirectoryKeys{IDs: ids})
	taken := map[string]bool{}
	for _, m := range bound {
		taken[mailboxOf(m)], taken[userOf(m)] = true, true
	}
	return &rules.World{Directories: map[string]*rules.Directory{d.connection.ID: rules.NewDirectory(accounts, nil)}}, taken, err
}

// mailboxOf and userOf are what only one mapping may be bound to.
func mailboxOf(m store.UserMapping) string {
	return "mailbox|" + m.EmailScope + "|" + m.Source.Connection.ID + "|" + m.Source.AccountID()
}

func userOf(m store.UserMapping) string {
	return "user|" + m.Source.Connection.ID + "|" + m.Destination.Connection.ID + "|" + m.Destination.AccountID()
}

func (d *directoryWrite) bindAll(ctx context.Context, mappings []store.UserMapping, known *rules.World, taken map[string]bool) error {
	var bound []binding
	var claims []store.EmailClaim
	for _, before := range mappings {
		after := d.bind(before, known, taken)
		if unchangedMapping(before.UserMapping, after) {
			continue
		}
		bound = append(bound, binding{before.UserMapping, after})
		claims = append(claims, store.EmailClaim{
			ID: d.b.opts.NewID(), ConnectionID: after.Source.Connection.ID, AddressKey: after.EmailCanonical, Address: after.Email,
			Holders: rules.Holders(known, after), SeenBy: idmap.SeenByMapping,
		})
	}
	if len(bound) == 0 {
		return nil
	}
	refused, err := d.tx.ClaimEmails(ctx, claims, d.b.now())
	if err != nil {
		return err
	}
	return d.storeBound(ctx, bound, refused)
}

// binding is a mapping before and after it is bound.
type binding struct{ before, after idmap.UserMapping }

// storeBound binds mappings, but for those whose claim of their address the ledger refused: the account that has it now is
// not the one that the mapping was made for. The mapping stays unbound; seeAddresses warns of the address.
func (d *directoryWrite) storeBound(ctx context.Context, all []binding, refused []int) error {
	var bound []idmap.UserMapping
	var audit []idmap.AuditEntry
	for i, m := range all {
		if slices.Contains(refused, i) {
			continue
		}
		bound = append(bound, m.after)
		audit = append(audit, d.b.audit(d.call, "bind", kindUserMapping, m.after.ID, m.before, m.after, "the directory of "+d.connection.Name+" knows the account now"))
	}
	if len(bound) == 0 {
		return nil
	}
	if err := d.tx.BindUserMappings(ctx, bound); err != nil {
		return err
	}
	return d.tx.AppendAudit(ctx, audit)
}

// bind returns the mapping bound to the accounts that it names. An address that two accounts have names none.
func (d *directoryWrite) bind(m store.UserMapping, known *rules.World, taken map[string]bool) idmap.UserMapping {
	if holders := known.MailAccounts(m.UserMapping); d.binds(m.Source) && len(holders) == 1 {
		after := m
		after.Source.Account = idmap.RefTo(holders[0].ID)
		if !taken[mailboxOf(after)] {
			m, taken[mailboxOf(after)] = after, true
		}
	}
	if user := known.UserAccount(d.connection.ID, "", m.UserID); d.binds(m.Destination) && user != nil && !user.Deleted() {
		after := m
		after.Destination.Account = idmap.RefTo(user.ID)
		if !taken[userOf(after)] {
			m, taken[userOf(after)] = after, true
		}
	}
	return m.UserMapping
}
