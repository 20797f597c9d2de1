package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

func TestAccGroupDataSources(t *testing.T) {
	s := newScenario(t)
	from := s.stageConnection("Old", "", oldGroups)
	to := s.stageConnection("New", "", newGroups)
	s.must(s.server.Client.DeleteGroup(s.ctx(), from, "og-4", 0))
	config := fmt.Sprintf(`
data "idmap_group" "by_id" {
  connection_id = %[1]q
  id            = "og-1"
}
data "idmap_group" "by_name" {
  connection_id = %[1]q
  name          = " Team"
}
data "idmap_group" "by_address" {
  connection_id = %[1]q
  address       = "TEAM@example.com"
}
data "idmap_group" "left" {
  connection_id = %[1]q
  id            = "og-4"
}
data "idmap_groups" "all" {
  connection_id = %[1]q
}
data "idmap_groups" "there" {
  connection_id = %[1]q
  deleted       = false
}
data "idmap_groups" "sales" {
  connection_id = %[1]q
  query         = "SALE"
}
`, from)
	attr := resource.TestCheckResourceAttr
	steps := []resource.TestStep{{Config: config, Check: resource.ComposeAggregateTestCheckFunc(
		attr("data.idmap_group.by_id", "name", "team"), attr("data.idmap_group.by_id", "caption", "The Team"),
		attr("data.idmap_group.by_id", "addresses.0", "team@example.com"), attr("data.idmap_group.by_id", "disabled", "false"),
		resource.TestCheckNoResourceAttr("data.idmap_group.by_id", "deleted_on"),
		attr("data.idmap_group.by_name", "id", "og-1"), attr("data.idmap_group.by_name", "name", "team"),
		attr("data.idmap_group.by_address", "id", "og-1"),
		resource.TestCheckResourceAttrSet("data.idmap_group.left", "deleted_on"),
		attr("data.idmap_groups.all", "groups.#", "4"),
		attr("data.idmap_groups.there", "groups.#", "3"),
		attr("data.idmap_groups.sales", "groups.#", "1"), attr("data.idmap_groups.sales", "groups.0.id", "og-2"),
	)}}
	for _, test := range []struct{ connection, argument, summary, words string }{
		{from, ``, "Missing Attribute Configuration", ""},
		{from, `name = " "`, "Invalid Value", "blank"},
		{from, `name = "tea"`, "Object Not Found", `group called "tea"`},
		{from, `name = "hidden"`, "Object Not Found", ""},
		{from, `id = "nothing"`, "Object Not Found", `group with the id "nothing"`},
		{from, `address = "nobody@example.com"`, "Object Not Found", `group with the address`},
		{to, `name = "twins"`, "Search Is Ambiguous", "ng-3"},
	} {
		config := fmt.Sprintf("data \"idmap_group\" \"x\" {\n  connection_id = %q\n  %s\n}\n", test.connection, test.argument)
		steps = append(steps, resource.TestStep{Config: config, PlanOnly: true, ExpectError: refusal(test.summary, "", test.words)})
	}
	s.run(steps...)
}

// TestAccAccountDataSourceExternal: guests are told from people of the house.
func TestAccAccountDataSourceExternal(t *testing.T) {
	s := newScenario(t)
	config := fmt.Sprintf("data \"idmap_accounts\" \"all\" {\n  connection_id = %q\n}\n", s.stageConnection("Old", oldAccounts, "")) + `
output "guests" {
  value = join(" ", [for a in data.idmap_accounts.all.accounts : a.id if a.external])
}
`
	s.run(resource.TestStep{Config: config, Check: resource.TestCheckOutput("guests", "o-guest")})
}
