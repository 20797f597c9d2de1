package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const adoptConfiguration = `
terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

resource "idmap_connection" "mail" {
  name        = "Contoso"
  platform    = "microsoft365"
  mail_domain = "contoso.com"
}

resource "idmap_connection" "app" {
  name     = "Sales"
  platform = "salesforce"
}
`

// TestAdopt takes over what sign-ins made: the plan with what is printed imports and does nothing else, and the plan
// after its apply is empty. So it is when one of the users is gone and another one has come; and a user who is renamed
// keeps the mapping, by a moved block.
func TestAdopt(t *testing.T) {
	t.Parallel()
	server, w, c := adopting(t)
	users := map[string]string{ // emails by user id
		"jane.doe":                    "jane.doe@contoso.com", // follows the username
		"007":                         "James@Contoso.com",
		"zoë":                         "zoë@contoso.com",
		"田中":                          "SMTP:Tanaka@contoso.com",
		"e\u0301mi":                   "emi@fabrikam.com", // a form that HCL does not keep
		`a "b" \n ${file("x")} %{if}`: "o'hara@contoso.com",
	}
	gone := ""
	for userID, email := range users {
		gone = signIn(t, c, email, userID).UserMapping.ID
	}
	w.adopt(t, server.url, len(users))

	if err := c.DeleteUserMapping(t.Context(), gone, 0); err != nil {
		t.Fatal(err)
	}
	renamed := signIn(t, c, "maria@contoso.com", "new").UserMapping
	old := adoptedNew.FindString(w.adopt(t, server.url, 1))

	renamed.UserID, renamed.Revision = "newer", 0
	if _, _, err := c.UpdateUserMapping(t.Context(), *renamed); err != nil {
		t.Fatal(err)
	}
	printed := w.print(t, server.url)
	w.write(t, printed)
	if out, code := w.terraform(t, server.url, "plan"); code != 1 || !strings.Contains(out, "Mapping Already Managed") {
		t.Errorf("the plan after a rename, without a moved block, ends with %d and would destroy what it imports:\n%s", code, out)
	}
	moved := fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", old, adoptedNew.FindString(printed))
	w.write(t, printed+moved)
	if out := w.must(t, server.url, "plan"); !strings.Contains(out, "0 to change, 0 to destroy.") || !strings.Contains(out, "has moved to") {
		t.Errorf("the plan after a rename, with a moved block:\n%s", out)
	}
	w.must(t, server.url, "apply", "-auto-approve")
	w.mustBeEmpty(t, server.url)
}

