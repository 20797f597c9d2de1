# Where the files are, and where they go.
resource "idmap_connection" "shares" {
  name        = "File Shares"
  platform    = "network_file_share"
  groups_file = "${path.module}/shares-groups.csv"
}

resource "idmap_connection" "box" {
  name        = "Box"
  platform    = "box"
  groups_file = "${path.module}/box-groups.csv"
}

resource "idmap_group_map" "teams" {
  name                      = "Teams"
  source_connection_id      = idmap_connection.shares.id
  destination_connection_id = idmap_connection.box.id

  # Groups that have the same name or, else, the same caption.
  match = {
    names    = true
    captions = true
  }

  # On Box, a group is named by its id.
  exceptions = {
    "EXAMPLE\\sales-emea" = "1000002"
  }

  source_exclusions = ["EXAMPLE\\Domain Users"]

  # A transfer of what any other group has fails, so that somebody looks at it.
  unmapped_policy = "fail"
}
