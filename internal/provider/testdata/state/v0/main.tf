# All resources of the provider, each with all of its arguments and with as few as it must have.

resource "idmap_connection" "mail" {
  name                 = "Contoso Mail"
  platform             = "microsoft365"
  authoritative        = true
  mail_domain          = "contoso.com"
  accounts_file        = "mail-accounts.csv"
  groups_file          = "mail-groups.csv"
  sign_in_disabled     = true
  sign_in_mapping      = "require"
  on_sign_out          = "remove"
  sign_in_history_days = 30
}

resource "idmap_connection" "sales" {
  name          = "Sales"
  platform      = "oracle_sales"
  accounts_file = "sales-accounts.csv"
}

resource "idmap_connection" "old" {
  name          = "Old Files"
  platform      = "network_file_share"
  accounts_file = "old-accounts.csv"
  groups_file   = "old-groups.csv"
}

resource "idmap_connection" "new" {
  name          = "New Files"
  platform      = "sharepoint_online"
  accounts_file = "new-accounts.csv"
  groups_file   = "new-groups.csv"
}

resource "idmap_connection" "bare" {
  name     = "Bare"
  platform = "generic"
}

resource "idmap_user_mapping" "full" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  email                     = "Jane.Doe@Contoso.com"
  user_id                   = "JDoe"
  source_account_id         = "m-jane"
  destination_account_id    = "u-jane"
}

resource "idmap_user_mapping" "bare" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = "jroe"
}

resource "idmap_user_mappings" "full" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.new.id
  mappings                  = { JDoe = "Jane.Doe@Contoso.com", jroe = null }
  adopt_existing            = true
  keep_removed              = true
}

resource "idmap_user_mappings" "bare" {
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  mappings                  = {}
}

resource "idmap_account_map" "full" {
  name                      = "Full"
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  match                     = { ids = true, names = true, usernames = true, emails = true }
  fuzzy                     = { threshold = 0.85 }
  external_users            = { retain = true, resolve_first = true }
  exceptions                = { Boss = "CHIEF", "Jane@Contoso.com" = "JANE" }
  source_exclusions         = ["lost", "Bot"]
  destination_exclusions    = ["ROBOT"]
  default_account           = "Default"
  unmapped_policy           = "fail"
}

resource "idmap_account_map" "bare" {
  name                      = "Bare"
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  external_users            = { retain = true }
}

resource "idmap_account_map" "plain" {
  name                      = "Plain"
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  match                     = { ids = true }
  exceptions                = {}
  source_exclusions         = []
  destination_exclusions    = []
}

# A map that names somebody by an id with letters, in which letter case matters.
resource "idmap_group_map" "full" {
  name                      = "Full"
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  match                     = { ids = true, names = true, captions = true }
  exceptions                = { hidden = "ng-Twins" }
  source_exclusions         = ["team"]
  destination_exclusions    = ["TEAM"]
  default_group             = "sellers"
  unmapped_policy           = "passthrough"
}

resource "idmap_group_map" "bare" {
  name                      = "Bare"
  source_connection_id      = idmap_connection.old.id
  destination_connection_id = idmap_connection.new.id
  match                     = { names = true }
}
