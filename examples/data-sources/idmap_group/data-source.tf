data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_group" "staff" {
  connection_id = data.idmap_connection.mail.id
  name          = "all-staff"
}
