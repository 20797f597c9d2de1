package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestEveryCodeHasASummary(t *testing.T) {
	t.Parallel()
	for _, info := range idmap.Codes() {
		summary, ok := summaries[info.Code]
		if words := len(strings.Fields(summary)); !ok || words < 2 || words > 5 {
			t.Errorf("%s has the summary %q, want 2 to 5 words", info.Code, summary)
		}
	}
}

func TestAddErrorOfViolations(t *testing.T) {
	t.Parallel()
	err := idmap.Refuse(
		idmap.Violation{
			Code: idmap.CodeEmailInUse, Field: "email", Description: "Email taken.",
			Conflict: &idmap.Conflict{Kind: "user_mapping", ID: "m1", Holder: "JSMITH"},
		},
		idmap.Violation{
			Code: idmap.CodeEmailPreviouslyAssigned, Field: "items[3].email", Description: "Held before.",
			Conflict: &idmap.Conflict{Kind: "email_assignment", ID: "e1", Releasable: true},
		},
		idmap.Violation{Code: idmap.CodeAccountMismatch, Field: "source.account.id", Description: "Not hers."},
		idmap.Violation{Code: "rule_of_tomorrow", Description: "No."},
	)
	var diags diag.Diagnostics
	userMappingNoun.addError(err, &diags)
	if len(diags) != 4 {
		t.Fatalf("%d diagnostics: %v", len(diags), diags)
	}
	for i, want := range []struct {
		at      path.Path
		summary string
		detail  []string
	}{
		{path.Root("email"), "Email Already in Use", []string{"Email taken.", "to = idmap_user_mapping.<name>", `id = "m1"`, "moved block", "Code: email_in_use"}},
		{path.Root("email"), "Email Previously Assigned", []string{"POST /v1/email_assignments/e1/release"}},
		{path.Root("source_account_id"), "Account Does Not Match", nil},
		{path.Empty(), "Refused by Mapping Backend", []string{"Code: rule_of_tomorrow"}},
	} {
		at := path.Empty()
		if d, ok := diags[i].(diag.DiagnosticWithPath); ok {
			at = d.Path()
		}
		if !at.Equal(want.at) || diags[i].Summary() != want.summary {
			t.Errorf("diagnostic %d is %q at %s, want %q at %s", i, diags[i].Summary(), at, want.summary, want.at)
		}
		for _, text := range want.detail {
			if !strings.Contains(diags[i].Detail(), text) {
				t.Errorf("diagnostic %d lacks %q:\n%s", i, text, diags[i].Detail())
			}
		}
	}
}

func TestAddErrorOfTheClient(t *testing.T) {
	t.Parallel()
	for summary, err := range map[string]error{
		"Mapping Backend Unreachable": &client.UnreachableError{Backend: "mapping backend at http://x", Err: errors.New("refused")},
		"Not a Mapping Backend":       &client.ForeignServerError{Method: "GET", URL: "http://x", Status: 200, ContentType: "text/html"},
		"Unexpected Failure":          errors.New("boom"),
		"Token Not Accepted":          idmap.Refusef(idmap.CodeUnauthorized, "", "The token is unknown."),
	} {
		var diags diag.Diagnostics
		userMappingNoun.addError(err, &diags)
		if len(diags) != 1 || diags[0].Summary() != summary {
			t.Errorf("%v became %v, want %q", err, diags, summary)
		}
	}
}

// TestWaysPastAreToldOnce: a mapping that has the email as well as the user is imported once.
func TestWaysPastAreToldOnce(t *testing.T) {
	t.Parallel()
	finding := func(code idmap.Code, field, holder string) idmap.Violation {
		return idmap.Violation{Code: code, Field: field, Description: "Taken.", Conflict: &idmap.Conflict{Kind: "user_mapping", ID: holder}}
	}
	for name, want := range map[string]int{"m1": 1, "m2": 2} {
		var diags diag.Diagnostics
		violations := []idmap.Violation{finding(idmap.CodeEmailInUse, "email", "m1"), finding(idmap.CodeUserAlreadyMapped, "user_id", name)}
		userMappingNoun.addViolations(violations, &diags)
		blocks := 0
		for _, d := range diags {
			blocks += strings.Count(d.Detail(), "import {")
		}
		if len(diags) != 2 || blocks != want || violations[1].Conflict == nil {
			t.Errorf("%d import blocks, want %d: %v", blocks, want, diags)
		}
		if points := strings.Contains(diags[1].Detail(), `stands under "Email Already in Use"`); points != (want == 1) || !strings.Contains(diags[1].Detail(), "Code: user_already_mapped") {
			t.Errorf("%s: %s", name, diags[1].Detail())
		}
	}
}

// TestImportBlockIsOnlyForTheSameKind: a block for an object of another kind could not be pasted.
func TestImportBlockIsOnlyForTheSameKind(t *testing.T) {
	t.Parallel()
	inUse := idmap.Violation{Code: idmap.CodeConnectionInUse, Conflict: &idmap.Conflict{Kind: "user_mapping", ID: "m1"}}
	if detail := detailOf(inUse, connectionNoun.resource); strings.Contains(detail, "import {") {
		t.Error(detail)
	}
}

// TestInterrupted: Terraform was told to stop while a call was under way.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, _, err := server.Client.CreateUserMapping(ctx, "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	var diags diag.Diagnostics
	userMappingNoun.addError(err, &diags)
	if len(diags) != 1 || diags[0].Summary() != "Call Interrupted" || !strings.Contains(diags[0].Detail(), "terraform apply again") {
		t.Errorf("%v is told as %v", err, diags)
	}
}
