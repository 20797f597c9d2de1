package server

import (
	"slices"
	"strconv"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// anyRevision and noRevision are what If-Match can ask for besides a revision.
const (
	anyRevision int64 = 0
	noRevision  int64 = -1 // matches nothing
)

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// ifMatch returns the revision that an If-Match header demands (RFC 9110, 13.1.1). Entity tags are compared strongly,
// so a weak one matches nothing; * matches whatever exists. Of several tags current picks the one that matches: it
// returns the stored revision, and is not called for one tag that could be it.
func ifMatch(header string, current func() (int64, error)) (int64, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return anyRevision, nil
	}
	tags, err := entityTags(header)
	if err != nil {
		return noRevision, err
	}
	if len(tags) == 1 && tags[0] != noRevision {
		return tags[0], nil
	}
	stored, err := current()
	if err != nil || slices.Contains(tags, stored) {
		return stored, err
	}
	return noRevision, idmap.Refusef(idmap.CodeRevisionConflict, "header.If-Match",
		"None of the entity tags %s is that of the object, which is %s: it changed since it was read, or the tag is weak and matches nothing. Read it again, and decide anew.",
		clip(header), etag(stored))
}

// entityTags reads a list of entity tags. A tag that cannot be one of our revisions becomes noRevision.
func entityTags(header string) ([]int64, error) {
	var tags []int64
	for rest := header; rest != ""; {
		rest = strings.TrimLeft(rest, " \t,")
		weak := strings.HasPrefix(rest, "W/")
		opaque := strings.TrimPrefix(rest, "W/")
		end := -1
		if strings.HasPrefix(opaque, `"`) {
			end = strings.Index(opaque[1:], `"`)
		}
		if end < 0 {
			return nil, idmap.Refusef(idmap.CodeMalformed, "header.If-Match", "%q is no list of entity tags. A tag stands in double quotes, such as \"7\".", header)
		}
		revision, err := strconv.ParseInt(opaque[1:end+1], 10, 64)
		if err != nil || weak || revision <= 0 {
			revision = noRevision
		}
		tags = append(tags, revision)
		rest = strings.TrimLeft(opaque[end+2:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, idmap.Refusef(idmap.CodeMalformed, "header.If-Match", "%q is no list of entity tags. Tags are separated by commas.", header)
		}
	}
	return tags, nil
}
