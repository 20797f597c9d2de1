data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_email_assignment" "jane" {
  connection_id = data.idmap_connection.mail.id
  address       = "jane.doe@example.com"
}

output "who_holds_it" {
  value = data.idmap_email_assignment.jane.available ? "nobody" : join(", ", data.idmap_email_assignment.jane.holders[*].name)
}
