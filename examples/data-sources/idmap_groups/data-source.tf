data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_groups" "there" {
  connection_id = data.idmap_connection.mail.id
  deleted       = false
}

output "groups" {
  value = { for g in data.idmap_groups.there.groups : g.name => g.caption }
}
