package idmap

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind is the class of a refusal. The server turns it into a status, the client turns the status back.
type ErrorKind int

// The kinds of errors. KindNone is no error.
const (
	KindNone         ErrorKind = iota
	KindMalformed              // the request cannot be read
	KindUnauthorized           // who are you
	KindForbidden              // you may not
	KindNotFound               // the object does not exist
	KindConflict               // against what is stored
	KindRevision               // changed since it was read
	KindTooLarge               // body too large
	KindRule                   // against the rules, whatever is stored
	KindRateLimited            // too many requests
	KindUnavailable            // busy or unreachable; the same request may succeed later
	KindInternal               // our fault
)

// Error is a refusal that a caller is meant to understand. Any other error is an internal one.
type Error struct {
	Kind       ErrorKind
	Violations []Violation
	// RetryAfter is how long to wait before the same request may succeed; zero where it is unknown.
	RetryAfter time.Duration
	// Err is the cause, for the log. It never reaches a user of the API.
	Err error
}

func (e *Error) Error() string {
	text := Sentences(e.Violations)
	switch {
	case e.Err == nil:
		return text
	case text == "":
		return e.Err.Error()
	}
	return text + " (" + e.Err.Error() + ")"
}

func (e *Error) Unwrap() error { return e.Err }

// Refuse returns the error for one or more violations, of the kind that comes first among theirs in the order of the
// constants. It returns nil for none.
func Refuse(violations ...Violation) error {
	if len(violations) == 0 {
		return nil
	}
	kind := KindOf(violations[0].Code)
	for _, v := range violations[1:] {
		kind = min(kind, KindOf(v.Code))
	}
	return &Error{Kind: kind, Violations: violations}
}

// Refusef returns the error for one violation.
func Refusef(code Code, field, format string, args ...any) error {
	return Refuse(Violation{Code: code, Field: field, Description: fmt.Sprintf(format, args...)})
}

// NotFound returns the error for an object that does not exist.
func NotFound(kind, id string) error {
	return Refusef(CodeNotFound, "", "There is no %s %q.", kind, id)
}

// Unavailable returns the error for something that may work later.
func Unavailable(cause error, retryAfter time.Duration) error {
	return &Error{
		Kind: KindUnavailable, RetryAfter: retryAfter, Err: cause,
		Violations: []Violation{{Code: CodeUnavailable, Description: "The mapping backend's database is busy or unreachable. Try again later."}},
	}
}

// IsKind reports whether err is an Error of that kind.
func IsKind(err error, kind ErrorKind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}

// IsNotFound reports whether err says that the object itself does not exist.
func IsNotFound(err error) bool { return IsKind(err, KindNotFound) }

// ViolationsOf returns the violations of err, or nil.
func ViolationsOf(err error) []Violation {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Violations
	}
	return nil
}
