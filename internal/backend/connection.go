package backend

import (
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindConnection = "connection"

// Connection returns one connection.
func (b *Backend) Connection(ctx context.Context, id string) (idmap.Connection, error) {
	var found idmap.Connection
	err := b.view(ctx, func(r store.Reader) (err error) {
		found, err = connection(ctx, r, id)
		return err
	})
	return found, err
}

func connection(ctx context.Context, r store.Reader, id string) (idmap.Connection, error) {
	found, err := r.Connections(ctx, []string{id})
	if err != nil {
		return idmap.Connection{}, err
	}
	if len(found) == 0 {
		return idmap.Connection{}, idmap.NotFound(kindConnection, id)
	}
	return withFeatures(found[0]), nil
}

func withFeatures(c idmap.Connection) idmap.Connection {
	if p, ok := idmap.PlatformByID(c.Platform.ID); ok {
		c.Features = &p.Features
	}
	return c
}

// Connections lists connections.
func (b *Backend) Connections(ctx context.Context, f idmap.ConnectionFilter, page idmap.Page) (List[idmap.Connection], error) {
	found, err := list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Connection, error) {
			return r.ListConnections(ctx, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountConnections(ctx, f) })
	for i := range found.Items {
		found.Items[i] = withFeatures(found.Items[i])
	}
	return found, err
}

// CreateConnection stores a new connection. The caller may choose its id.
func (b *Backend) CreateConnection(ctx context.Context, call Call, c idmap.Connection) (idmap.Connection, error) {
	var made idmap.Connection
	err := b.update(ctx, func(tx store.Tx) (err error) {
		made, err = once(ctx, b, tx, call, c, func() (idmap.Connection, string, error) {
			stored, err := b.insertConnection(ctx, tx, call, c)
			return stored, stored.ID, err
		})
		return err
	})
	return made, err
}

func (b *Backend) insertConnection(ctx context.Context, tx store.Tx, call Call, c idmap.Connection) (idmap.Connection, error) {
	now := b.now()
	c = c.WithDefaults()
	c.Directory, c.Features, c.Revision, c.CreatedOn, c.ModifiedOn = nil, nil, 1, &now, &now
	violations := rules.CheckConnection(c)
	if c.ID == "." || c.ID == ".." {
		violations = append(violations, idmap.Violation{Code: idmap.CodeInvalid, Field: "id", Description: "The id cannot be a dot segment, which no address of the API can name. Leave it out, or choose another."})
	}
	if err := idmap.PlainText(c.ID, 255); err != nil {
		violations = append(violations, idmap.Violation{Code: idmap.CodeInvalid, Field: "id", Description: fmt.Sprintf("The id cannot be stored: %s.", err)})
	}
	if c.ID == "" {
		c.ID = b.opts.NewID()
	} else if taken, err := tx.Connections(ctx, []string{c.ID}); err != nil {
		return c, err
	} else if len(taken) > 0 {
		violations = append(violations, idmap.Violation{
			Code: idmap.CodeIDInUse, Field: "id", Conflict: &idmap.Conflict{Kind: kindConnection, ID: c.ID, Holder: taken[0].Name},
			Description: fmt.Sprintf("The id %s is that of connection %q. Leave the id out, or choose another.", c.ID, taken[0].Name),
		})
	}
	clash, err := nameClash(ctx, tx, c)
	if err != nil {
		return c, err
	}
	if err := idmap.Refuse(append(violations, clash...)...); err != nil {
		return c, err
	}
	if err := tx.InsertConnection(ctx, c); err != nil {
		return c, err
	}
	return withFeatures(c), tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "create", kindConnection, c.ID, nil, c, "")})
}

func nameClash(ctx context.Context, r store.Reader, c idmap.Connection) ([]idmap.Violation, error) {
	if c.Key() == "" {
		return nil, nil
	}
	same, err := r.ListConnections(ctx, idmap.ConnectionFilter{Key: c.Key()}, idmap.Page{Limit: 1})
	if err != nil || len(same) == 0 || same[0].ID == c.ID {
		return nil, err
	}
	return []idmap.Violation{{
		Code: idmap.CodeNameInUse, Field: "name", Conflict: &idmap.Conflict{Kind: kindConnection, ID: same[0].ID, Holder: same[0].Name},
		Description: fmt.Sprintf("There is a connection %q already (%s). Take another name; if it is the one you mean, import it.", same[0].Name, same[0].ID),
	}}, nil
}

