# Where the files are, and where they go. People have other addresses there.
resource "idmap_connection" "shares" {
  name          = "File Shares"
  platform      = "network_file_share"
  accounts_file = "${path.module}/shares-accounts.csv"
}

resource "idmap_connection" "sharepoint" {
  name          = "SharePoint"
  platform      = "sharepoint_online"
  accounts_file = "${path.module}/sharepoint-accounts.csv"
}

resource "idmap_account_map" "people" {
  name                      = "People"
  source_connection_id      = idmap_connection.shares.id
  destination_connection_id = idmap_connection.sharepoint.id

  # Who has the same username or, else, the same name is the same person. Of those that are left, who has nearly the
  # same name. Two people of one name are never mixed up: neither is matched.
  match = {
    usernames = true
    names     = true
  }
  fuzzy = {
    threshold = 0.92
  }

  # Guests keep what they have.
  external_users = {
    retain = true
  }

  # What no rule can know: Jane has married, and of two Sams each is named.
  exceptions = {
    "jane.doe@old.example" = "jane.smith@example.com"
    "EXAMPLE\\sam1"        = "sam.lee@example.com"
    "EXAMPLE\\sam2"        = "sam.lee2@example.com"
  }

  # The backup does not move, and nobody becomes an administrator.
  source_exclusions      = ["EXAMPLE\\backup"]
  destination_exclusions = ["admin@example.com"]

  # What leavers own goes to the archive.
  default_account = "archive@example.com"
}
