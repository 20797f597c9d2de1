package provider

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The test library does not show the warnings that Terraform prints, so these are calls of refresh and plan.

// told are diagnostics as one text.
func told(diagnostics []*tfprotov6.Diagnostic) string {
	var all []string
	for _, d := range diagnostics {
		all = append(all, fmt.Sprintf("%s: %s at %s: %s", d.Severity, d.Summary, d.Attribute, d.Detail))
	}
	return strings.Join(all, "\n")
}

// wedding is a mapping of JDOE, as Terraform has it, with a directory that may know her by another name.
type wedding struct {
	protocol
	scenario      scenario
	mail, sales   idmap.Connection
	config, state fields
}

func newWedding(t *testing.T, email string) wedding {
	t.Helper()
	server := acctest.NewServer(t)
	w := wedding{scenario: scenario{T: t, server: server}}
	var err error
	w.mail, err = server.Client.CreateConnection(t.Context(), "", idmap.Connection{Name: "Mail", Platform: idmap.PlatformRef{ID: "generic"}, MailDomain: "example.com"})
	w.scenario.must(err)
	w.sales, err = server.Client.CreateConnection(t.Context(), "", idmap.Connection{Name: "Sales", Platform: idmap.PlatformRef{ID: "generic"}})
	w.scenario.must(err)
	w.scenario.salesCalls("JDOE")()
	m, _, err := server.Client.CreateUserMapping(t.Context(), "", idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail.ID}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales.ID}},
		Email: email, UserID: "JDOE",
	})
	w.scenario.must(err)
	m.Destination.Account = nil // which Terraform does not pin
	w.state = mappingFields(m)
	w.config = maps.Clone(w.state)
	if m.EmailSource == idmap.EmailFromUsername {
		w.config["email"] = nil
	}
	w.state["id"], w.state["email_source"], w.state["origin"] = m.ID, string(m.EmailSource), string(m.Origin)
	w.protocol = newProtocol(t, server)
	return w
}

// refresh reads the mapping, and returns what is said and the private state.
func (w wedding) refresh(private []byte) (string, []byte) {
	w.Helper()
	const name = "idmap_user_mapping"
	read, err := w.provider.ReadResource(w.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: w.value(w.objects[name], w.state), Private: private})
	w.scenario.must(err)
	return told(read.Diagnostics), read.Private
}

// plan plans the mapping as it is configured.
func (w wedding) plan(private []byte) string {
	w.Helper()
	proposed := maps.Clone(w.state)
	proposed["user_id"] = w.config["user_id"]
	return told(w.planResource("idmap_user_mapping", w.config, w.state, proposed, private).Diagnostics)
}

// expects plans the connection with a new file, in which the user has another name.
func (w wedding) expects(username string) {
	w.Helper()
	w.expectsFile(w.sales, "id,username", "u-jane,"+username)
}

// expectsFile plans a connection with a new file of accounts.
func (w wedding) expectsFile(c idmap.Connection, lines ...string) {
	w.Helper()
	w.expectsUpload(c, "accounts", lines...)
}

// expectsUpload plans a connection with a new file of accounts or groups.
func (w wedding) expectsUpload(c idmap.Connection, of string, lines ...string) {
	w.Helper()
	config := fields{
		"name": c.Name, "platform": "generic", "authoritative": c.Authoritative,
		of + "_file": w.scenario.file(of+".csv", lines...),
	}
	prior := maps.Clone(config)
	prior["id"], prior[of+"_sha256"], prior[of+"_file"] = c.ID, nil, nil
	proposed := maps.Clone(config)
	proposed["id"] = c.ID
	w.fine(nil, w.planResource("idmap_connection", config, prior, proposed, nil).Diagnostics)
}

func wantTold(t *testing.T, text, summary string, code idmap.Code, words ...string) {
	t.Helper()
	if !refusal(summary, code, words...).MatchString(text) || strings.Count(text, "Code: ") > 1 {
		t.Errorf("%q is not %q with %q, and nothing else", text, summary, words)
	}
}