// UpdateConnection writes what change makes of the stored connection. revision is the one that the caller saw, 0 for
// any. An update that changes nothing succeeds at every revision: it may repeat one whose answer was lost.
func (b *Backend) UpdateConnection(
	ctx context.Context, call Call, id string, revision int64, change func(idmap.Connection) (idmap.Connection, error),
) (idmap.Connection, error) {
	var result idmap.Connection
	err := b.update(ctx, func(tx store.Tx) error {
		before, err := connection(ctx, tx, id)
		if err != nil {
			return err
		}
		wanted, err := change(before)
		if err != nil {
			return err
		}
		after := withSettings(before, wanted)
		if after == before {
			result = before
			return nil
		}
		if revision != 0 && revision != before.Revision {
			return idmap.Refuse(revisionConflict(kindConnection, id, before.Revision, revision))
		}
		result, err = b.storeConnection(ctx, tx, call, before, after)
		return err
	})
	return result, err
}

// withSettings returns the connection with all that a caller can set as it is wanted, and the defaults for what was left
// out.
func withSettings(c, wanted idmap.Connection) idmap.Connection {
	c.Name, c.Platform, c.Authoritative, c.MailDomain = wanted.Name, wanted.Platform, wanted.Authoritative, wanted.MailDomain
	c.SignInDisabled, c.SignInMapping = wanted.SignInDisabled, wanted.SignInMapping
	c.OnSignOut, c.SignInHistoryDays = wanted.OnSignOut, wanted.SignInHistoryDays
	return c.WithDefaults()
}

func (b *Backend) storeConnection(ctx context.Context, tx store.Tx, call Call, before, after idmap.Connection) (idmap.Connection, error) {
	clash, err := nameClash(ctx, tx, after)
	if err != nil {
		return after, err
	}
	violations := append(rules.CheckConnection(after), rules.CheckConnectionUpdate(before, after)...)
	if err := idmap.Refuse(append(violations, clash...)...); err != nil {
		return after, err
	}
	now := b.now()
	after.Revision, after.ModifiedOn = before.Revision+1, &now
	if err := tx.UpdateConnection(ctx, after); err != nil {
		return after, err
	}
	return after, tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "update", kindConnection, after.ID, before, after, "")})
}

// DeleteConnection removes a connection with its directory. The address ledger stays. It is refused while mappings
// or maps use the connection.
func (b *Backend) DeleteConnection(ctx context.Context, call Call, id string, revision int64) error {
	return b.update(ctx, func(tx store.Tx) error {
		before, err := connection(ctx, tx, id)
		if err != nil {
			return err
		}
		if revision != 0 && revision != before.Revision {
			return idmap.Refuse(revisionConflict(kindConnection, id, before.Revision, revision))
		}
		if err := refuseInUse(ctx, tx, before); err != nil {
			return err
		}
		if err := tx.DeleteConnection(ctx, id); err != nil {
			return err
		}
		if err := tx.ForgetIdempotencyKeys(ctx, []string{id}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "delete", kindConnection, id, before, nil, "")})
	})
}

func refuseInUse(ctx context.Context, r store.Reader, c idmap.Connection) error {
	mappings, err := usedByMappings(ctx, r, c)
	if err != nil {
		return err
	}
	accountMaps, err := usedByMaps(ctx, r, idmap.AccountMap, c)
	if err != nil {
		return err
	}
	groupMaps, err := usedByMaps(ctx, r, idmap.GroupMap, c)
	if err != nil {
		return err
	}
	return idmap.Refuse(slices.Concat(mappings, accountMaps, groupMaps)...)
}

func usedByMappings(ctx context.Context, r store.Reader, c idmap.Connection) ([]idmap.Violation, error) {
	f := idmap.UserMappingFilter{ConnectionID: c.ID}
	using, err := r.ListUserMappings(ctx, f, idmap.Page{Limit: 1})
	if err != nil || len(using) == 0 {
		return nil, err
	}
	count, err := r.CountUserMappings(ctx, f)
	return inUse(c, "user mappings", count, idmap.Conflict{Kind: kindUserMapping, ID: using[0].ID, Holder: using[0].Label()}), err
}

func usedByMaps(ctx context.Context, r store.Reader, kind idmap.MapKind, c idmap.Connection) ([]idmap.Violation, error) {
	f := idmap.MapFilter{Kind: kind, ConnectionID: c.ID}
	using, err := r.ListMaps(ctx, f, idmap.Page{Limit: 1})
	if err != nil || len(using) == 0 {
		return nil, err
	}
	count, err := r.CountMaps(ctx, f)
	return inUse(c, kind.Label()+"s", count, idmap.Conflict{Kind: string(kind), ID: using[0].ID, Holder: using[0].Name}), err
}

func inUse(c idmap.Connection, what string, count int, first idmap.Conflict) []idmap.Violation {
	return []idmap.Violation{{
		Code: idmap.CodeConnectionInUse, Conflict: &first,
		Description: fmt.Sprintf("Connection %q is in use by %s (%d), the first of which is %s (%s). Delete them first.", c.Name, what, count, first.Holder, first.ID),
	}}
}
