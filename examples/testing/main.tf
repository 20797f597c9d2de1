# A module of yours: who of the mail tenant is who in Sales, from a CSV file. Its tests are in tests/.

terraform {
  required_providers {
    idmap = {
      source = "idmap/idmap"
    }
  }
}

variable "mappings_file" {
  description = "CSV file of the module, with a row for each mapping: user_id, email."
  type        = string
  default     = "mappings.csv"
}

locals {
  emails = { for row in csvdecode(file("${path.module}/${var.mappings_file}")) : row.user_id => row.email }
}

resource "idmap_connection" "mail" {
  name          = "Contoso Mail"
  platform      = "microsoft365"
  authoritative = true
  accounts_file = "${path.module}/mail-accounts.csv"
}

resource "idmap_connection" "sales" {
  name          = "Contoso Sales"
  platform      = "oracle_sales"
  authoritative = true
  accounts_file = "${path.module}/sales-accounts.csv"
}

resource "idmap_user_mapping" "sales" {
  for_each = local.emails

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = each.key
  email                     = each.value

  lifecycle {
    precondition {
      condition     = endswith(lower(each.value), "@contoso.com")
      error_message = "The users of Sales have addresses of Contoso."
    }
  }
}

output "mapping_ids" {
  description = "Ids of the mappings, by user id."
  value       = { for user_id, mapping in idmap_user_mapping.sales : user_id => mapping.id }
}
