# By id, or by <destination connection id or name>/<user id>.
terraform import idmap_user_mapping.jane 0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1
terraform import idmap_user_mapping.jane "Sales Pod 1/JDOE"
