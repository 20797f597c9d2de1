package client

import "context"

// Capabilities says what a server is and can do.
type Capabilities struct {
	Server    string   `json:"server"`
	Version   string   `json:"version"`
	Batch     int      `json:"batch"` // most items of a lookup, validate or batch call
	Page      int      `json:"page"`  // most rows of a page
	Platforms []string `json:"platforms"`
}

// Capabilities asks the server what it is.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	return call[Capabilities](ctx, c, get("capabilities"), "capabilities")
}
