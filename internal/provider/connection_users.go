package provider

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The most users of a connection that a warning names, and the most rows of a list in which they are looked for.
const (
	maxUsersNamed    = 5
	maxUsersLookedAt = idmap.MaxPageSize
)

// connectionUser is a map or a mapping that uses a connection.
type connectionUser struct{ id, name string }

// warnOfUsers warns of maps and mappings that use a connection which goes away, and that this walk has not seen. Only one
// that is not in this configuration is in the way. Terraform plans those of the configuration after a connection that is
// replaced, and at the same time as one that is removed, so they may be named too. It never refuses the plan.
func (w *walk) warnOfUsers(ctx context.Context, id, name string, diags *diag.Diagnostics) {
	if !w.checks() || id == "" {
		return
	}
	var found []string
	for _, user := range w.usersOf(ctx, id) {
		if !w.knows(user) { // by now
			found = append(found, user.name)
		}
	}
	if len(found) == 0 {
		return
	}
	if len(found) > maxUsersNamed {
		found = append(found[:maxUsersNamed], "others")
	}
	diags.AddWarning(labelled("Connection Is in Use", name), fmt.Sprintf(
		"The plan deletes the connection %q (%s). These use it: %s. Terraform deletes those that are in this configuration before it. "+
			"If one of them is not, the apply deletes this configuration's own first, and then fails at the connection, with the code connection_in_use. "+
			"See that all of them are in this configuration, or delete the others before.", name, id, strings.Join(found, ", ")))
}

// knows reports whether the walk has seen a user of a connection, or plans to delete it.
func (w *walk) knows(user connectionUser) bool {
	_, mapping := w.seenMapping(user.id)
	return mapping || w.seenMap(user.id) || w.isLeaving(user.id)
}

// usersOf returns some that use a connection and that the walk does not know. What cannot be asked is left to the apply.
func (w *walk) usersOf(ctx context.Context, id string) []connectionUser {
	var found []connectionUser
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		for _, filter := range []client.MapFilter{{SourceConnection: id}, {DestinationConnection: id}} {
			found = append(found, unknownUsers(w, w.client.Maps(ctx, kind, filter), func(m idmap.Map) connectionUser {
				return connectionUser{m.ID, fmt.Sprintf("%s %q", kind.Label(), m.Name)}
			})...)
		}
	}
	return append(found, unknownUsers(w, w.client.UserMappings(ctx, idmap.UserMappingFilter{ConnectionID: id}), func(m idmap.UserMapping) connectionUser {
		return connectionUser{m.ID, "the mapping " + m.Label()}
	})...)
}

// unknownUsers returns rows that the walk does not know, up to some. An error ends the list.
func unknownUsers[T any](w *walk, rows iter.Seq2[T, error], of func(T) connectionUser) []connectionUser {
	var found []connectionUser
	looked := 0
	for row, err := range rows {
		if err != nil || looked == maxUsersLookedAt || len(found) > maxUsersNamed {
			break
		}
		looked++
		if user := of(row); !w.knows(user) {
			found = append(found, user)
		}
	}
	return found
}
