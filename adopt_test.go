package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
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
	adopt(t, w, server.url, len(users))

	if err := c.DeleteUserMapping(t.Context(), gone, 0); err != nil {
		t.Fatal(err)
	}
	renamed := signIn(t, c, "maria@contoso.com", "new").UserMapping
	old := adoptedNew.FindString(adopt(t, w, server.url, 1))

	renamed.UserID, renamed.Revision = "newer", 0
	if _, _, err := c.UpdateUserMapping(t.Context(), *renamed); err != nil {
		t.Fatal(err)
	}
	printed := printAdopted(t, server.url)
	w.Write(t, "adopted.tf", printed)
	if plan := w.Run(t, "plan"); plan.Code != 1 || !strings.Contains(plan.Stderr, "Mapping Already Managed") {
		t.Errorf("after a rename, without a moved block, it would destroy what it imports: %v", plan)
	}
	moved := fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", old, adoptedNew.FindString(printed))
	w.Write(t, "adopted.tf", printed+moved)
	if plan := w.Must(t, "plan"); !strings.Contains(plan.Stdout, "0 to change, 0 to destroy.") || !strings.Contains(plan.Stdout, "has moved to") {
		t.Errorf("after a rename, with a moved block: %v", plan)
	}
	w.Must(t, "apply", "-auto-approve")
	mustPlanNothing(t, w)
}

// TestAdoptedMappingsGoBeforeTheirConnections destroys all at once, which the backend refuses in any other order.
func TestAdoptedMappingsGoBeforeTheirConnections(t *testing.T) {
	t.Parallel()
	server := startServer(t, filepath.Join(t.TempDir(), "idmap.db"))
	each := strings.NewReplacer("\"app\" {", "\"app\" {\n  for_each = toset([\"Sales\"])", "\"Sales\"\n", "each.key\n").Replace(adoptConfiguration)
	w := newWorkspace(t, server.url)
	w.Write(t, "main.tf", each)
	w.Must(t, "apply", "-auto-approve")
	c := askServer(t, server.url)
	const users = 20
	for i := range users {
		signIn(t, c, fmt.Sprintf("user%d@contoso.com", i), fmt.Sprintf("user%d", i))
	}
	adopt(t, w, server.url, users, "--resource", `Sales=idmap_connection.app["Sales"]`, "--resource", "Contoso=idmap_connection.mail")
	summary := fmt.Sprintf("Resources: %d destroyed.", users+2)
	if destroy := w.Must(t, "destroy", "-auto-approve"); !strings.Contains(destroy.Stdout, summary) {
		t.Errorf("want %q: %v", summary, destroy)
	}
}

// TestAdoptAgain follows the words of the plan where what was adopted is deleted, and its user signs in again.
func TestAdoptAgain(t *testing.T) {
	t.Parallel()
	server, w, c := adopting(t)
	first := signIn(t, c, "jane@contoso.com", "JDOE").UserMapping
	adopt(t, w, server.url, 1)
	if err := c.DeleteUserMapping(t.Context(), first.ID, 0); err != nil {
		t.Fatal(err)
	}
	again := signIn(t, c, "jane@contoso.com", "JDOE").UserMapping
	printed := printAdopted(t, server.url)
	w.Write(t, "adopted.tf", printed)
	plan := w.Run(t, "plan")
	if words := strings.Join(strings.Fields(strings.ReplaceAll(plan.Stderr, "│", "")), " "); plan.Code != 1 || !strings.Contains(words, "Mapping Was Made Anew") ||
		!strings.Contains(words, "a sign-in made mapping "+again.ID) || !strings.Contains(words, "terraform apply -refresh-only") {
		t.Errorf("it does not say what happened: %v", plan)
	}
	w.Must(t, "apply", "-refresh-only", "-auto-approve")
	if plan := w.Must(t, "plan"); !strings.Contains(plan.Stdout, "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("after what the words say: %v", plan)
	}
	w.Must(t, "apply", "-auto-approve")
	mustPlanNothing(t, w)
}

// adoptedNew is the resource of the last user, under either name.
var adoptedNew = regexp.MustCompile(`idmap_user_mapping\.new\w+`)

// adopting returns a server with the two connections of the configuration, and who asks it.
func adopting(t *testing.T) (runningServer, testenv.Workspace, *client.Client) {
	t.Helper()
	server := startServer(t, filepath.Join(t.TempDir(), "idmap.db"))
	w := newWorkspace(t, server.url)
	w.Write(t, "main.tf", adoptConfiguration)
	w.Must(t, "apply", "-auto-approve")
	return server, w, askServer(t, server.url)
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

// printAdopted returns what the command prints.
func printAdopted(t *testing.T, endpoint string, flags ...string) string {
	t.Helper()
	args := append([]string{"adopt", "--connection", "Sales"}, flags...)
	printed, err := program(t, []string{"IDMAP_ENDPOINT=" + endpoint, "IDMAP_TOKEN=" + adminToken}, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(printed)
}

// adopt writes what the command prints into the configuration, and applies it.
func adopt(t *testing.T, w testenv.Workspace, endpoint string, imports int, flags ...string) (printed string) {
	t.Helper()
	printed = printAdopted(t, endpoint, flags...)
	w.Write(t, "adopted.tf", printed)
	format := exec.CommandContext(t.Context(), w.CLI, "fmt", "-check", "-diff", w.Folder)
	if out, err := format.CombinedOutput(); err != nil {
		t.Errorf("what is printed is not formatted: %v\n%s", err, out)
	}
	summary := fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", imports)
	if plan := w.Must(t, "plan"); !strings.Contains(plan.Stdout, summary) {
		t.Errorf("it is not %q: %v", summary, plan)
	}
	w.Must(t, "apply", "-auto-approve")
	mustPlanNothing(t, w)
	return printed
}
