package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// TestRefusalsInTermsOfTheConfiguration: no sentence about an option names a field that no configuration has.
func TestRefusalsInTermsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	end := func(id string) idmap.MapEnd { return idmap.MapEnd{Connection: idmap.ConnectionRef{ID: id}} }
	for name, test := range map[string]struct {
		kind  mapKind
		by    idmap.MapBy
		words string
	}{
		"nothing":            {accountMaps, idmap.MapBy{}, "match.emails"},
		"no group":           {groupMaps, idmap.MapBy{}, "match.captions"},
		"nothing to compare": {accountMaps, idmap.MapBy{ID: true, Fuzzy: true}, "match.usernames"},
		"no such threshold":  {accountMaps, idmap.MapBy{Name: true, Fuzzy: true, FuzzyThreshold: new(3.0)}, "fuzzy.threshold is 3"},
		"guests not kept":    {accountMaps, idmap.MapBy{ID: true, ExternalResolve: idmap.ExternalResolveFirst}, "external_users.retain"},
	} {
		wire := mapWire{Map: idmap.Map{Name: "Move", Source: end("a"), Destination: end("b"), MapBy: test.by, UnmappedPolicy: idmap.UnmappedSkip}}
		var diags diag.Diagnostics
		wire.noun(test.kind).addViolations(rules.CheckMap(test.kind.kind, wire.Map), &diags)
		if len(diags) != 1 || !strings.Contains(diags[0].Detail(), test.words) {
			t.Errorf("%s: %v lacks %q", name, diags, test.words)
		}
		for _, d := range diags {
			for _, field := range []string{"external_passthrough", "external_resolve", "map_by", "fuzzy_threshold", "passthrough", " caption", "default"} {
				if strings.Contains(d.Detail(), field) {
					t.Errorf("%s: %q names %s", name, d.Detail(), field)
				}
			}
		}
	}
}

// TestUnsupportedOnAPlatform: the backend tells of fuzzy which platform it is, in words that a configuration has.
func TestUnsupportedOnAPlatform(t *testing.T) {
	t.Parallel()
	found := []idmap.Violation{
		{Code: idmap.CodeUnsupportedOption, Field: "map_by.fuzzy", Description: "Connection A cannot."},
		{Code: idmap.CodeUnsupportedOption, Field: "map_by.external_passthrough", Description: "Leave external_passthrough out."},
	}
	var diags diag.Diagnostics
	mapWire{Map: idmap.Map{MapBy: idmap.MapBy{Name: true, Fuzzy: true, ExternalPassthrough: true}}}.noun(accountMaps).addViolations(found, &diags)
	if len(diags) != 2 || !strings.HasPrefix(diags[0].Detail(), "Connection A") || !strings.HasPrefix(diags[1].Detail(), "external_users.retain is on") {
		t.Errorf("%v", diags)
	}
}

// TestWarningsOfOneMap: Terraform shows one warning of each headline, so a map's name stands in it, and what is inactive
// stands in one.
func TestWarningsOfOneMap(t *testing.T) {
	t.Parallel()
	inactive := func(n int) (all []idmap.Violation) {
		for i := range n {
			all = append(all, idmap.Violation{Code: idmap.CodeInactiveAccount, Field: fmt.Sprintf("exceptions[%d].source", i), Description: fmt.Sprintf("No %d has left.", i)})
		}
		return all
	}
	long := strings.Repeat("é", maxLabel+1)
	for name, test := range map[string]struct {
		kind     mapKind
		called   string
		warnings []idmap.Violation
		summary  string
		detail   string
	}{
		"one":      {accountMaps, "Staff", inactive(1), "Account Is Inactive: Staff", "No 0 has left.\n\nCode: inactive_account"},
		"two":      {groupMaps, "Contoso\n groups", inactive(2), "Group Is Inactive: Contoso groups", "- No 0 has left.\n- No 1 has left.\n\nCode: inactive_account"},
		"many":     {accountMaps, "Staff", inactive(23), "Account Is Inactive: Staff", "- No 19 has left.\n- and 3 more.\n\n"},
		"too long": {accountMaps, long, []idmap.Violation{{Code: idmap.CodeMapIncomplete}}, "Map Is Incomplete: " + strings.Repeat("é", maxLabel) + "…", ""},
		"no name":  {accountMaps, "", []idmap.Violation{{Code: idmap.CodeMapNotRetroactive}}, "Map Is Not Retroactive", ""},
	} {
		var diags diag.Diagnostics
		mapWire{Map: idmap.Map{Name: test.called}}.noun(test.kind).addWarnings(test.warnings, &diags)
		if len(diags) != 1 || diags[0].Summary() != test.summary || !strings.Contains(diags[0].Detail(), test.detail) {
			t.Errorf("%s: %v", name, diags)
		}
	}
	var diags diag.Diagnostics
	mixed := append(inactive(2), idmap.Violation{Code: idmap.CodeMapIncomplete, Description: "Some are open."})
	reused := idmap.Violation{Code: idmap.CodeNameReused, Description: "Her name is another's."}
	accountMaps.noun().addWarnings(slices.Concat([]idmap.Violation{reused}, mixed, []idmap.Violation{reused}), &diags)
	if len(diags) != 3 || diags[0].Summary() != "Name Was Reused" || diags[1].Summary() != "Account Is Inactive" || !strings.Contains(diags[2].Detail(), "Some are open.") {
		t.Errorf("mixed warnings: %v", diags)
	}
}
