import {
  to = idmap_group_map.teams
  identity = {
    id = "0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1"
  }
}
