package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// shortDigest is how many hex digits tell apart the mappings whose user ids look alike in a name.
const shortDigest = 6

// nameAdopted gives each mapping a name that is made of the mapping alone: were it made of the others too, Terraform would
// destroy one resource and create another when one of those appears or goes. Two mappings whose names are the same all the
// same, which is one chance in sixteen million, both get the longest one.
func nameAdopted(mappings []idmap.UserMapping) []adopted {
	holders := map[string]int{}
	for _, m := range mappings {
		holders[adoptedName(m, shortDigest)]++
	}
	all := make([]adopted, len(mappings))
	for i, m := range mappings {
		all[i] = adopted{adoptedName(m, shortDigest), m}
		if holders[all[i].name] > 1 {
			all[i].name = adoptedName(m, 2*sha256.Size)
		}
	}
	return all
}

// adoptedName is the user id, for people, and so many hex digits of what the mapping is known by, which never changes but
// by a rename of the user.
func adoptedName(m idmap.UserMapping, digits int) string {
	user := m.UserKey() // another spelling of it is the same user's
	key := strings.Join([]string{m.Source.Connection.ID, m.Destination.Connection.ID, user}, "\x00")
	digest := sha256.Sum256([]byte(key))
	return slug(user) + "_" + hex.EncodeToString(digest[:])[:digits]
}

// slug makes an identifier of a user id. The letters of all scripts stay: without them, all users of some countries would
// have the same slug.
func slug(user string) string {
	words := strings.FieldsFunc(user, func(r rune) bool {
		return r == '_' || r == '-' || !hclsyntax.ValidIdentifier("a"+string(r))
	})
	joined := strings.Join(words, "_")
	if hclsyntax.ValidIdentifier(joined) {
		return joined
	}
	return strings.TrimSuffix("user_"+joined, "_") // it begins with a digit or a mark, or nothing is left
}
