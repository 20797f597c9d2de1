data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

# The pairs stand in a file that people can edit without Terraform.
resource "idmap_account_map" "sellers" {
  name                      = "Sellers"
  source_connection_id      = data.idmap_connection.mail.id
  destination_connection_id = data.idmap_connection.sales.id
  match                     = { emails = true }
  exceptions                = provider::idmap::exceptions_from_csv(file("${path.module}/exceptions.csv"))
}
