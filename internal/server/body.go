package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// fileKey marks operations whose body is a file, which is parsed as it arrives.
const fileKey = "file"

// refuseNUL refuses requests with a null character or with broken UTF-8 in the address or in a JSON body: names with
// them exist nowhere, and PostgreSQL cannot even compare them. It refuses bodies that do not fit their schema, too. It
// comes after authenticate, so that nobody unknown makes the server hold a body.
func (s *server) refuseNUL(ctx huma.Context, next func(huma.Context)) {
	address := ctx.URL()
	query, err := url.QueryUnescape(address.RawQuery)
	if err != nil || hasNUL(address.Path) || hasNUL(query) || hasNUL(ctx.Header("Idempotency-Key")) {
		s.writeRefusal(ctx, brokenText("the address, or in the Idempotency-Key"))
		return
	}
	if ctx.Operation().RequestBody == nil || ctx.Operation().Metadata[fileKey] != nil {
		next(ctx)
		return
	}
	body, done, err := s.readBody(ctx.Context(), ctx.BodyReader(), ctx.Operation().MaxBodyBytes)
	defer done()
	if err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	if err := s.checkBody(ctx, body); err != nil {
		s.writeRefusal(ctx, err)
		return
	}
	next(&readContext{humaContext: ctx, body: &heldBody{body}})
}

// checkBody holds a JSON body against the schema of its operation. What is no JSON, too large or not there, huma refuses.
func (s *server) checkBody(ctx huma.Context, body []byte) error {
	content := ctx.Operation().RequestBody.Content[jsonType]
	contentType, _, _ := mime.ParseMediaType(ctx.Header("Content-Type"))
	tooLarge := int64(len(body)) > ctx.Operation().MaxBodyBytes
	other := contentType != "" && contentType != jsonType && !strings.HasSuffix(contentType, "+json")
	if onlyJSON := content != nil && len(ctx.Operation().RequestBody.Content) == 1; onlyJSON && other {
		return idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The content type is %q, and this route reads JSON. Send the header Content-Type: %s.", contentType[:min(len(contentType), 100)], jsonType)
	}
	if content == nil || content.Schema == nil || other || tooLarge || len(body) == 0 {
		return nil
	}
	return validate(s.api.OpenAPI().Components.Schemas, content.Schema, body)
}

// readBody reads a JSON body, of one that is too large a byte more than is allowed. Whatever is large is read in its turn,
// which lasts until done is called; done is never nil.
func (s *server) readBody(ctx context.Context, from io.Reader, limit int64) (body []byte, done func(), err error) {
	done = func() {}
	body, err = io.ReadAll(io.LimitReader(from, maxJSONBody+1))
	if err == nil && len(body) > maxJSONBody && limit > maxJSONBody {
		if done, err = s.large.turn(ctx); err != nil {
			return nil, done, err
		}
		body, err = io.ReadAll(io.MultiReader(bytes.NewReader(body), io.LimitReader(from, limit-maxJSONBody)))
	}
	switch {
	case err != nil:
		return nil, done, endedEarly()
	case !utf8.Valid(body) || jsonHasNUL(body):
		return nil, done, brokenText("the request body")
	}
	return body, done, nil
}

// humaContext can be embedded: huma.Context has a method of its own name.
type humaContext = huma.Context

// readContext is a request whose body was read.
type readContext struct {
	humaContext
	body io.Reader
}

func (c *readContext) BodyReader() io.Reader { return c.body }

// Unwrap lets humago reach the connection.
func (c *readContext) Unwrap() huma.Context { return c.humaContext }

// heldBody is let go of as soon as it was read again: huma makes a copy, and of a large body one is enough.
type heldBody struct{ rest []byte }

func (b *heldBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		b.rest = nil
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func endedEarly() error {
	return idmap.Refusef(idmap.CodeMalformed, "", "The request body ended before it was complete.")
}

func brokenText(where string) error {
	return idmap.Refusef(idmap.CodeMalformed, "", "There is a null character or broken UTF-8 in %s. Send text as UTF-8 without null characters.", where)
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) || !utf8.ValidString(s) }

// jsonHasNUL reports whether a string of the document decodes to one with a null character.
func jsonHasNUL(body []byte) bool {
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return bytes.IndexByte(body, 0) >= 0
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false // the end, or broken JSON: that is told elsewhere
		}
		if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
			return true
		}
	}
}

// patch applies a merge patch (RFC 7396) to an object. What the patch names must exist.
func patch[T any](api huma.API, object T, merge []byte) (T, error) {
	before, err := json.Marshal(object)
	if err != nil {
		return object, err
	}
	after, err := jsonpatch.MergePatch(before, merge)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(merge), []byte("{")) {
		return object, idmap.Refusef(idmap.CodeMalformed, "", "The body is not a JSON merge patch: it must be one JSON object.")
	}
	return decode[T](api, after)
}

// principalPatch is what a client has to know of merge patches with principals in them.
const principalPatch = "Where the patch names an account or a group, only what it sends counts: neither the id nor a name of the stored one stays beside that."

// unlessNamed returns the stored principal, or nothing of what it is called where a patch names another. A principal is
// replaced as one value: merged, a new name would stand beside the id of the old one.
func unlessNamed(stored, named idmap.Principal) idmap.Principal {
	if named.Text() == "" {
		return stored
	}
	return idmap.Principal{Type: stored.Type}
}

// decode makes a T of a JSON document. What does not fit is refused.
func decode[T any](api huma.API, text []byte) (T, error) {
	var value T
	registry := api.OpenAPI().Components.Schemas
	if err := validate(registry, registry.Schema(reflect.TypeFor[T](), true, ""), text); err != nil {
		return value, err
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return value, malformed(err)
	}
	return value, nil
}

// malformed says what a JSON decoder did not like.
func malformed(err error) error {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return idmap.Refusef(idmap.CodeMalformed, wrongType.Field, "At %s a %s stands where another type is expected.", wrongType.Field, wrongType.Value)
	}
	return idmap.Refusef(idmap.CodeMalformed, "", "The body cannot be read as JSON.")
}
