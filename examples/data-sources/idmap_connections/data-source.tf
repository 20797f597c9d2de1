data "idmap_connections" "sales" {
  platform = "oracle_sales"
}

output "sales_pods" {
  value = [for c in data.idmap_connections.sales.connections : c.name]
}
