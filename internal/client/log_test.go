package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

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

// TestLogsMaskSecretsHoweverEscaped: servers repeat what they were sent, in their own way of writing it.
func TestLogsMaskSecretsHoweverEscaped(t *testing.T) {
	const token = `odd-s3cret"&<>\+/=%`
	var unescaped bytes.Buffer
	encoder := json.NewEncoder(&unescaped)
	encoder.SetEscapeHTML(false)
	secrets := []string{secretPassword, token}
	if err := encoder.Encode(secrets); err != nil {
		t.Fatal(err)
	}
	echoes := map[string]string{
		"JSON":            marshalled(t, secrets),
		"plain JSON":      unescaped.String(),
		"cautious JSON":   `["` + cautious(secretPassword) + `","` + cautious(token) + `"]`,
		"JSON in JSON":    marshalled(t, marshalled(t, secrets)),
		"a form":          marshalled(t, url.Values{"password": {secretPassword}, "other": {token}}.Encode()),
		"a form, twice":   marshalled(t, url.QueryEscape(url.Values{"password": {secretPassword}, "other": {token}}.Encode())),
		"paths":           marshalled(t, url.PathEscape(secretPassword)+"/"+url.PathEscape(token)),
		"percents, low":   marshalled(t, strings.ToLower(url.PathEscape(secretPassword))+"/"+strings.ToLower(url.PathEscape(token))),
		"quoted by Go":    marshalled(t, strconv.Quote(secretPassword)+strconv.QuoteToASCII(token)),
		"slashes, as PHP": strings.ReplaceAll(marshalled(t, secrets), "/", `\/`),
	}
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/connect/token" {
					answerJSON(http.StatusOK, `{"access_token":`+marshalled(t, token)+`,"token_type":"Bearer","note":`+echo+`}`)(w, req)
					return
				}
				answerJSON(http.StatusOK, `{"user_mapping":{"id":"um_1"},"echo":`+echo+`}`)(w, req)
			})
			ctx, log := logged(t)
			if _, err := passwordClient(t, s.URL).UserMapping(ctx, "um_1"); err != nil {
				t.Fatal(err)
			}
			wantNoSecret(t, log())
			if n := strings.Count(log(), "***"); n != 2 {
				t.Errorf("%d secrets are masked:\n%s", n, log())
			}
		})
	}
}

func marshalled(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// cautious escapes all that is no letter and no digit of ASCII.
func cautious(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if unit < 0x80 && (unicode.IsLetter(rune(unit)) || unicode.IsDigit(rune(unit))) {
			out.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&out, `\u%04X`, unit)
		}
	}
	return out.String()
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
