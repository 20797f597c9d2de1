package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// signInWorld are the connections between which the users of these tests sign in.
type signInWorld struct{ mail, sales string }

// stageSignInWorld stores a mail and an application connection. Lea's mailbox is disabled, and the application does not
// permit her to sign in.
func (s scenario) stageSignInWorld() signInWorld {
	s.Helper()
	return signInWorld{
		s.stageConnection("Mail", "id,username,email,aliases,disabled\nm-jane,jane,jane@example.com,jane.doe@example.com,\nm-john,john,john@example.com,,\nm-lea,lea,lea@example.com,,true\n", ""),
		s.stageConnection("Sales", "id,username,user_type,sign_in_permitted\nu-jane,JDOE,full,true\nu-john,JROE,full,\nu-lea,LVER,full,false\n", ""),
	}
}

// signIn makes a user come.
func (s scenario) signIn(w signInWorld, email, userID, client string) idmap.SignInAnswer {
	s.Helper()
	answer, err := s.server.Client.SignIn(s.ctx(), "", idmap.SignInAttempt{
		Source: idmap.SignInEnd{Connection: idmap.Ref{ID: w.mail}}, Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: w.sales}},
		Email: email, UserID: userID, Client: client, SourceAddress: "203.0.113.7",
	})
	s.must(err)
	return answer
}

// stageSignIns makes five sign-ins: three of Jane, of which the first makes her mapping, and two that are denied. It
// returns the first one.
func (s scenario) stageSignIns(w signInWorld) idmap.SignInAnswer {
	s.Helper()
	first := s.signIn(w, "jane@example.com", "JDOE", "outlook-addin")
	s.signIn(w, "Jane@Example.com", "jdoe", "teams")
	s.signIn(w, "jane@example.com", "JDOE", "outlook-addin")
	s.signIn(w, "lea@example.com", "LVER", "")
	s.signIn(w, "JROE", "john@example.com", "outlook-addin") // swapped
	return first
}

func TestAccSignIns(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	before := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	jane := s.stageSignIns(w)
	config := fmt.Sprintf("data \"idmap_sign_ins\" \"all\" {\n connection_id = %q\n}\n", w.sales)
	checks := []resource.TestCheckFunc{}
	for filter, want := range map[string]int{
		fmt.Sprintf("source_connection_id = %q", w.mail):                          5,
		fmt.Sprintf("destination_connection_id = %q", w.mail):                     0,
		fmt.Sprintf("user_mapping_id = %q", jane.UserMapping.ID):                  3,
		fmt.Sprintf("from = %q", before):                                          5,
		fmt.Sprintf("to = %q", before):                                            0,
		fmt.Sprintf("from = %q\n to = %q", before, "2999-01-01T00:00:00.5+01:00"): 5,
		`outcome = "allowed"`:                                                     3,
		`outcome = "denied"`:                                                      2,
		`reason = "permission_missing"`:                                           1,
		`reason = "mapping_required"`:                                             0,
		`email = "JANE@example.com"`:                                              3,
		`email = "jroe"`:                                                          1,
		`user_id = "jdoe"`:                                                        3,
		`user_id = "john@example.com"`:                                            1,
		`client = "teams"`:                                                        1,
		`client = "Teams"`:                                                        0,
		"outcome = \"denied\"\n client = \"outlook-addin\"":                       1,
		`connection_id = "nothing"`:                                               0,
	} {
		name := fmt.Sprintf("f%d", len(checks))
		config += fmt.Sprintf("data \"idmap_sign_ins\" %q {\n %s\n}\n", name, filter)
		address := "data.idmap_sign_ins." + name
		checks = append(checks, func(state *terraform.State) error {
			err := resource.TestCheckResourceAttr(address, "sign_ins.#", fmt.Sprint(want))(state)
			if err != nil {
				err = fmt.Errorf("%s: %w", filter, err)
			}
			return err
		})
	}
	attr, none, all := resource.TestCheckResourceAttr, resource.TestCheckNoResourceAttr, "data.idmap_sign_ins.all"
	checks = append(
		checks, attr(all, "truncated", "false"), attr(all, "sign_ins.#", "5"),
		attr(all, "sign_ins.0.email", "JROE"), attr(all, "sign_ins.0.user_id", "john@example.com"), attr(all, "sign_ins.0.reasons.0", "invalid_email"),
		none(all, "sign_ins.0.user_mapping_id"), none(all, "sign_ins.0.session_id"), attr(all, "sign_ins.0.mapping_created", "false"),
		attr(all, "sign_ins.1.outcome", "denied"), none(all, "sign_ins.1.client"), sameLength(all, "sign_ins.1.reasons", "sign_ins.1.messages"),
		attr(all, "sign_ins.4.outcome", "allowed"), attr(all, "sign_ins.4.mapping_created", "true"), attr(all, "sign_ins.4.reasons.#", "0"),
		attr(all, "sign_ins.4.user_mapping_id", jane.UserMapping.ID), attr(all, "sign_ins.4.session_id", jane.Session.ID),
		attr(all, "sign_ins.4.client", "outlook-addin"), attr(all, "sign_ins.4.source_address", "203.0.113.7"),
		attr(all, "sign_ins.4.source_connection_id", w.mail), attr(all, "sign_ins.4.destination_connection_id", w.sales),
		attr(all, "sign_ins.4.id", jane.SignIn.ID), attr(all, "sign_ins.4.time", jane.SignIn.On.UTC().Format(time.RFC3339)),
		attr(all, "sign_ins.2.session_id", jane.Session.ID), attr(all, "sign_ins.2.mapping_created", "false"),
	)
	s.run(resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(checks...)})
}

