package client

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// UserMapping returns the mapping of that id.
func (c *Client) UserMapping(ctx context.Context, id string) (idmap.UserMapping, error) {
	return call[idmap.UserMapping](ctx, c, get("user_mappings", id), "user_mapping")
}

// LookupUserMappings returns the mappings of the keys, in their order; nil for those that do not exist. It makes one
// request for every idmap.MaxBatch keys.
func (c *Client) LookupUserMappings(ctx context.Context, keys []idmap.UserMappingKey) ([]*idmap.UserMapping, error) {
	found := make([]*idmap.UserMapping, 0, len(keys))
	for chunk := range slices.Chunk(keys, idmap.MaxBatch) {
		r := post(items[idmap.UserMappingKey]{Items: chunk}, "user_mappings", "lookup")
		part, err := callEach[*idmap.UserMapping](ctx, c, r, "user_mappings", len(chunk))
		if err != nil {
			return nil, err
		}
		found = append(found, part...)
	}
	return found, nil
}

// UserMappings returns the mappings that the filter selects. It follows pages as it is read, and ends with the first
// error.
func (c *Client) UserMappings(ctx context.Context, f idmap.UserMappingFilter) iter.Seq2[idmap.UserMapping, error] {
	query := params(
		"q", f.Query,
		"connection", f.ConnectionID,
		"source_connection", f.SourceConnectionID,
		"destination_connection", f.DestinationConnectionID,
		"email", f.EmailKey,
		"user_id", f.UserKey,
		"account", f.AccountID,
		"origin", string(f.Origin),
		"domain", f.Domain,
	)
	return list[idmap.UserMapping](ctx, c, "user_mappings", query, "user_mappings")
}

// CreateUserMapping creates a mapping under an Idempotency-Key: a repeated call with the key and the same mapping gives
// the first answer again. The violations are warnings.
func (c *Client) CreateUserMapping(ctx context.Context, key string, m idmap.UserMapping) (idmap.UserMapping, []idmap.Violation, error) {
	return callWarned[idmap.UserMapping](ctx, c, write(key, m, "user_mappings"), "user_mapping")
}

// UpdateUserMapping replaces the mapping of that id. A Revision above zero must be the stored one. The violations are
// warnings.
func (c *Client) UpdateUserMapping(ctx context.Context, m idmap.UserMapping) (idmap.UserMapping, []idmap.Violation, error) {
	return callWarned[idmap.UserMapping](ctx, c, put(m, m.Revision, "user_mappings", m.ID), "user_mapping")
}

// DeleteUserMapping deletes a mapping. A revision above zero must be the stored one. A mapping that does not exist is
// deleted already, which is no error.
func (c *Client) DeleteUserMapping(ctx context.Context, id string, revision int64) error {
	return c.delete(ctx, revision, "user_mappings", id)
}

// ValidateUserMappings returns a verdict for each intent, in their order, without writing anything. The intents see
// each other, and the directories as they are going to be; so they are not split, and the server refuses more than
// idmap.MaxBatch.
func (c *Client) ValidateUserMappings(ctx context.Context, intents []idmap.UserMappingIntent, directories []idmap.ProposedDirectory) ([]idmap.UserMappingVerdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	body := struct {
		items[idmap.UserMappingIntent]
		Directories []idmap.ProposedDirectory `json:"directories,omitempty"`
	}{items[idmap.UserMappingIntent]{intents}, directories}
	r := post(body, "user_mappings", "validate")
	return callEach[idmap.UserMappingVerdict](ctx, c, r, "user_mapping_verdicts", len(intents))
}

// ApplyUserMappings makes the writes in one transaction, all or nothing, under an Idempotency-Key. It returns a verdict
// for each intent, in their order. A refusal names the items at fault in the fields of its violations, as "items[3].".
// The server refuses more than idmap.MaxBatch intents.
func (c *Client) ApplyUserMappings(ctx context.Context, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	r := write(key, items[idmap.UserMappingIntent]{intents}, "user_mappings", "batch")
	return callEach[idmap.UserMappingVerdict](ctx, c, r, "user_mapping_verdicts", len(intents))
}

type items[T any] struct {
	Items []T `json:"items"`
}

// callEach makes a call that answers one object for each item asked. Were there more or fewer, an object would be
// taken for that of another item.
func callEach[T any](ctx context.Context, c *Client, r request, nouns string, want int) ([]T, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	objects, _, err := decode[[]T](a, nouns)
	if err != nil {
		return nil, err
	}
	if len(objects) != want {
		return nil, foreign(a, fmt.Sprintf("it has %d %s for %d items", len(objects), nouns, want))
	}
	return objects, nil
}
