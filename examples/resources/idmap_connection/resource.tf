# The mail side: people have addresses here. Its directory knows everybody.
resource "idmap_connection" "mail" {
  name          = "Example Microsoft 365"
  platform      = "microsoft365"
  mail_domain   = "example.com"
  authoritative = true
  accounts_file = "${path.module}/mail-accounts.csv"
  groups_file   = "${path.module}/mail-groups.csv"
}

# The application side: people have user ids here.
resource "idmap_connection" "sales" {
  name          = "Sales Pod 1"
  platform      = "oracle_sales"
  accounts_file = "${path.module}/sales-accounts.csv"
}
