resource "idmap_connection" "mail" {
  name        = "Example Microsoft 365"
  platform    = "microsoft365"
  mail_domain = "example.com"
}

resource "idmap_connection" "sales" {
  name     = "Sales Pod 1"
  platform = "oracle_sales"
}

# An explicit email stays when the username changes.
resource "idmap_user_mapping" "jane" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  email                     = "jane.doe@example.com"
  user_id                   = "JDOE"
}

# Without an email the mapping follows the username: ipetrov@example.com.
resource "idmap_user_mapping" "ivan" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = "ipetrov"
}

# Many mappings from a table.
resource "idmap_user_mapping" "team" {
  for_each = {
    ASMITH = "anna.smith@example.com"
    BCHEN  = "bo.chen@example.com"
  }

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  email                     = each.value
  user_id                   = each.key
}
