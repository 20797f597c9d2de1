package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ours answers like this project's backend, whatever is asked: with its capabilities first.
func ours(t *testing.T, answers ...http.HandlerFunc) *script {
	t.Helper()
	return serve(t, append([]http.HandlerFunc{answerJSON(http.StatusOK, `{"type":"capabilities","capabilities":{"server":"idmap"}}`)}, answers...)...)
}

// What each method about maps asks for, and which noun it takes from the answer.
func TestMapCalls(t *testing.T) {
	const bare = `"name":"n","source":{"connection":{"id":"s"}},"destination":{"connection":{"id":"d"}},"map_by":{"email":true}`
	m := idmap.Map{
		Name: "n", Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "s"}}, Destination: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: "d"}},
		MapBy: idmap.MapBy{Email: true}, Exclusions: &[]idmap.MapExclusion{},
	}
	stored := m
	stored.ID, stored.Revision, stored.Exclusions = "m1", 7, nil
	tests := []struct {
		want, answer, body string
		call               func(context.Context, *Client) error
	}{
		{"GET /v1/account_maps/m1?include=items", `{"account_map":{}}`, "", func(ctx context.Context, c *Client) error {
			return ignore(c.Map(ctx, idmap.AccountMap, "m1"))
		}},
		{"GET /v1/group_maps?destination_connection=d&limit=1000&name=n&q=x&source_connection=s", `{"group_maps":[]}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.Maps(ctx, idmap.GroupMap, MapFilter{Name: "n", Query: "x", SourceConnection: "s", DestinationConnection: "d"}))
		}},
		{"POST /v1/account_maps", `{"account_map":{}}`, `{"type":"account_map",` + bare + `,"exclusions":[]}`, func(ctx context.Context, c *Client) error {
			return ignore2(c.CreateMap(ctx, idmap.AccountMap, "k", m))
		}},
		{"PUT /v1/group_maps/m1", `{"group_map":{}}`, `{"type":"group_map","id":"m1",` + bare + `,"revision":7}`, func(ctx context.Context, c *Client) error {
			return ignore2(c.UpdateMap(ctx, idmap.GroupMap, stored))
		}},
		{"DELETE /v1/account_maps/m1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteMap(ctx, idmap.AccountMap, "m1", 7) }},
		{
			"POST /v1/account_maps/validate", `{"account_map_verdicts":[{}]}`,
			`{"items":[{"operation":"delete","id":"m1"}],"directories":[{"connection":{"name":"n","platform":{"id":"box"}}}]}`,
			func(ctx context.Context, c *Client) error {
				intents := []idmap.MapIntent{{Operation: idmap.OperationDelete, ID: "m1"}}
				return ignore(c.ValidateMaps(ctx, idmap.AccountMap, intents, []idmap.ProposedDirectory{{Connection: idmap.Connection{Name: "n", Platform: idmap.PlatformRef{ID: "box"}}}}))
			},
		},
		{"GET /v1/group_maps/m1/report?limit=1", `{"map_report":{"totals":{"sources":3},"resolutions":[]}}`, "", func(ctx context.Context, c *Client) error {
			totals, err := c.MapTotals(ctx, idmap.GroupMap, "m1")
			if err == nil && totals.Sources != 3 {
				return errors.New("other totals")
			}
			return err
		}},
		{"GET /v1/account_maps/m1/report?limit=1000&q=x&reason=ambiguous&resolution=ID%2CDefault", `{"map_report":{"resolutions":[]}}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.MapReport(ctx, idmap.AccountMap, "m1", idmap.ResolutionFilter{
				Resolved: []idmap.Resolved{idmap.ResolvedID, idmap.ResolvedDefault}, Reason: idmap.ReasonAmbiguous, Query: "x",
			}))
		}},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			status := http.StatusOK
			if test.answer == "" {
				status = http.StatusNoContent
			}
			s := ours(t, answerJSON(status, test.answer))
			c := clientOf(t, s.URL, nil)
			if platform, err := c.Platform(t.Context()); platform || err != nil {
				t.Fatal(platform, err)
			}
			if err := test.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			r := s.seen()[1]
			if got := r.method + " " + r.uri; got != test.want || r.body != test.body {
				t.Errorf("asked for %s, sent\n%s, want\n%s", got, r.body, test.body)
			}
			created := r.method == http.MethodPost && !strings.HasSuffix(r.uri, "/validate")
			changed := r.method == http.MethodPut || r.method == http.MethodDelete
			if (r.header.Get("Idempotency-Key") == "k") != created || (r.header.Get("If-Match") == `"7"`) != changed {
				t.Errorf("headers %v", r.header)
			}
		})
	}
}

