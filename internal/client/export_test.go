package client

import "time"

// Waiting returns how many calls wait for a request that they are to share.
func (c *Client) Waiting() int { return c.reads.inQueue() + c.checks.inQueue() + c.writes.inQueue() }

func (g *gatherer[In, Out]) inQueue() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// RetrySoon makes the client wait little between attempts.
func (c *Client) RetrySoon() {
	c.retry.RetryWaitMin, c.retry.RetryWaitMax = time.Millisecond, 5*time.Millisecond
}

// Paused reports whether the client waits since the server is asked too much.
func (c *Client) Paused() bool { return c.attempts.pause.left() > 0 }

// Short reports whether the server has few requests left for the client, as far as it knows.
func (c *Client) Short() bool { return c.attempts.short.Load() }
