package provider

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// callsAtOnce is how many calls for parts of one resource are under way at the same time.
const callsAtOnce = 4

// mappingsByID looks mappings up, in the order of the ids; nil for those that do not exist.
func (w *walk) mappingsByID(ctx context.Context, ids []string) ([]*idmap.UserMapping, error) {
	found := make([]*idmap.UserMapping, len(ids))
	parts := slices.Collect(slices.Chunk(ids, idmap.MaxBatch))
	err := atOnce(len(parts), func(n int) error {
		keys := make([]idmap.UserMappingKey, len(parts[n]))
		for i, id := range parts[n] {
			keys[i].ID = id
		}
		answer, err := w.client.LookupUserMappings(ctx, keys)
		if err == nil {
			copy(found[n*idmap.MaxBatch:], answer)
		}
		return err
	})
	return found, err
}

// atOnce makes calls, a few of them at the same time. After an error none begins, and those under way are waited for, so
// that what they do is known. It returns the first error.
func atOnce(calls int, do func(n int) error) error {
	var (
		running sync.WaitGroup
		failed  atomic.Bool
	)
	errs, slots := make([]error, calls), make(chan struct{}, callsAtOnce)
	for n := range calls {
		slots <- struct{}{}
		if failed.Load() {
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			if errs[n] = do(n); errs[n] != nil {
				failed.Store(true)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
