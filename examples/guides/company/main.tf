terraform {
  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

provider "idmap" {
  embedded_database = "idmap.db"
}

# The mail side. What its file does not know does not exist.
resource "idmap_connection" "mail" {
  name          = "Contoso Mail"
  platform      = "microsoft365"
  mail_domain   = "contoso.com"
  authoritative = true
  accounts_file = "${path.module}/mail-accounts.csv"
}

# The application.
resource "idmap_connection" "sales" {
  name          = "Contoso Sales"
  platform      = "oracle_sales"
  authoritative = true
  accounts_file = "${path.module}/sales-accounts.csv"
}

# One mapping for each row. Without an email the mapping follows the username: <username>@contoso.com.
resource "idmap_user_mapping" "sales" {
  for_each = { for row in csvdecode(file("${path.module}/mappings.csv")) : row.user_id => row.email }

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = each.key
  email                     = each.value != "" ? each.value : null
}
