package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// bearer makes a token with that scope, and returns the header that carries it.
func bearer(t *testing.T, a *api, scope string) option {
	t.Helper()
	made := a.call(t, "POST", "/v1/tokens", `{"name":"of scope `+scope+`","scopes":["`+scope+`"]}`).want(201)
	return header("Authorization", "Bearer "+made.text("token", "secret"))
}

// TestEveryScopeOpensWhatTheDocumentSays walks all operations with a token of each scope: what the document does not open
// to it is forbidden, and nothing else is.
func TestEveryScopeOpensWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for scope, includes := range map[string][]string{
		"sign_in": {"sign_in"}, "read": {"read"}, "write": {"read", "write"}, "admin": {"sign_in", "read", "write", "admin"},
	} {
		as, opened := bearer(t, a, scope), 0
		for path, item := range a.doc.Paths.Map() {
			for method, op := range item.Operations() {
				address := strings.NewReplacer("{id}", "none", "{entry_id}", "none", "{item_id}", "none", "{job}", "none").Replace(path)
				open := opens(op, includes)
				if open {
					opened++
				}
				if got := a.call(t, method, address, nil, as); (got.Status == 403) == open {
					t.Errorf("%s: %s %s answered %d", scope, method, path, got.Status)
				}
			}
		}
		if scope == "sign_in" && opened != 3 {
			t.Errorf("sign_in opens %d operations, want to sign in, to sign out and to look at a session", opened)
		}
	}
}

// opens reports whether one of the scopes is enough for an operation.
func opens(op *openapi3.Operation, scopes []string) bool {
	for _, alternative := range *op.Security {
		for _, scope := range scopes {
			if fmt.Sprint(alternative["token"]) == "["+scope+"]" {
				return true
			}
		}
	}
	return false
}

func TestForbiddenNamesWhatIsLacking(t *testing.T) {
	t.Parallel()
	database := acctest.OpenSQLite(t)
	a := apiOf(t, acctest.NewServerOn(t, database))
	for _, c := range []struct{ scope, method, path, says string }{
		{"sign_in", "GET", "/v1/capabilities", "lacks the scope read."},
		{"sign_in", "DELETE", "/v1/sessions?client=x", "lacks the scope write."},
		{"sign_in", "POST", "/v1/user_mappings/diagnose", "lacks the scope read."},
		{"read", "DELETE", "/v1/sessions/s1", "lacks the scope write."},
		{"read", "POST", "/v1/sign_ins", "lacks the scope sign_in."},
		{"write", "POST", "/v1/sign_ins", "lacks the scope sign_in."},
		{"write", "POST", "/v1/sessions/s1/sign_out", "token create --scope sign_in"},
		{"a later one", "GET", "/v1/sessions/s1", "has none of the scopes sign_in, read."},
	} {
		name := c.scope + c.method + c.path
		hash := sha256.Sum256([]byte(name))
		err := database.Update(t.Context(), func(tx store.Tx) error {
			return tx.InsertToken(t.Context(), idmap.Token{ID: name, Name: name, Scopes: []idmap.Scope{idmap.Scope(c.scope)}}, hex.EncodeToString(hash[:]))
		})
		if err != nil {
			t.Fatal(err)
		}
		got := a.call(t, c.method, c.path, nil, header("Authorization", "Bearer "+name)).want(403, "forbidden")
		if !strings.Contains(got.text("detail"), c.says) {
			t.Errorf("%s to %s %s: %s", c.scope, c.method, c.path, got.text("detail"))
		}
	}
}
