package server

import (
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	// rateRetry is when a token has the next request: a second brings one at least, and Retry-After knows no less.
	rateRetry = time.Second
	// rateSweep is how often the tokens that were idle are forgotten, at most.
	rateSweep = time.Minute
)

// rates bound how many requests a second each token has. What it did not use in one second is not kept for the next. They
// are safe for concurrent use.
type rates struct {
	perSecond int // 0: there is no bound
	refused   *prometheus.CounterVec

	mu     sync.Mutex
	tokens map[string]*rate.Limiter // by the token's id
	swept  time.Time
}

func newRates(perSecond int, refused *prometheus.CounterVec) *rates {
	return &rates{perSecond: perSecond, refused: refused, tokens: map[string]*rate.Limiter{}}
}

// take counts a request, and returns how many its token has left. It is refused where the token has had as many as it may.
func (r *rates) take(token idmap.Token) (left int, err error) {
	if r.perSecond == 0 {
		return 0, nil
	}
	limiter := r.limiter(token.ID)
	allowed := limiter.Allow()
	if left = max(int(limiter.Tokens()), 0); allowed {
		return left, nil
	}
	r.refused.WithLabelValues(refusedRate).Inc()
	return left, noRoom(idmap.CodeRateLimited, rateRetry,
		"Token %q has sent more than %d requests within a second, which is what this server takes of one token. Send this one again after a second; Retry-After says so too.", token.Name, r.perSecond)
}

// tell lets a client slow down before it is refused, by the fields of draft-ietf-httpapi-ratelimit-headers-07.
func (r *rates) tell(ctx huma.Context, left int) {
	if r.perSecond == 0 {
		return
	}
	ctx.SetHeader("RateLimit-Limit", strconv.Itoa(r.perSecond))
	ctx.SetHeader("RateLimit-Remaining", strconv.Itoa(left))
	ctx.SetHeader("RateLimit-Reset", "1") // a second brings as many as there can be
}

func (r *rates) limiter(tokenID string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.tokens[tokenID]; found != nil {
		return found
	}
	r.sweep(time.Now())
	added := rate.NewLimiter(rate.Limit(r.perSecond), r.perSecond)
	r.tokens[tokenID] = added
	return added
}

// sweep forgets the tokens that have been idle so long that a new limiter would let as much through.
func (r *rates) sweep(now time.Time) {
	if now.Sub(r.swept) < rateSweep {
		return
	}
	r.swept = now
	for id, l := range r.tokens {
		if l.TokensAt(now) >= float64(r.perSecond) {
			delete(r.tokens, id)
		}
	}
}
