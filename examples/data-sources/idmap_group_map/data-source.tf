data "idmap_group_map" "teams" {
  name = "Teams"
}

output "compares" {
  value = [for option, on in data.idmap_group_map.teams.match : option if on]
}
