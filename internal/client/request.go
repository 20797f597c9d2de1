package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// request is one call. It goes to next, or else to the path of the segments.
type request struct {
	method   string
	segments []string // of the path behind /v1, unescaped
	query    url.Values
	next     *url.URL // a page that the server named

	key         string // Idempotency-Key
	revision    int64  // If-Match, when above zero
	body        any    // sent as JSON, unless it is a file
	contentType string // of a file; "" for JSON

	timeout    time.Duration // of one attempt; 0 is that of the client
	maxBody    int64         // of the answer; 0 is that of the client
	once       bool          // the call is not safe to repeat
	collection bool          // it is about a list, not about an object
	mappings   []string      // ids of the mappings that it writes, or asks about as a write
}

// file is a body that is sent as it is.
type file []byte

// answer is what came back, whole.
type answer struct {
	*http.Response
	content []byte
}

// do makes the call with all of its attempts. The answer has a status of 2xx.
func (c *Client) do(ctx context.Context, r request) (a *answer, err error) {
	defer func() { c.ahead.changed(r, err) }()
	a, err = c.exchange(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.StatusCode/100 == 2:
		return a, nil
	case untyped404(a):
		return nil, c.missing(ctx, r, a)
	}
	return nil, refusal(a)
}

// exchange makes the call with all of its attempts. A token that is refused is renewed once, where that is possible. The
// answer is of the server, or of something that claims to be it; it may be a refusal.
func (c *Client) exchange(ctx context.Context, r request) (*answer, error) {
	token, err := c.bearer(ctx, "")
	if err != nil {
		return nil, err
	}
	a, err := c.send(ctx, r, token)
	if err != nil || a.StatusCode != http.StatusUnauthorized || c.password == nil {
		return a, err
	}
	if token, err = c.bearer(ctx, token); err != nil {
		return nil, err
	}
	return c.send(ctx, r, token)
}

func (c *Client) send(ctx context.Context, r request, token string) (*answer, error) {
	state := &callState{timeout: r.timeout, maxBody: r.maxBody, once: r.once}
	req, err := c.newRequest(context.WithValue(ctx, callKey{}, state), r, token)
	if err != nil {
		return nil, err
	}
	resp, err := c.retry.Do(req)
	if err != nil {
		return nil, c.failure(ctx, state, err)
	}
	defer func() { _ = resp.Body.Close() }() // has arrived whole
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.failure(ctx, state, err)
	}
	a := &answer{resp, content}
	if resp.StatusCode/100 != 2 && outOfReach(a) {
		return nil, c.unreachable(a, state)
	}
	return a, nil
}

func (c *Client) newRequest(ctx context.Context, r request, token string) (*retryablehttp.Request, error) {
	target, err := c.target(r)
	if err != nil {
		return nil, err
	}
	body, err := encode(r.body)
	if err != nil {
		return nil, err
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, errors.New("the request cannot be made from the endpoint and the id. Check both")
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	set("Accept", "application/json, application/problem+json")
	set("User-Agent", c.userAgent)
	set("Idempotency-Key", r.key)
	if token != "" {
		set("Authorization", "Bearer "+token)
	}
	if r.revision > 0 {
		set("If-Match", fmt.Sprintf("%q", fmt.Sprint(r.revision)))
	}
	if body != nil {
		set("Content-Type", orDefault(r.contentType, "application/json"))
	}
	return req, nil
}

// encode returns the body as package retryablehttp takes it: bytes that it can send again, or an untyped nil.
func encode(body any) (any, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case file:
		return []byte(body), nil
	}
	content, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("the request cannot be written as JSON: %w", err)
	}
	return content, nil
}

func (c *Client) target(r request) (string, error) {
	if r.next != nil {
		return r.next.String(), nil
	}
	var path strings.Builder
	path.WriteString(c.base.String() + "/v1")
	for _, segment := range r.segments {
		if err := addressable(segment); err != nil {
			return "", err
		}
		path.WriteString("/" + url.PathEscape(segment))
	}
	if len(r.query) > 0 {
		path.WriteString("?" + r.query.Encode())
	}
	return path.String(), nil
}

// maxSegment is the longest id that is sent in a path. Servers answer a longer one in their own words, not in ours.
const maxSegment = 2048

// addressable refuses ids that would make the path that of another object, or of none.
func addressable(id string) error {
	switch {
	case id == "":
		return idmap.Refusef(idmap.CodeMalformed, "id", "The id is empty. The id of an object is required. Give the id that the backend answered when the object was created.")
	case id == "." || id == ".." || len(id) > maxSegment:
		return idmap.Refusef(idmap.CodeNotFound, "id", "There is no object with the id %q.", clip(id))
	}
	return nil
}

