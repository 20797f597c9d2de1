package client

import "time"

// crew is what the calls so far tell of those who make them. Terraform works at so many resources at a time, ten unless it
// is told otherwise, and each of them calls again with its next.
type crew struct {
	last time.Time
	gap  time.Duration // the running average of the time between two calls
	took time.Duration // the running average of the time that a request takes
	// size is how many callers are expected. Of one nobody waits for another.
	size int
	// requests were made since the callers were counted; after so many they are counted again.
	requests, count int
	// sparing: the server has said that it is asked too much, so few requests are worth more than quick ones.
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

// answered is the crew when a request has ended, while so many had one under way and others waited.
func (c crew) answered(callers, waiting int, took time.Duration) crew {
	c.size, c.requests = max(c.size, callers+waiting), c.requests+1
	c.took += (took - c.took) / paceMemory
	return c
}

// counting reports whether the next request finds out how many callers there are.
func (c crew) counting() bool { return c.requests >= c.count }

// gathered is the crew when a wait has ended with so many waiting. Who did not come may come later, or never again. A count
// that finds far more than were known is soon made again; a few more were busy when the others met.
func (c crew) gathered(waiting int) crew {
	switch {
	case c.counting() && waiting > 2*c.size:
		c.size, c.requests, c.count = waiting, 0, firstCount
	case c.counting():
		c.size, c.requests, c.count = max(waiting, 1), 0, min(2*c.count, lastCount)
	case !c.complete(waiting):
		c.size = max(waiting, c.size-max(c.size/4, 1), 1)
	}
	return c
}

// complete reports whether so many callers are enough.
func (c crew) complete(waiting int) bool { return !c.counting() && waiting >= c.size-c.spare() }

// leaves reports whether a request leaves while one is under way, with so many callers: half of them, of many, go on while
// the others wait for an answer. It does only where the answer takes so long that otherwise all would wait for it.
func (c crew) leaves(waiting, asked int) bool {
	return !c.sparing && c.size >= manyCallers && c.come() > c.size/2 && asked < c.size && waiting >= c.size/2
}

// spare is how many callers a request does not wait for: so many come while it is under way, and Terraform is busy with
// them. At most it is half of them, else the requests would be many.
func (c crew) spare() int {
	if c.sparing {
		return 1
	}
	return max(min(c.come(), c.size/2), 1)
}

// come is how many callers come while a request is under way.
func (c crew) come() int { return int((c.took + c.gap) / max(c.gap, 1)) } // rounded up, more or less

// lull is the time without a call after which none is expected.
func (c crew) lull() time.Duration { return min(max(4*c.gap, shortestLull), longestLull) }

// patience returns how much longer the next request waits for calls. quiet is the time since a call came, waited the time
// in all.
func (c crew) patience(waiting int, quiet, waited time.Duration) time.Duration {
	if c.complete(waiting) {
		return 0
	}
	return max(min(c.lull()-quiet, longestWait-waited), 0)
}
