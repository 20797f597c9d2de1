resource "idmap_connection" "mail" {
  name        = "Example Microsoft 365"
  platform    = "microsoft365"
  mail_domain = "example.com"
}

resource "idmap_connection" "sales" {
  name     = "Sales Pod 1"
  platform = "oracle_sales"
}

resource "idmap_connection" "service" {
  name     = "Service Desk"
  platform = "dynamics_crm"
}

# User id => email. With null the email follows the username: ipetrov@example.com.
resource "idmap_user_mappings" "sales" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id

  mappings = {
    JDOE    = "jane.doe@example.com"
    ASMITH  = "anna.smith@example.com"
    ipetrov = null
  }
}

# From a table with the columns user_id and email.
resource "idmap_user_mappings" "service" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.service.id

  mappings = {
    for row in csvdecode(file("${path.module}/people.csv")) : row.user_id => row.email != "" ? row.email : null
  }
}
