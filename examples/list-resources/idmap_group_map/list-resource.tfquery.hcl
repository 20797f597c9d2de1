list "idmap_group_map" "teams" {
  provider = idmap

  config {
    name = "Teams"
  }
}
