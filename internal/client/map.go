package client

import (
	"context"
	"iter"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MapFilter selects maps. Fields that are empty or blank select all.
type MapFilter struct {
	Name                  string // the whole name, without regard to case
	Query                 string // in the name
	SourceConnection      string
	DestinationConnection string
}

// Map returns the map of that id with its items.
func (c *Client) Map(ctx context.Context, kind idmap.MapKind, id string) (idmap.Map, error) {
	platform, err := c.Platform(ctx)
	if err != nil {
		return idmap.Map{}, err
	}
	if platform {
		return c.readPlatformMap(ctx, kind, id)
	}
	r := get(collection(kind), id)
	r.query, r.timeout, r.maxBody = params("include", "items"), uploadTimeout, maxMapBody
	return call[idmap.Map](ctx, c, r, string(kind))
}

// Maps returns the maps that the filter selects, without their items. It follows pages as it is read, and ends with the
// first error.
func (c *Client) Maps(ctx context.Context, kind idmap.MapKind, f MapFilter) iter.Seq2[idmap.Map, error] {
	return func(yield func(idmap.Map, error) bool) {
		platform, err := c.Platform(ctx)
		switch {
		case err != nil:
			yield(idmap.Map{}, err)
		case platform:
			c.listPlatformMaps(ctx, kind, f)(yield)
		default:
			query := params("q", f.Query, "name", f.Name, "source_connection", f.SourceConnection, "destination_connection", f.DestinationConnection)
			list[idmap.Map](ctx, c, collection(kind), query, collection(kind))(yield)
		}
	}
}

// CreateMap creates a map with its items under an Idempotency-Key: a repeated call with the key and the same map gives the
// first answer again. It answers the map without items, and warnings. On a DryvIQ platform, which knows no such key and
// takes map and items one after the other, nothing is repeated, and the map may exist where there is an error: then it has
// an ID.
func (c *Client) CreateMap(ctx context.Context, kind idmap.MapKind, key string, m idmap.Map) (idmap.Map, []idmap.Violation, error) {
	platform, err := c.Platform(ctx)
	if err != nil {
		return idmap.Map{}, nil, err
	}
	if platform {
		m, err := c.createPlatformMap(ctx, kind, m)
		return m, nil, err
	}
	r := write(key, mapBody{kind, m}, collection(kind))
	r.timeout = uploadTimeout
	return callWarned[idmap.Map](ctx, c, r, string(kind))
}

// UpdateMap replaces the map of that id, and its items where they are not nil. A Revision above zero must be the stored
// one, but on a DryvIQ platform, which has none. It answers the map without items, and warnings.
func (c *Client) UpdateMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) (idmap.Map, []idmap.Violation, error) {
	platform, err := c.Platform(ctx)
	if err != nil {
		return idmap.Map{}, nil, err
	}
	if platform {
		m, err := c.updatePlatformMap(ctx, kind, m)
		return m, nil, err
	}
	r := put(mapBody{kind, m}, m.Revision, collection(kind), m.ID)
	r.timeout = uploadTimeout
	return callWarned[idmap.Map](ctx, c, r, string(kind))
}

// DeleteMap deletes a map. A revision above zero must be the stored one. A map that does not exist is deleted already,
// which is no error.
func (c *Client) DeleteMap(ctx context.Context, kind idmap.MapKind, id string, revision int64) error {
	return c.remove(ctx, request{revision: revision, segments: []string{collection(kind), id}, timeout: uploadTimeout})
}

// ValidateMaps returns a verdict for each intent, in their order, without writing anything. The intents see each other,
// and the directories as they are going to be; so they are not split, and the server refuses more than it takes at once. On
// a DryvIQ platform, which cannot, it fails with ErrNotSupported.
func (c *Client) ValidateMaps(
	ctx context.Context, kind idmap.MapKind, intents []idmap.MapIntent, directories []idmap.ProposedDirectory,
) ([]idmap.MapVerdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	if err := c.needOurServer(ctx); err != nil {
		return nil, err
	}
	body := struct {
		items[idmap.MapIntent]
		Directories []idmap.ProposedDirectory `json:"directories,omitempty"`
	}{items[idmap.MapIntent]{intents}, directories}
	r := post(body, collection(kind), "validate")
	r.timeout = uploadTimeout
	return callEach[idmap.MapVerdict](ctx, c, r, string(kind)+"_verdicts", len(intents))
}

// mapBody is a map as it is sent.
type mapBody struct {
	Type idmap.MapKind `json:"type"`
	idmap.Map
}

// collection returns the noun of the maps of a kind.
func collection(kind idmap.MapKind) string { return string(kind) + "s" }

// needOurServer is ErrNotSupported on a DryvIQ platform.
func (c *Client) needOurServer(ctx context.Context) error {
	platform, err := c.Platform(ctx)
	if err == nil && platform {
		return ErrNotSupported
	}
	return err
}

// selects reports whether the filter selects the map.
func (f MapFilter) selects(m idmap.Map) bool {
	is := func(wanted, id string) bool { return strings.TrimSpace(wanted) == "" || wanted == id }
	return is(idmap.Fold(f.Name), m.Key()) && strings.Contains(m.Key(), idmap.Fold(f.Query)) &&
		is(f.SourceConnection, m.Source.Connection.ID) && is(f.DestinationConnection, m.Destination.Connection.ID)
}
