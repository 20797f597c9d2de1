package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

func TestAccSessions(t *testing.T) {
	s := newScenario(t)
	w := s.stageSignInWorld()
	jane := s.stageSignIns(w)
	john := s.signIn(w, "john@example.com", "JROE", "teams")
	config := fmt.Sprintf(`
data "idmap_sessions" "all" {
  connection_id = %q
}
data "idmap_sessions" "teams" {
  destination_connection_id = %q
  client                    = "teams"
}
data "idmap_sessions" "jane" {
  source_connection_id = %q
  email                = "JANE@example.com"
  client               = "outlook-addin"
}
data "idmap_sessions" "john" {
  user_id = "jroe"
}
data "idmap_sessions" "mapping" {
  user_mapping_id = %q
}
data "idmap_sessions" "nobody" {
  user_id = "LVER"
}
data "idmap_user_mappings" "born" {
  destination_connection_id = %[2]q
  origin                    = "sign_in"
}
data "idmap_user_mapping" "jane" {
  id = %[4]q
}
data "idmap_accounts" "sales" {
  connection_id = %[2]q
}
data "idmap_account" "lea" {
  connection_id = %[2]q
  user_id       = "LVER"
}
`, w.sales, w.sales, w.mail, jane.UserMapping.ID)
	attr, set, none := resource.TestCheckResourceAttr, resource.TestCheckResourceAttrSet, resource.TestCheckNoResourceAttr
	const one, user = "data.idmap_sessions.jane", "data.idmap_sessions.mapping"
	s.run(
		resource.TestStep{Config: config, Check: resource.ComposeAggregateTestCheckFunc(
			attr("data.idmap_sessions.all", "sessions.#", "3"), attr("data.idmap_sessions.all", "users.#", "2"),
			attr("data.idmap_sessions.teams", "sessions.#", "2"), attr("data.idmap_sessions.teams", "users.#", "2"),
			attr(one, "sessions.#", "1"), attr(one, "sessions.0.id", jane.Session.ID), attr(one, "sessions.0.use_count", "2"),
			attr(one, "sessions.0.client", "outlook-addin"), attr(one, "sessions.0.source_address", "203.0.113.7"),
			attr(one, "sessions.0.email", "jane@example.com"), attr(one, "sessions.0.user_id", "JDOE"),
			attr(one, "sessions.0.source_connection_id", w.mail), attr(one, "sessions.0.destination_connection_id", w.sales),
			set(one, "sessions.0.first_used_on"), set(one, "sessions.0.last_used_on"), attr(one, "users.0.session_count", "1"),
			attr("data.idmap_sessions.john", "sessions.0.id", john.Session.ID), attr("data.idmap_sessions.john", "users.0.user_id", "JROE"),
			attr(user, "sessions.#", "2"), attr(user, "users.#", "1"), attr(user, "users.0.session_count", "2"), attr(user, "users.0.use_count", "3"),
			attr(user, "users.0.user_mapping_id", jane.UserMapping.ID), set(user, "users.0.first_used_on"), set(user, "users.0.last_used_on"),
			attr("data.idmap_sessions.nobody", "sessions.#", "0"), attr("data.idmap_sessions.nobody", "users.#", "0"),

			attr("data.idmap_user_mappings.born", "user_mappings.#", "2"), set("data.idmap_user_mappings.born", "user_mappings.0.last_sign_in_on"),
			attr("data.idmap_user_mapping.jane", "origin", "sign_in"), set("data.idmap_user_mapping.jane", "last_sign_in_on"),

			attr("data.idmap_accounts.sales", "accounts.0.sign_in_permitted", "true"), none("data.idmap_accounts.sales", "accounts.1.sign_in_permitted"),
			attr("data.idmap_account.lea", "sign_in_permitted", "false"),
		)},
		resource.TestStep{
			PreConfig: func() { s.must(s.server.Client.RevokeSession(s.ctx(), jane.Session.ID)) },
			Config:    config,
			Check: resource.ComposeAggregateTestCheckFunc(
				attr("data.idmap_sessions.all", "sessions.#", "2"), attr(one, "sessions.#", "0"), attr(user, "users.0.session_count", "1")),
		},
	)
}
