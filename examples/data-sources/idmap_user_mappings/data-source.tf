data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

# Mappings that nobody configured: made by a user's first sign-in.
data "idmap_user_mappings" "by_sign_in" {
  destination_connection_id = data.idmap_connection.sales.id
  origin                    = "sign_in"
}
