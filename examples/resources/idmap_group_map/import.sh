# By id, or by name.
terraform import idmap_group_map.teams 0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1
terraform import idmap_group_map.teams "Teams"
