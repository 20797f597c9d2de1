# The mail side: people have addresses here. Its directory knows everybody.
resource "idmap_connection" "mail" {
  name          = "Example Microsoft 365"
  platform      = "microsoft365"
  mail_domain   = "example.com"
  authoritative = true
  accounts_file = "${path.module}/mail-accounts.csv"
  groups_file   = "${path.module}/mail-groups.csv"
}

# The application side: people have user ids here. Who signs in for the first time gets a mapping (sign_in_mapping is
# "create" by default), which goes with the last session.
resource "idmap_connection" "sales" {
  name                 = "Sales Pod 1"
  platform             = "oracle_sales"
  accounts_file        = "${path.module}/sales-accounts.csv"
  on_sign_out          = "remove"
  sign_in_history_days = 365
}
