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

// CreateToken creates an API token. Its Secret is in this answer and in no other: the server does not store it, so it
// cannot answer again, and the call is never repeated. Where its answer is lost, there may be a token whose secret nobody
// has: revoke it, and create another. It needs the scope admin.
func (c *Client) CreateToken(ctx context.Context, token idmap.Token) (idmap.Token, error) {
	r := post(token, "tokens")
	r.once = true
	return call[idmap.Token](ctx, c, r, "token")
}

// DeleteToken revokes a token. One that does not exist is no error. It needs the scope admin.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.delete(ctx, 0, "tokens", id)
}
