# By id, or by name. Terraform 1.12 and later also take identity = { id = "…" } in place of id.
import {
  to = idmap_group_map.teams
  id = "Teams"
}
