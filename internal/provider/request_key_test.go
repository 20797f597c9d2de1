package provider

import (
	"testing"
	"time"
)

// TestMadeSince: what is older than the call, or younger than now, may be another call's, however long the call took.
func TestMadeSince(t *testing.T) {
	t.Parallel()
	const took = 10 * time.Second
	now := time.Now()
	for after, want := range map[time.Duration]bool{
		-time.Minute: false, -2 * time.Second: false, -time.Second / 2: true, 0: true, took / 2: true, took: true, took + time.Minute: false,
	} {
		createdOn := now.Add(-took + after)
		if got := madeSince(now.Add(-took), &createdOn); got != want {
			t.Errorf("made %s after a call of %s began: %t, want %t", after, took, got, want)
		}
	}
	if madeSince(now, nil) {
		t.Error("what nobody knows the time of is taken to be made just now")
	}
}
