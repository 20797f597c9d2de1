package client

import (
	"context"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// readPlatformMap reads a map of a platform with its items.
func (c *Client) readPlatformMap(ctx context.Context, kind idmap.MapKind, id string) (idmap.Map, error) {
	w, err := call[mapWire](ctx, c, get(collection(kind), id), string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	var all []idmap.MapItem
	for _, role := range itemRoles {
		items, err := c.readItems(ctx, kind, id, role)
		if err != nil {
			return idmap.Map{}, err
		}
		all = append(all, items...)
	}
	return mapFromWire(w).WithItems(all), nil
}

// listPlatformMaps filters by itself what a platform has no filter for.
func (c *Client) listPlatformMaps(ctx context.Context, kind idmap.MapKind, f MapFilter) iter.Seq2[idmap.Map, error] {
	return func(yield func(idmap.Map, error) bool) {
		query := params("q", orDefault(f.Query, f.Name))
		for w, err := range list[mapWire](ctx, c, collection(kind), query, collection(kind)) {
			m := mapFromWire(w)
			if err != nil {
				m = idmap.Map{}
			}
			if (err != nil || f.selects(m)) && !yield(m, err) {
				return
			}
		}
	}
}

// createPlatformMap creates a map and then its items. A POST is not repeated: a platform knows no Idempotency-Key.
func (c *Client) createPlatformMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) (idmap.Map, error) {
	r := post(newMapToWire(kind, m), collection(kind))
	r.once, r.timeout = true, uploadTimeout
	a, err := c.do(ctx, r)
	if err != nil {
		return idmap.Map{}, err
	}
	w, _, err := decode[mapWire](a, string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	if w.ID == "" {
		return idmap.Map{}, foreign(a, "its "+string(kind)+" has no id")
	}
	return mapFromWire(w), c.appendItems(ctx, kind, w.ID, m.Items())
}

// updatePlatformMap replaces a map, and then changes its items into those that are wanted.
func (c *Client) updatePlatformMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) (idmap.Map, error) {
	r := put(mapToWire(kind, m), 0, collection(kind), m.ID)
	r.timeout = uploadTimeout
	w, err := call[mapWire](ctx, c, r, string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	w.ID = m.ID
	var roles []idmap.ItemRole
	if m.Exceptions != nil {
		roles = append(roles, idmap.RoleException)
	}
	if m.Exclusions != nil {
		roles = append(roles, idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion)
	}
	wanted := byRole(m.Items())
	for _, role := range roles {
		if err := c.changeItems(ctx, kind, m.ID, role, wanted[role]); err != nil {
			return idmap.Map{}, err
		}
	}
	return mapFromWire(w), nil
}

// changeItems removes before it adds: a map has each account once.
func (c *Client) changeItems(ctx context.Context, kind idmap.MapKind, id string, role idmap.ItemRole, wanted []idmap.MapItem) error {
	stored, err := c.readItems(ctx, kind, id, role)
	if err != nil {
		return err
	}
	gone, added := difference(stored, wanted)
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(DefaultMaxConcurrentRequests)
	for _, item := range gone {
		group.Go(func() error { return c.delete(ctx2, 0, append(itemPath(kind, id, role), item.ID)...) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.appendItems(ctx, kind, id, added)
}

// difference returns the stored items that are not wanted, and those that are wanted and not stored. A platform may have
// completed what was sent to it: an item is what was wanted if it is called so in any of its fields.
func difference(stored, wanted []idmap.MapItem) (gone, added []idmap.MapItem) {
	called := map[string][]int{}
	for i, item := range stored {
		for _, name := range foldedNames(item.Subject) {
			called[name] = append(called[name], i)
		}
	}
	kept := make([]bool, len(stored))
	for _, item := range wanted {
		same := func(i int) bool {
			return !kept[i] && matches(stored[i].Subject, item.Subject) && matches(stored[i].Target, item.Target)
		}
		candidates := called[idmap.Fold(item.Subject.Text())]
		if at := slices.IndexFunc(candidates, same); at >= 0 {
			kept[candidates[at]] = true
			continue
		}
		added = append(added, item)
	}
	for i, item := range stored {
		if !kept[i] {
			gone = append(gone, item)
		}
	}
	return gone, added
}

// matches reports whether what is stored is what was wanted.
func matches(stored, wanted idmap.Principal) bool {
	text := idmap.Fold(wanted.Text())
	sameID := wanted.ID == "" || stored.ID == "" || stored.ID == wanted.ID
	return text == "" || sameID && slices.Contains(foldedNames(stored), text)
}

// foldedNames returns what a principal is called, folded, each once.
func foldedNames(p idmap.Principal) []string {
	var all []string
	for _, text := range []string{p.Name, p.Email, p.Username, p.ID, p.Caption} {
		if name := idmap.Fold(text); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
