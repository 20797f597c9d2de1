package client

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// itemWire is an exception or an exclusion as a DryvIQ platform reads and writes it.
type itemWire struct {
	ID          string           `json:"id,omitempty"`
	Source      *idmap.Principal `json:"source,omitempty"`
	Destination *idmap.Principal `json:"destination,omitempty"`
	Location    idmap.Location   `json:"location,omitempty"`
	SID         *idmap.Principal `json:"sid,omitempty"`
}

func itemToWire(kind idmap.MapKind, item idmap.MapItem) itemWire {
	subject, target := principalToWire(kind, item.Subject), principalToWire(kind, item.Target)
	if item.Role == idmap.RoleException {
		return itemWire{Source: &subject, Destination: &target}
	}
	return itemWire{Location: item.Exclusion().Location, SID: &subject}
}

func itemFromWire(role idmap.ItemRole, w itemWire) idmap.MapItem {
	item := idmap.MapItem{ID: w.ID, Role: role}
	subject := w.SID
	if role == idmap.RoleException {
		subject = w.Source
	}
	if subject != nil {
		item.Subject = *subject
	}
	if role == idmap.RoleException && w.Destination != nil {
		item.Target = *w.Destination
	}
	return item
}

var itemRoles = []idmap.ItemRole{idmap.RoleException, idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion}

// itemPath is where the items of a role are.
func itemPath(kind idmap.MapKind, mapID string, role idmap.ItemRole) []string {
	path := []string{collection(kind), mapID}
	switch role {
	case idmap.RoleSourceExclusion:
		return append(path, "exclusions", "source")
	case idmap.RoleDestinationExclusion:
		return append(path, "exclusions", "destination")
	default:
		return append(path, "exceptions")
	}
}

func (c *Client) readItems(ctx context.Context, kind idmap.MapKind, mapID string, role idmap.ItemRole) ([]idmap.MapItem, error) {
	var all []idmap.MapItem
	for w, err := range list[itemWire](ctx, c, "item", params(), itemPath(kind, mapID, role)...) {
		if err != nil {
			return nil, err
		}
		all = append(all, itemFromWire(role, w))
	}
	return all, nil
}

// appendItems adds items to a map, so many in each call as a page has.
func (c *Client) appendItems(ctx context.Context, kind idmap.MapKind, mapID string, added []idmap.MapItem) error {
	some := byRole(added)
	for _, role := range itemRoles {
		for chunk := range slices.Chunk(some[role], idmap.MaxBatch) {
			body := struct {
				Append bool `json:"append"`
				items[itemWire]
			}{Append: true}
			for _, item := range chunk {
				body.Items = append(body.Items, itemToWire(kind, item))
			}
			r := post(body, itemPath(kind, mapID, role)...)
			r.once, r.timeout = true, uploadTimeout
			if _, err := c.do(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func byRole(all []idmap.MapItem) map[idmap.ItemRole][]idmap.MapItem {
	roles := map[idmap.ItemRole][]idmap.MapItem{}
	for _, item := range all {
		roles[item.Role] = append(roles[item.Role], item)
	}
	return roles
}
