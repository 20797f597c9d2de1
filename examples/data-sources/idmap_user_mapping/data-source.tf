data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

data "idmap_user_mapping" "jane" {
  destination_connection_id = data.idmap_connection.sales.id
  user_id                   = "JDOE"
}
