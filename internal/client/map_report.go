package client

import (
	"context"
	"iter"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type mapReport struct {
	Totals      *idmap.MapTotals   `json:"totals"` // on the first page
	Resolutions []idmap.Resolution `json:"resolutions"`
}

// MapTotals returns the totals of the report of a map. On a DryvIQ platform it fails with ErrNotSupported.
func (c *Client) MapTotals(ctx context.Context, kind idmap.MapKind, id string) (idmap.MapTotals, error) {
	if err := c.needOurServer(ctx); err != nil {
		return idmap.MapTotals{}, err
	}
	r := reportRequest(kind, id)
	r.query.Set("limit", "1")
	a, err := c.do(ctx, r)
	if err != nil {
		return idmap.MapTotals{}, err
	}
	report, _, err := decode[mapReport](a, "map_report")
	if err != nil {
		return idmap.MapTotals{}, err
	}
	if report.Totals == nil {
		return idmap.MapTotals{}, foreign(a, "its map_report has no totals")
	}
	return *report.Totals, nil
}

// MapReport returns the rows of the report that the filter selects. It follows pages as it is read, and ends with the
// first error; on a DryvIQ platform that is ErrNotSupported. The server folds the Query.
func (c *Client) MapReport(ctx context.Context, kind idmap.MapKind, id string, f idmap.ResolutionFilter) iter.Seq2[idmap.Resolution, error] {
	return func(yield func(idmap.Resolution, error) bool) {
		if err := c.needOurServer(ctx); err != nil {
			yield(idmap.Resolution{}, err)
			return
		}
		resolved := make([]string, len(f.Resolved))
		for i, r := range f.Resolved {
			resolved[i] = string(r)
		}
		r := reportRequest(kind, id)
		r.query = params("resolution", strings.Join(resolved, ","), "reason", string(f.Reason), "q", f.Query)
		follow(ctx, c, r, func(a *answer) ([]idmap.Resolution, error) {
			report, _, err := decode[mapReport](a, "map_report")
			return report.Resolutions, err
		})(yield)
	}
}

func reportRequest(kind idmap.MapKind, id string) request {
	r := get(collection(kind), id, "report")
	r.query, r.timeout = params(), uploadTimeout
	return r
}
