package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// fileKey marks operations whose body is a file, which is parsed as it arrives.
const fileKey = "file"

// refuseNUL refuses requests with a null character or with broken UTF-8 in the address or in a JSON body. Names with
// them exist nowhere, and PostgreSQL cannot even compare them. It comes after authenticate, so that nobody unknown makes
// the server hold a body.
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
	// A byte more than allowed, so that huma finds a body that is too large.
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), ctx.Operation().MaxBodyBytes+1))
	switch {
	case err != nil:
		s.writeRefusal(ctx, endedEarly())
	case !utf8.Valid(body) || jsonHasNUL(body):
		s.writeRefusal(ctx, brokenText("the request body"))
	default:
		next(&readContext{humaContext: ctx, body: bytes.NewReader(body)})
	}
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
func patch[T any](object T, merge []byte) (T, error) {
	var patched T
	before, err := json.Marshal(object)
	if err != nil {
		return patched, err
	}
	after, err := jsonpatch.MergePatch(before, merge)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(merge), []byte("{")) {
		return patched, idmap.Refusef(idmap.CodeMalformed, "", "The body is not a JSON merge patch: it must be one JSON object.")
	}
	decoder := json.NewDecoder(bytes.NewReader(after))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&patched); err != nil {
		return patched, malformed(err)
	}
	return patched, nil
}

// malformed says what a JSON decoder did not like.
func malformed(err error) error {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return idmap.Refusef(idmap.CodeMalformed, wrongType.Field, "At %s a %s stands where another type is expected.", wrongType.Field, wrongType.Value)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return idmap.Refusef(idmap.CodeMalformed, strings.Trim(field, `"`), "There is no field %s.", field)
	}
	return idmap.Refusef(idmap.CodeMalformed, "", "The body cannot be read as JSON.")
}
