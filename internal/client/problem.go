package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// problem is a problem document (RFC 9457) with our violations. Of a document of another shape it is what fits.
type problem struct {
	Title      string
	Detail     string
	Violations []idmap.Violation
}

// readProblem reads a problem document. JSON that is no more than JSON gives false.
func readProblem(a *answer) (problem, bool) {
	contentType := a.Header.Get("Content-Type")
	var fields map[string]json.RawMessage
	if !isJSON(contentType) || json.Unmarshal(a.content, &fields) != nil {
		return problem{}, false
	}
	p := problem{Title: textOf(fields["title"]), Detail: textOf(fields["detail"])}
	var entries []json.RawMessage
	_ = json.Unmarshal(fields["errors"], &entries) // of another shape: no entries
	for _, entry := range entries {
		if v, ok := violationOf(entry); ok {
			p.Violations = append(p.Violations, v)
		}
	}
	known := strings.HasPrefix(contentType, "application/problem+json") || p.Title != "" || p.Detail != "" || len(p.Violations) > 0
	return p, known
}

func textOf(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // no string: no text
	return s
}

// violationOf reads an entry of errors. Entries of other servers have message and location in the same roles.
func violationOf(entry json.RawMessage) (idmap.Violation, bool) {
	var v struct {
		idmap.Violation
		Message  string `json:"message"`
		Location string `json:"location"`
	}
	if json.Unmarshal(entry, &v) != nil {
		return idmap.Violation{}, false
	}
	v.Description = orDefault(v.Description, v.Message)
	v.Field = orDefault(v.Field, v.Location)
	return v.Violation, v.Code != "" || v.Description != ""
}

func (p problem) text() string {
	if len(p.Violations) > 0 {
		return idmap.Sentences(p.Violations)
	}
	return orDefault(p.Detail, p.Title)
}

// refusal turns an answer that is no success into an error: the backend's refusal, or that of something else.
func refusal(a *answer) error {
	if a.StatusCode/100 == 3 {
		return foreign(a, redirectReason(a))
	}
	if err := silentRefusal(a); err != nil {
		return err
	}
	p, ok := readProblem(a)
	if !ok || a.StatusCode/100 < 4 {
		return foreign(a, "")
	}
	kind, code := kindOf(a.StatusCode)
	if kind == idmap.KindNotFound && !slices.ContainsFunc(p.Violations, isNotFound) {
		// Read as "the object does not exist", the 404 of a proxy or of an unknown route would drop it from state.
		return foreign(a, "its 404 does not say not_found")
	}
	if len(p.Violations) == 0 {
		p.Violations = []idmap.Violation{{
			Code:        code,
			Description: orDefault(p.text(), fmt.Sprintf("The mapping backend refused the request with status %d.", a.StatusCode)),
		}}
	}
	for i := range p.Violations {
		p.Violations[i].Code = orDefault(p.Violations[i].Code, code)
		p.Violations[i].Description = orDefault(p.Violations[i].Description, string(p.Violations[i].Code)+".")
	}
	return &idmap.Error{Kind: kind, Violations: p.Violations, RetryAfter: retryAfter(a.Response), Err: refusedCall(a)}
}

// silentRefusal is the error for a 401 or a 403 without a body, with which DryvIQ platforms refuse a token; else nil.
func silentRefusal(a *answer) error {
	if len(a.content) > 0 || a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusForbidden {
		return nil
	}
	kind, code := kindOf(a.StatusCode)
	return &idmap.Error{Kind: kind, Err: refusedCall(a), Violations: []idmap.Violation{{
		Code: code,
		Description: fmt.Sprintf("The server refused the request with status %d and does not say why. A token, or a user, that may do this is required. "+
			"Check the token, or the username and the password, and what they are allowed to do.", a.StatusCode),
	}}}
}

func isNotFound(v idmap.Violation) bool { return v.Code == idmap.CodeNotFound }

// refusedCall says which call it was, for the log.
func refusedCall(a *answer) error {
	text := fmt.Sprintf("%s %s: status %d", a.Request.Method, clip(a.Request.URL.EscapedPath()), a.StatusCode)
	if id := a.Header.Get("X-Request-Id"); id != "" {
		text += ", request id " + clip(id)
	}
	return errors.New(text)
}

func redirectReason(a *answer) string {
	to, err := a.Location()
	if err != nil {
		return "it redirects"
	}
	return "it redirects to " + bare(to)
}

// kindOf turns a status back into the kind of error that the server made it of, and the code of an error that has none.
func kindOf(status int) (idmap.ErrorKind, idmap.Code) {
	switch status {
	case http.StatusUnauthorized:
		return idmap.KindUnauthorized, idmap.CodeUnauthorized
	case http.StatusForbidden:
		return idmap.KindForbidden, idmap.CodeForbidden
	case http.StatusNotFound:
		return idmap.KindNotFound, idmap.CodeNotFound
	case http.StatusConflict:
		return idmap.KindConflict, idmap.CodeInvalid
	case http.StatusPreconditionFailed:
		return idmap.KindRevision, idmap.CodeRevisionConflict
	case http.StatusRequestEntityTooLarge:
		return idmap.KindTooLarge, idmap.CodeTooLarge
	case http.StatusUnprocessableEntity:
		return idmap.KindRule, idmap.CodeInvalid
	case http.StatusTooManyRequests:
		return idmap.KindRateLimited, idmap.CodeRateLimited
	case http.StatusServiceUnavailable:
		return idmap.KindUnavailable, idmap.CodeUnavailable
	}
	if status >= 500 {
		return idmap.KindInternal, idmap.CodeInternal
	}
	return idmap.KindMalformed, idmap.CodeMalformed
}

// internal is the error for a fault inside this program.
func internal(cause error) error {
	return &idmap.Error{Kind: idmap.KindInternal, Err: cause, Violations: []idmap.Violation{{
		Code:        idmap.CodeInternal,
		Description: "The mapping backend inside this program failed while it answered. This is a fault of the program. Report it with the log of the run.",
	}}}
}
