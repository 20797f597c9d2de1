package backend

import (
	"context"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// MapItems lists items of a map.
func (b *Backend) MapItems(
	ctx context.Context, kind idmap.MapKind, mapID string, f idmap.MapItemFilter, page idmap.Page,
) (List[idmap.MapItem], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.MapItem, error) {
			if _, err := storedMap(ctx, r, kind, mapID); err != nil {
				return nil, err
			}
			return r.ListMapItems(ctx, mapID, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountMapItems(ctx, mapID, f) })
}

// MapItem returns one item of a map that has one of the roles.
func (b *Backend) MapItem(ctx context.Context, kind idmap.MapKind, mapID string, roles []idmap.ItemRole, id string) (idmap.MapItem, error) {
	var found idmap.MapItem
	err := b.view(ctx, func(r store.Reader) error {
		if _, err := storedMap(ctx, r, kind, mapID); err != nil {
			return err
		}
		var err error
		found, err = storedItem(ctx, r, mapID, roles, id)
		return err
	})
	return found, err
}

func storedItem(ctx context.Context, r store.Reader, mapID string, roles []idmap.ItemRole, id string) (idmap.MapItem, error) {
	found, err := r.ListMapItems(ctx, mapID, idmap.MapItemFilter{Roles: roles, IDs: []string{id}}, idmap.Page{Limit: 1})
	if err != nil {
		return idmap.MapItem{}, err
	}
	if len(found) == 0 {
		return idmap.MapItem{}, idmap.NotFound(itemKind(roles), id)
	}
	return found[0], nil
}

func itemKind(roles []idmap.ItemRole) string {
	if slices.Contains(roles, idmap.RoleException) {
		return "exception"
	}
	return "exclusion"
}