// decode takes the object of that noun, and the warnings beside it, out of the envelope.
func decode[T any](a *answer, noun string) (object T, warnings []idmap.Violation, err error) {
	fields, err := envelope(a, noun)
	if err != nil {
		return object, nil, err
	}
	if err := json.Unmarshal(fields[noun], &object); err != nil {
		return object, nil, foreign(a, fmt.Sprintf("its %s cannot be read (%s)", noun, err))
	}
	if raw, ok := fields["warnings"]; ok {
		if err := json.Unmarshal(raw, &warnings); err != nil {
			return object, nil, foreign(a, fmt.Sprintf("its warnings cannot be read (%s)", err))
		}
	}
	return object, warnings, nil
}

// envelope takes an answer apart. Fields that this release does not know are a later server's, and are left alone.
func envelope(a *answer, noun string) (map[string]json.RawMessage, error) {
	if !isJSON(a.Header.Get("Content-Type")) {
		return nil, foreign(a, "")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(a.content, &fields); err != nil {
		return nil, foreign(a, "its JSON is broken")
	}
	if raw, ok := fields[noun]; !ok || bytes.Equal(raw, []byte("null")) {
		return nil, foreign(a, "its JSON has no "+noun)
	}
	return fields, nil
}

// call makes a call that answers one object.
func call[T any](ctx context.Context, c *Client, r request, noun string) (T, error) {
	object, _, err := callWarned[T](ctx, c, r, noun)
	return object, err
}

// callWarned makes a call that answers one object, and warnings about it.
func callWarned[T any](ctx context.Context, c *Client, r request, noun string) (T, []idmap.Violation, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		var none T
		return none, nil, err
	}
	return decode[T](a, noun)
}

// delete treats an object that does not exist as deleted: the answer to an earlier attempt may have been lost, and
// whoever wants the object gone has what they want.
func (c *Client) delete(ctx context.Context, revision int64, segments ...string) error {
	return c.remove(ctx, request{revision: revision, segments: segments})
}

// remove is delete for a request that has more to say.
func (c *Client) remove(ctx context.Context, r request) error {
	r.method = http.MethodDelete
	err := c.silent(ctx, r)
	if idmap.IsNotFound(err) {
		return nil
	}
	return err
}

// silent makes a call whose success has nothing to say, and so is no success of just any kind: a sign-in page has
// done nothing. Our servers answer 204. Of others JSON is believed, and of a DryvIQ platform silence.
func (c *Client) silent(ctx context.Context, r request) error {
	a, err := c.do(ctx, r)
	if err != nil || a.StatusCode == http.StatusNoContent || isJSON(a.Header.Get("Content-Type")) {
		return err
	}
	if len(a.content) > 0 {
		return foreign(a, "")
	}
	platform, err := c.Platform(ctx)
	if err == nil && !platform {
		err = foreign(a, "its body is empty, and only 204 may be")
	}
	return err
}

func get(segments ...string) request { return request{method: http.MethodGet, segments: segments} }

func put(body any, revision int64, segments ...string) request {
	return request{method: http.MethodPut, segments: segments, body: body, revision: revision}
}

// post is a POST without an Idempotency-Key: one that changes nothing, or that needs none.
func post(body any, segments ...string) request {
	return request{method: http.MethodPost, segments: segments, body: body}
}

// write is a POST that writes. Without a key from the caller it gets one for its own attempts.
func write(key string, body any, segments ...string) request {
	r := post(body, segments...)
	r.key = orDefault(key, NewKey())
	return r
}

type callKey struct{}

// callState says how the attempts of a call are made, and counts them, across the layers of package http.
type callState struct {
	timeout  time.Duration // of one attempt; 0 is that of the client
	maxBody  int64         // of the answer; 0 is that of the client
	once     bool          // there is one attempt
	secret   bool          // the bodies are not logged
	attempts int
	status   int // of the last answer
}

func callOf(ctx context.Context) *callState {
	state, ok := ctx.Value(callKey{}).(*callState)
	if !ok {
		state = &callState{} // a request that is not of this package
	}
	return state
}

func clip(s string) string {
	const shown = 100
	s = strings.ToValidUTF8(s, "\uFFFD")
	if runes := []rune(s); len(runes) > shown {
		return string(runes[:shown]) + "…"
	}
	return s
}
