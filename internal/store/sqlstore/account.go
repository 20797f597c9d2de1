package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const accountColumns = `id, username, email, aliases, name, given_name, surname, user_type, disabled, admin, built_in, ` +
	`readonly, external, sign_in_permitted, deleted_on, revision`

var accounts = table[idmap.Account]{
	name: "accounts", columns: accountColumns, scan: scanAccount,
	id: func(a idmap.Account) string { return a.ID },
}

func scanAccount(r row) (a idmap.Account, err error) {
	err = r.Scan(&a.ID, &a.Username, &a.Email, document{&a.Aliases}, &a.Name, &a.GivenName, &a.Surname, &a.UserType,
		&a.Disabled, &a.Admin, &a.BuiltIn, &a.Readonly, &a.External, &a.SignInPermitted,
		when{&a.DeletedOn}, &a.Revision)
	return a, err
}

// accountValues are the values of accountColumns, then connection_id, user_key, name_digest and search.
func accountValues(connectionID string, a idmap.Account) ([]any, error) {
	aliases, err := listText(a.Aliases)
	search := searchText(append(append(a.AddressKeys(), a.Name, a.UserID(), a.Email), a.Aliases...)...)
	return []any{
		a.ID, a.Username, a.Email, aliases, a.Name, a.GivenName, a.Surname, string(a.UserType),
		a.Disabled, a.Admin, a.BuiltIn, a.Readonly, a.External, a.SignInPermitted, micros(a.DeletedOn), a.Revision,
		connectionID, a.UserKey(), nameDigest(a.Name), search,
	}, err
}

func (s *session) Accounts(ctx context.Context, connectionID string, keys store.DirectoryKeys) ([]idmap.Account, error) {
	owners, err := s.owners(ctx, "account", connectionID, keys.AddressKeys)
	if err != nil {
		return nil, err
	}
	l := newLookup(s, accounts)
	l.any(ctx, append(owners, keys.IDs...), "connection_id = ? AND id IN (*)", connectionID)
	l.any(ctx, keys.UserKeys, "connection_id = ? AND user_key IN (*)", connectionID)
	l.any(ctx, nameDigests(keys.NameKeys), "connection_id = ? AND name_digest IN (*)", connectionID)
	return l.answer()
}

// owners returns the ids of the accounts or groups that have one of the addresses. They are read by themselves: of a
// condition on another table, with a thousand keys in it, PostgreSQL often expects far too many rows, and reads all.
func (s *session) owners(ctx context.Context, kind, connectionID string, addressKeys []string) ([]string, error) {
	return s.ids(ctx, addressKeys, `SELECT owner_id FROM directory_addresses WHERE connection_id = ? AND owner_kind = '`+
		kind+`' AND address_key IN (*)`, connectionID)
}

func accountWhere(connectionID string, f idmap.DirectoryFilter) (w where) {
	w = directoryWhere("account", connectionID, f)
	w.equal("user_key", f.UserKey)
	return w
}

// directoryWhere is what the filters of accounts and of groups have in common.
func directoryWhere(kind, connectionID string, f idmap.DirectoryFilter) (w where) {
	w.and("connection_id = ?", connectionID)
	if f.AddressKey != "" {
		w.and(`id IN (SELECT owner_id FROM directory_addresses WHERE connection_id = ? AND owner_kind = '`+kind+
			`' AND address_key = ?)`, connectionID, f.AddressKey)
	}
	w.set("deleted_on", f.Deleted)
	w.contains("search", f.Query)
	return w
}

func (s *session) ListAccounts(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) ([]idmap.Account, error) {
	return list(ctx, s, accounts, accountWhere(connectionID, f), page)
}

func (s *session) CountAccounts(ctx context.Context, connectionID string, f idmap.DirectoryFilter) (int, error) {
	return count(ctx, s, "accounts", accountWhere(connectionID, f))
}

func (s *session) PutAccounts(ctx context.Context, connectionID string, put []idmap.Account) error {
	if len(put) == 0 {
		return s.failed
	}
	if err := s.newDirectoryVersion(ctx, connectionID); err != nil {
		return err
	}
	put = lastOfEach(put, accounts.id)
	rows := make([][]any, len(put))
	for i, a := range put {
		values, err := accountValues(connectionID, a)
		if err != nil {
			return s.fail(ctx, err)
		}
		rows[i] = values
	}
	const columns = accountColumns + ", connection_id, user_key, name_digest, search"
	tail := "ON CONFLICT (connection_id, id) DO UPDATE SET " + overwrite(columns, "connection_id", "id")
	if err := s.insert(ctx, "accounts", columns, tail, rows, nil); err != nil {
		return err
	}
	return putAddresses(ctx, s, "account", connectionID, put, accounts.id, idmap.Account.AddressKeys)
}

// putAddresses replaces the addresses of accounts or groups.
func putAddresses[T any](ctx context.Context, s *session, kind, connectionID string, owners []T,
	id func(T) string, addresses func(T) []string,
) error {
	ids := make([]string, len(owners))
	var rows [][]any
	for i, owner := range owners {
		ids[i] = id(owner)
		for position, key := range addresses(owner) {
			rows = append(rows, []any{connectionID, kind, ids[i], position, key})
		}
	}
	err := s.execEach(ctx, ids, `DELETE FROM directory_addresses WHERE connection_id = ? AND owner_kind = ? `+
		`AND owner_id IN (*)`, connectionID, kind)
	if err != nil {
		return err
	}
	return s.insert(ctx, "directory_addresses", "connection_id, owner_kind, owner_id, position, address_key", "", rows, nil)
}

// lastOfEach returns the last object of each id, in their order: one statement cannot write a row twice.
func lastOfEach[T any](objects []T, id func(T) string) []T {
	last := make(map[string]int, len(objects))
	for i, object := range objects {
		last[id(object)] = i
	}
	var kept []T
	for i, object := range objects {
		if last[id(object)] == i {
			kept = append(kept, object)
		}
	}
	return kept
}