// TestAdoptedMappingsGoBeforeTheirConnections destroys all at once, which the backend refuses in any other order.
func TestAdoptedMappingsGoBeforeTheirConnections(t *testing.T) {
	t.Parallel()
	server := startServer(t, filepath.Join(t.TempDir(), "idmap.db"))
	each := strings.NewReplacer("\"app\" {", "\"app\" {\n  for_each = toset([\"Sales\"])", "\"Sales\"\n", "each.key\n").Replace(adoptConfiguration)
	w := newWorkspace(t, each, 0)
	w.must(t, server.url, "apply", "-auto-approve")
	c, err := client.New(client.Config{Endpoint: server.url, Token: outageToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	const users = 20
	for i := range users {
		signIn(t, c, fmt.Sprintf("user%d@contoso.com", i), fmt.Sprintf("user%d", i))
	}
	w.adopt(t, server.url, users, "--resource", `Sales=idmap_connection.app["Sales"]`, "--resource", "Contoso=idmap_connection.mail")
	summary := fmt.Sprintf("Resources: %d destroyed.", users+2)
	if out := w.must(t, server.url, "destroy", "-auto-approve"); !strings.Contains(out, summary) {
		t.Errorf("want %q:\n%s", summary, out)
	}
}

// TestAdoptAgain follows the words of the plan where what was adopted is deleted, and its user signs in again.
func TestAdoptAgain(t *testing.T) {
	t.Parallel()
	server, w, c := adopting(t)
	first := signIn(t, c, "jane@contoso.com", "JDOE").UserMapping
	w.adopt(t, server.url, 1)
	if err := c.DeleteUserMapping(t.Context(), first.ID, 0); err != nil {
		t.Fatal(err)
	}
	again := signIn(t, c, "jane@contoso.com", "JDOE").UserMapping
	printed := w.print(t, server.url)
	w.write(t, printed)
	out, code := w.terraform(t, server.url, "plan")
	if words := strings.Join(strings.Fields(strings.ReplaceAll(out, "│", "")), " "); code != 1 || !strings.Contains(words, "Mapping Was Made Anew") ||
		!strings.Contains(words, "a sign-in made mapping "+again.ID) || !strings.Contains(words, "terraform apply -refresh-only") {
		t.Errorf("the plan ends with %d, and does not say what happened:\n%s", code, out)
	}
	w.must(t, server.url, "apply", "-refresh-only", "-auto-approve")
	if out := w.must(t, server.url, "plan"); !strings.Contains(out, "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("the plan after what the words say:\n%s", out)
	}
	w.must(t, server.url, "apply", "-auto-approve")
	w.mustBeEmpty(t, server.url)
}

// adoptedNew is the resource of the last user, under either name.
var adoptedNew = regexp.MustCompile(`idmap_user_mapping\.new\w+`)

// adopting returns a server with the two connections of the configuration, and who asks it.
func adopting(t *testing.T) (runningServer, workspace, *client.Client) {
	t.Helper()
	server := startServer(t, filepath.Join(t.TempDir(), "idmap.db"))
	w := newWorkspace(t, adoptConfiguration, 0)
	w.must(t, server.url, "apply", "-auto-approve")
	c, err := client.New(client.Config{Endpoint: server.url, Token: outageToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return server, w, c
}

func signIn(t *testing.T, c *client.Client, email, userID string) idmap.SignInAnswer {
	t.Helper()
	attempt := idmap.SignInAttempt{Email: email, UserID: userID, Client: "addin"}
	for name, id := range map[string]*string{"Contoso": &attempt.Source.Connection.ID, "Sales": &attempt.Destination.Connection.ID} {
		for connection, err := range c.Connections(t.Context(), client.ConnectionFilter{Name: name}) {
			if err != nil {
				t.Fatal(err)
			}
			*id = connection.ID
		}
	}
	answer, err := c.SignIn(t.Context(), client.NewKey(), attempt)
	if err != nil || answer.SignIn.Outcome != idmap.OutcomeAllowed {
		t.Fatalf("%s: %v, %+v", userID, err, answer.SignIn.Reasons)
	}
	return answer
}

func (w workspace) print(t *testing.T, endpoint string, flags ...string) string {
	t.Helper()
	args := append([]string{"adopt", "--connection", "Sales"}, flags...)
	printed, err := program(t, []string{"IDMAP_ENDPOINT=" + endpoint, "IDMAP_TOKEN=" + outageToken}, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(printed)
}

func (w workspace) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, "adopted.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// adopt writes what the command prints into the configuration, and applies it.
func (w workspace) adopt(t *testing.T, endpoint string, imports int, flags ...string) (printed string) {
	t.Helper()
	printed = w.print(t, endpoint, flags...)
	w.write(t, printed)
	format := exec.CommandContext(t.Context(), w.terraformPath, "fmt", "-check", "-diff", w.folder)
	if out, err := format.CombinedOutput(); err != nil {
		t.Errorf("what is printed is not formatted: %v\n%s", err, out)
	}
	summary := fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", imports)
	if out := w.must(t, endpoint, "plan"); !strings.Contains(out, summary) {
		t.Errorf("the plan is not %q:\n%s", summary, out)
	}
	w.must(t, endpoint, "apply", "-auto-approve")
	w.mustBeEmpty(t, endpoint)
	return printed
}

func (w workspace) mustBeEmpty(t *testing.T, endpoint string) {
	t.Helper()
	if out, code := w.terraform(t, endpoint, "plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("the plan after the apply is not empty:\n%s", out)
	}
}

// must is terraform for a command that succeeds.
func (w workspace) must(t *testing.T, endpoint string, args ...string) string {
	t.Helper()
	out, code := w.terraform(t, endpoint, args...)
	if code != 0 {
		t.Fatalf("terraform %q ended with %d:\n%s", args, code, out)
	}
	return out
}
