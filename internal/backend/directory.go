package backend

import (
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const (
	kindAccount = "account"
	kindGroup   = "group"
)

// Account returns one account of a connection, also one that has left the directory.
func (b *Backend) Account(ctx context.Context, connectionID, id string) (idmap.Account, error) {
	return entry(ctx, b, connectionID, id, kindAccount, store.Reader.Accounts)
}

// Group returns one group of a connection, also one that has left the directory.
func (b *Backend) Group(ctx context.Context, connectionID, id string) (idmap.Group, error) {
	return entry(ctx, b, connectionID, id, kindGroup, store.Reader.Groups)
}

type lookUp[T any] func(store.Reader, context.Context, string, store.DirectoryKeys) ([]T, error)

func entry[T any](ctx context.Context, b *Backend, connectionID, id, kind string, find lookUp[T]) (T, error) {
	var found T
	err := b.view(ctx, func(r store.Reader) error {
		if _, err := connection(ctx, r, connectionID); err != nil {
			return err
		}
		entries, err := find(r, ctx, connectionID, store.DirectoryKeys{IDs: []string{id}})
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return idmap.NotFound(kind, id)
		}
		found = entries[0]
		return nil
	})
	return found, err
}

// Accounts lists the accounts of a connection.
func (b *Backend) Accounts(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) (List[idmap.Account], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Account, error) {
			if _, err := connection(ctx, r, connectionID); err != nil {
				return nil, err
			}
			return r.ListAccounts(ctx, connectionID, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountAccounts(ctx, connectionID, f) })
}

// Groups lists the groups of a connection.
func (b *Backend) Groups(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) (List[idmap.Group], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Group, error) {
			if _, err := connection(ctx, r, connectionID); err != nil {
				return nil, err
			}
			return r.ListGroups(ctx, connectionID, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountGroups(ctx, connectionID, f) })
}

// PutAccount writes one account of a directory, with the consequences that an import has: see ImportAccounts.
func (b *Backend) PutAccount(ctx context.Context, call Call, connectionID string, a idmap.Account, revision int64) (idmap.Account, []idmap.Violation, error) {
	var stored idmap.Account
	var warnings []idmap.Violation
	err := b.update(ctx, func(tx store.Tx) error {
		d, err := b.lockDirectory(ctx, tx, call, connectionID)
		if err != nil {
			return err
		}
		before, err := d.stored(ctx, []string{a.ID})
		if err != nil {
			return err
		}
		stored = d.revise(before, a)
		if err := d.checkPut(ctx, before, a, revision); err != nil {
			return err
		}
		warnings, err = d.putOne(ctx, before, stored)
		return err
	})
	return stored, warnings, err
}

// DeleteAccount marks an account as gone. It stays known by name, and the ledger remembers its addresses.
func (b *Backend) DeleteAccount(ctx context.Context, call Call, connectionID, id string, revision int64) error {
	return b.update(ctx, func(tx store.Tx) error {
		d, err := b.lockDirectory(ctx, tx, call, connectionID)
		if err != nil {
			return err
		}
		before, err := d.stored(ctx, []string{id})
		if err != nil {
			return err
		}
		a, known := before[id]
		if !known || a.Deleted() {
			return idmap.NotFound(kindAccount, id)
		}
		if revision != 0 && revision != a.Revision {
			return idmap.Refuse(revisionConflict(kindAccount, id, a.Revision, revision))
		}
		now := b.now()
		a.DeletedOn, a.Revision = &now, a.Revision+1
		_, err = d.putOne(ctx, before, a)
		return err
	})
}

// directoryWrite is a change of one connection's directory under its lock.
type directoryWrite struct {
	b          *Backend
	tx         store.Tx
	call       Call
	connection idmap.Connection
	warnings   []idmap.Violation
	changed    map[string]change // live accounts that were known, by id
	shut       map[string]bool   // ids of accounts that lose access; true where mailboxes do too
	names      map[string]string // of the connections of applications, by id
	empty      bool              // nobody was ever in the directory, so nobody need be looked for
}

// change is an account as it was, and as it is now.
type change struct{ before, after idmap.Account }

func (b *Backend) lockDirectory(ctx context.Context, tx store.Tx, call Call, connectionID string) (*directoryWrite, error) {
	if err := tx.LockConnection(ctx, connectionID); err != nil {
		return nil, err
	}
	c, err := connection(ctx, tx, connectionID)
	return &directoryWrite{b: b, tx: tx, call: call, connection: c, changed: map[string]change{}, shut: map[string]bool{}}, err
}

func (d *directoryWrite) stored(ctx context.Context, ids []string) (map[string]idmap.Account, error) {
	if d.empty {
		return nil, nil
	}
	found, err := d.tx.Accounts(ctx, d.connection.ID, store.DirectoryKeys{IDs: ids})
	return byID(found, func(a idmap.Account) string { return a.ID }), err
}

func byID[T any](entries []T, id func(T) string) map[string]T {
	result := make(map[string]T, len(entries))
	for _, e := range entries {
		result[id(e)] = e
	}
	return result
}

// revise returns the account as it is to be stored: completed, alive, at its next revision, or as it is stored if
// nothing of it changes.
func (d *directoryWrite) revise(stored map[string]idmap.Account, a idmap.Account) idmap.Account {
	before, known := stored[a.ID]
	a = rules.CompleteAccount(d.connection, a)
	a.DeletedOn, a.Revision = nil, before.Revision
	if known && sameAccount(before, a) {
		return before
	}
	a.Revision++
	return a
}

func sameAccount(a, b idmap.Account) bool {
	sameAliases := slices.Equal(a.Aliases, b.Aliases)
	a.Aliases, b.Aliases = nil, nil
	return sameAliases && a.DeletedOn == nil && b.DeletedOn == nil && string(document(a)) == string(document(b))
}

