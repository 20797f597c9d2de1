data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

# Also found by an alias.
data "idmap_account" "jane" {
  connection_id = data.idmap_connection.mail.id
  email         = "jane@example.com"
}
