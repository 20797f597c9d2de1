# Contoso: who of the Microsoft 365 tenant is who in Oracle Sales. README.md says how to try it.

terraform {
  required_providers {
    idmap = {
      source = "idmap/idmap"
    }
  }
}

variable "embedded_database" {
  description = "SQLite file of the backend that runs inside the provider. Empty: the server of IDMAP_ENDPOINT and IDMAP_TOKEN."
  type        = string
  default     = "idmap.db"
}

provider "idmap" {
  embedded_database = var.embedded_database
}

# The two directories. Each knows everybody: an address or a user that is not in its file is refused.

resource "idmap_connection" "mail" {
  name          = "Contoso Microsoft 365"
  platform      = "microsoft365"
  authoritative = true
  mail_domain   = "contoso.com"
  accounts_file = "${path.module}/m365-accounts.csv"
  groups_file   = "${path.module}/m365-groups.csv"
}

resource "idmap_connection" "sales" {
  name          = "Contoso Sales"
  platform      = "oracle_sales"
  authoritative = true
  accounts_file = "${path.module}/sales-accounts.csv"
}

# One mapping for each row of mappings.csv. The key is the user id, so a new email is an update of the same mapping.
# Without an email the mapping follows the username: <username>@contoso.com, also after a rename.

locals {
  emails = { for row in csvdecode(file("${path.module}/mappings.csv")) : row.user_id => row.email }
}

resource "idmap_user_mapping" "sales" {
  for_each = local.emails

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = each.key
  email                     = each.value != "" ? each.value : null
}

# Who came by without a row in mappings.csv: a permitted first sign-in makes the mapping by itself.

data "idmap_user_mappings" "by_sign_in" {
  destination_connection_id = idmap_connection.sales.id
  origin                    = "sign_in"
}

output "mapped_by_sign_in" {
  description = "Sales users whose mapping a sign-in made, and their emails."
  value       = { for mapping in data.idmap_user_mappings.by_sign_in.user_mappings : mapping.user_id => mapping.email }
}

output "connections" {
  description = "Ids of the two connections, for the API."
  value = {
    mail  = idmap_connection.mail.id
    sales = idmap_connection.sales.id
  }
}

output "mapped_users" {
  description = "How many Sales users have a mailbox."
  value       = length(idmap_user_mapping.sales)
}

output "emails_from_usernames" {
  description = "The emails that follow the usernames, since mappings.csv gives none."
  value       = { for user_id, mapping in idmap_user_mapping.sales : user_id => mapping.email if mapping.email_source == "username" }
}
