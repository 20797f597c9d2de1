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
	if c.reads != nil && shareable(id) {
		return c.readGathered(ctx, id)
	}
	return c.readMapping(ctx, id)
}

func (c *Client) readMapping(ctx context.Context, id string) (idmap.UserMapping, error) {
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
	in := idmap.UserMappingIntent{Operation: idmap.OperationCreate, IdempotencyKey: orDefault(key, NewKey()), UserMapping: &m}
	done, err := c.write(ctx, in)
	return done.mapping, done.warnings, err
}

// UpdateUserMapping replaces the mapping of that id. A Revision above zero must be the stored one. The violations are
// warnings.
func (c *Client) UpdateUserMapping(ctx context.Context, m idmap.UserMapping) (idmap.UserMapping, []idmap.Violation, error) {
	in := idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: m.ID, Revision: max(m.Revision, 0), UserMapping: &m}
	done, err := c.write(ctx, in)
	return done.mapping, done.warnings, err
}

// DeleteUserMapping deletes a mapping. A revision above zero must be the stored one. A mapping that does not exist is
// deleted already, which is no error.
func (c *Client) DeleteUserMapping(ctx context.Context, id string, revision int64) error {
	_, err := c.write(ctx, idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: id, Revision: max(revision, 0)})
	return err
}

// written is what a write of a mapping answers; nothing for a delete.
type written struct {
	mapping  idmap.UserMapping
	warnings []idmap.Violation
}

func (c *Client) write(ctx context.Context, in idmap.UserMappingIntent) (written, error) {
	if c.writes != nil && (in.Operation == idmap.OperationCreate || shareable(in.ID)) {
		return c.writes.do(ctx, in)
	}
	return c.writeMapping(ctx, in)
}

// writeMapping makes a write by a request of its own.
func (c *Client) writeMapping(ctx context.Context, in idmap.UserMappingIntent) (done written, err error) {
	var r request
	switch in.Operation {
	case idmap.OperationCreate:
		r = write(in.IdempotencyKey, in.UserMapping, "user_mappings")
	case idmap.OperationUpdate:
		r = put(in.UserMapping, in.Revision, "user_mappings", in.ID)
	case idmap.OperationDelete:
		r = request{revision: in.Revision, segments: []string{"user_mappings", in.ID}, mappings: []string{in.ID}}
		return done, c.remove(ctx, r)
	}
	r.mappings = []string{in.ID}
	done.mapping, done.warnings, err = callWarned[idmap.UserMapping](ctx, c, r, "user_mapping")
	c.ahead.forget(done.mapping.ID) // a repeated create answers one that was there before
	return done, err
}

// ValidateUserMappings returns a verdict for each intent, in their order, without writing anything. The intents see
// each other, and the directories as they are going to be; so they are not split, and the server refuses more than
// idmap.MaxBatch.
func (c *Client) ValidateUserMappings(ctx context.Context, intents []idmap.UserMappingIntent, directories []idmap.ProposedDirectory) ([]idmap.UserMappingVerdict, error) {
	asked := check{intents, directories}
	switch {
	case len(intents) == 0:
		return nil, nil
	case c.checks != nil && asked.shareable():
		return c.checks.do(ctx, asked)
	}
	return c.validate(ctx, asked)
}

// check is a call of ValidateUserMappings.
type check struct {
	intents     []idmap.UserMappingIntent
	directories []idmap.ProposedDirectory
}

// validate makes a check by one request.
func (c *Client) validate(ctx context.Context, asked check) ([]idmap.UserMappingVerdict, error) {
	body := struct {
		items[idmap.UserMappingIntent]
		Directories []idmap.ProposedDirectory `json:"directories,omitempty"`
	}{items[idmap.UserMappingIntent]{asked.intents}, asked.directories}
	r := post(body, "user_mappings", "validate")
	return c.verdicts(ctx, about(r, asked.intents), len(asked.intents))
}

// ApplyUserMappings makes the writes in one transaction, all or nothing, under an Idempotency-Key. It returns a verdict
// for each intent, in their order. A refusal names the items at fault in the fields of its violations, as "items[3].".
// The server refuses more than idmap.MaxBatch intents.
func (c *Client) ApplyUserMappings(ctx context.Context, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	r := write(key, items[idmap.UserMappingIntent]{intents}, "user_mappings", "batch")
	return c.verdicts(ctx, about(r, intents), len(intents))
}

// ApplyUserMappingsSeparately makes each of the writes that can be made, whatever becomes of the others. It returns a
// verdict for each intent, in their order; one with violations was not made. A create repeats under the Idempotency-Key of
// its intent. The server refuses more than idmap.MaxBatch intents.
func (c *Client) ApplyUserMappingsSeparately(ctx context.Context, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	return c.verdicts(ctx, separately(key, intents), len(intents))
}

func separately(key string, intents []idmap.UserMappingIntent) request {
	body := struct {
		items[idmap.UserMappingIntent]
		Separate bool `json:"separate"`
	}{items[idmap.UserMappingIntent]{intents}, true}
	return about(write(key, body, "user_mappings", "batch"), intents)
}

// about is the request with the mappings that the intents name.
func about(r request, intents []idmap.UserMappingIntent) request {
	for _, in := range intents {
		r.mappings = append(r.mappings, in.ID)
	}
	return r
}

// verdicts makes a call that answers a verdict for each intent.
func (c *Client) verdicts(ctx context.Context, r request, want int) ([]idmap.UserMappingVerdict, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return c.verdictsOf(a, want)
}

func (c *Client) verdictsOf(a *answer, want int) ([]idmap.UserMappingVerdict, error) {
	verdicts, err := each[idmap.UserMappingVerdict](a, "user_mapping_verdicts", want)
	for _, verdict := range verdicts {
		for _, v := range verdict.Violations {
			c.ahead.forgetConflict(v)
		}
	}
	return verdicts, err
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
	return each[T](a, nouns, want)
}

func each[T any](a *answer, nouns string, want int) ([]T, error) {
	objects, _, err := decode[[]T](a, nouns)
	if err != nil {
		return nil, err
	}
	if len(objects) != want {
		return nil, foreign(a, fmt.Sprintf("it has %d %s for %d items", len(objects), nouns, want))
	}
	return objects, nil
}
