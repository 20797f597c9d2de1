package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/sync/semaphore"
)

const (
	retryWaitMin = 500 * time.Millisecond
	retryWaitMax = 10 * time.Second
	// maxRetryAfter is the longest that a server can make a call wait. A run of Terraform is better told that it cannot
	// go on than left hanging for an hour.
	maxRetryAfter = 5 * time.Minute
	// uploadTimeout is how long one attempt may take of what is about a whole directory, a whole map or the sessions of a
	// whole connection, instead of Config.RequestTimeout: 100,000 accounts take the server longer than an answer should.
	uploadTimeout = 10 * time.Minute
	// maxBody is the most that is read of an answer. A page of 1000 mappings has some 500 kB.
	maxBody = 64 << 20
	// maxMapBody is the most that is read of a map with its items. A map that was sent in 64 MiB, which is the most that the
	// server takes, comes back with an id for each of up to 500,000 items, and for each account that they name.
	maxMapBody = 256 << 20
)

// bodyTooLargeError says that an answer was given up on.
type bodyTooLargeError struct {
	resp *http.Response // without its body
	max  int64
}

func (e *bodyTooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", e.max>>20)
}

// attemptTimeoutError is no context.DeadlineExceeded: that would look like the deadline of the caller.
type attemptTimeoutError struct{ after time.Duration }

func (e attemptTimeoutError) Error() string {
	return fmt.Sprintf("no complete answer within %s", e.after)
}
func (e attemptTimeoutError) Timeout() bool { return true }

// newRetry returns the loop around the attempts. There is no http.Client.Timeout: it would count the attempts together,
// and a request that it ends could not be sent again.
func newRetry(a *attempts, maxRetries int) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: a, CheckRedirect: sameServer},
		RetryWaitMin: retryWaitMin,
		RetryWaitMax: retryWaitMax,
		RetryMax:     maxRetries,
		CheckRetry:   checkRetry,
		Backoff:      backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// sameServer follows a redirect that keeps method and server, from http to https at most. Any other redirect is handed
// back as the answer: following it would send the token elsewhere, or turn a write into a read.
func sameServer(next *http.Request, via []*http.Request) error {
	first := via[0]
	upgrade := first.URL.Scheme == "http" && next.URL.Scheme == "https"
	same := first.URL.Scheme == next.URL.Scheme && first.URL.Host == next.URL.Host
	switch {
	case len(via) > 5,
		next.Method != first.Method,
		next.URL.Hostname() != first.URL.Hostname(),
		!same && !upgrade:
		return http.ErrUseLastResponse
	}
	return nil
}

func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if err != nil {
		return ctx.Err() == nil && !final(err) && !callOf(ctx).once, nil
	}
	// A call that must not be made twice was not made at all where there was no room for it.
	if !retried(resp.StatusCode) || callOf(ctx).once && resp.StatusCode != http.StatusTooManyRequests {
		return false, nil
	}
	return affordable(ctx, retryAfter(resp)), nil
}

// retried tells the statuses that another attempt may cure. 500 is among them since nearly every call is safe to repeat.
func retried(status int) bool { return status == http.StatusInternalServerError || busy(status) }

// busy tells the statuses of a server, or of something before it, that cannot serve anybody right now.
func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// final tells the errors that another attempt would only repeat.
func final(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		broken      *handlerPanicError
		large       *bodyTooLargeError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &broken) || errors.As(err, &large) ||
		errors.Is(err, errPaused) || errors.Is(err, http.ErrSchemeMismatch)
}

// affordable reports whether there is time to wait that long. A call that would have to give up while it waits gives up
// at once.
func affordable(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return wait <= maxRetryAfter && (!ok || time.Until(deadline) > wait)
}

