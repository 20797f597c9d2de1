package backend

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

func versionOf(connectionID, version string) indexKey {
	return indexKey{connectionID, idmap.AccountMap, version}
}

// ofSize builds an index that is said to have so many entries.
func ofSize(entries int) func() (*match.Index, int, error) {
	return func() (*match.Index, int, error) { return match.NewIndex(idmap.AccountMap, nil), entries, nil }
}

func mustGet(t *testing.T, c *indexCache, key indexKey, began uint64, entries int) {
	t.Helper()
	if index, err := c.get(t.Context(), key, began, ofSize(entries)); err != nil || index == nil {
		t.Fatalf("got %v, %v", index, err)
	}
}

func isKept(c *indexCache, key indexKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.use(key) != nil
}

func TestCacheIsBound(t *testing.T) {
	t.Parallel()
	c := &indexCache{}
	for n := range 2 * maxIndexes {
		mustGet(t, c, versionOf(fmt.Sprint(n), "1"), c.began(), 1)
	}
	if len(c.kept) != maxIndexes || isKept(c, versionOf("0", "1")) {
		t.Errorf("%d indexes are kept, want %d, and not the first", len(c.kept), maxIndexes)
	}
	mustGet(t, c, versionOf("half", "1"), c.began(), maxKept/2)
	mustGet(t, c, versionOf("rest", "1"), c.began(), maxKept/2)
	if len(c.kept) != 2 {
		t.Errorf("%d indexes are kept, want the two that are as large as all may be together", len(c.kept))
	}
	c.keepResolver(versionOf("half", "1"), keptResolver{of: mapRevision{"m", 1}, items: 1})
	if len(c.kept) != 1 || !isKept(c, versionOf("half", "1")) {
		t.Error("what was used last went before the other, or none did")
	}
	mustGet(t, c, versionOf("huge", "1"), c.began(), 2*maxKept)
	if len(c.kept) != 1 || !isKept(c, versionOf("huge", "1")) {
		t.Error("what was made last is not kept")
	}
}

func TestCacheKeepsTheNewerDirectory(t *testing.T) {
	t.Parallel()
	c := &indexCache{}
	before, after := c.began(), c.began()
	mustGet(t, c, versionOf("d", "new"), after, 1)
	mustGet(t, c, versionOf("d", "old"), before, 1) // answered, and not kept
	if !isKept(c, versionOf("d", "new")) || isKept(c, versionOf("d", "old")) {
		t.Error("a snapshot that began earlier took the place of a newer one")
	}
	mustGet(t, c, versionOf("d", "newest"), c.began(), 1)
	if isKept(c, versionOf("d", "new")) {
		t.Error("what the directory was before is still kept")
	}
}

func TestCacheKeepsFewResolvers(t *testing.T) {
	t.Parallel()
	c, key := &indexCache{}, versionOf("d", "1")
	mustGet(t, c, key, c.began(), 10)
	for n := range int64(2 * maxResolvers) {
		c.keepResolver(key, keptResolver{of: mapRevision{"m", n}, resolver: &match.Resolver{}, items: 5})
	}
	k := c.kept[0]
	if len(k.resolvers) != maxResolvers || k.size != 10+5*maxResolvers {
		t.Errorf("%d resolvers are kept, and the size is %d", len(k.resolvers), k.size)
	}
	if c.resolver(key, mapRevision{"m", 0}) != nil || c.resolver(key, mapRevision{"m", 2*maxResolvers - 1}) == nil {
		t.Error("the first is kept, or the last is not")
	}
	if c.resolver(versionOf("d", "2"), mapRevision{"m", 2*maxResolvers - 1}) != nil {
		t.Error("a resolver answers for another directory")
	}
}

// TestCacheWaiters: who waits while another builds goes when he likes, and is not left alone when that fails or panics.
func TestCacheWaiters(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"fails":  func() error { return errors.New("broken") },
		"panics": func() error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, key := &indexCache{}, versionOf("d", "1")
				release := make(chan struct{})
				go func() {
					defer func() { _ = recover() }() // as a server does
					_, _ = c.get(t.Context(), key, 1, func() (*match.Index, int, error) {
						<-release
						return nil, 0, fail()
					})
				}()
				synctest.Wait()
				impatient, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := c.get(impatient, key, 1, ofSize(1)); !errors.Is(err, context.Canceled) {
					t.Errorf("one who does not wait got %v", err)
				}
				patient := make(chan error)
				go func() {
					_, err := c.get(t.Context(), key, 1, ofSize(1))
					patient <- err
				}()
				synctest.Wait()
				close(release)
				if err := <-patient; err != nil || !isKept(c, key) {
					t.Errorf("one who waited got %v", err)
				}
			})
		})
	}
}
