data "idmap_account_map" "people" {
  name = "People"
}

# For people to read, and for the import of another system.
output "exceptions_csv" {
  value = provider::idmap::exceptions_to_csv(data.idmap_account_map.people.exceptions)
}
