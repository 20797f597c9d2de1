# By id, or by name.
import {
  to = idmap_group_map.teams
  id = "Teams"
}
