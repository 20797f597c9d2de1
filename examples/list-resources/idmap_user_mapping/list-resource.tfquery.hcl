# Those that first sign-ins made.
list "idmap_user_mapping" "by_sign_in" {
  provider = idmap

  config {
    origin = "sign_in"
  }
}

# Those of one application. Data sources stand in a .tf file of the same folder.
list "idmap_user_mapping" "sales" {
  provider = idmap
  limit    = 5000

  config {
    destination_connection_id = data.idmap_connection.sales.id
  }
}
