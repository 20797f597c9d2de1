package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func ignore[T any](_ T, err error) error                       { return err }
func ignore2[T any](_ T, _ []idmap.Violation, err error) error { return err }

func drain[T any](pages func(func(T, error) bool)) (err error) {
	for _, err = range pages {
		if err != nil {
			return err
		}
	}
	return nil
}

// What each method asks for, and which noun it takes from the answer.
func TestCalls(t *testing.T) {
	yes := true
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	one := []idmap.UserMappingIntent{{Operation: idmap.OperationDelete, ID: "m1"}}
	tests := []struct {
		want, answer, body string
		call               func(context.Context, *Client) error
	}{
		{"GET /v1/capabilities", `{"capabilities":{"server":"idmap","platforms":["box"]}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.Capabilities(ctx)) }},
		{"GET /v1/connections/c1", `{"connection":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.Connection(ctx, "c1")) }},
		{"POST /v1/connections", `{"connection":{}}`, `{"name":"n","platform":{"id":"box"}}`, func(ctx context.Context, c *Client) error {
			return ignore(c.CreateConnection(ctx, "k", idmap.Connection{Name: "n", Platform: idmap.PlatformRef{ID: "box"}}))
		}},
		{"PUT /v1/connections/c1", `{"connection":{}}`, `{"id":"c1","name":"","platform":{"id":""}}`, func(ctx context.Context, c *Client) error {
			return ignore(c.UpdateConnection(ctx, idmap.Connection{ID: "c1"}))
		}},
		{"DELETE /v1/connections/c1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteConnection(ctx, "c1", 0) }},
		{"GET /v1/connections/c1/accounts/a%2F1", `{"account":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.Account(ctx, "c1", "a/1")) }},
		{"GET /v1/connections/c1/accounts?deleted=true&email=e&limit=1000&q=x&user_id=u", `{"accounts":[]}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.Accounts(ctx, "c1", DirectoryFilter{Query: "x", Email: "e", UserID: "u", Address: "left out", Deleted: &yes}))
		}},
		{"PUT /v1/connections/c1/accounts/a1", `{"account":{}}`, `{"id":"a1"}`, func(ctx context.Context, c *Client) error {
			return ignore2(c.PutAccount(ctx, "c1", idmap.Account{ID: "a1"}))
		}},
		{"DELETE /v1/connections/c1/accounts/a1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteAccount(ctx, "c1", "a1", 0) }},
		{"POST /v1/connections/c1/accounts/import", `{"import_report":{}}`, "id\n", func(ctx context.Context, c *Client) error {
			return ignore(c.ImportAccounts(ctx, "c1", 0, "text/csv", []byte("id\n")))
		}},
		{"GET /v1/connections/c1/groups/g1", `{"group":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.Group(ctx, "c1", "g1")) }},
		{"GET /v1/connections/c1/groups?address=s&deleted=true&limit=1000", `{"groups":[]}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.Groups(ctx, "c1", DirectoryFilter{Address: "s", Deleted: &yes}))
		}},
		{"PUT /v1/connections/c1/groups/g1", `{"group":{}}`, `{"id":"g1"}`, func(ctx context.Context, c *Client) error {
			return ignore(c.PutGroup(ctx, "c1", idmap.Group{ID: "g1"}))
		}},
		{"DELETE /v1/connections/c1/groups/g1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteGroup(ctx, "c1", "g1", 0) }},
		{"POST /v1/connections/c1/groups/import", `{"import_report":{}}`, "id\n", func(ctx context.Context, c *Client) error {
			return ignore(c.ImportGroups(ctx, "c1", 0, "text/csv", []byte("id\n")))
		}},
		{"GET /v1/user_mappings/m1", `{"user_mapping":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.UserMapping(ctx, "m1")) }},
		{
			"GET /v1/user_mappings?account=a&connection=c&destination_connection=d&domain=x.com&email=e&limit=1000&origin=api&q=q&source_connection=s&user_id=u",
			`{"user_mappings":[]}`, "", func(ctx context.Context, c *Client) error {
				return drain(c.UserMappings(ctx, idmap.UserMappingFilter{
					ConnectionID: "c", SourceConnectionID: "s", DestinationConnectionID: "d", EmailKey: "e", UserKey: "u",
					AccountID: "a", Origin: idmap.OriginAPI, Domain: "x.com", Query: "q",
				}))
			},
		},
		{
			"PUT /v1/user_mappings/m1", `{"user_mapping":{}}`,
			`{"id":"m1","source":{"connection":{"id":""}},"destination":{"connection":{"id":""}},"user_id":"u"}`,
			func(ctx context.Context, c *Client) error {
				return ignore2(c.UpdateUserMapping(ctx, idmap.UserMapping{ID: "m1", UserID: "u"}))
			},
		},
		{"DELETE /v1/user_mappings/m1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteUserMapping(ctx, "m1", 0) }},
		{
			"POST /v1/user_mappings/validate", `{"user_mapping_verdicts":[{}]}`,
			`{"items":[{"operation":"delete","id":"m1"}],"directories":[{"connection":{"name":"n","platform":{"id":"box"}}}]}`,
			func(ctx context.Context, c *Client) error {
				return ignore(c.ValidateUserMappings(ctx, one, []idmap.ProposedDirectory{{Connection: idmap.Connection{Name: "n", Platform: idmap.PlatformRef{ID: "box"}}}}))
			},
		},
		{
			"POST /v1/user_mappings/batch", `{"user_mapping_verdicts":[{}]}`, `{"items":[{"operation":"delete","id":"m1"}]}`,
			func(ctx context.Context, c *Client) error { return ignore(c.ApplyUserMappings(ctx, "k", one)) },
		},
		{"GET /v1/email_assignments/e1", `{"email_assignment":{}}`, "", func(ctx context.Context, c *Client) error { return ignore(c.EmailAssignment(ctx, "e1")) }},
		{"GET /v1/email_assignments?address=a&connection=c&holder=h&limit=1000&q=q&released=true", `{"email_assignments":[]}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.EmailAssignments(ctx, idmap.EmailAssignmentFilter{ConnectionID: "c", AddressKey: "a", Holder: "h", Released: &yes, Query: "q"}))
		}},
		{"POST /v1/email_assignments/e1/release", `{"email_assignment":{}}`, `{"reason":"left"}`, func(ctx context.Context, c *Client) error {
			return ignore(c.ReleaseEmail(ctx, "k", "e1", "left"))
		}},
		{"GET /v1/audit?action=a&from=2026-01-02T03%3A04%3A05.000006Z&kind=k&limit=1000&object_id=o&to=2026-01-02T03%3A04%3A05.000006Z&who=w", `{"audit_entries":[]}`, "", func(ctx context.Context, c *Client) error {
			return drain(c.Audit(ctx, idmap.AuditFilter{Kind: "k", ObjectID: "o", Who: "w", Action: "a", From: &at, To: &at}))
		}},
		{"GET /v1/tokens?limit=1000", `{"tokens":[]}`, "", func(ctx context.Context, c *Client) error { return drain(c.Tokens(ctx)) }},
		{"POST /v1/tokens", `{"token":{}}`, `{"name":"n","scopes":["read"]}`, func(ctx context.Context, c *Client) error {
			return ignore(c.CreateToken(ctx, idmap.Token{Name: "n", Scopes: []idmap.Scope{idmap.ScopeRead}}))
		}},
		{"DELETE /v1/tokens/t1", ``, "", func(ctx context.Context, c *Client) error { return c.DeleteToken(ctx, "t1") }},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			status := http.StatusOK
			if test.answer == "" {
				status = http.StatusNoContent
			}
			s := serve(t, answerJSON(status, test.answer))
			if err := test.call(t.Context(), clientOf(t, s.URL, nil)); err != nil {
				t.Fatal(err)
			}
			r := s.seen()[0]
			if got := r.method + " " + r.uri; got != test.want {
				t.Errorf("asked for %s", got)
			}
			if r.body != test.body {
				t.Errorf("sent %s\nwant %s", r.body, test.body)
			}
			if r.header.Get("Authorization") != "Bearer "+secretToken || r.header.Get("User-Agent") == "" {
				t.Errorf("headers %v", r.header)
			}
			keyless := strings.HasSuffix(r.uri, "/validate") || strings.HasSuffix(r.uri, "/import") || r.uri == "/v1/tokens"
			if (r.header.Get("Idempotency-Key") == "k") != (r.method == http.MethodPost && !keyless) || r.header.Get("If-Match") != "" {
				t.Errorf("headers %v", r.header)
			}
		})
	}
}

