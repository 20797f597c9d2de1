package acctest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func newPlatform(t *testing.T) *acctest.Platform {
	t.Helper()
	p := acctest.NewPlatform(t)
	acctest.StageMaps(t, p.Server.Backend, backend.Call{})
	return p
}

func TestMapsOnAPlatform(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	if platform, err := p.Client.Platform(ctx); !platform || err != nil {
		t.Fatal(platform, err)
	}
	m := filesMap(idmap.AccountMap)
	m.MapBy = idmap.MapBy{Email: true, Fuzzy: true, FuzzyThreshold: new(0.8), ExternalPassthrough: true, ExternalResolve: idmap.ExternalResolveFirst}
	m.UnmappedPolicy, m.Destination.Default = idmap.UnmappedSkip, &idmap.Principal{Name: "lea.ver@fabrikam.com"}
	m.Exceptions, m.Exclusions = exceptions("jane.doe@contoso.com", "john.roe", "john.roe", "jane.doe"), exclusions("sam.one", "sam.two")
	created, warnings, err := p.Client.CreateMap(ctx, idmap.AccountMap, "key", m)
	if err != nil || created.ID == "" || created.Revision != 0 || len(warnings) > 0 {
		t.Fatalf("created %+v, %v, %v", created, warnings, err)
	}
	read, err := p.Client.Map(ctx, idmap.AccountMap, created.ID)
	if err != nil || read.Name != "Files" || read.UnmappedPolicy != idmap.UnmappedSkip || read.Destination.Default == nil || len(*read.Exclusions) != 2 {
		t.Fatalf("read %+v, %v", read, err)
	}
	if read.MapBy != (idmap.MapBy{Email: true, Fuzzy: true, ExternalPassthrough: true}) {
		t.Errorf("read the options %+v", read.MapBy)
	}
	wantPairs(t, read, "s-jane>d-john", "s-john>d-jane")

	updated := read
	updated.Name, updated.Exceptions, updated.Exclusions = "Renamed", exceptions("JANE.DOE@contoso.com", "john.roe", "john.roe", "lea.ver", "lea.ver", "jane.doe"), nil
	if updated, _, err = p.Client.UpdateMap(ctx, idmap.AccountMap, updated); err != nil || updated.Name != "Renamed" {
		t.Fatalf("updated %+v, %v", updated, err)
	}
	behind, err := p.Server.Client.Map(ctx, idmap.AccountMap, created.ID)
	if err != nil || len(*behind.Exclusions) != 2 {
		t.Fatalf("behind it is %+v, %v", behind, err)
	}
	wantPairs(t, behind, "s-jane>d-john", "s-john>d-lea", "s-lea>d-jane")
	if kept := (*read.Exceptions)[0].ID; !hasException(behind, kept) && !hasException(behind, (*read.Exceptions)[1].ID) {
		t.Error("what did not change was written anew")
	}
	if err := p.Client.DeleteMap(ctx, idmap.AccountMap, created.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Client.Map(ctx, idmap.AccountMap, created.ID); !idmap.IsNotFound(err) {
		t.Errorf("deleted: %v", err)
	}
	if err := p.Client.DeleteMap(ctx, idmap.AccountMap, created.ID, 0); err != nil {
		t.Errorf("deleted again: %v", err)
	}
	if p.SignIns() != 1 {
		t.Errorf("signed in %d times", p.SignIns())
	}
}

func hasException(m idmap.Map, id string) bool {
	for _, e := range *m.Exceptions {
		if e.ID == id {
			return true
		}
	}
	return false
}

// TestOptionsGoBackToTheirDefaultOnAPlatform, though it keeps what an update does not name.
func TestOptionsGoBackToTheirDefaultOnAPlatform(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	m := filesMap(idmap.AccountMap)
	m.MapBy.Email, m.UnmappedPolicy = true, idmap.UnmappedFail
	m.Source.Default, m.Destination.Default = &idmap.Principal{Name: "jane.doe"}, &idmap.Principal{Name: "lea.ver@fabrikam.com"}
	created, _, err := p.Client.CreateMap(ctx, idmap.AccountMap, "", m)
	if err != nil {
		t.Fatal(err)
	}
	behind := func() idmap.Map {
		t.Helper()
		m, err := p.Server.Client.Map(ctx, idmap.AccountMap, created.ID)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if status := send(t, p, http.MethodPut, "/v1/account_maps/"+created.ID, `{"name":"Renamed","destination":{},"map_by":{"username":false}}`); status != http.StatusOK {
		t.Fatalf("a part is answered with %d", status)
	}
	kept := behind()
	if kept.Name != "Renamed" || kept.UnmappedPolicy != idmap.UnmappedFail || kept.Source.Default == nil || kept.Destination.Default == nil ||
		kept.MapBy != (idmap.MapBy{ID: true, Email: true}) {
		t.Errorf("a part makes it %+v", kept)
	}
	m.ID, m.UnmappedPolicy, m.Destination.Default, m.MapBy = created.ID, idmap.UnmappedSkip, nil, idmap.MapBy{ID: true}
	if _, _, err := p.Client.UpdateMap(ctx, idmap.AccountMap, m); err != nil {
		t.Fatal(err)
	}
	now := behind()
	if now.UnmappedPolicy != idmap.UnmappedSkip || now.Destination.Default != nil || now.Source.Default == nil || now.MapBy != m.MapBy {
		t.Errorf("the update makes it %+v", now)
	}
}

// send returns the status with which the platform answers.
func send(t *testing.T, p *acctest.Platform, method, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.NewToken())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.Header.Get("ETag") != "" {
		t.Errorf("%s %s is answered with %v", method, path, resp.Header)
	}
	return resp.StatusCode
}

func TestGroupMapsOnAPlatform(t *testing.T) {
	p := newPlatform(t)
	m := filesMap(idmap.GroupMap)
	m.Exceptions = exceptions("sales", "eng")
	created, _, err := p.Client.CreateMap(t.Context(), idmap.GroupMap, "", m)
	if err != nil {
		t.Fatal(err)
	}
	read, err := p.Client.Map(t.Context(), idmap.GroupMap, created.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, read, "sg-sales>dg-eng")
	for m, err := range p.Client.Maps(t.Context(), idmap.GroupMap, client.MapFilter{Name: "files", DestinationConnection: rulestest.NewFiles}) {
		if err != nil || m.ID != created.ID {
			t.Errorf("listed %+v, %v", m, err)
		}
	}
}

// TestManyItemsOnAPlatform: they are written in parts, and read page by page.
func TestManyItemsOnAPlatform(t *testing.T) {
	const n = 2345
	p := newPlatform(t)
	var pairs []string
	var accounts []idmap.Account
	for i := range n {
		name := fmt.Sprint("user-", i)
		pairs = append(pairs, name, "jane.doe")
		accounts = append(accounts, idmap.Account{ID: fmt.Sprint("id-", i), Username: name})
	}
	file := backend.Import[idmap.Account]{Rows: accounts, SHA256: "many"}
	if _, err := p.Server.Backend.ImportAccounts(t.Context(), backend.Call{}, rulestest.OldFiles, file); err != nil {
		t.Fatal(err)
	}
	m := filesMap(idmap.AccountMap)
	m.Exceptions = exceptions(pairs...)
	created, _, err := p.Client.CreateMap(t.Context(), idmap.AccountMap, "", m)
	if err != nil {
		t.Fatal(err)
	}
	read, err := p.Client.Map(t.Context(), idmap.AccountMap, created.ID)
	if err != nil || len(*read.Exceptions) != n {
		t.Fatalf("read %d, %v", len(*read.Exceptions), err)
	}
}

func TestACreateThatEndsHalfwayOnAPlatform(t *testing.T) {
	p := newPlatform(t)
	p.FailWhere(func(req *http.Request) int {
		if strings.HasSuffix(req.URL.Path, "/exceptions") && req.Method == http.MethodPost {
			return http.StatusBadRequest
		}
		return 0
	})
	m := filesMap(idmap.AccountMap)
	m.Exceptions = exceptions("jane.doe", "john.roe")
	created, _, err := p.Client.CreateMap(t.Context(), idmap.AccountMap, "", m)
	if err == nil || created.ID == "" || !strings.Contains(err.Error(), "does not work today") {
		t.Fatalf("created %+v, %v", created, err)
	}
	p.FailWhere(nil)
	created.Exceptions = m.Exceptions
	if _, _, err := p.Client.UpdateMap(t.Context(), idmap.AccountMap, created); err != nil {
		t.Fatal(err)
	}
	read, err := p.Client.Map(t.Context(), idmap.AccountMap, created.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, read, "s-jane>d-john")
}

func TestSigningInToAPlatform(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	for range 2 {
		if _, err := p.Client.Connection(ctx, rulestest.OldFiles); err != nil {
			t.Fatal(err)
		}
		p.RevokeTokens()
	}
	if p.SignIns() != 2 {
		t.Errorf("signed in %d times", p.SignIns())
	}
	given, err := client.New(client.Config{Endpoint: p.URL, Token: p.NewToken()})
	if err != nil {
		t.Fatal(err)
	}
	if platform, err := given.Platform(ctx); !platform || err != nil {
		t.Errorf("with a token: %v, %v", platform, err)
	}
	p.RevokeTokens()
	if _, err := given.Connection(ctx, rulestest.OldFiles); !idmap.IsKind(err, idmap.KindUnauthorized) {
		t.Errorf("with a token that was revoked: %v", err)
	}
	wrong, err := client.New(client.Config{Endpoint: p.URL, Username: p.Username, Password: "wr0ng-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Platform(ctx); !idmap.IsKind(err, idmap.KindUnauthorized) || strings.Contains(err.Error(), "wr0ng-secret") {
		t.Errorf("with a wrong password: %v", err)
	}
}

// TestPlatformHasOnlyWhatIsPublished: or else the tests on it would prove nothing.
func TestPlatformHasOnlyWhatIsPublished(t *testing.T) {
	p := newPlatform(t)
	const source = `"name":"n","source":{"connection":{"id":"old-files"}},"destination":{"connection":{"id":"new-files"}}`
	tests := []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/account_maps?q=x&offset=0&limit=5&fields=all", "", 200},
		{"GET", "/v1/account_maps?name=x", "", 400},
		{"GET", "/v1/account_maps?cursor=x", "", 400},
		{"GET", "/v1/capabilities", "", 404},
		{"GET", "/v1/user_mappings", "", 404},
		{"GET", "/v1/email_assignments", "", 404},
		{"GET", "/openapi.json", "", 404},
		{"GET", "/v1/account_maps/m/report", "", 404},
		{"POST", "/v1/account_maps/validate", `{}`, 404},
		{"POST", "/v1/account_maps/preview", `{}`, 404},
		{"POST", "/v1/account_maps/m/resolve", `{}`, 404},
		{"POST", "/v1/account_maps", `{` + source + `,"map_by":{"fuzzy_threshold":1}}`, 400},
		{"POST", "/v1/account_maps", `{` + source + `,"map_by":{"id":true},"exceptions":[]}`, 400},
		{"POST", "/v1/account_maps", `{` + source + `,"map_by":{"id":true},"revision":1}`, 400},
		{"POST", "/v1/account_maps", `{` + source + `,"map_by":{"id":true}}`, 201},
	}
	for _, test := range tests {
		if status := send(t, p, test.method, test.path, test.body); status != test.status {
			t.Errorf("%s %s %s is answered with %d, want %d", test.method, test.path, test.body, status, test.status)
		}
	}
	for name, err := range map[string]error{
		"validate": func() error {
			_, err := p.Client.ValidateMaps(t.Context(), idmap.AccountMap, make([]idmap.MapIntent, 1), nil)
			return err
		}(),
		"totals": func() error { _, err := p.Client.MapTotals(t.Context(), idmap.AccountMap, "m"); return err }(),
	} {
		if !errors.Is(err, client.ErrNotSupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPassthroughOnAPlatform: that names are handed over is an option that is published, and a policy that is not.
func TestPassthroughOnAPlatform(t *testing.T) {
	p := newPlatform(t)
	m := filesMap(idmap.AccountMap)
	m.MapBy, m.UnmappedPolicy = idmap.MapBy{Email: true}, idmap.UnmappedPassthrough
	created, _, err := p.Client.CreateMap(t.Context(), idmap.AccountMap, "key", m)
	if err != nil {
		t.Fatal(err)
	}
	behind, err := p.Server.Client.Map(t.Context(), idmap.AccountMap, created.ID)
	if err != nil || behind.UnmappedPolicy != idmap.UnmappedSkip || !behind.MapBy.Passthrough {
		t.Errorf("behind it is %+v, %v", behind, err)
	}
}
