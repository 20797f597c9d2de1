// Package backend holds the use cases: what a caller may ask of the mapping backend, each as one transaction that
// reads, applies the rules and writes. Validate and apply are the same code; validate only does not write.
package backend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// Backend serves the use cases on a store. It is safe for concurrent use.
type Backend struct {
	store     store.Store
	opts      Options
	indexes   indexCache
	counts    countCache
	resolving gate // of calls that resolve a whole directory
	answering gate // of calls that resolve a few of it

	tokens       *batcher[string, storedToken]      // by the hashes of their secrets
	knownSignIns *batcher[signInCall, signInResult] // of users who have a mapping
	otherSignIns *batcher[signInCall, signInResult] // of all others
	writes       *batcher[request, outcome]         // of single user mappings
}

// Options are what a backend takes from the outside world. The zero value is the real world.
type Options struct {
	Clock func() time.Time
	// NewID returns a new object id. Ids that are made later must sort later.
	NewID func() string
	// NewSecret returns the secret of a new token.
	NewSecret func() string
	// BootstrapToken is the secret of an administrator's token that is not in the database; "" for none.
	BootstrapToken string
}

// New returns the backend on s.
func New(s store.Store, opts Options) *Backend {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if opts.NewSecret == nil {
		opts.NewSecret = func() string { return "idmap_" + rand.Text() }
	}
	b := &Backend{store: s, opts: opts, resolving: make(gate, maxResolving), answering: make(gate, maxAnswering)}
	b.tokens = &batcher[string, storedToken]{run: b.storedTokens, size: maxTokenBatch, timeout: tokenTimeout}
	b.knownSignIns, b.otherSignIns = b.signInLane(decideKnown), b.signInLane(decideAny)
	b.otherSignIns.queue = func(c signInCall) string {
		return pairOf(c.attempt.Source.Connection, c.attempt.Destination.Connection)
	}
	b.writes = &batcher[request, outcome]{run: b.gatheredWrites, size: maxWriteBatch, timeout: writeTimeout, gathers: true}
	b.writes.queue = func(q request) string { return q.pair }
	return b
}

// Call says in whose name a use case runs.
type Call struct {
	Token idmap.Token
	// IdempotencyKey makes a create repeatable: the same key and content give the first answer again.
	IdempotencyKey string
	// MapRevision is that of the map whose items are written as the caller saw it, 0 for any.
	MapRevision int64
}

// Ready reports whether the store answers.
func (b *Backend) Ready(ctx context.Context) error { return public(b.store.Ping(ctx)) }

// now is the time as the store keeps it.
func (b *Backend) now() time.Time { return b.opts.Clock().UTC().Truncate(time.Microsecond) }

func (b *Backend) view(ctx context.Context, fn func(store.Reader) error) error {
	return public(b.store.View(ctx, fn))
}

// maxAttempts bounds how often a transaction that lost against others is run again.
const maxAttempts = 20

// update runs fn in a transaction, and again when the transaction lost against another: the next run sees what won, so
// a duplicate comes out in the words of the rules. fn must not keep what it computed in an earlier run.
func (b *Backend) update(ctx context.Context, fn func(store.Tx) error) error {
	var err error
	for attempt := range maxAttempts {
		if err = b.store.Update(ctx, fn); !errors.Is(err, store.ErrConflict) {
			return public(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(jitter(attempt)):
		}
	}
	return idmap.Unavailable(err, time.Second)
}

// jitter returns a random pause of at most 1, 2, 4 … 128 ms.
func jitter(attempt int) time.Duration {
	return mathrand.N(time.Millisecond << min(attempt, 7)) //nolint:gosec // spreads retries, guards nothing
}

// public turns an error of the store into one for callers.
func public(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return idmap.Unavailable(err, time.Second)
	}
	return err
}

// List is one page of a list.
type List[T any] struct {
	Items []T
	More  bool
	// Total is how many rows the whole list has; it is counted for the first page only, else -1.
	Total int
}

func list[T any](
	ctx context.Context, b *Backend, page idmap.Page,
	fetch func(store.Reader, idmap.Page) ([]T, error), count func(store.Reader) (int, error),
) (List[T], error) {
	result := List[T]{Total: -1}
	err := b.view(ctx, func(r store.Reader) error {
		items, err := fetch(r, idmap.Page{After: page.After, Limit: page.Limit + 1})
		if err != nil {
			return err
		}
		if result.More = len(items) > page.Limit; result.More {
			items = items[:page.Limit]
		}
		result.Items = append([]T{}, items...) // never nil: an empty list is a list
		if page.After == "" {
			result.Total, err = count(r)
		}
		return err
	})
	return result, err
}

// audit makes an entry; nil before or after stands for an object that does not exist.
func (b *Backend) audit(call Call, action, kind, id string, before, after any, reason string) idmap.AuditEntry {
	return idmap.AuditEntry{
		ID: b.opts.NewID(), On: b.now(), Who: call.Token.Name, Action: action, Kind: kind, ObjectID: id,
		Before: document(before), After: document(after), Reason: reason,
	}
}

func document(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("backend: %T cannot be written as JSON: %v", v, err)) // all our structs can
	}
	return text
}

// revisionConflict is the refusal of a write whose caller saw another revision.
func revisionConflict(kind, id string, stored, seen int64) idmap.Violation {
	expected := "the one that was expected"
	if seen > 0 { // an entity tag may be none of ours
		expected += fmt.Sprintf(" (%d)", seen)
	}
	return idmap.Violation{
		Code: idmap.CodeRevisionConflict,
		Description: fmt.Sprintf("The %s %s is at revision %d, and not at %s: it changed since it was read. Read it again, and decide anew.",
			strings.ReplaceAll(kind, "_", " "), id, stored, expected),
	}
}
