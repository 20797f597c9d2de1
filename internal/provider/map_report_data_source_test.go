package provider

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestAccMapReports(t *testing.T) {
	s := newScenario(t)
	staged := s.stageMaps()
	config := fmt.Sprintf(`
data "idmap_account_map_report" "all" {
  map_id       = %[1]q
  include_rows = true
}
data "idmap_account_map_report" "totals" {
  map_id = %[1]q
}
data "idmap_account_map_report" "not_found" {
  map_id       = %[1]q
  include_rows = true
  resolutions  = ["Unresolved"]
  reason       = "below_threshold"
}
data "idmap_account_map_report" "jane" {
  map_id       = %[1]q
  include_rows = true
  query        = "JDOE"
  resolutions  = ["Email", "Name"]
}
data "idmap_group_map_report" "all" {
  map_id       = %[2]q
  include_rows = true
}
output "sum" {
  value = sum(values(data.idmap_account_map_report.all.by_resolution)) == data.idmap_account_map_report.all.sources
}
`, staged.accounts, staged.groups)
	attr, none := resource.TestCheckResourceAttr, resource.TestCheckNoResourceAttr
	all, groups := "data.idmap_account_map_report.all", "data.idmap_group_map_report.all"
	checks := []resource.TestCheckFunc{
		resource.TestCheckOutput("sum", "true"),
		attr(all, "sources", "9"), attr(all, "by_resolution.%", fmt.Sprint(len(idmap.AllResolved()))), attr(all, "by_reason.%", fmt.Sprint(len(idmap.Reasons()))),
		attr(all, "resolved", "7"), attr(all, "unresolved", "2"), attr(all, "ambiguous", "1"), attr(all, "stubs", "1"), attr(all, "disabled", "1"),
		attr(all, "coverage", "0.7777777777777778"), attr(all, "rows.#", "9"),
		attr("data.idmap_account_map_report.totals", "unresolved", "2"), none("data.idmap_account_map_report.totals", "rows.#"),
		attr("data.idmap_account_map_report.not_found", "rows.#", "1"), attr("data.idmap_account_map_report.not_found", "rows.0.source_id", "o-lost"),
		attr("data.idmap_account_map_report.not_found", "sources", "9"),
		attr("data.idmap_account_map_report.jane", "rows.#", "1"), attr("data.idmap_account_map_report.jane", "rows.0.destination_id", "n-jane"),
		attr(groups, "sources", "4"), attr(groups, "unresolved", "0"), attr(groups, "ambiguous", "1"), attr(groups, "coverage", "1"),
		attr(groups, "rows.#", "4"), attr(groups, "rows.0.source_caption", "The Team"), attr(groups, "rows.0.destination_name", "TEAM"),
		attr(groups, "rows.1.resolution", "Caption"), attr(groups, "rows.1.destination_caption", "sales"),
		attr(groups, "rows.2.resolution", "Default"), attr(groups, "rows.2.reason", "ambiguous"),
		attr(groups, "rows.3.resolution", "Excluded"), none(groups, "rows.3.destination_id"),
	}
	for resolution, n := range map[string]string{"Email": "1", "Name": "1", "Exception": "3", "Excluded": "1", "External": "1", "Unresolved": "2", "Fuzzy": "0", "Caption": "0"} {
		checks = append(checks, attr(all, "by_resolution."+resolution, n))
	}
	// In the order of the ids: boss, bot, guest, jane, john, lost, same1, same2, twin.
	for name, value := range map[string]string{
		"0.disabled": "true", "2.resolution": "External", "3.resolution": "Email", "3.source_email": "jane@example.com", "3.source_name": "Jane Doe",
		"3.source_username": "jane", "3.destination_username": "JDOE", "3.destination_email": "jane@EXAMPLE.com", "3.destination_name": "Jane D",
		"4.stub": "true", "4.destination_id": "n-john", "5.reason": "below_threshold", "8.reason": "ambiguous", "8.source_id": "o-twin",
	} {
		checks = append(checks, attr(all, "rows."+name, value))
	}
	checks = append(checks, resource.TestCheckResourceAttrSet(all, "rows.8.message"), none(all, "rows.8.destination_id"), none(all, "rows.3.reason"), none(all, "rows.3.score"))
	s.run(
		resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(checks...)},
		resource.TestStep{
			Config:   strings.Replace(config, `["Unresolved"]`, `["Unresolved", null]`, 1),
			PlanOnly: true, ExpectError: refusal("Null List Value", "", "resolutions"),
		},
		resource.TestStep{Config: config},
	)
}

