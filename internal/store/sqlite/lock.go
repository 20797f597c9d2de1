package sqlite

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/gofrs/flock"
)

// fileLock is a lock that one process holds at a time. The file stays when nobody does: removing it would let two
// processes lock two files of one name.
type fileLock struct {
	path string
	mode fs.FileMode
}

// acquire waits for the lock, blocked in the system, which serves those who wait in turn; polling would starve behind a
// process that writes without a pause. Nothing can call off a wait in the system, so where the context ends first, the
// wait goes on without the caller. Acquire calls after once it neither holds the lock nor waits for it any more.
func (l fileLock) acquire(ctx context.Context, after func()) (release func(), err error) {
	lock := flock.New(l.path, flock.SetPermissions(l.mode))
	unlock := func() {
		_ = lock.Close() // closing the file releases the lock, whatever else it reports
		after()
	}
	locked, err := lock.TryLock()
	if err != nil {
		unlock()
		return nil, l.explain(err)
	}
	if locked {
		return unlock, nil
	}
	result := make(chan error)
	go func() {
		err := lock.Lock()
		select {
		case result <- err:
		case <-ctx.Done():
			unlock()
		}
	}()
	select {
	case err := <-result:
		if err != nil {
			unlock()
			return nil, l.explain(err)
		}
		return unlock, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l fileLock) explain(err error) error {
	return fmt.Errorf("the lock file %q cannot be locked: it and its folder must be writable for this user, and on a file "+
		"system that has locks: %w", l.path, err)
}
