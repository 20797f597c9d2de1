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
			further, err = readAhead(ctx, r, *ahead)
		}
		return err
	})
	return result, further, err
}

func readAhead(ctx context.Context, r store.Reader, ahead idmap.ReadAhead) (further []idmap.UserMapping, err error) {
	if ahead.Before > 0 {
		before := idmap.UserMappingFilter{ToID: ahead.From}
		if further, err = r.ListUserMappings(ctx, before, idmap.Page{Limit: ahead.Before, Last: true}); err != nil {
			return nil, err
		}
	}
	from, err := r.ListUserMappings(ctx, idmap.UserMappingFilter{FromID: ahead.From, ToID: ahead.To}, idmap.Page{Limit: ahead.Limit})
	return append(further, from...), err
}

func namesTwo(i int, matches []*idmap.UserMapping) idmap.Violation {
	one, two := matches[0], matches[1]
	return idmap.Violation{Code: idmap.CodeInvalid, Field: fmt.Sprintf("items[%d]", i), Description: fmt.Sprintf(
		"The key names two mappings, %s (%s) and %s (%s), from different mail connections. Name the source connection too, or look up by id.",
		one.Label(), one.ID, two.Label(), two.ID)}
}

// foundMappings are mappings by each of their keys that a call can name.
type foundMappings struct {
	byID map[string]*idmap.UserMapping
	// byName has the natural keys. It is only made where somebody asks by one.
	byName map[idmap.UserMappingKey][]*idmap.UserMapping
}

func (f foundMappings) add(m *idmap.UserMapping) {
	if f.byID[m.ID] != nil {
		return
	}
	f.byID[m.ID] = m
	if f.byName == nil {
		return
	}
	source, destination := m.Source.Connection.ID, m.Destination.Connection.ID
	for _, key := range []idmap.UserMappingKey{
		{DestinationConnectionID: destination, UserID: m.UserKey()},
		{DestinationConnectionID: destination, Email: m.EmailCanonical},
		{SourceConnectionID: source, DestinationConnectionID: destination, UserID: m.UserKey()},
		{SourceConnectionID: source, DestinationConnectionID: destination, Email: m.EmailCanonical},
	} {
		f.byName[key] = append(f.byName[key], m)
	}
}

func (f foundMappings) of(key idmap.UserMappingKey) []*idmap.UserMapping {
	key = canonicalKey(key)
	if key.ID == "" {
		return f.byName[key]
	}
	if m := f.byID[key.ID]; m != nil {
		return []*idmap.UserMapping{m}
	}
	return nil
}

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
	found := foundMappings{byID: make(map[string]*idmap.UserMapping, len(keys))}
	ids, connections, users, emails := keySet{}, keySet{}, keySet{}, keySet{}
	for _, key := range keys {
		key = canonicalKey(key)
		if key.ID == "" && found.byName == nil {
			found.byName = map[idmap.UserMappingKey][]*idmap.UserMapping{}
		}
		ids.add("", key.ID)
		connections.add("", key.DestinationConnectionID)
		users.add(key.DestinationConnectionID, key.UserID)
		emails.add(key.DestinationConnectionID, key.Email)
	}
	destinations, err := r.Connections(ctx, connections.of(""))
	if err != nil {
		return found, err
	}
	wanted := store.UserMappingKeys{IDs: ids.of(""), RenamedTo: true}
	for _, c := range destinations {
		for _, email := range emails.of(c.ID) {
			wanted.Emails = append(wanted.Emails, store.EmailKey{EmailScope: rules.EmailScope(c), EmailKey: email})
		}
	}
	all, err := r.UserMappings(ctx, wanted)
	if err != nil {
		return found, err
	}
	for i := range all {
		found.add(&all[i].UserMapping)
	}
	return found, lookUpUsers(ctx, r, users, found)
}

// lookUpUsers adds the mappings of users, whose ids say their connection only.
func lookUpUsers(ctx context.Context, r store.Reader, users keySet, found foundMappings) error {
	for connectionID := range users {
		all, err := r.UserMappingsOf(ctx, connectionID, store.DirectoryKeys{UserKeys: users.of(connectionID)})
		if err != nil {
			return err
		}
		more := make([]*idmap.UserMapping, len(all))
		for i := range all {
			more[i] = &all[i].UserMapping
			found.add(more[i])
		}
		if err := tellRenamed(ctx, r, more); err != nil {
			return err
		}
	}
	return nil
}