func TestMapTotalsOfNothing(t *testing.T) {
	t.Parallel()
	totals := mapTotalsDataOf(idmap.MapTotals{})
	if totals.Coverage.ValueFloat64() != 1 || totals.Sources.ValueInt64() != 0 || len(totals.ByResolution) != len(idmap.AllResolved()) {
		t.Errorf("%+v", totals)
	}
}

// checked expects how the check blocks of a plan came out.
type checked map[string]string

func (c checked) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	found := checked{}
	for _, check := range req.Plan.Checks {
		if check.Address.Kind == "check" {
			found[check.Address.Name] = string(check.Status)
		}
	}
	if !maps.Equal(found, c) {
		resp.Error = fmt.Errorf("the checks came out as %v, want %v", found, c)
	}
}

// TestAccMapReportInCheck: a check block tells what a map leaves open, once the map is there and again when it or a
// directory changed, and stops nothing.
func TestAccMapReportInCheck(t *testing.T) {
	s := newScenario(t)
	from, to := s.stageConnection("Old", oldAccounts, ""), s.stageConnection("New", newAccounts, "")
	config := func(more ...string) string {
		return fmt.Sprintf(`
resource "idmap_account_map" "people" {
  name                      = "People"
  source_connection_id      = %q
  destination_connection_id = %q
  match                     = { names = true, emails = true }
  %s
}
data "idmap_account_map_report" "people" {
  map_id     = idmap_account_map.people.id
  depends_on = [idmap_account_map.people]
}
check "everybody" {
  assert {
    condition     = data.idmap_account_map_report.people.unresolved == 0
    error_message = "${data.idmap_account_map_report.people.unresolved} people are not mapped."
  }
}
check "share" {
  assert {
    condition     = data.idmap_account_map_report.people.coverage > 0.2
    error_message = "Too few."
  }
}
`, from, to, strings.Join(more, "\n"))
	}
	withDefault := `default_account = "DEFAULT"`
	came := func(before, after string) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{
			PreApply:             []plancheck.PlanCheck{checked{"everybody": before, "share": before}},
			PostApplyPostRefresh: []plancheck.PlanCheck{checked{"everybody": after, "share": "pass"}},
		}
	}
	s.run(
		resource.TestStep{Config: config(), ConfigPlanChecks: came("unknown", "fail")},
		resource.TestStep{Config: config(withDefault), ConfigPlanChecks: came("unknown", "pass")},
		resource.TestStep{
			PreConfig: func() { s.must(s.server.Client.DeleteAccount(s.ctx(), to, "n-default", 0)) },
			Config:    config(withDefault), PlanOnly: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{checked{"everybody": "fail", "share": "pass"}}},
		},
	)
}

// TestAccMapReportNestedInCheck: in the check block itself, a report that cannot be read stops nothing either. Terraform
// then reads it again in every apply, so the plan is never empty.
func TestAccMapReportNestedInCheck(t *testing.T) {
	s := newScenario(t)
	config := func(id string) string {
		return fmt.Sprintf(`
check "everybody" {
  data "idmap_account_map_report" "people" {
    map_id = %q
  }
  assert {
    condition     = data.idmap_account_map_report.people.unresolved == 2
    error_message = "Not as it was."
  }
}
`, id)
	}
	now := func(status string) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{checked{"everybody": status}}}
	}
	s.run(
		resource.TestStep{Config: config(s.stageMaps().accounts), ConfigPlanChecks: now("pass"), ExpectNonEmptyPlan: true},
		resource.TestStep{Config: config("nothing"), ConfigPlanChecks: now("fail"), ExpectNonEmptyPlan: true},
	)
}
