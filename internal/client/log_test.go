package client

import (
	"net/http"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestLogsSayWhatHappenedAndNoSecret(t *testing.T) {
	created := `{"type":"token","token":{"id":"t1","name":"ci","scopes":["read"],"secret":"fresh-\"one","note":"` + secretToken + `"}}`
	s := serve(t, cut, problemJSON(503, "unavailable", "Busy, "+secretToken), mapping, answerJSON(http.StatusCreated, created))
	ctx, log := logged(t)
	c := clientOf(t, s.URL, nil)
	if _, err := c.UserMapping(ctx, "um_1"); err != nil {
		t.Fatal(err)
	}
	token, err := c.CreateToken(ctx, idmap.Token{Name: "ci", Scopes: []idmap.Scope{idmap.ScopeRead}, Secret: "my-own"})
	if err != nil || token.Secret != `fresh-"one` {
		t.Fatalf("got %+v, %v", token, err)
	}
	text := log()
	wantNoSecret(t, text)
	for _, secret := range []string{"fresh", "my-own", "Bearer"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the log:\n%s", secret, text)
		}
	}
	wantWords(t, text, `"@level":"debug"`, `"@level":"trace"`, `"method":"POST"`, `"path":"/v1/tokens"`, `"status":503`, `"status":201`,
		`"attempt":1`, `"attempt":3`, `"request_id":"req-1"`, `"duration_ms":`, `\"name\":\"ci\"`, `\"secret\":\"***\"`, `"error":`)
}

func TestFilesAreNotLogged(t *testing.T) {
	s := serve(t, answerJSON(http.StatusOK, `{"import_report":{"sha256":"ab","count":1}}`))
	ctx, log := logged(t)
	report, err := clientOf(t, s.URL, nil).ImportAccounts(ctx, "c1", 7, "text/csv", []byte("id,name\n1,Ann\n"))
	if err != nil || report.Count != 1 {
		t.Fatalf("got %+v, %v", report, err)
	}
	if strings.Contains(log(), "Ann") {
		t.Errorf("the file is in the log:\n%s", log())
	}
	if r := s.seen()[0]; r.body != "id,name\n1,Ann\n" || r.header.Get("Content-Type") != "text/csv" || r.header.Get("If-Match") != `"7"` || r.header.Get("Idempotency-Key") != "" {
		t.Errorf("sent %+v", r)
	}
}
