package client

import "time"

// crew is what the calls so far tell of those who make them. Terraform works at so many resources at a time, ten unless it
// is told otherwise, and each of them calls again with its next.
type crew struct {
	last time.Time
	gap  time.Duration // the running average of the time between two calls
	// size is how many callers are expected. Of one nobody waits for another.
	size int
	// requests were made since the callers were counted; after so many they are counted again.
	requests, count int
	// two requests may be under way, if callers are many.
	two bool
	// sparing: the server has few requests left for this client, so few requests are worth more than quick ones.
	sparing bool
}

const (
	// longestGap is the most that counts of a time between two calls.
	longestGap = 250 * time.Millisecond
	// paceMemory is how many gaps the average is about.
	paceMemory = 8
	// another is the time without a call after which another piece of work begins, with who knows how many callers.
	another = 2 * time.Second

	shortestLull, longestLull = 2 * time.Millisecond, 200 * time.Millisecond
	// longestWait is the most that a request waits for further calls in all.
	longestWait = 500 * time.Millisecond

	// manyCallers is how many there must be for two requests at once.
	manyCallers = 4

	// firstCount is after how many requests callers are counted. Calls that a server answers faster than Terraform makes
	// them never meet by themselves, so a request has to wait once to find out how many there are. Where there is one it
	// waits in vain, so the next time is twice as far away.
	firstCount, lastCount = 8, 512
)

// called is the crew when a call has come.
func (c crew) called(now time.Time) crew {
	if c.last.IsZero() || now.Sub(c.last) > another {
		c.size, c.requests, c.count = 1, 0, firstCount
	}
	if !c.last.IsZero() {
		c.gap += (min(now.Sub(c.last), longestGap) - c.gap) / paceMemory
	}
	c.last = now
	return c
}

// answered is the crew when a request has ended, while so many had one under way or waited.
func (c crew) answered(callers int) crew {
	c.size, c.requests = max(c.size, callers), c.requests+1
	return c
}

// counting reports whether the next request finds out how many callers there are.
func (c crew) counting() bool { return c.requests >= c.count }

// gathered is the crew when a wait has ended with so many waiting, while others are asked for. Who did not come may come
// later, or never again. A count that finds far more than were known is soon made again; a few more were busy when the
// others met.
func (c crew) gathered(waiting, asked int) crew {
	found := max(waiting+asked, 1)
	switch {
	case c.counting() && found > 2*c.size:
		c.size, c.requests, c.count = found, 0, firstCount
	case c.counting():
		c.size, c.requests, c.count = found, 0, min(2*c.count, lastCount)
	case !c.complete(waiting, asked):
		c.size = max(found, c.size-max(c.size/4, 1))
	}
	return c
}

// most is how many requests may be under way.
func (c crew) most() int {
	if c.two && !c.sparing && c.size >= manyCallers {
		return 2
	}
	return 1
}

// complete reports whether so many callers are enough, while others have a request under way: half of all where two may be.
// The others keep Terraform at work meanwhile, and more in one request would come back all at once. Else it is all but one,
// with whom Terraform may be busy for long. Nobody is waited for who waits for an answer.
func (c crew) complete(waiting, asked int) bool {
	enough := c.size - 1
	if c.most() > 1 {
		enough = c.size / 2
	}
	return !c.counting() && waiting >= max(min(enough, c.size-asked), 1)
}

// lull is the time without a call after which none is expected.
func (c crew) lull() time.Duration { return min(max(4*c.gap, shortestLull), longestLull) }

// patience returns how much longer the next request waits for calls, of which so many wait, while others have a request
// under way. quiet is the time since a call came, waited the time in all.
func (c crew) patience(waiting, asked int, quiet, waited time.Duration) time.Duration {
	if c.complete(waiting, asked) {
		return 0
	}
	return max(min(c.lull()-quiet, longestWait-waited), 0)
}
