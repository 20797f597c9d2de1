data "idmap_account_map" "people" {
  name = "People"
}

# The totals, and those that are not mapped one by one. A report of a map that this configuration makes has
# depends_on = [idmap_account_map.people], so that it is read when the map is as it shall be.
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
