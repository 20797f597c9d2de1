# The report of a map that another configuration makes: the totals, and those that are not mapped one by one.
data "idmap_account_map" "people" {
  name = "People"
}

data "idmap_account_map_report" "people" {
  map_id       = data.idmap_account_map.people.id
  include_rows = true
  resolutions  = ["Unresolved"]
}

# Every plan and every apply warns if somebody is not mapped.
check "everybody_is_mapped" {
  assert {
    condition     = data.idmap_account_map_report.people.unresolved == 0
    error_message = "${data.idmap_account_map_report.people.unresolved} people are not mapped: see the output unresolved."
  }
}

output "unresolved" {
  value = { for row in data.idmap_account_map_report.people.rows : row.source_id => row.message }
}

# The report of a map that this configuration makes depends on the map and on both connections. Without the connections,
# a plan that changes a directory shows the report as it was.
data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

resource "idmap_connection" "staff" {
  name          = "Staff"
  platform      = "generic"
  accounts_file = "${path.module}/staff-accounts.csv"
}

resource "idmap_account_map" "staff" {
  name                      = "Staff"
  source_connection_id      = idmap_connection.staff.id
  destination_connection_id = data.idmap_connection.sales.id
  match                     = { usernames = true }
}

data "idmap_account_map_report" "staff" {
  map_id     = idmap_account_map.staff.id
  depends_on = [idmap_account_map.staff, idmap_connection.staff, data.idmap_connection.sales]
}

output "staff" {
  value = data.idmap_account_map_report.staff.by_resolution
}
