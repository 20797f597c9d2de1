data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

data "idmap_accounts" "there" {
  connection_id = data.idmap_connection.sales.id
  deleted       = false
}

# Accounts that only ever own records, and cannot be mapped.
output "stubs" {
  value = [for a in data.idmap_accounts.there.accounts : a.name if a.user_type == "stub"]
}
