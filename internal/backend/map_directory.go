package backend

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// mapDirectory is one side of maps of a kind: the accounts (groups) of a connection, the stored ones or those that are
// proposed in their place.
type mapDirectory struct {
	kind         idmap.MapKind
	connectionID string
	accounts     *[]idmap.Account // proposed, in the order of their ids
	groups       *[]idmap.Group
}

func newMapDirectory(kind idmap.MapKind, connectionID string, p idmap.ProposedDirectory) mapDirectory {
	d := mapDirectory{kind: kind, connectionID: connectionID}
	if kind == idmap.AccountMap && p.Accounts != nil {
		accounts := inOrder(completed(p.Connection, *p.Accounts), func(a idmap.Account) string { return a.ID })
		d.accounts = &accounts
	}
	if kind == idmap.GroupMap && p.Groups != nil {
		groups := inOrder(slices.Clone(*p.Groups), func(g idmap.Group) string { return g.ID })
		d.groups = &groups
	}
	return d
}

// inOrder sorts what it is given, and keeps the first of those with one id.
func inOrder[T any](entries []T, id func(T) string) []T {
	slices.SortStableFunc(entries, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	return slices.CompactFunc(entries, func(a, b T) bool { return id(a) == id(b) })
}

func (d mapDirectory) proposed() bool { return d.accounts != nil || d.groups != nil }

// entryList is a page of a directory. Its entries are made when they are asked for: to make the keys under which they
// are compared is most of the work, and it is shared among processors.
type entryList struct {
	count int
	entry func(i int) match.Entry
}

func listOf[T any](entries []T, entry func(T) match.Entry) entryList {
	return entryList{len(entries), func(i int) match.Entry { return entry(entries[i]) }}
}

// list reads a page in the order of the ids. Of the filter, a proposed directory reads Deleted only.
func (d mapDirectory) list(ctx context.Context, r store.Reader, f idmap.DirectoryFilter, page idmap.Page) (entryList, error) {
	switch {
	case d.accounts != nil:
		return listOf(pageOf(*d.accounts, f, page, func(a idmap.Account) (string, bool) { return a.ID, a.Deleted() }), match.AccountEntry), nil
	case d.groups != nil:
		return listOf(pageOf(*d.groups, f, page, func(g idmap.Group) (string, bool) { return g.ID, g.Deleted() }), match.GroupEntry), nil
	case d.kind == idmap.GroupMap:
		groups, err := r.ListGroups(ctx, d.connectionID, f, page)
		return listOf(groups, match.GroupEntry), err
	default:
		accounts, err := r.ListAccounts(ctx, d.connectionID, f, page)
		return listOf(accounts, match.AccountEntry), err
	}
}

func pageOf[T any](all []T, f idmap.DirectoryFilter, page idmap.Page, of func(T) (id string, deleted bool)) []T {
	start, _ := slices.BinarySearchFunc(all, page.After, func(e T, after string) int {
		if id, _ := of(e); id <= after {
			return -1
		}
		return 1
	})
	var found []T
	for _, e := range all[start:] {
		if _, deleted := of(e); f.Deleted != nil && deleted != *f.Deleted {
			continue
		}
		if found = append(found, e); len(found) == page.Limit {
			break
		}
	}
	return found
}

// find reads the stored entries that have any of the keys.
func (d mapDirectory) find(ctx context.Context, r store.Reader, keys store.DirectoryKeys) ([]match.Entry, error) {
	var list entryList
	if d.kind == idmap.GroupMap {
		groups, err := r.Groups(ctx, d.connectionID, keys)
		if err != nil {
			return nil, err
		}
		list = listOf(groups, match.GroupEntry)
	} else {
		accounts, err := r.Accounts(ctx, d.connectionID, keys)
		if err != nil {
			return nil, err
		}
		list = listOf(accounts, match.AccountEntry)
	}
	entries := make([]match.Entry, list.count)
	err := inParallel(ctx, list.count, func(i int) { entries[i] = list.entry(i) })
	return entries, err
}

// count is how many entries are stored, deleted ones too.
func (d mapDirectory) count(ctx context.Context, r store.Reader) (int, error) {
	if d.kind == idmap.GroupMap {
		return r.CountGroups(ctx, d.connectionID, idmap.DirectoryFilter{})
	}
	return r.CountAccounts(ctx, d.connectionID, idmap.DirectoryFilter{})
}

// inParallel calls fn for 0 to n-1 on all processors, and returns when all is done. A panic of fn is one of the caller,
// who may be able to live with it.
func inParallel(ctx context.Context, n int, fn func(i int)) error {
	const step = 16 // keeps the workers from meeting at the counter
	var next atomic.Int64
	var panicked atomic.Pointer[string]
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+step-1)/step) {
		wait.Go(func() {
			defer func() {
				if cause := recover(); cause != nil {
					panicked.Store(new(fmt.Sprintf("%v\n%s", cause, debug.Stack())))
				}
			}()
			for start := int(next.Add(step)) - step; start < n && ctx.Err() == nil; start = int(next.Add(step)) - step {
				for i := start; i < min(start+step, n); i++ {
					fn(i)
				}
			}
		})
	}
	wait.Wait()
	if cause := panicked.Load(); cause != nil {
		panic(*cause)
	}
	return ctx.Err()
}
