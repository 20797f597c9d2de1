data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_group_maps" "from_mail" {
  source_connection_id = data.idmap_connection.mail.id
}

output "group_maps" {
  value = [for m in data.idmap_group_maps.from_mail.group_maps : m.name]
}
