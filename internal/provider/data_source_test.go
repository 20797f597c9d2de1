package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestAccDataSources(t *testing.T) {
	s := newScenario(t)
	config := s.withDirectories(t) + mapping("jane", "jane@example.com", "JDOE") + `
data "idmap_connection" "by_id" {
  id = idmap_connection.mail.id
}
data "idmap_connection" "by_name" {
  name       = "MAIL"
  depends_on = [idmap_connection.mail]
}
data "idmap_connections" "all" {
  depends_on = [idmap_user_mapping.jane]
}
data "idmap_connections" "sales" {
  platform   = "oracle_sales"
  depends_on = [idmap_user_mapping.jane]
}
data "idmap_account" "by_id" {
  connection_id = idmap_connection.mail.id
  id            = "m-jane"
  depends_on    = [idmap_user_mapping.jane]
}
data "idmap_account" "by_alias" {
  connection_id = idmap_connection.mail.id
  email         = "Jane.Doe@example.com"
  depends_on    = [idmap_user_mapping.jane]
}
data "idmap_account" "by_user_id" {
  connection_id = idmap_connection.sales.id
  user_id       = "jdoe"
  depends_on    = [idmap_user_mapping.jane]
}
data "idmap_accounts" "sales" {
  connection_id = idmap_connection.sales.id
  deleted       = false
  depends_on    = [idmap_user_mapping.jane]
}
data "idmap_user_mapping" "by_id" {
  id = idmap_user_mapping.jane.id
}
data "idmap_user_mapping" "by_email" {
  destination_connection_id = idmap_user_mapping.jane.destination_connection_id
  email                     = "JANE@example.com"
  depends_on                = [idmap_user_mapping.jane]
}
data "idmap_user_mapping" "by_user_id" {
  destination_connection_id = idmap_user_mapping.jane.destination_connection_id
  user_id                   = "jdoe"
  depends_on                = [idmap_user_mapping.jane]
}
data "idmap_user_mappings" "all" {
  destination_connection_id = idmap_connection.sales.id
  depends_on                = [idmap_user_mapping.jane]
}
data "idmap_email_assignment" "held" {
  connection_id = idmap_connection.mail.id
  address       = "jane@EXAMPLE.com"
  depends_on    = [idmap_user_mapping.jane]
}
data "idmap_email_assignment" "free" {
  connection_id = idmap_connection.mail.id
  address       = "free@example.com"
}
`
	attr := resource.TestCheckResourceAttr
	s.run(resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(
		attr("data.idmap_connection.by_id", "name", "Mail"),
		resource.TestCheckResourceAttrSet("data.idmap_connection.by_id", "accounts_sha256"),
		resource.TestCheckResourceAttrPair("data.idmap_connection.by_name", "id", "idmap_connection.mail", "id"),
		attr("data.idmap_connections.all", "connections.#", "2"),
		attr("data.idmap_connections.sales", "connections.0.name", "Sales"),
		attr("data.idmap_account.by_id", "email", "jane@example.com"),
		attr("data.idmap_account.by_id", "aliases.0", "jane.doe@example.com"),
		attr("data.idmap_account.by_alias", "id", "m-jane"),
		attr("data.idmap_account.by_user_id", "id", "u-jane"),
		attr("data.idmap_accounts.sales", "accounts.#", "4"),
		attr("data.idmap_user_mapping.by_id", "source_account_id", "m-jane"),
		attr("data.idmap_user_mapping.by_email", "user_id", "JDOE"),
		attr("data.idmap_user_mapping.by_user_id", "email", "jane@example.com"),
		attr("data.idmap_user_mappings.all", "user_mappings.#", "1"),
		attr("data.idmap_email_assignment.held", "available", "false"),
		attr("data.idmap_email_assignment.held", "seen_by", "directory"),
		attr("data.idmap_email_assignment.held", "holders.#", "2"),
		attr("data.idmap_email_assignment.free", "available", "true"),
		attr("data.idmap_email_assignment.free", "holders.#", "0"),
	)})
}

func TestAccDataSourcesFindNothing(t *testing.T) {
	s := newScenario(t)
	var steps []resource.TestStep
	for _, test := range []struct {
		config, summary string
		code            idmap.Code
	}{
		{`data "idmap_connection" "x" { name = "Nothing" }`, "Object Not Found", ""},
		{`data "idmap_connection" "x" { id = "nothing" }`, "Object Not Found", ""},
		{`data "idmap_connection" "x" { name = " " }`, "Invalid Value", ""},
		{`data "idmap_connection" "x" { id = "" }`, "Invalid Value", ""},
		{"data \"idmap_account\" \"x\" {\n connection_id = \"nothing\"\n user_id = \"\"\n}", "Invalid Value", ""},
		{"data \"idmap_user_mapping\" \"x\" {\n destination_connection_id = \" \"\n user_id = \"JDOE\"\n}", "Invalid Value", ""},
		{"data \"idmap_user_mappings\" \"x\" {\n account_id = \"\"\n}", "Invalid Value", ""},
		{"data \"idmap_email_assignment\" \"x\" {\n connection_id = \"\"\n address = \"jane@example.com\"\n}", "Invalid Value", ""},
		{`data "idmap_connection" "x" {}`, "Missing Attribute Configuration", ""},
		{"data \"idmap_account\" \"x\" {\n connection_id = \"nothing\"\n id = \"1\"\n}", "Object Not Found", ""},
		{"data \"idmap_accounts\" \"x\" {\n connection_id = \"nothing\"\n}", "Object Not Found", idmap.CodeNotFound},
		{`data "idmap_user_mapping" "x" { id = "nothing" }`, "Object Not Found", ""},
		{`data "idmap_user_mapping" "x" { user_id = "JDOE" }`, "Invalid Attribute Combination", ""},
		{"data \"idmap_user_mapping\" \"x\" {\n destination_connection_id = \"nothing\"\n user_id = \"JDOE\"\n}", "Object Not Found", ""},
		{"data \"idmap_email_assignment\" \"x\" {\n connection_id = \"nothing\"\n address = \"jane\"\n}", "Invalid Email", idmap.CodeInvalidEmail},
	} {
		steps = append(steps, resource.TestStep{Config: test.config, PlanOnly: true, ExpectError: refusal(test.summary, test.code)})
	}
	s.run(steps...)
}
