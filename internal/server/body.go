package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// refuseNUL refuses requests with a null character or with broken UTF-8 in the address or in a JSON string. Names with
// them exist nowhere, and PostgreSQL cannot even compare them. Bodies other than directory files are read for that, up to
// a byte more than they may have.
func refuseNUL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil || hasNUL(r.URL.Path) || hasNUL(query) {
			refuseText(w, "the address")
			return
		}
		if _, err := directory.FormatOfContentType(r.Header.Get("Content-Type")); err != nil { // else the parser looks itself
			body, err := io.ReadAll(io.LimitReader(r.Body, maxJSONBody+1))
			if err != nil {
				writeJSONProblem(w, newProblem(http.StatusBadRequest, idmap.Violation{Code: idmap.CodeMalformed, Description: "The request body ended before it was complete."}))
				return
			}
			if !utf8.Valid(body) || jsonHasNUL(body) {
				refuseText(w, "the request body")
				return
			}
			r.Body = struct {
				io.Reader
				io.Closer
			}{bytes.NewReader(body), r.Body}
		}
		next.ServeHTTP(w, r)
	})
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) || !utf8.ValidString(s) }

func refuseText(w http.ResponseWriter, where string) {
	writeJSONProblem(w, newProblem(http.StatusBadRequest, idmap.Violation{
		Code: idmap.CodeMalformed, Description: "There is a null character or broken UTF-8 in " + where + ". Send text as UTF-8 without null characters.",
	}))
}

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
	if err != nil {
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
		return idmap.Refusef(idmap.CodeMalformed, wrongType.Field, "A %s stands where a %s is expected.", wrongType.Value, wrongType.Type)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return idmap.Refusef(idmap.CodeMalformed, strings.Trim(field, `"`), "There is no field %s.", field)
	}
	return idmap.Refusef(idmap.CodeMalformed, "", "The body cannot be read as JSON.")
}
