data "idmap_account_map" "people" {
  name = "People"
}

# The pairs that somebody decided on by hand.
output "exceptions" {
  value = data.idmap_account_map.people.exceptions
}
