# By id, or by name.
import {
  to = idmap_account_map.people
  id = "People"
}
