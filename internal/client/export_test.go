package client

import "time"

// Waiting returns how many calls wait for a request that they are to share.
func (c *Client) Waiting() int {
	reads, _, _ := c.reads.look()
	checks, _, _ := c.checks.look()
	writes, _, _ := c.writes.look()
	return reads + checks + writes
}

// RetrySoon makes the client wait little between attempts.
func (c *Client) RetrySoon() {
	c.retry.RetryWaitMin, c.retry.RetryWaitMax = time.Millisecond, 5*time.Millisecond
}
