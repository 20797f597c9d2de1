# A report of a map that this configuration makes has depends_on with the map and both its connections, as that of an
# account map has.
data "idmap_group_map" "teams" {
  name = "Teams"
}

data "idmap_group_map_report" "teams" {
  map_id = data.idmap_group_map.teams.id
}

# Every plan and every apply warns if fewer than nine in ten groups are mapped.
check "nearly_all_groups_are_mapped" {
  assert {
    condition     = data.idmap_group_map_report.teams.coverage >= 0.9
    error_message = "Only ${floor(data.idmap_group_map_report.teams.coverage * 100)} % of the groups are mapped."
  }
}
