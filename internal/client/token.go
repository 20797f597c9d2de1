package client

import (
	"context"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Tokens returns the API tokens, without their secrets. It needs the scope admin.
func (c *Client) Tokens(ctx context.Context) iter.Seq2[idmap.Token, error] {
	return list[idmap.Token](ctx, c, "tokens", params(), "tokens")
}

// CreateToken creates an API token under an Idempotency-Key. Its Secret is in this answer and in no other. It needs the
// scope admin.
func (c *Client) CreateToken(ctx context.Context, key string, token idmap.Token) (idmap.Token, error) {
	return call[idmap.Token](ctx, c, write(key, token, "tokens"), "token")
}

// DeleteToken revokes a token. One that does not exist is no error. It needs the scope admin.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.delete(ctx, 0, "tokens", id)
}
