package server

import (
	"net/http"
	"slices"
	"strings"
)

// published are the nouns of the published API. Its clients write some of them with a capital letter.
var published = []string{"account_maps", "group_maps", "connections", "jobs", "transfers"}

// foldNoun lets a published noun at the begin of the address be written in any case. The request must be the caller's own
// copy.
func foldNoun(r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	written, _, _ := strings.Cut(rest, "/")
	noun := strings.ToLower(written)
	if !ok || noun == written || !slices.Contains(published, noun) {
		return
	}
	address := *r.URL
	address.Path = "/v1/" + noun + strings.TrimPrefix(rest, written)
	if escaped, ok := strings.CutPrefix(address.RawPath, "/v1/"+written); ok {
		address.RawPath = "/v1/" + noun + escaped
	}
	r.URL = &address
}
