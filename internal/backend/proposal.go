package backend

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// checkProposed refuses proposed directories of which something would be overlooked: a connection, or an entry, twice,
// and an entry without an id.
func checkProposed(proposed []idmap.ProposedDirectory) error {
	var violations []idmap.Violation
	refuse := func(field, format string, args ...any) {
		violations = append(violations, idmap.Violation{Code: idmap.CodeInvalid, Field: field, Description: fmt.Sprintf(format, args...)})
	}
	connections := map[string]bool{}
	for i, p := range proposed {
		at := fmt.Sprintf("directories[%d]", i)
		if connections[p.Connection.ID] {
			refuse(at+".connection.id", "Connection %q is proposed twice. Propose it once, with all of its directory.", p.Connection.ID)
		}
		connections[p.Connection.ID] = true
		if _, known := idmap.PlatformByID(p.Connection.Platform.ID); !known {
			refuse(at+".connection.platform.id", "There is no platform %q.", p.Connection.Platform.ID)
		}
		if p.Accounts != nil {
			checkProposedIDs(at+".accounts", *p.Accounts, func(a idmap.Account) string { return a.ID }, refuse)
		}
		if p.Groups != nil {
			checkProposedIDs(at+".groups", *p.Groups, func(g idmap.Group) string { return g.ID }, refuse)
		}
		if len(violations) > 0 {
			break // one directory at fault says enough
		}
	}
	return idmap.Refuse(violations...)
}

func checkProposedIDs[T any](at string, entries []T, id func(T) string, refuse func(field, format string, args ...any)) {
	seen := make(map[string]bool, len(entries))
	for i, e := range entries {
		field := fmt.Sprintf("%s[%d].id", at, i)
		switch {
		case id(e) == "":
			refuse(field, "The id must not be empty.")
		case seen[id(e)]:
			refuse(field, "The id %q is there twice. Each entry of a directory has an id of its own.", id(e))
		default:
			seen[id(e)] = true
			continue
		}
		return // the first is enough
	}
}
