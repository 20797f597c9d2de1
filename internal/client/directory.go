package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// DirectoryFilter selects accounts or groups of a connection. Empty fields select all.
type DirectoryFilter struct {
	Query   string
	Email   string // of accounts: primary address or alias
	UserID  string // of accounts
	Address string // of groups
	Deleted *bool  // whether they have left the directory
}

// Account returns an account of a connection.
func (c *Client) Account(ctx context.Context, connectionID, id string) (idmap.Account, error) {
	return call[idmap.Account](ctx, c, get("connections", connectionID, "accounts", id), "account")
}

// Accounts returns the accounts that the filter selects. It follows pages as it is read, and ends with the first error.
func (c *Client) Accounts(ctx context.Context, connectionID string, f DirectoryFilter) iter.Seq2[idmap.Account, error] {
	query := params("q", f.Query, "email", f.Email, "user_id", f.UserID, "deleted", optionalBool(f.Deleted))
	return list[idmap.Account](ctx, c, "accounts", query, "connections", connectionID, "accounts")
}

// PutAccount writes the account under its id, whether it exists or not. A Revision above zero must be the stored one.
// The violations are warnings.
func (c *Client) PutAccount(ctx context.Context, connectionID string, account idmap.Account) (idmap.Account, []idmap.Violation, error) {
	r := put(account, account.Revision, "connections", connectionID, "accounts", account.ID)
	return callWarned[idmap.Account](ctx, c, r, "account")
}

// DeleteAccount marks an account as deleted. One that does not exist is no error.
func (c *Client) DeleteAccount(ctx context.Context, connectionID, id string) error {
	return c.delete(ctx, 0, "connections", connectionID, "accounts", id)
}

// ImportAccounts replaces the accounts of a connection by those of a directory file, whole or not at all. See package
// directory for the content types.
func (c *Client) ImportAccounts(ctx context.Context, key, connectionID, contentType string, content []byte) (idmap.ImportReport, error) {
	return c.importFile(ctx, key, connectionID, "accounts", contentType, content)
}

// Group returns a group of a connection.
func (c *Client) Group(ctx context.Context, connectionID, id string) (idmap.Group, error) {
	return call[idmap.Group](ctx, c, get("connections", connectionID, "groups", id), "group")
}

// Groups returns the groups that the filter selects. It follows pages as it is read, and ends with the first error.
func (c *Client) Groups(ctx context.Context, connectionID string, f DirectoryFilter) iter.Seq2[idmap.Group, error] {
	query := params("q", f.Query, "address", f.Address, "deleted", optionalBool(f.Deleted))
	return list[idmap.Group](ctx, c, "groups", query, "connections", connectionID, "groups")
}

// PutGroup writes the group under its id, whether it exists or not. A Revision above zero must be the stored one. The
// violations are warnings.
func (c *Client) PutGroup(ctx context.Context, connectionID string, group idmap.Group) (idmap.Group, []idmap.Violation, error) {
	r := put(group, group.Revision, "connections", connectionID, "groups", group.ID)
	return callWarned[idmap.Group](ctx, c, r, "group")
}

// DeleteGroup marks a group as deleted. One that does not exist is no error.
func (c *Client) DeleteGroup(ctx context.Context, connectionID, id string) error {
	return c.delete(ctx, 0, "connections", connectionID, "groups", id)
}

// ImportGroups replaces the groups of a connection by those of a directory file, as ImportAccounts does.
func (c *Client) ImportGroups(ctx context.Context, key, connectionID, contentType string, content []byte) (idmap.ImportReport, error) {
	return c.importFile(ctx, key, connectionID, "groups", contentType, content)
}

func (c *Client) importFile(ctx context.Context, key, connectionID, nouns, contentType string, content []byte) (idmap.ImportReport, error) {
	r := write(key, file(content), "connections", connectionID, nouns, "import")
	r.contentType = contentType
	return call[idmap.ImportReport](ctx, c, r, "import_report")
}
