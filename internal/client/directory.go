package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// DirectoryFilter selects accounts or groups of a connection. Fields that are empty or blank select all.
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

// DeleteAccount marks an account as deleted. A revision above zero must be the stored one. An account that does not exist
// is no error.
func (c *Client) DeleteAccount(ctx context.Context, connectionID, id string, revision int64) error {
	return c.delete(ctx, revision, "connections", connectionID, "accounts", id)
}

// ImportAccounts replaces the accounts of a connection by those of a directory file, whole or not at all. See package
// directory for the content types. A revision above zero must be the connection's, unless it came from that file already:
// so the call is safe to repeat. One attempt may take ten minutes, whatever Config.RequestTimeout is.
func (c *Client) ImportAccounts(ctx context.Context, connectionID string, revision int64, contentType string, content []byte) (idmap.ImportReport, error) {
	return c.importFile(ctx, connectionID, revision, "accounts", contentType, content)
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

// PutGroup writes the group under its id, whether it exists or not. A Revision above zero must be the stored one.
func (c *Client) PutGroup(ctx context.Context, connectionID string, group idmap.Group) (idmap.Group, error) {
	r := put(group, group.Revision, "connections", connectionID, "groups", group.ID)
	return call[idmap.Group](ctx, c, r, "group")
}

// DeleteGroup marks a group as deleted. A revision above zero must be the stored one. A group that does not exist is no
// error.
func (c *Client) DeleteGroup(ctx context.Context, connectionID, id string, revision int64) error {
	return c.delete(ctx, revision, "connections", connectionID, "groups", id)
}

// ImportGroups replaces the groups of a connection by those of a directory file, as ImportAccounts does.
func (c *Client) ImportGroups(ctx context.Context, connectionID string, revision int64, contentType string, content []byte) (idmap.ImportReport, error) {
	return c.importFile(ctx, connectionID, revision, "groups", contentType, content)
}

func (c *Client) importFile(ctx context.Context, connectionID string, revision int64, nouns, contentType string, content []byte) (idmap.ImportReport, error) {
	r := post(file(content), "connections", connectionID, nouns, "import")
	r.revision, r.contentType, r.timeout = revision, contentType, uploadTimeout
	return call[idmap.ImportReport](ctx, c, r, "import_report")
}
