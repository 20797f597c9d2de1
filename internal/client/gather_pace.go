package client

import "time"

// pace is how fast calls come: the running average of the time between two.
type pace struct {
	last time.Time
	gap  time.Duration
}

const (
	// longestGap is the most that counts of a time between two calls: after a longer one another piece of work begins.
	longestGap = 250 * time.Millisecond
	// paceMemory is how many gaps the average is about.
	paceMemory = 8

	shortestLull, longestLull = 2 * time.Millisecond, 200 * time.Millisecond
	// longestWait is the most that a request waits for further calls in all.
	longestWait = 500 * time.Millisecond
)

// after is the pace when a call has come.
func (p pace) after(now time.Time) pace {
	if p.last.IsZero() {
		return pace{last: now}
	}
	gap := min(now.Sub(p.last), longestGap)
	return pace{last: now, gap: p.gap + (gap-p.gap)/paceMemory}
}

// lull is the time without a call after which none is expected.
func (p pace) lull() time.Duration { return min(max(3*p.gap, shortestLull), longestLull) }

// patience returns how much longer the next request waits for calls. callers are those who were just answered and those
// who waited then: Terraform works at so many resources at a time, and each of them comes back with its next. Most of
// them are enough, and a lone caller waits for nobody. quiet is the time since a call came, waited the time in all.
func patience(callers, waiting int, quiet, waited, lull time.Duration) time.Duration {
	if waiting >= callers*4/5 {
		return 0
	}
	return max(min(lull-quiet, longestWait-waited), 0)
}