// backoff doubles from low up to high, and never less than the server asks for. The jitter keeps the many calls of a
// run, which fail together, from coming back together.
func backoff(low, high time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := min(high, low<<min(attempt, 16))
	if resp != nil {
		if after := retryAfter(resp); after > 0 {
			return after + jitter(min(after/4, time.Second))
		}
	}
	return wait/2 + jitter(wait/2)
}

func jitter(most time.Duration) time.Duration {
	return rand.N(most + 1) //nolint:gosec // spreads calls, keeps no secret
}

// retryAfter reads the header of that name, in either form, from an answer that may carry it. It is zero where it is
// absent, past or broken.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	header := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// attempts carries single attempts: bounded in number and in time, each with the whole of its answer, so that an answer
// that breaks off is a failed attempt like any other.
type attempts struct {
	next    http.RoundTripper
	secrets *secrets // to keep them out of the log
	timeout time.Duration
	maxBody int64
	slots   *semaphore.Weighted
	pause   pause
	short   atomic.Bool // the server has few requests left for this client, as far as it says so
}

func newAttempts(next http.RoundTripper, secrets *secrets, timeout time.Duration, concurrent int) *attempts {
	return &attempts{next: next, secrets: secrets, timeout: timeout, maxBody: maxBody, slots: semaphore.NewWeighted(int64(concurrent))}
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := a.enter(req.Context()); err != nil {
		return nil, err
	}
	defer a.slots.Release(1)
	log := a.logRequest(req)
	resp, err := a.roundTrip(req)
	log.answer(resp, err)
	if err != nil {
		return nil, err
	}
	callOf(req.Context()).status = resp.StatusCode
	a.note(resp)
	if resp.StatusCode == http.StatusTooManyRequests {
		a.pause.extend(min(retryAfter(resp), maxRetryAfter))
	}
	return resp, nil
}

// note keeps whether the server has few requests left for this client: it refuses, or says that less than half is left of
// what it allows. One that refuses and never says is taken to be short from then on.
func (a *attempts) note(resp *http.Response) {
	limit, unlimited := strconv.ParseUint(resp.Header.Get("RateLimit-Limit"), 10, 32)
	left, unknown := strconv.ParseUint(resp.Header.Get("RateLimit-Remaining"), 10, 32)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		a.short.Store(true)
	case unlimited == nil && unknown == nil:
		a.short.Store(2*left < limit)
	}
}

// enter waits for a slot, and for the end of a pause. The slot is not held while the pause lasts.
func (a *attempts) enter(ctx context.Context) error {
	for {
		if err := a.pause.wait(ctx); err != nil {
			return err
		}
		if err := a.slots.Acquire(ctx, 1); err != nil {
			return err
		}
		if a.pause.left() == 0 {
			return nil
		}
		a.slots.Release(1)
	}
}

func (a *attempts) roundTrip(req *http.Request) (*http.Response, error) {
	timeout := orDefault(callOf(req.Context()).timeout, a.timeout)
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	resp, err := a.next.RoundTrip(req.WithContext(ctx))
	if err == nil {
		resp.Request = req // not every transport sets it, and errors name it
		err = readBody(resp, orDefault(callOf(req.Context()).maxBody, a.maxBody))
	}
	if err == nil {
		return resp, nil
	}
	if ctx.Err() != nil && req.Context().Err() == nil {
		return nil, attemptTimeoutError{timeout}
	}
	return nil, err
}

// readBody replaces the body of an answer by its bytes, at most so many.
func readBody(resp *http.Response, most int64) error {
	defer func() { _ = resp.Body.Close() }() // nothing is written to it
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return fmt.Errorf("the answer breaks off: %w", err)
	}
	if int64(len(body)) > most {
		return &bodyTooLargeError{resp, most}
	}
	resp.Body = answerBody{bytes.NewReader(body), body}
	resp.ContentLength = int64(len(body))
	return nil
}

// answerBody is a body that has arrived whole.
type answerBody struct {
	*bytes.Reader
	content []byte
}

func (answerBody) Close() error { return nil }
