package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// bounds are how much of a server its clients may take.
type bounds struct {
	// working is how many requests are worked on at once, and workingOfOne how many of one token. The difference is what
	// a client leaves to the others, however slow its requests are.
	working, workingOfOne int
	// waiting is how many others wait, and waitingOfOne how many of one token.
	waiting, waitingOfOne int
	// patience is how long one waits.
	patience time.Duration
}

// serverBounds: sign-ins share transactions of up to a hundred, which is what needs many requests at once; all else is
// soon as fast as the processors and the connections to the database are.
var serverBounds = bounds{working: 128, workingOfOne: 112, waiting: 2000, waitingOfOne: 1000, patience: 5 * time.Second}

// refusedRetry is when a request for which there was no room had better be sent again.
const refusedRetry = 2 * time.Second

// waitingBody is how much of a body is read before its request waits: a whole one, as a rule. Only then does package
// net/http tell when the client goes, and nobody who sends it slowly keeps others waiting.
const waitingBody = 64 << 10

// The reasons of refusals, as the metrics count them.
const (
	refusedRate        = "rate_limit"
	refusedClientQueue = "client_queue"
	refusedQueue       = "queue"
	refusedPatience    = "patience"
)

// admission bounds how many requests are worked on at once. The others wait, and the next free place goes round the
// tokens that wait, so that it does not matter to a client how many requests another has. It is safe for concurrent use.
type admission struct {
	bounds
	refused *prometheus.CounterVec // by reason

	mu      sync.Mutex
	atWork  int
	inQueue int
	clients map[string]*requests // by the id of their token; those that have some
	turns   []*requests          // those that wait, the next first
}

// requests are those of one token.
type requests struct {
	atWork  int
	waiting []seat // the next first
}

// seat is closed when the request that waits for it has a place.
type seat chan struct{}

func newAdmission(b bounds, refused *prometheus.CounterVec) *admission {
	return &admission{bounds: b, refused: refused, clients: map[string]*requests{}}
}

// admit lets a request through when it is its turn. It comes after authenticate, which knows whose it is.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	token, known := ctx.Context().Value(tokenKey).(idmap.Token)
	if !known {
		next(ctx) // it is open, and asks nothing of the database
		return
	}
	left, err := s.rates.take(token)
	s.rates.tell(ctx, left)
	if err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	if ctx.Operation().RequestBody != nil {
		ctx = &readContext{humaContext: ctx, body: begun(ctx.BodyReader())}
	}
	leave, err := s.admission.enter(ctx.Context(), token)
	if err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	defer leave()
	next(ctx)
}

// begun reads the beginning of a body, and returns all of it.
func begun(body io.Reader) io.Reader {
	head, err := io.ReadAll(io.LimitReader(body, waitingBody))
	if err != nil {
		return io.MultiReader(bytes.NewReader(head), failing{err}) // asked again, a connection that broke tells of an end
	}
	return io.MultiReader(bytes.NewReader(head), body)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// enter waits for a place. It is the request's until leave is called.
func (a *admission) enter(ctx context.Context, token idmap.Token) (leave func(), err error) {
	leave = func() { a.leave(token.ID) }
	mine, err := a.take(token)
	if err != nil || mine == nil {
		return leave, err
	}
	patience, stop := context.WithTimeout(ctx, a.patience)
	defer stop()
	select {
	case <-mine:
		return leave, nil
	case <-patience.Done():
	}
	switch {
	case !a.giveUp(token.ID, mine): // it got its place at the same moment
		return leave, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, a.refuse(refusedPatience, idmap.CodeUnavailable,
		"The request waited for %s, since the server has more to do than it can. Send it again later.", a.patience)
}

// take takes a place. Where none is free, it returns the one that the request waits for.
func (a *admission) take(token idmap.Token) (mine seat, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.clients[token.ID]
	if own == nil {
		own = &requests{}
	}
	switch {
	case a.atWork < a.working && own.atWork < a.workingOfOne: // then none of its own waits, nor of another that has not its share
		own.atWork++
		a.atWork++
	case len(own.waiting) >= a.waitingOfOne:
		return nil, a.refuse(refusedClientQueue, idmap.CodeRateLimited,
			"Token %q has %d requests waiting, and one token may have no more. Send fewer at once, and this one again later.", token.Name, a.waitingOfOne)
	case a.inQueue >= a.waiting:
		return nil, a.refuse(refusedQueue, idmap.CodeUnavailable,
			"The server has %d requests waiting, and takes no more. Send this one again later.", a.waiting)
	default:
		mine = make(seat)
		if len(own.waiting) == 0 {
			a.turns = append(a.turns, own)
		}
		own.waiting = append(own.waiting, mine)
		a.inQueue++
	}
	a.clients[token.ID] = own
	return mine, nil
}

// leave hands a place on.
func (a *admission) leave(tokenID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.clients[tokenID]
	own.atWork--
	a.atWork--
	a.handOn()
	a.forget(tokenID, own)
}

// handOn gives the place that has become free to the next token. One that has its share is passed over.
func (a *admission) handOn() {
	i := slices.IndexFunc(a.turns, func(r *requests) bool { return r.atWork < a.workingOfOne })
	if i < 0 {
		return
	}
	next := a.turns[i]
	close(next.waiting[0])
	next.atWork++
	a.atWork++
	a.turns = append(slices.Delete(a.turns, i, i+1), next) // and is the last one now
	a.remove(next, 0)
}

// giveUp takes a request out of the queue. It reports whether it was still there.
func (a *admission) giveUp(tokenID string, mine seat) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.clients[tokenID]
	i := -1
	if own != nil {
		i = slices.Index(own.waiting, mine)
	}
	if i < 0 {
		return false
	}
	a.remove(own, i)
	a.forget(tokenID, own)
	return true
}

// remove ends the wait of a request.
func (a *admission) remove(own *requests, i int) {
	own.waiting = slices.Delete(own.waiting, i, i+1)
	a.inQueue--
	if len(own.waiting) == 0 {
		i := slices.Index(a.turns, own)
		a.turns = slices.Delete(a.turns, i, i+1)
	}
}

// forget keeps nothing of a token that has no requests.
func (a *admission) forget(tokenID string, own *requests) {
	if own.atWork == 0 && len(own.waiting) == 0 {
		delete(a.clients, tokenID)
	}
}

// inQueueNow is for the metrics.
func (a *admission) inQueueNow() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return float64(a.inQueue)
}

func (a *admission) refuse(reason string, code idmap.Code, format string, args ...any) error {
	a.refused.WithLabelValues(reason).Inc()
	return noRoom(code, refusedRetry, format, args...)
}

// noRoom is the error of a request that would be answered at another time.
func noRoom(code idmap.Code, retry time.Duration, format string, args ...any) error {
	return &idmap.Error{
		Kind: idmap.KindOf(code), RetryAfter: retry,
		Violations: []idmap.Violation{{Code: code, Description: fmt.Sprintf(format, args...)}},
	}
}
