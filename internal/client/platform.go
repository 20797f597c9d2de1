package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ErrNotSupported says that the server is a DryvIQ platform, which cannot do what only this project's backend does.
var ErrNotSupported = errors.New("the server is a DryvIQ platform: it neither judges a map before it is written, nor reports what the map makes of each account. Where that is needed, use a mapping backend of this project")

// kind of server that answers. It is asked for when it is needed first.
type serverKind struct {
	turn  *semaphore.Weighted // one call asks, the others wait for the answer
	known atomic.Int32
}

const (
	ourServer int32 = iota + 1
	platformServer
)

func (k *serverKind) platform() bool { return k.known.Load() == platformServer }

// Platform reports whether the server is a DryvIQ platform, which has only the published part of the API. It asks until it
// has an answer once.
func (c *Client) Platform(ctx context.Context) (bool, error) {
	if c.server.known.Load() != 0 {
		return c.server.platform(), nil
	}
	if err := c.server.turn.Acquire(ctx, 1); err != nil {
		return false, c.failure(ctx, &callState{}, err)
	}
	defer c.server.turn.Release(1)
	if c.server.known.Load() != 0 {
		return c.server.platform(), nil
	}
	kind, err := c.askServerKind(ctx)
	if err != nil {
		return false, err
	}
	c.server.known.Store(kind)
	return kind == platformServer, nil
}

// askServerKind takes for a platform what has no capabilities, and says so as a platform does.
func (c *Client) askServerKind(ctx context.Context) (int32, error) {
	a, err := c.exchange(ctx, get("capabilities"))
	switch {
	case err != nil:
		return 0, err
	case untyped404(a):
		return platformServer, nil
	case a.StatusCode/100 != 2:
		return 0, refusal(a)
	}
	_, _, err = decode[Capabilities](a, "capabilities")
	return ourServer, err
}

// untyped404 tells the 404 of a platform, which has no body or a JSON one without our codes. A page is that of a proxy.
func untyped404(a *answer) bool {
	if a.StatusCode != http.StatusNotFound {
		return false
	}
	if len(bytes.TrimSpace(a.content)) == 0 {
		return true
	}
	p, _ := readProblem(a)
	typed := slices.ContainsFunc(p.Violations, func(v idmap.Violation) bool { return v.Code != "" })
	return isJSON(a.Header.Get("Content-Type")) && json.Valid(a.content) && !typed
}

// platformCollections are those of a platform that this package knows.
var platformCollections = []string{"account_maps", "group_maps", "connections"}

// missing is the error for a 404 that does not say what is missing. On a platform that is the object; but only where the
// list that the object would be in answers, since the 404 of something before the server must not pass for a deletion.
func (c *Client) missing(ctx context.Context, r request, a *answer) error {
	if r.collection || r.method == http.MethodPost || len(r.segments) < 2 || !slices.Contains(platformCollections, r.segments[0]) {
		return refusal(a)
	}
	platform, err := c.Platform(ctx)
	if err != nil {
		return err
	}
	if !platform {
		return refusal(a)
	}
	last := len(r.segments) - 1
	list, err := c.exchange(ctx, request{method: http.MethodGet, segments: r.segments[:last], query: params("limit", "1")})
	if err != nil {
		return err
	}
	if list.StatusCode/100 != 2 || !isJSON(list.Header.Get("Content-Type")) {
		return refusal(a)
	}
	// What made a platform of the server may have been a 404 of the same thing before it, which is gone by now.
	kind, err := c.askServerKind(ctx)
	if err != nil {
		return err
	}
	if c.server.known.Store(kind); kind != platformServer {
		return refusal(a)
	}
	p, _ := readProblem(a)
	description := orDefault(p.text(), "There is no object with the id "+clip(r.segments[last])+".")
	return &idmap.Error{
		Kind: idmap.KindNotFound, Violations: []idmap.Violation{{Code: idmap.CodeNotFound, Description: description}}, Err: refusedCall(a),
	}
}
