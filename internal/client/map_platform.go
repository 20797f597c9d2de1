package client

import (
	"context"
	"iter"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// publishedMap is a map as a DryvIQ platform has it. All options are sent, also those that are off: whether an update leaves
// alone what it does not name is not published.
type publishedMap struct {
	Type           idmap.MapKind        `json:"type,omitempty"`
	ID             string               `json:"id,omitempty"`
	Name           string               `json:"name"`
	Source         idmap.MapEnd         `json:"source"`
	Destination    idmap.MapEnd         `json:"destination"`
	UnmappedPolicy idmap.UnmappedPolicy `json:"unmapped_policy,omitempty"`
	MapBy          publishedMapBy       `json:"map_by"`
}

type publishedMapBy struct {
	ID                  bool `json:"id"`
	Name                bool `json:"name"`
	Username            bool `json:"username"`
	Email               bool `json:"email"`
	Caption             bool `json:"caption"`
	Default             bool `json:"default"`
	Fuzzy               bool `json:"fuzzy"`
	ExternalPassthrough bool `json:"external_passthrough"`
	Passthrough         bool `json:"passthrough"`
	BuiltIn             bool `json:"built_in"`
	LDAP                bool `json:"ldap"`
}

// publish leaves out what is not published. The values of the policy are not; so the default, which is that of a platform
// too, is not sent.
func publish(kind idmap.MapKind, m idmap.Map) publishedMap {
	end := func(e idmap.MapEnd) idmap.MapEnd {
		if e.Default != nil {
			p := publishPrincipal(kind, *e.Default)
			e.Default = &p
		}
		return e
	}
	p := publishedMap{
		Type: kind, Name: m.Name, Source: end(m.Source), Destination: end(m.Destination), UnmappedPolicy: m.UnmappedPolicy,
		MapBy: publishedMapBy{
			ID: m.MapBy.ID, Name: m.MapBy.Name, Username: m.MapBy.Username, Email: m.MapBy.Email, Caption: m.MapBy.Caption,
			Default: m.MapBy.Default, Fuzzy: m.MapBy.Fuzzy, ExternalPassthrough: m.MapBy.ExternalPassthrough,
			Passthrough: m.MapBy.Passthrough, BuiltIn: m.MapBy.BuiltIn, LDAP: m.MapBy.LDAP,
		},
	}
	if p.UnmappedPolicy == idmap.UnmappedSkip {
		p.UnmappedPolicy = ""
	}
	return p
}

// published is the inverse of publish.
func (p publishedMap) published() idmap.Map {
	return idmap.Map{
		ID: p.ID, Name: p.Name, Source: p.Source, Destination: p.Destination, UnmappedPolicy: orDefault(p.UnmappedPolicy, idmap.UnmappedSkip),
		MapBy: idmap.MapBy{
			ID: p.MapBy.ID, Name: p.MapBy.Name, Username: p.MapBy.Username, Email: p.MapBy.Email, Caption: p.MapBy.Caption,
			Default: p.MapBy.Default, Fuzzy: p.MapBy.Fuzzy, ExternalPassthrough: p.MapBy.ExternalPassthrough,
			Passthrough: p.MapBy.Passthrough, BuiltIn: p.MapBy.BuiltIn, LDAP: p.MapBy.LDAP,
		},
	}
}

// publishPrincipal names an account or a group in the way that a platform reads: by a name that is an email, or else by a
// name that stands as the id too.
func publishPrincipal(kind idmap.MapKind, p idmap.Principal) idmap.Principal {
	out := idmap.Principal{Type: kind.Entry(), ID: p.ID, Name: p.Text(), Caption: p.Caption}
	address := strings.Contains(out.Name, "@")
	if kind == idmap.AccountMap {
		out.Username = p.Username
	}
	switch {
	case address && kind == idmap.AccountMap:
		out.Email = orDefault(p.Email, out.Name)
	case !address:
		out.ID = orDefault(p.ID, out.Name)
	}
	return out
}

// publishedMap reads a map of a platform with its items.
func (c *Client) publishedMap(ctx context.Context, kind idmap.MapKind, id string) (idmap.Map, error) {
	p, err := call[publishedMap](ctx, c, get(collection(kind), id), string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	var all []idmap.MapItem
	for _, role := range itemRoles {
		items, err := c.publishedItems(ctx, kind, id, role)
		if err != nil {
			return idmap.Map{}, err
		}
		all = append(all, items...)
	}
	return p.published().WithItems(all), nil
}

// publishedMaps filters by itself what a platform has no filter for.
func (c *Client) publishedMaps(ctx context.Context, kind idmap.MapKind, f MapFilter) iter.Seq2[idmap.Map, error] {
	return func(yield func(idmap.Map, error) bool) {
		query := params("q", orDefault(f.Query, f.Name))
		for p, err := range list[publishedMap](ctx, c, collection(kind), query, collection(kind)) {
			m := p.published()
			if err != nil {
				m = idmap.Map{}
			}
			if (err != nil || f.selects(m)) && !yield(m, err) {
				return
			}
		}
	}
}

// publishMap creates a map and then its items. A POST is not repeated: a platform knows no Idempotency-Key.
func (c *Client) publishMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) (idmap.Map, error) {
	r := post(publish(kind, m), collection(kind))
	r.once, r.timeout = true, uploadTimeout
	a, err := c.do(ctx, r)
	if err != nil {
		return idmap.Map{}, err
	}
	p, _, err := decode[publishedMap](a, string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	if p.ID == "" {
		return idmap.Map{}, foreign(a, "its "+string(kind)+" has no id")
	}
	return p.published(), c.appendItems(ctx, kind, p.ID, m.Items())
}

// republishMap replaces a map, and then changes its items into those that are wanted.
func (c *Client) republishMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) (idmap.Map, error) {
	r := put(publish(kind, m), 0, collection(kind), m.ID)
	r.timeout = uploadTimeout
	p, err := call[publishedMap](ctx, c, r, string(kind))
	if err != nil {
		return idmap.Map{}, err
	}
	p.ID = m.ID
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
	return p.published(), nil
}

// changeItems removes before it adds: a map has each account once.
func (c *Client) changeItems(ctx context.Context, kind idmap.MapKind, id string, role idmap.ItemRole, wanted []idmap.MapItem) error {
	stored, err := c.publishedItems(ctx, kind, id, role)
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
		for _, name := range namesOf(item.Subject) {
			called[name] = append(called[name], i)
		}
	}
	kept := make([]bool, len(stored))
	for _, item := range wanted {
		same := func(i int) bool {
			return !kept[i] && names(stored[i].Subject, item.Subject) && names(stored[i].Target, item.Target)
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

// names reports whether what is stored is what was wanted.
func names(stored, wanted idmap.Principal) bool {
	text := idmap.Fold(wanted.Text())
	sameID := wanted.ID == "" || stored.ID == "" || stored.ID == wanted.ID
	return text == "" || sameID && slices.Contains(namesOf(stored), text)
}

// namesOf returns what a principal is called, folded, each once.
func namesOf(p idmap.Principal) []string {
	var all []string
	for _, text := range []string{p.Name, p.Email, p.Username, p.ID, p.Caption} {
		if name := idmap.Fold(text); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
