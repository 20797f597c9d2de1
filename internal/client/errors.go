package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// ErrUnreachable is what every UnreachableError is, for errors.Is.
var ErrUnreachable = errors.New("the mapping backend could not be reached")

// UnreachableError says that nothing useful answered: no answer at all, or only answers of 429, 502, 503 and 504 until
// the retries were used up, or a 500 without a problem document, which is that of something before the backend. The
// backend's own 500 is an *idmap.Error. The same call may succeed later. Whether a write was applied is not known.
type UnreachableError struct {
	Backend   string // which backend, for a sentence
	Attempts  int
	Status    int    // of the last answer; 0 if there was none
	Detail    string // what the last answer said
	RequestID string // of the last answer
	Err       error  // why there was no answer
}

func (e *UnreachableError) Error() string {
	required, wayOut := e.advice()
	return fmt.Sprintf("The %s could not be reached: %s. %s %s", e.Backend, e.found(), required, wayOut)
}

// Is makes the error an ErrUnreachable.
func (e *UnreachableError) Is(target error) bool { return target == ErrUnreachable }

func (e *UnreachableError) Unwrap() error { return e.Err }

func (e *UnreachableError) found() string {
	tries := "1 attempt"
	if e.Attempts != 1 {
		tries = fmt.Sprintf("%d attempts", e.Attempts)
	}
	if e.Status == 0 {
		return fmt.Sprintf("%s (%s)", e.Err, tries)
	}
	text := fmt.Sprintf("the last of %s was answered with status %d", tries, e.Status)
	if e.Detail != "" {
		text += fmt.Sprintf(" (%q)", e.Detail)
	}
	if e.RequestID != "" {
		text += ", request id " + e.RequestID
	}
	if e.Err != nil {
		text += fmt.Sprintf(", then: %s", e.Err)
	}
	return text
}

// advice says what is required, and the way out.
func (e *UnreachableError) advice() (required, wayOut string) {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
	)
	switch {
	case errors.As(e.Err, &certificate):
		return "Its certificate must be for this host, in date, and signed by an authority that this machine trusts.",
			"Name the authority's PEM file as the CA certificate file, or correct the endpoint or the certificate."
	case errors.As(e.Err, &record), errors.Is(e.Err, http.ErrSchemeMismatch):
		return "An endpoint that begins with https:// must lead to a server with TLS.",
			"Begin the endpoint with http:// if the server has none, or correct host and port."
	case errors.As(e.Err, &dns):
		return "The endpoint must name a host that exists.", "Correct the endpoint, or the name service of this machine."
	case e.Status == http.StatusTooManyRequests || errors.Is(e.Err, errPaused):
		return "The server must have room for another request.", "Wait as long as it asks for, or allow fewer concurrent requests."
	case e.Status == http.StatusInternalServerError:
		return "A server that works is required.", "Look up the request in the server's log, then try again."
	}
	return "A server that runs and answers in time is required.", "Check the endpoint, the network and the server, then try again."
}

// ForeignServerError says that something answered that is no mapping backend: a proxy, a sign-in page, another product.
type ForeignServerError struct {
	Method      string
	URL         string // without query and credentials
	Status      int
	ContentType string
	Reason      string // what makes it foreign, beyond that; may be empty
}

func (e *ForeignServerError) Error() string {
	contentType := "no content type"
	if e.ContentType != "" {
		contentType = "content type " + e.ContentType
	}
	reason := ""
	if e.Reason != "" {
		reason = "; " + e.Reason
	}
	return fmt.Sprintf("%s %s was not answered by a mapping backend: status %d, %s%s. "+
		"A mapping backend answers with JSON objects and typed errors. "+
		"Check that the endpoint, with its path, is the backend's, and that no proxy or sign-in page stands before it.",
		e.Method, e.URL, e.Status, contentType, reason)
}

func foreign(a *answer, reason string) error {
	return &ForeignServerError{
		Method: a.Request.Method, URL: bare(a.Request.URL), Status: a.StatusCode,
		ContentType: clip(a.Header.Get("Content-Type")), Reason: reason,
	}
}

// bare leaves of a URL what can be shown: queries have people's addresses in them, and on other servers credentials.
func bare(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return clip(shown.String())
}

// failure is the error for a call that ended without an answer.
func (c *Client) failure(ctx context.Context, state *callState, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("the call to the %s was cancelled: %w", c.name, context.Canceled)
	}
	if outer, ok := errors.AsType[*url.Error](err); ok { // repeats the URL, with its query
		err = outer.Err
	}
	var (
		broken *handlerPanicError
		large  *bodyTooLargeError
	)
	switch {
	case errors.As(err, &broken):
		return internal(err)
	case errors.As(err, &large):
		return foreign(&answer{Response: large.resp}, err.Error())
	}
	return &UnreachableError{Backend: c.name, Attempts: state.attempts, Status: state.status, Err: err}
}

// outOfReach tells an answer that says nothing but to try again from the backend's own. A backend that fails says so in
// a problem document: that is a fault to be seen, and no outage to be waited for.
func outOfReach(a *answer) bool {
	if a.StatusCode == http.StatusInternalServerError {
		_, typed := readProblem(a)
		return !typed
	}
	return busy(a.StatusCode)
}

// unreachable is the error for a call whose last answer asks to try again.
func (c *Client) unreachable(a *answer, state *callState) error {
	e := &UnreachableError{
		Backend: c.name, Attempts: state.attempts, Status: a.StatusCode, RequestID: clip(a.Header.Get("X-Request-Id")),
	}
	if p, ok := readProblem(a); ok {
		e.Detail = p.text()
	}
	return e
}