// sameLength expects that two lists of an object have as many elements, and some.
func sameLength(address, a, b string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		attributes := state.RootModule().Resources[address].Primary.Attributes
		if n := attributes[a+".#"]; n == "" || n == "0" || n != attributes[b+".#"] {
			return fmt.Errorf("%s has %s %s and %s %s", address, n, a, attributes[b+".#"], b)
		}
		return nil
	}
}

// TestAccSignInsAreLimited: a history may be endless, and what is left out is said.
func TestAccSignInsAreLimited(t *testing.T) {
	s := newScenario(t)
	s.stageSignIns(s.stageSignInWorld())
	config := func(limit int) string {
		return fmt.Sprintf("data \"idmap_sign_ins\" \"some\" {\n limit = %d\n outcome = \"allowed\"\n}\n", limit)
	}
	expect := func(n, truncated string) resource.TestCheckFunc {
		return resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr("data.idmap_sign_ins.some", "sign_ins.#", n),
			resource.TestCheckResourceAttr("data.idmap_sign_ins.some", "truncated", truncated))
	}
	s.run(
		resource.TestStep{Config: config(1), Check: expect("1", "true")},
		resource.TestStep{Config: config(2), Check: resource.ComposeAggregateTestCheckFunc(expect("2", "true"), resource.TestCheckResourceAttr("data.idmap_sign_ins.some", "sign_ins.1.client", "teams"))},
		resource.TestStep{Config: config(3), Check: expect("3", "false")},
		resource.TestStep{Config: config(10_000), Check: expect("3", "false")},
	)
}

// TestFirst reads no further than it must.
func TestFirst(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 3} {
		read := 0
		found, err := collect(first(func(yield func(int, error) bool) {
			for i := range 3 {
				if read++; !yield(i, nil) {
					return
				}
			}
		}, n))
		if err != nil || len(found) != want || read != want {
			t.Errorf("the first %d are %v after %d (%v)", n, found, read, err)
		}
	}
	broken := func(yield func(int, error) bool) { yield(0, context.Canceled) }
	if _, err := collect(first(broken, 2)); err == nil {
		t.Error("an error is lost")
	}
}

