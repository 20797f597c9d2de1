package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const salesAddress = "idmap_connection.sales"

// TestSignInSettings: a default is the same as what is left out, on the wire and in a state of an earlier release.
func TestSignInSettings(t *testing.T) {
	t.Parallel()
	var m connectionModel
	m.fromAPI(idmap.Connection{})
	want := signInSettings{types.BoolValue(false), types.StringValue("create"), types.StringValue("keep"), wholeOf(180)}
	if m.signInSettings != want {
		t.Errorf("%+v", m.signInSettings)
	}
	if sent := m.toAPI(); sent != (idmap.Connection{}) {
		t.Errorf("defaults are sent: %+v", sent)
	}
	if defaults := (idmap.Connection{}).WithDefaults(); !m.says(defaults) || !(connectionModel{}).says(defaults) {
		t.Error("defaults are not what was left out")
	}
	set := idmap.Connection{SignInDisabled: true, SignInMapping: idmap.SignInRequires, OnSignOut: idmap.OnSignOutRemove, SignInHistoryDays: 7}
	if m.says(set) {
		t.Error("other settings are the same connection")
	}
	if m.fromAPI(set); m.toAPI() != set || !m.says(set) {
		t.Errorf("%+v, want %+v", m.toAPI(), set)
	}
}

// attributesChange expects that the update of a resource changes exactly these attributes.
type attributesChange struct {
	address string
	names   []string
}

func (c attributesChange) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, change := range req.Plan.ResourceChanges {
		if change.Address != c.address {
			continue
		}
		before, _ := change.Change.Before.(map[string]any)
		after, _ := change.Change.After.(map[string]any)
		changed := maps.Clone(after)
		maps.DeleteFunc(changed, func(name string, value any) bool { return fmt.Sprint(value) == fmt.Sprint(before[name]) })
		if names := slices.Sorted(maps.Keys(changed)); !slices.Equal(names, c.names) {
			resp.Error = fmt.Errorf("the plan changes %v of %s, want %v", names, c.address, c.names)
		}
	}
}

func TestAccConnectionSignInSettings(t *testing.T) {
	s := newScenario(t)
	sales := func(lines ...string) string { return connection("sales", "Sales", "oracle_sales", lines...) }
	set := sales(`sign_in_disabled = true`, `sign_in_mapping = "require"`, `on_sign_out = "remove"`, `sign_in_history_days = 3650`)
	attr := resource.TestCheckResourceAttr
	defaults := resource.ComposeAggregateTestCheckFunc(
		attr(salesAddress, "sign_in_disabled", "false"), attr(salesAddress, "sign_in_mapping", "create"),
		attr(salesAddress, "on_sign_out", "keep"), attr(salesAddress, "sign_in_history_days", "180"),
	)
	steps := []resource.TestStep{
		{Config: sales(), Check: defaults},
		{Config: sales(`sign_in_mapping = "create"`, `sign_in_history_days = 180`, `on_sign_out = null`), ConfigPlanChecks: nothingToDo},
		{ResourceName: salesAddress, ImportState: true, ImportStateVerify: true},
		{
			Config:           set,
			ConfigPlanChecks: planned(attributesChange{salesAddress, []string{"on_sign_out", "sign_in_disabled", "sign_in_history_days", "sign_in_mapping"}}),
			Check: func(*terraform.State) error {
				if c := s.theConnection(); !c.SignInDisabled || c.SignInMapping != idmap.SignInRequires || c.OnSignOut != idmap.OnSignOutRemove || c.SignInHistoryDays != 3650 {
					return fmt.Errorf("the backend has %+v", c)
				}
				return nil
			},
		},
		{Config: set, ConfigPlanChecks: nothingToDo},
		{ResourceName: salesAddress, ImportState: true, ImportStateVerify: true},
	}
	for name, drift := range map[string]func(*idmap.Connection){
		"sign_in_disabled":     func(c *idmap.Connection) { c.SignInDisabled = false },
		"sign_in_mapping":      func(c *idmap.Connection) { c.SignInMapping = idmap.SignInCreates },
		"on_sign_out":          func(c *idmap.Connection) { c.OnSignOut = idmap.OnSignOutKeep },
		"sign_in_history_days": func(c *idmap.Connection) { c.SignInHistoryDays = 1 },
	} {
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				c := s.theConnection()
				drift(&c)
				_, err := s.server.Client.UpdateConnection(s.ctx(), c)
				s.must(err)
			},
			Config: set, ConfigPlanChecks: planned(attributesChange{salesAddress, []string{name}}),
		})
	}
	s.run(append(steps, resource.TestStep{Config: sales(), Check: defaults})...)
}

