list "idmap_account_map" "all" {
  provider = idmap
}

# Those between two connections. Data sources stand in a .tf file of the same folder.
list "idmap_account_map" "to_sales" {
  provider = idmap

  config {
    source_connection_id      = data.idmap_connection.mail.id
    destination_connection_id = data.idmap_connection.sales.id
  }
}