// TestOptOutIsToldOnce: by the refresh that finds the rename, at the email, and by no plan besides.
func TestOptOutIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "jane@example.com")
	if said, _ := w.refresh(nil); said != "" {
		t.Errorf("before the wedding: %q", said)
	}
	w.scenario.salesCalls("JSMITH")()
	said, private := w.refresh(nil)
	wantTold(t, said, `WARNING: Email Stays as Given at AttributeName("email")`, idmap.CodeOptedOut, `from "JDOE" to "JSMITH"`, `"jane@example.com"`)

	w.state["user_id"] = "JSMITH"
	wantTold(t, w.plan(private), `WARNING: User Was Renamed at AttributeName("user_id")`, idmap.CodeUnprovenRename,
		`from "JDOE" to "JSMITH"`, "goes back", `Connection "Sales" calls`, `set user_id = "JSMITH"`)
	w.protocol = newProtocol(t, w.scenario.server) // the next walk
	if again, _ := w.refresh(private); again != "" {
		t.Errorf("the next refresh: %q", again)
	}
	w.config["user_id"] = "JSMITH"
	if said := w.plan(private); said != "" {
		t.Errorf("the configuration knows, and the plan says %q", said)
	}
}

// TestFollowedEmailIsNotToldOf: what follows is in the refresh for all to see.
func TestFollowedEmailIsNotToldOf(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "")
	w.scenario.salesCalls("JSMITH")()
	said, private := w.refresh(nil)
	if said != "" {
		t.Errorf("the refresh says %q", said)
	}
	w.state["user_id"], w.state["email"] = "JSMITH", "JSMITH@example.com"
	wantTold(t, w.plan(private), `ERROR: User Was Renamed at AttributeName("user_id")`, idmap.CodeAccountRepointed, `set user_id = "JSMITH"`)
}

// TestRenameIsForeseen: a file that renames the user in the apply that uploads it.
func TestRenameIsForeseen(t *testing.T) {
	t.Parallel()
	for email, words := range map[string][]string{
		"":                 {`the user id "JDOE" becomes "JSMITH"`, `the email becomes "JSMITH@example.com"`},
		"jane@example.com": {`the user id "JDOE" becomes "JSMITH"`, `the email stays "jane@example.com"`, "given explicitly"},
	} {
		t.Run(email, func(t *testing.T) {
			t.Parallel()
			w := newWedding(t, email)
			w.refresh(nil)
			w.expects("JSMITH")
			wantTold(t, w.plan(nil), `WARNING: User Is Renamed at AttributeName("user_id")`, "", append(words, `Set user_id = "JSMITH"`)...)
		})
	}
}

// TestRenameThatCannotFollowIsForeseen: the address that the new name would bring is a former colleague's.
func TestRenameThatCannotFollowIsForeseen(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "")
	leaver := idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: w.mail.ID}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: w.sales.ID}},
		Email: "jsmith@example.com", UserID: "JILL",
	}
	m, _, err := w.scenario.server.Client.CreateUserMapping(t.Context(), "", leaver)
	w.scenario.must(err)
	w.scenario.must(w.scenario.server.Client.DeleteUserMapping(t.Context(), m.ID, 0))
	w.refresh(nil)
	w.expects("JSMITH")
	wantTold(t, w.plan(nil), `WARNING: User Is Renamed at AttributeName("user_id")`, idmap.CodeEmailPreviouslyAssigned, "cannot follow", `"JILL"`)
}

// TestNothingToForesee: a file that brings no new name, and a mapping that is ahead of its directory.
func TestNothingToForesee(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "jane@example.com")
	w.refresh(nil)
	w.expects("jdoe")
	if said := w.plan(nil); said != "" {
		t.Errorf("of the same name: %q", said)
	}
	ahead := w.scenario.theMapping()
	ahead.UserID = "JSMITH"
	_, _, err := w.scenario.server.Client.UpdateUserMapping(t.Context(), ahead)
	w.scenario.must(err)
	w.state["user_id"], w.config["user_id"] = "JSMITH", "JSMITH"
	w.nextWalk()
	w.refresh(nil)
	w.expects("jdoe")
	if said := w.plan(nil); said != "" {
		t.Errorf("of a mapping that is ahead: %q", said)
	}
}
