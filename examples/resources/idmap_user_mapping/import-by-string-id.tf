# By id, or by <destination connection id or name>/<user id>. Terraform 1.12 and later also take
# identity = { id = "…" } in place of id.
import {
  to = idmap_user_mapping.jane
  id = "Sales Pod 1/JDOE"
}