func TestMapReportFollowsPages(t *testing.T) {
	s := ours(t,
		answerJSON(200, `{"map_report":{"totals":{"sources":2},"resolutions":[{"id":"1"}]},"meta":{"has_more":true,"links":{"next":{"href":"/v1/account_maps/m1/report?cursor=x"}}}}`),
		answerJSON(200, `{"map_report":{"resolutions":[{"id":"2"}]},"meta":{"has_more":false,"links":{}}}`))
	var ids string
	for r, err := range clientOf(t, s.URL, nil).MapReport(t.Context(), idmap.AccountMap, "m1", idmap.ResolutionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids += r.ID
	}
	if ids != "12" {
		t.Errorf("read %s", ids)
	}
	_, err := clientOf(t, ours(t, answerJSON(200, `{"map_report":{"resolutions":[]}}`)).URL, nil).MapTotals(t.Context(), idmap.AccountMap, "m1")
	if _, ok := errors.AsType[*ForeignServerError](err); !ok {
		t.Errorf("a report without totals: %v", err)
	}
}

// TestMapsTakeTheirTime: resolving or writing a whole map takes longer than other answers.
func TestMapsTakeTheirTime(t *testing.T) {
	slow := func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(150 * time.Millisecond)
		answerJSON(http.StatusOK, `{"account_map":{},"account_map_verdicts":[{}],"map_report":{"totals":{},"resolutions":[]}}`)(w, req)
	}
	s := ours(t, slow)
	c := clientOf(t, s.URL, func(c *Config) { c.RequestTimeout, c.MaxRetries = 50*time.Millisecond, -1 })
	ctx := t.Context()
	for name, err := range map[string]error{
		"read":     ignore(c.Map(ctx, idmap.AccountMap, "m1")),
		"create":   ignore2(c.CreateMap(ctx, idmap.AccountMap, "k", idmap.Map{})),
		"update":   ignore2(c.UpdateMap(ctx, idmap.AccountMap, idmap.Map{ID: "m1"})),
		"delete":   c.DeleteMap(ctx, idmap.AccountMap, "m1", 0),
		"validate": ignore(c.ValidateMaps(ctx, idmap.AccountMap, make([]idmap.MapIntent, 1), nil)),
		"totals":   ignore(c.MapTotals(ctx, idmap.AccountMap, "m1")),
		"report":   drain(c.MapReport(ctx, idmap.AccountMap, "m1", idmap.ResolutionFilter{})),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMapsMayBeLarge: what may be written may be read, though it is more than other answers have.
func TestMapsMayBeLarge(t *testing.T) {
	large := `{"account_map":{"exceptions":[{"id":"` + strings.Repeat("x", maxBody) + `"}]}}`
	s := ours(t, answerJSON(http.StatusOK, large))
	c := clientOf(t, s.URL, nil)
	m, err := c.Map(t.Context(), idmap.AccountMap, "m1")
	if err != nil || m.Exceptions == nil || len(*m.Exceptions) != 1 || len((*m.Exceptions)[0].ID) != maxBody {
		t.Fatalf("a map: %v", err)
	}
	_, _, err = c.UpdateMap(t.Context(), idmap.AccountMap, idmap.Map{ID: "m1"})
	if _, ok := errors.AsType[*ForeignServerError](err); !ok {
		t.Errorf("an answer without items: %v", err)
	}
}

func TestNoIntentsAreNoRequest(t *testing.T) {
	s := serve(t, cut)
	if verdicts, err := clientOf(t, s.URL, nil).ValidateMaps(t.Context(), idmap.AccountMap, nil, nil); err != nil || len(verdicts)+len(s.seen()) != 0 {
		t.Errorf("%v, %v in %d requests", verdicts, err, len(s.seen()))
	}
}
