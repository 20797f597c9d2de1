package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ConnectionFilter selects connections. Fields that are empty or blank select all.
type ConnectionFilter struct {
	Query    string // in the name
	Name     string // the whole name, without regard to case
	Platform string // id of the platform
}

// Connection returns the connection of that id.
func (c *Client) Connection(ctx context.Context, id string) (idmap.Connection, error) {
	return call[idmap.Connection](ctx, c, get("connections", id), "connection")
}

// Connections returns the connections that the filter selects. It follows pages as it is read, and ends with the first
// error.
func (c *Client) Connections(ctx context.Context, f ConnectionFilter) iter.Seq2[idmap.Connection, error] {
	query := params("q", f.Query, "name", f.Name, "platform", f.Platform)
	return list[idmap.Connection](ctx, c, "connections", query, "connections")
}

// CreateConnection creates a connection under an Idempotency-Key: a repeated call with the key and the same connection
// gives the first answer again.
func (c *Client) CreateConnection(ctx context.Context, key string, connection idmap.Connection) (idmap.Connection, error) {
	return call[idmap.Connection](ctx, c, write(key, connection, "connections"), "connection")
}

// UpdateConnection replaces the connection of that id. A Revision above zero must be the stored one.
func (c *Client) UpdateConnection(ctx context.Context, connection idmap.Connection) (idmap.Connection, error) {
	return call[idmap.Connection](ctx, c, put(connection, connection.Revision, "connections", connection.ID), "connection")
}

// DeleteConnection deletes a connection. A revision above zero must be the stored one. A connection that does not exist
// is deleted already, which is no error.
func (c *Client) DeleteConnection(ctx context.Context, id string, revision int64) error {
	return c.delete(ctx, revision, "connections", id)
}