func TestBlankFiltersAreNotSent(t *testing.T) {
	s := serve(t, answerJSON(200, `{"connections":[],"accounts":[]}`))
	c := clientOf(t, s.URL, nil)
	if err := drain(c.Connections(t.Context(), ConnectionFilter{Query: " ", Name: "\t", Platform: "\u00a0"})); err != nil {
		t.Fatal(err)
	}
	if err := drain(c.Accounts(t.Context(), "c1", DirectoryFilter{Email: "", UserID: "  "})); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.seen() {
		if !strings.HasSuffix(r.uri, "?limit=1000") {
			t.Errorf("asked for %s", r.uri)
		}
	}
}

func TestLookupIsInOrderAndSplit(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, req *http.Request) {
		// Every second object exists. The body was read by the script; the answer depends on its count only.
		answerJSON(200, lookupAnswer(req.ContentLength > 10_000))(w, req)
	})
	keys := make([]idmap.UserMappingKey, idmap.MaxBatch+2)
	for i := range keys {
		keys[i] = idmap.UserMappingKey{DestinationConnectionID: "c1", UserID: "someone"}
	}
	found, err := clientOf(t, s.URL, nil).LookupUserMappings(t.Context(), keys)
	if err != nil || len(found) != len(keys) || len(s.seen()) != 2 {
		t.Fatalf("%d found in %d requests, %v", len(found), len(s.seen()), err)
	}
	for i, m := range found {
		if (m != nil) != (i%2 == 0) {
			t.Fatalf("at %d: %v", i, m)
		}
	}
	var sent struct{ Items []idmap.UserMappingKey }
	if err := json.Unmarshal([]byte(s.seen()[1].body), &sent); err != nil || len(sent.Items) != 2 || sent.Items[0] != keys[0] {
		t.Errorf("sent %s, %v", s.seen()[1].body, err)
	}
}

