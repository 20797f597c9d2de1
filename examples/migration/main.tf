# Contoso's files move from a file server to the cloud. Who owns what, and who may read it, moves along: so every account
# and every group of the file server needs its counterpart, and nobody may become somebody else.

terraform {
  required_version = ">= 1.8" # for the function exceptions_from_csv

  required_providers {
    idmap = { source = "idmap/idmap" }
  }
}

variable "embedded_database" {
  description = "SQLite file in which the provider keeps the maps. Empty: the server at IDMAP_ENDPOINT has them."
  type        = string
  default     = "idmap.db"
}

provider "idmap" {
  embedded_database = var.embedded_database == "" ? null : var.embedded_database
}

resource "idmap_connection" "fileserver" {
  name          = "Contoso File Server"
  platform      = "network_file_share"
  authoritative = true
  accounts_file = "${path.module}/fileserver-accounts.csv"
  groups_file   = "${path.module}/fileserver-groups.csv"
}

resource "idmap_connection" "cloud" {
  name          = "Contoso Cloud"
  platform      = "onedrive_business"
  authoritative = true
  accounts_file = "${path.module}/cloud-accounts.csv"
  groups_file   = "${path.module}/cloud-groups.csv"
}

resource "idmap_account_map" "people" {
  name                      = "Contoso people"
  source_connection_id      = idmap_connection.fileserver.id
  destination_connection_id = idmap_connection.cloud.id

  match          = { emails = true, names = true }
  fuzzy          = {}
  external_users = { retain = true } # guests keep what they may read, as guests

  # Whom no rule can find: people with a new name, and twins of one name. The helpdesk keeps the list.
  exceptions = provider::idmap::exceptions_from_csv(file("${path.module}/exceptions.csv"))

  # Programs own nothing that should move.
  source_exclusions = [
    for row in csvdecode(file("${path.module}/fileserver-accounts.csv")) : row.username if startswith(row.username, "svc-")
  ]
}

resource "idmap_group_map" "groups" {
  name                      = "Contoso groups"
  source_connection_id      = idmap_connection.fileserver.id
  destination_connection_id = idmap_connection.cloud.id

  match = { names = true, captions = true }
}

# A report that depends on its map and on both directories is read after they were changed, and not before.
data "idmap_account_map_report" "people" {
  map_id       = idmap_account_map.people.id
  include_rows = true
  resolutions  = ["Unresolved"]
  depends_on   = [idmap_account_map.people, idmap_connection.fileserver, idmap_connection.cloud]
}

data "idmap_group_map_report" "groups" {
  map_id     = idmap_group_map.groups.id
  depends_on = [idmap_group_map.groups, idmap_connection.fileserver, idmap_connection.cloud]
}

# A check warns, and stops nothing: the move may begin while the helpdesk is still at its list.
check "coverage" {
  assert {
    condition     = data.idmap_account_map_report.people.coverage >= 0.95
    error_message = "Only ${floor(data.idmap_account_map_report.people.coverage * 100)} % of the file server's accounts are accounted for; 95 % are wanted."
  }

  assert {
    condition     = data.idmap_account_map_report.people.ambiguous == 0
    error_message = "${data.idmap_account_map_report.people.ambiguous} accounts of the file server could be several of the cloud. Add them to exceptions.csv."
  }
}

output "connections" {
  value = { fileserver = idmap_connection.fileserver.id, cloud = idmap_connection.cloud.id }
}

output "maps" {
  value = { people = idmap_account_map.people.id, groups = idmap_group_map.groups.id }
}

output "people" {
  description = "How many accounts of the file server each rule decided."
  value       = data.idmap_account_map_report.people.by_resolution
}

output "groups" {
  description = "How many groups of the file server each rule decided."
  value       = data.idmap_group_map_report.groups.by_resolution
}

output "ambiguous" {
  description = "Who of the file server could be several of the cloud, and why."
  value = {
    for row in data.idmap_account_map_report.people.rows : row.source_username => row.message if row.reason == "ambiguous"
  }
}
