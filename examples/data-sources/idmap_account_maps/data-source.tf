data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

data "idmap_account_maps" "to_sales" {
  destination_connection_id = data.idmap_connection.sales.id
}

output "account_maps" {
  value = [for m in data.idmap_account_maps.to_sales.account_maps : m.name]
}