// TestAccConnectionSignInSettingsUnknown: a setting that is known only after apply, with mappings that are checked
// against the connection in the same plan.
func TestAccConnectionSignInSettingsUnknown(t *testing.T) {
	s := newScenario(t)
	config := func(text string) string {
		sales := connection("sales", "Sales", "oracle_sales",
			"sign_in_mapping = terraform_data.text.output", "sign_in_history_days = length(terraform_data.text.output)", "sign_in_disabled = true", "authoritative = true")
		return fmt.Sprintf("resource \"terraform_data\" \"text\" {\n  input = %q\n}\n", text) +
			connection("mail", "Mail", "microsoft365") + sales + mapping("jane", "jane@example.com", "JDOE")
	}
	s.run(
		resource.TestStep{Config: config("require"), PlanOnly: true, ExpectError: refusal("Unknown User ID", idmap.CodeUnknownUserID)},
		resource.TestStep{Config: strings.ReplaceAll(config("always"), "authoritative = true", ""), ExpectError: refusal("Invalid Attribute Value Match", "", "always")},
		resource.TestStep{
			Config: strings.ReplaceAll(config("require"), "authoritative = true", ""),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(salesAddress, "sign_in_mapping", "require"), resource.TestCheckResourceAttr(salesAddress, "sign_in_history_days", "7")),
		},
	)
}

func TestAccConnectionSignInSettingsBadInput(t *testing.T) {
	s := newScenario(t)
	var steps []resource.TestStep
	for line, summary := range map[string]string{
		`sign_in_mapping = "Create"`:    "Invalid Attribute Value Match",
		`sign_in_mapping = ""`:          "Invalid Attribute Value Match",
		`on_sign_out = "delete"`:        "Invalid Attribute Value Match",
		`sign_in_history_days = 0`:      "Invalid Attribute Value",
		`sign_in_history_days = -1`:     "Invalid Attribute Value",
		`sign_in_history_days = 3651`:   "Invalid Attribute Value",
		`sign_in_history_days = 1.5`:    "Invalid Value",
		`sign_in_history_days = "ever"`: "Incorrect attribute value type",
		`sign_in_disabled = "perhaps"`:  "Incorrect attribute value type",
	} {
		steps = append(steps, resource.TestStep{Config: connection("sales", "Sales", "oracle_sales", line), PlanOnly: true, ExpectError: refusal(summary, "")})
	}
	s.run(steps...)
}

// TestAccConnectionOfAnEarlierServer: one that knows nothing of the settings is sent none of them while they are
// defaults, and shows no drift.
func TestAccConnectionOfAnEarlierServer(t *testing.T) {
	s := newScenario(t)
	endpoint := s.withoutSignIns()
	config := connection("sales", "Sales", "oracle_sales")
	s.runOn(endpoint, "",
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: nothingToDo},
		resource.TestStep{Config: connection("sales", "Sales", "oracle_sales", "authoritative = true"), Check: resource.TestCheckResourceAttr(salesAddress, "on_sign_out", "keep")},
	)
}

var signInFields = regexp.MustCompile(`"(?:sign_in_disabled|sign_in_mapping|on_sign_out|sign_in_history_days)":[^,}]+,?`)

// withoutSignIns returns the URL of a server that refuses the settings as fields that it does not know.
func (s scenario) withoutSignIns() string {
	return s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil || signInFields.Match(body) {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		s.server.Handler.ServeHTTP(answer, r)
		answer.Header().Del("Content-Length")
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(signInFields.ReplaceAll(answer.Body.Bytes(), nil))
		return true
	})
}

// TestConnectionStateOfAnEarlierRelease has none of the settings. A refresh brings them, so that a plan finds the
// defaults.
func TestConnectionStateOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	made, err := server.Client.CreateConnection(t.Context(), "", idmap.Connection{Name: "Sales", Platform: idmap.PlatformRef{ID: "oracle_sales"}})
	if err != nil {
		t.Fatal(err)
	}
	p, name := newProtocol(t, server), connectionNoun.resource
	state := fmt.Sprintf(`{"id":%q,"name":"Sales","platform":"oracle_sales","authoritative":false}`, made.ID)
	upgraded, err := p.provider.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: name, RawState: &tfprotov6.RawState{JSON: []byte(state)}})
	p.fine(err, upgraded.Diagnostics)
	read, err := p.provider.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: upgraded.UpgradedState})
	p.fine(err, read.Diagnostics)
	now, err := read.NewState.Unmarshal(p.objects[name])
	if err != nil || !strings.Contains(now.String(), `"sign_in_mapping":tftypes.String<"create">`) || !strings.Contains(now.String(), `"sign_in_history_days":tftypes.Number<"180">`) {
		t.Errorf("%s (%v)", now, err)
	}
}
