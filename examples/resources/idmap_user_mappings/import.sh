# All mappings of the two connections: <mail connection>/<application connection>, each by its id or its name.
terraform import idmap_user_mappings.sales "Example Microsoft 365/Sales Pod 1"
