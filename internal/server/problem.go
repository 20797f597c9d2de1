package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// problem is the one form of all errors: RFC 9457, with an entry for every violation.
type problem struct {
	Type   string            `json:"type" doc:"about:blank: the errors' codes tell problems apart."`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty"`
	Errors []idmap.Violation `json:"errors" nullable:"false"`

	headers http.Header
}

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }
func (p *problem) GetHeaders() http.Header   { return p.headers }

func newProblem(status int, violations ...idmap.Violation) *problem {
	return &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail(violations), Errors: violations,
	}
}

// maxSentences is how many violations the detail tells. All of them stand beside it.
const maxSentences = 3

func detail(violations []idmap.Violation) string {
	if len(violations) <= maxSentences {
		return idmap.Sentences(violations)
	}
	return fmt.Sprintf("%s And %d more.", idmap.Sentences(violations[:maxSentences]), len(violations)-maxSentences)
}

var statuses = map[idmap.ErrorKind]int{
	idmap.KindMalformed:    http.StatusBadRequest,
	idmap.KindUnauthorized: http.StatusUnauthorized,
	idmap.KindForbidden:    http.StatusForbidden,
	idmap.KindNotFound:     http.StatusNotFound,
	idmap.KindConflict:     http.StatusConflict,
	idmap.KindRevision:     http.StatusPreconditionFailed,
	idmap.KindTooLarge:     http.StatusRequestEntityTooLarge,
	idmap.KindRule:         http.StatusUnprocessableEntity,
	idmap.KindRateLimited:  http.StatusTooManyRequests,
	idmap.KindUnavailable:  http.StatusServiceUnavailable,
	idmap.KindInternal:     http.StatusInternalServerError,
}

// answer ends a handler: with the backend's answer, or with its error as a problem.
func answer[T any](ctx context.Context, s *server, output *T, err error) (*T, error) {
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return output, nil
}

// refusal turns an error of the backend into a problem. Causes go to the log, never to the caller.
func (s *server) refusal(ctx context.Context, err error) *problem {
	var e *idmap.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = &idmap.Error{Kind: idmap.KindUnavailable, Violations: []idmap.Violation{{Code: idmap.CodeUnavailable, Description: "The request was given up before it was done."}}}
	default:
		e = &idmap.Error{Kind: idmap.KindInternal, Err: err, Violations: []idmap.Violation{internalViolation(ctx)}}
	}
	if e.Err != nil {
		s.opts.Logger.ErrorContext(ctx, "request failed", slog.String("request_id", requestID(ctx)), slog.Any("cause", e.Err))
	}
	p := newProblem(statuses[e.Kind], e.Violations...)
	if seconds := int(e.RetryAfter.Seconds()); seconds > 0 {
		p.headers = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	}
	return p
}

func internalViolation(ctx context.Context) idmap.Violation {
	return idmap.Violation{Code: idmap.CodeInternal, Description: "The server failed. Its log tells why, under request id " + requestID(ctx) + "."}
}

// huma reports what it finds itself, such as a wrong type, through this package-wide hook; there is no hook for one API.
func init() { //nolint:gochecknoinits // see above
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return foundByHuma(status, message, errs)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return foundByHuma(status, message, errs)
	}
}

func foundByHuma(status int, message string, errs []error) *problem {
	code := idmap.CodeMalformed
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusNotAcceptable, http.StatusRequestTimeout:
		status = http.StatusBadRequest
	case http.StatusRequestEntityTooLarge:
		code = idmap.CodeTooLarge
	default:
		code = idmap.CodeInternal
	}
	var violations []idmap.Violation
	for _, err := range errs[:min(len(errs), maxFaults)] {
		where := location(err)
		violations = append(violations, idmap.Violation{Code: code, Field: where, Description: sentence(where, err)})
	}
	if more := len(errs) - len(violations); more > 0 {
		violations = append(violations, idmap.Violation{Code: code, Description: fmt.Sprintf("There are %d more faults, which are not listed.", more)})
	}
	if len(violations) == 0 {
		violations = append(violations, idmap.Violation{Code: code, Description: upper(message) + "."})
	}
	return newProblem(status, violations...)
}

// location names the field as our own violations do: without the word body in front.
func location(err error) string {
	var d huma.ErrorDetailer
	if !errors.As(err, &d) {
		return ""
	}
	where := d.ErrorDetail().Location
	return clip(strings.TrimPrefix(strings.TrimPrefix(where, "body."), "body"))
}

// sentence leaves out the value that huma would echo: it may be long, or a secret.
func sentence(where string, err error) string {
	text := err.Error()
	var d huma.ErrorDetailer
	if errors.As(err, &d) {
		text = d.ErrorDetail().Message
	}
	if where == "" {
		return upper(text) + "."
	}
	return "At " + where + ": " + strings.TrimSuffix(text, ".") + "."
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".")
}