// TestAccSignInsBadInput is about all three data sources of sign-ins.
func TestAccSignInsBadInput(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	var steps []resource.TestStep
	between := fmt.Sprintf("source_connection_id = %q\n destination_connection_id = %q\n", w.mail, w.sales)
	long := strings.Repeat("x", 321)
	for _, test := range []struct {
		source, arguments, summary string
		code                       idmap.Code
	}{
		{"sign_ins", `outcome = "unknown"`, "Invalid Attribute Value Match", ""},
		{"sign_ins", `reason = "mapping_needed"`, "Invalid Value", idmap.CodeInvalid},
		{"sign_ins", `reason = "name_in_use"`, "Invalid Value", idmap.CodeInvalid},
		{"sign_ins", "outcome = \"allowed\"\n reason = \"mapping_required\"", "Invalid Value", ""},
		{"sign_ins", `from = "yesterday"`, "Invalid Value", idmap.CodeInvalid},
		{"sign_ins", `to = "2026-01-31"`, "Invalid Value", idmap.CodeInvalid},
		{"sign_ins", "from = \"2026-02-01T00:00:00Z\"\n to = \"2026-02-01T00:00:00Z\"", "Invalid Value", ""},
		{"sign_ins", "from = \"2026-02-01T01:00:00+02:00\"\n to = \"2026-01-31T22:59:59Z\"", "Invalid Value", ""},
		{"sign_ins", `limit = 1.5`, "Invalid Value", ""},
		{"sign_ins", `limit = 0`, "Invalid Attribute Value", ""},
		{"sign_ins", `limit = 10001`, "Invalid Attribute Value", ""},
		{"sign_ins", `email = " "`, "Invalid Value", ""},
		{"sign_ins", fmt.Sprintf("user_id = %q", long), "Invalid Attribute Value Length", ""},
		{"sign_ins", fmt.Sprintf("client = %q", long), "Invalid Attribute Value Length", ""},
		{"sessions", `email = "jane"`, "Invalid Email", idmap.CodeInvalidEmail},
		{"sessions", `user_id = ""`, "Invalid User ID", idmap.CodeInvalidUserID},
		{"sessions", `source_connection_id = "Mail"`, "Unknown Connection", idmap.CodeUnknownConnection},
		{"sessions", `connection_id = ""`, "Invalid Value", ""},
		{"sign_in_diagnosis", between, "Missing Attribute Configuration", ""},
		{"sign_in_diagnosis", between + `email = null`, "Missing Attribute Configuration", ""},
		{"sign_in_diagnosis", between + `email = ""`, "Invalid Value", ""},
		{"sign_in_diagnosis", `user_id = "JDOE"`, "Missing required argument", ""},
		{"sign_in_diagnosis", strings.ReplaceAll(between, w.sales, "nothing") + `email = "jane@example.com"`, "Unknown Connection", idmap.CodeUnknownConnection},
		{"sign_in_diagnosis", strings.ReplaceAll(between, w.sales, w.mail) + `email = "jane@example.com"`, "Invalid Value", idmap.CodeInvalid},
	} {
		steps = append(steps, resource.TestStep{
			Config: fmt.Sprintf("data \"idmap_%s\" \"x\" {\n %s\n}\n", test.source, test.arguments), PlanOnly: true, ExpectError: refusal(test.summary, test.code),
		})
	}
	s.run(steps...)
}

// TestAccSignInsOnPlatform: nobody signs in to a DryvIQ platform through mappings, and it is said so.
func TestAccSignInsOnPlatform(t *testing.T) {
	t.Parallel()
	platform := acctest.NewPlatform(t)
	block := providerBlock(fmt.Sprintf("endpoint = %q", platform.URL), fmt.Sprintf("token = %q", platform.NewToken()))
	var steps []resource.TestStep
	for _, config := range []string{
		`data "idmap_sign_ins" "x" {}`, `data "idmap_sessions" "x" {}`,
		"data \"idmap_sign_in_diagnosis\" \"x\" {\n source_connection_id = \"a\"\n destination_connection_id = \"b\"\n email = \"jane@example.com\"\n}",
	} {
		steps = append(steps, resource.TestStep{Config: block + config, PlanOnly: true, ExpectError: refusal("Server Has No Sign-Ins", "", "Remove the data source")})
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: steps})
}

// TestSignInDataOf: of a denial every reason, with its sentence in the same place.
func TestSignInDataOf(t *testing.T) {
	t.Parallel()
	reasons := []idmap.Violation{{Code: idmap.CodeMailboxDisabled, Description: "Off."}, {Code: idmap.CodePermissionMissing, Description: "No."}}
	data := signInDataOf(idmap.SignIn{Outcome: idmap.OutcomeDenied, Reasons: reasons, UserMapping: &idmap.Ref{}})
	if !slices.Equal(data.Reasons, []string{"mailbox_disabled", "permission_missing"}) || !slices.Equal(data.Messages, []string{"Off.", "No."}) {
		t.Errorf("%v %v", data.Reasons, data.Messages)
	}
	if !data.UserMappingID.IsNull() || !data.SessionID.IsNull() || !data.Client.IsNull() {
		t.Errorf("%+v", data)
	}
	if allowed := signInDataOf(idmap.SignIn{}); allowed.Reasons == nil || allowed.Messages == nil {
		t.Error("the reasons of who was let in are null")
	}
}