func (d *directoryWrite) checkPut(ctx context.Context, stored map[string]idmap.Account, a idmap.Account, revision int64) error {
	violations := rules.CheckAccount(a)
	if before := stored[a.ID]; revision != 0 && revision != before.Revision {
		violations = append(violations, revisionConflict(kindAccount, a.ID, before.Revision, revision))
	}
	same, err := d.tx.Accounts(ctx, d.connection.ID, store.DirectoryKeys{UserKeys: []string{a.UserKey()}})
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID != a.ID && !other.Deleted() {
			violations = append(violations, idmap.Violation{
				Code: idmap.CodeUsernameInUse, Field: "username", Conflict: &idmap.Conflict{Kind: kindAccount, ID: other.ID, Holder: other.Label()},
				Description: fmt.Sprintf("Account %q (%s) of connection %q has the username %q. Two accounts of one connection cannot share it.", other.ID, other.Label(), d.connection.Name, a.UserID()),
			})
		}
	}
	return idmap.Refuse(violations...)
}

// putOne stores one account. The directory is no longer what the imported file says, so the file is forgotten.
func (d *directoryWrite) putOne(ctx context.Context, stored map[string]idmap.Account, a idmap.Account) ([]idmap.Violation, error) {
	before, known := stored[a.ID]
	if known && before.Revision == a.Revision {
		return nil, nil
	}
	if err := d.seeAddresses(ctx, []idmap.Account{a}); err != nil {
		return nil, err
	}
	if err := d.putAccounts(ctx, stored, []idmap.Account{a}); err != nil {
		return nil, err
	}
	if err := d.endAccess(ctx); err != nil {
		return nil, err
	}
	if err := d.followRenames(ctx, []string{a.ID}); err != nil {
		return nil, err
	}
	action, was := "create", any(nil)
	if known {
		action, was = "update", before
	}
	if a.Deleted() {
		action = "delete"
	}
	entry := d.b.audit(d.call, action, kindAccount, d.connection.ID+"/"+a.ID, was, a, "")
	if err := d.tx.AppendAudit(ctx, []idmap.AuditEntry{entry}); err != nil {
		return nil, err
	}
	return d.warnings, d.setImport(ctx, func(dir *idmap.Directory) { dir.Accounts = nil })
}

// setImport changes what the connection remembers of its files.
func (d *directoryWrite) setImport(ctx context.Context, set func(*idmap.Directory)) error {
	next := idmap.Directory{}
	if d.connection.Directory != nil {
		next = *d.connection.Directory
	}
	before := next
	set(&next)
	if before == next {
		return nil
	}
	now := d.b.now()
	d.connection.Directory, d.connection.ModifiedOn = &next, &now
	d.connection.Revision++
	return d.tx.UpdateConnection(ctx, d.connection)
}

// PutGroup writes one group of a directory.
func (b *Backend) PutGroup(ctx context.Context, call Call, connectionID string, g idmap.Group, revision int64) (idmap.Group, error) {
	return b.writeGroup(ctx, call, connectionID, g.ID, revision, func(idmap.Group, bool) (idmap.Group, error) {
		g.DeletedOn = nil
		return g, idmap.Refuse(rules.CheckGroup(g)...)
	})
}

// DeleteGroup marks a group as gone.
func (b *Backend) DeleteGroup(ctx context.Context, call Call, connectionID, id string, revision int64) error {
	_, err := b.writeGroup(ctx, call, connectionID, id, revision, func(g idmap.Group, known bool) (idmap.Group, error) {
		if !known || g.Deleted() {
			return g, idmap.NotFound(kindGroup, id)
		}
		now := b.now()
		g.DeletedOn = &now
		return g, nil
	})
	return err
}

func (b *Backend) writeGroup(
	ctx context.Context, call Call, connectionID, id string, revision int64, change func(idmap.Group, bool) (idmap.Group, error),
) (idmap.Group, error) {
	var result idmap.Group
	err := b.update(ctx, func(tx store.Tx) error {
		d, err := b.lockDirectory(ctx, tx, call, connectionID)
		if err != nil {
			return err
		}
		found, err := tx.Groups(ctx, connectionID, store.DirectoryKeys{IDs: []string{id}})
		if err != nil {
			return err
		}
		before, known := byID(found, func(g idmap.Group) string { return g.ID })[id]
		after, err := change(before, known)
		if err != nil {
			return err
		}
		if revision != 0 && revision != before.Revision {
			return idmap.Refuse(revisionConflict(kindGroup, id, before.Revision, revision))
		}
		after.Revision = before.Revision
		if result = after; known && sameGroup(before, after) {
			return nil
		}
		result.Revision++
		return d.putGroup(ctx, before, known, result)
	})
	return result, err
}

func (d *directoryWrite) putGroup(ctx context.Context, before idmap.Group, known bool, after idmap.Group) error {
	if err := d.tx.PutGroups(ctx, d.connection.ID, []idmap.Group{after}); err != nil {
		return err
	}
	action, was := "create", any(nil)
	if known {
		action, was = "update", before
	}
	if after.Deleted() {
		action = "delete"
	}
	entry := d.b.audit(d.call, action, kindGroup, d.connection.ID+"/"+after.ID, was, after, "")
	if err := d.tx.AppendAudit(ctx, []idmap.AuditEntry{entry}); err != nil {
		return err
	}
	return d.setImport(ctx, func(dir *idmap.Directory) { dir.Groups = nil })
}

func sameGroup(a, b idmap.Group) bool {
	sameAddresses := slices.Equal(a.Addresses, b.Addresses)
	a.Addresses, b.Addresses = nil, nil
	return sameAddresses && string(document(a)) == string(document(b))
}
