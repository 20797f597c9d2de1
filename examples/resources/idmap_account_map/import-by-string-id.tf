# By id, or by name. Terraform 1.12 and later also take identity = { id = "…" } in place of id.
import {
  to = idmap_account_map.people
  id = "People"
}
