# Northlight Instruments: who of the Microsoft 365 tenant is who in Oracle Sales. README.md tells a year of it.

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

# The two directories, as their administrators export them.

resource "idmap_connection" "mail" {
  name          = "Northlight Microsoft 365"
  platform      = "microsoft365"
  authoritative = true
  accounts_file = "${path.module}/directories/mail.csv"
}

resource "idmap_connection" "sales" {
  name          = "Northlight Sales"
  platform      = "oracle_sales"
  authoritative = true
  accounts_file = "${path.module}/directories/sales.csv"
}

# A file for each department, a row for each person. The key is the personnel number, the one thing about a person that
# stays. Two rows with one number are an error of concat and for; merge would silently take the last of them.

locals {
  people = { for row in concat(
    csvdecode(file("${path.module}/people/sales.csv")),
    csvdecode(file("${path.module}/people/service.csv")),
  ) : row.number => row }
}

resource "idmap_user_mapping" "people" {
  for_each = local.people

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = each.value.user_id
  email                     = each.value.email
}
