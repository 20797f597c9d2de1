package server

import (
	"net/http"
	"net/url"
	"strings"
)

// published are the addresses of the published API, up to their last noun; * is an id. Its clients write some of the nouns
// with a capital letter.
var published = []string{
	"account_maps/*/exceptions", "account_maps/*/exclusions/source", "account_maps/*/exclusions/destination",
	"group_maps/*/exceptions", "group_maps/*/exclusions/source", "group_maps/*/exclusions/destination",
	"connections", "jobs", "transfers/*/security_map", "transfers/security_map",
}

// foldNouns lets the nouns of published addresses be written in any case; ids stay as they are. The request must be the
// caller's own copy.
func foldNouns(r *http.Request) {
	written, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v1/")
	if !ok {
		return
	}
	segments := strings.Split(written, "/")
	for _, known := range published {
		foldAs(segments, strings.Split(known, "/"))
	}
	folded := strings.Join(segments, "/")
	path, err := url.PathUnescape(folded)
	if folded == written || err != nil {
		return
	}
	address := *r.URL
	address.Path, address.RawPath = "/v1/"+path, "/v1/"+folded
	r.URL = &address
}

// foldAs writes segments as those of a known address, as far as they are of it.
func foldAs(segments, known []string) {
	for i := range min(len(segments), len(known)) {
		switch {
		case known[i] == "*":
		case strings.EqualFold(segments[i], known[i]):
			segments[i] = known[i]
		default:
			return
		}
	}
}
