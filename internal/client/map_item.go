package client

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// publishedItem is an exception or an exclusion of a DryvIQ platform, as it reads and writes them.
type publishedItem struct {
	ID          string           `json:"id,omitempty"`
	Source      *idmap.Principal `json:"source,omitempty"`
	Destination *idmap.Principal `json:"destination,omitempty"`
	Location    idmap.Location   `json:"location,omitempty"`
	SID         *idmap.Principal `json:"sid,omitempty"`
}

func publishItem(kind idmap.MapKind, item idmap.MapItem) publishedItem {
	subject, target := publishPrincipal(kind, item.Subject), publishPrincipal(kind, item.Target)
	if item.Role == idmap.RoleException {
		return publishedItem{Source: &subject, Destination: &target}
	}
	return publishedItem{Location: item.Exclusion().Location, SID: &subject}
}

func (p publishedItem) item(role idmap.ItemRole) idmap.MapItem {
	item := idmap.MapItem{ID: p.ID, Role: role}
	subject := p.SID
	if role == idmap.RoleException {
		subject = p.Source
	}
	if subject != nil {
		item.Subject = *subject
	}
	if role == idmap.RoleException && p.Destination != nil {
		item.Target = *p.Destination
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

func (c *Client) publishedItems(ctx context.Context, kind idmap.MapKind, mapID string, role idmap.ItemRole) ([]idmap.MapItem, error) {
	var all []idmap.MapItem
	for p, err := range list[publishedItem](ctx, c, "item", params(), itemPath(kind, mapID, role)...) {
		if err != nil {
			return nil, err
		}
		all = append(all, p.item(role))
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
				items[publishedItem]
			}{Append: true}
			for _, item := range chunk {
				body.Items = append(body.Items, publishItem(kind, item))
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
