package backend

import (
	"context"
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// LookupUserMappings finds mappings by id or by natural key, in the order asked; a missing one is nil. A key that names
// two mappings, of two mail connections, is refused. further are the mappings that ahead asks for, if it is not nil.
func (b *Backend) LookupUserMappings(
	ctx context.Context, keys []idmap.UserMappingKey, ahead *idmap.ReadAhead,
) (result []*idmap.UserMapping, further []idmap.UserMapping, err error) {
	result = make([]*idmap.UserMapping, len(keys))
	err = b.view(ctx, func(r store.Reader) error {
		found, err := lookUpMappings(ctx, r, keys)
		if err != nil {
			return err
		}
		var ambiguous []idmap.Violation
		for i, key := range keys {
			matches := found.of(key)
			if len(matches) > 1 {
				ambiguous = append(ambiguous, namesTwo(i, matches))
			} else if len(matches) == 1 {
				result[i] = matches[0]
			}
		}
		if err := idmap.Refuse(ambiguous...); err != nil {
			return err
		}
		if ahead != nil {
			filter := idmap.UserMappingFilter{FromID: ahead.From, ToID: ahead.To}
			if further, err = r.ListUserMappings(ctx, filter, idmap.Page{Limit: ahead.Limit}); err != nil {
				return err
			}
		}
		return tellRenamed(ctx, r, append(pointers(further), result...))
	})
	return result, further, err
}

func namesTwo(i int, matches []*idmap.UserMapping) idmap.Violation {
	one, two := matches[0], matches[1]
	return idmap.Violation{Code: idmap.CodeInvalid, Field: fmt.Sprintf("items[%d]", i), Description: fmt.Sprintf(
		"The key names two mappings, %s (%s) and %s (%s), from different mail connections. Name the source connection too, or look up by id.",
		one.Label(), one.ID, two.Label(), two.ID)}
}

// foundMappings are mappings by each of their keys.
type foundMappings map[idmap.UserMappingKey][]*idmap.UserMapping

func (f foundMappings) add(m *idmap.UserMapping) {
	source, destination := m.Source.Connection.ID, m.Destination.Connection.ID
	for _, key := range []idmap.UserMappingKey{
		{ID: m.ID},
		{DestinationConnectionID: destination, UserID: m.UserKey()},
		{DestinationConnectionID: destination, Email: m.EmailCanonical},
		{SourceConnectionID: source, DestinationConnectionID: destination, UserID: m.UserKey()},
		{SourceConnectionID: source, DestinationConnectionID: destination, Email: m.EmailCanonical},
	} {
		f[key] = append(f[key], m)
	}
}

func (f foundMappings) of(key idmap.UserMappingKey) []*idmap.UserMapping { return f[canonicalKey(key)] }

// canonicalKey returns the key as add knows it: the id alone, else the user id alone, else the email.
func canonicalKey(key idmap.UserMappingKey) idmap.UserMappingKey {
	switch {
	case key.ID != "":
		return idmap.UserMappingKey{ID: key.ID}
	case key.UserID != "":
		key.UserID, key.Email = idmap.Fold(key.UserID), ""
	default:
		key.Email, _ = idmap.CanonicalEmail(key.Email)
	}
	return key
}

func lookUpMappings(ctx context.Context, r store.Reader, keys []idmap.UserMappingKey) (foundMappings, error) {
	ids, connections, users, emails := keySet{}, keySet{}, keySet{}, keySet{}
	for _, key := range keys {
		key = canonicalKey(key)
		ids.add("", key.ID)
		connections.add("", key.DestinationConnectionID)
		users.add(key.DestinationConnectionID, key.UserID)
		emails.add(key.DestinationConnectionID, key.Email)
	}
	destinations, err := r.Connections(ctx, connections.of(""))
	if err != nil {
		return nil, err
	}
	wanted := store.UserMappingKeys{IDs: ids.of("")}
	for _, c := range destinations {
		for _, email := range emails.of(c.ID) {
			wanted.Emails = append(wanted.Emails, store.EmailKey{EmailScope: rules.EmailScope(c), EmailKey: email})
		}
	}
	all, err := r.UserMappings(ctx, wanted)
	for connectionID := range users {
		if err != nil {
			return nil, err
		}
		var more []store.UserMapping
		more, err = r.UserMappingsOf(ctx, connectionID, store.DirectoryKeys{UserKeys: users.of(connectionID)})
		all = append(all, more...)
	}
	return indexed(all), err
}

func indexed(all []store.UserMapping) foundMappings {
	found, seen := foundMappings{}, map[string]bool{}
	for _, m := range all {
		if !seen[m.ID] {
			seen[m.ID] = true
			found.add(&m.UserMapping)
		}
	}
	return found
}
