package client

import (
	"context"
	"errors"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// gather lets calls about mappings share requests from now on.
func (c *Client) gather() {
	gone := func(ctx context.Context) error { return c.failure(ctx, &callState{}, ctx.Err()) }
	c.ahead = newReadAhead()
	c.reads = &gatherer[string, idmap.UserMapping]{
		alone: c.readAlone, together: c.readTogether, admit: anyIDs, gone: gone, came: make(chan struct{}, 1),
	}
	c.checks = &gatherer[check, []idmap.UserMappingVerdict]{
		alone: c.validate, together: c.validateTogether, admit: fittingChecks, sparing: c.attempts.short.Load, gone: gone, came: make(chan struct{}, 1), crew: crew{two: true},
	}
	c.writes = &gatherer[idmap.UserMappingIntent, written]{
		alone: c.writeMapping, together: c.writeTogether, admit: distinctWrites, sparing: c.attempts.short.Load, gone: gone, came: make(chan struct{}, 1), crew: crew{two: true},
	}
}

// shareable reports whether the id can be one of a mapping. Any other is asked for alone: what its path becomes on the way
// is not what it would be as JSON, and a database may fail at it.
func shareable(id string) bool {
	return id != "" && id != "." && id != ".." && len(id) <= 255 && printable(id)
}

// anyIDs admits as many reads as a request takes.
func anyIDs() func(string) bool {
	n := 0
	return func(string) bool { n++; return n <= idmap.MaxBatch }
}

// readGathered looks among the mappings that were read ahead, and asks for what is not there.
func (c *Client) readGathered(ctx context.Context, id string) (idmap.UserMapping, error) {
	if ctx.Err() == nil {
		if m, here := c.ahead.take(id); here {
			return m, nil
		}
	}
	return c.reads.do(ctx, id)
}

// readAlone is a read that nobody shares. Where it is time to read ahead, it looks the mapping up, since that can.
func (c *Client) readAlone(ctx context.Context, id string) (idmap.UserMapping, error) {
	if m, here := c.ahead.take(id); here {
		return m, nil
	}
	defer c.ahead.count(1)
	if page := c.ahead.next([]string{id}); page != nil {
		found, err := c.lookUp(ctx, []string{id}, page)
		if !refusesRequest(err) {
			if err != nil {
				return idmap.UserMapping{}, err
			}
			return found[0].out, found[0].err
		}
	}
	return c.readMapping(ctx, id)
}

// readTogether answers from what was read ahead while the ids waited, and looks the others up.
func (c *Client) readTogether(ctx context.Context, ids []string) ([]outcome[idmap.UserMapping], error) {
	answers := make([]outcome[idmap.UserMapping], len(ids))
	var missing []string
	var at []int
	for i, id := range ids {
		m, here := c.ahead.take(id)
		if answers[i].out = m; !here {
			missing, at = append(missing, id), append(at, i)
		}
	}
	if len(missing) == 0 {
		return answers, nil
	}
	found, err := c.lookUp(ctx, missing, c.ahead.next(missing))
	if err != nil {
		return nil, err
	}
	c.ahead.count(len(found))
	for i, one := range found {
		answers[at[i]] = one
	}
	return answers, nil
}

// lookUp reads the mappings of the ids, and a page ahead if there is one to read.
func (c *Client) lookUp(ctx context.Context, ids []string, ahead *further) (answers []outcome[idmap.UserMapping], err error) {
	body := struct {
		items[idmap.UserMappingKey]
		Ahead *idmap.ReadAhead `json:"ahead,omitempty"`
	}{}
	for _, id := range ids {
		body.Items = append(body.Items, idmap.UserMappingKey{ID: id})
	}
	if ahead != nil {
		body.Ahead = &ahead.ReadAhead
		defer func() {
			if err != nil {
				c.ahead.failed(refusesRequest(err))
			}
		}()
	}
	a, err := c.do(ctx, post(body, "user_mappings", "lookup"))
	if err != nil {
		return nil, err
	}
	found, err := each[*idmap.UserMapping](a, "user_mappings", len(ids))
	if err == nil && ahead != nil {
		var more []idmap.UserMapping
		if more, _, err = decode[[]idmap.UserMapping](a, "ahead"); err == nil {
			c.ahead.arrived(ahead, more, ids)
		}
	}
	if err != nil {
		return nil, err
	}
	return eachFound(a, ids, found), nil
}

// eachFound answers null as the server answers a request for one mapping that does not exist.
func eachFound(a *answer, ids []string, found []*idmap.UserMapping) []outcome[idmap.UserMapping] {
	answers := make([]outcome[idmap.UserMapping], len(ids))
	for i, m := range found {
		if m != nil {
			answers[i].out = *m
		} else {
			answers[i].err = because(a, idmap.NotFound("user_mapping", ids[i]))
		}
	}
	return answers
}

// because adds to a refusal which call it was, for the log.
func because(a *answer, err error) error {
	if e, ok := errors.AsType[*idmap.Error](err); ok {
		e.Err = refusedCall(a)
	}
	return err
}

// distinctWrites admits writes about different mappings, and creates with different keys: which of two is first matters.
func distinctWrites() func(idmap.UserMappingIntent) bool {
	named := map[string]bool{}
	return func(in idmap.UserMappingIntent) bool {
		name := "id " + in.ID
		if in.Operation == idmap.OperationCreate {
			name = "key " + in.IdempotencyKey
		}
		if named[name] || len(named) == idmap.MaxBatch {
			return false
		}
		named[name] = true
		return true
	}
}

// writeTogether makes each of the writes that can be made. Each create has the Idempotency-Key of its call, so that the
// call may be repeated in any company, or alone.
func (c *Client) writeTogether(ctx context.Context, intents []idmap.UserMappingIntent) ([]outcome[written], error) {
	r := separately(NewKey(), intents)
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	verdicts, err := c.verdictsOf(a, len(intents))
	if err != nil {
		return nil, err
	}
	answers := make([]outcome[written], len(intents))
	for i, verdict := range verdicts {
		answers[i].out, answers[i].err = c.writtenAs(a, intents[i].Operation, verdict)
	}
	return answers, nil
}

// writtenAs answers what the route for the one write would answer.
func (c *Client) writtenAs(a *answer, operation idmap.Operation, verdict idmap.UserMappingVerdict) (written, error) {
	if err := idmap.Refuse(verdict.Violations...); err != nil {
		if operation == idmap.OperationDelete && idmap.IsNotFound(err) {
			err = nil
		}
		return written{}, because(a, err)
	}
	if operation == idmap.OperationDelete {
		return written{}, nil
	}
	if verdict.UserMapping == nil {
		return written{}, foreign(a, "a verdict has no user_mapping")
	}
	c.ahead.forget(verdict.UserMapping.ID)
	return written{*verdict.UserMapping, verdict.Warnings}, nil
}