func lookupAnswer(full bool) string {
	n := 2
	if full {
		n = idmap.MaxBatch
	}
	return `{"user_mappings":[` + strings.TrimSuffix(strings.Repeat(`{"id":"m"},null,`, n/2), ",") + `]}`
}

func TestAnswersOfAnotherLength(t *testing.T) {
	s := serve(t, answerJSON(200, `{"user_mappings":[null,null,null],"user_mapping_verdicts":[{},{},{}]}`))
	c := clientOf(t, s.URL, nil)
	two := make([]idmap.UserMappingIntent, 2)
	_, lookup := c.LookupUserMappings(t.Context(), make([]idmap.UserMappingKey, 2))
	_, validate := c.ValidateUserMappings(t.Context(), two, nil)
	_, apply := c.ApplyUserMappings(t.Context(), "k", two)
	for name, err := range map[string]error{"lookup": lookup, "validate": validate, "apply": apply} {
		if _, ok := errors.AsType[*ForeignServerError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingAskedIsNoRequest(t *testing.T) {
	s := serve(t, cut)
	c := clientOf(t, s.URL, nil)
	found, lookup := c.LookupUserMappings(t.Context(), nil)
	verdicts, validate := c.ValidateUserMappings(t.Context(), nil, nil)
	applied, apply := c.ApplyUserMappings(t.Context(), "k", nil)
	if lookup != nil || validate != nil || apply != nil || len(found)+len(verdicts)+len(applied) != 0 || len(s.seen()) != 0 {
		t.Errorf("%v, %v, %v, %d requests", lookup, validate, apply, len(s.seen()))
	}
}

func TestNoTokenNoHeader(t *testing.T) {
	s := serve(t, mapping)
	_, err := clientOf(t, s.URL, func(c *Config) { c.Token, c.UserAgent = "", "test/1" }).UserMapping(t.Context(), "m1")
	if h := s.seen()[0].header; err != nil || h.Get("Authorization") != "" || h.Get("User-Agent") != "test/1" {
		t.Errorf("%v, %v", h, err)
	}
}

func TestKeysAreFresh(t *testing.T) {
	if a, b := NewKey(), NewKey(); a == b || len(a) < 20 {
		t.Errorf("%q, %q", a, b)
	}
}
