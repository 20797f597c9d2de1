data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

# Who has access to the application.
data "idmap_sessions" "sales" {
  destination_connection_id = data.idmap_connection.sales.id
}

output "last_used" {
  value = { for user in data.idmap_sessions.sales.users : user.user_id => user.last_used_on }
}

# Where one of them is signed in.
data "idmap_sessions" "jane" {
  destination_connection_id = data.idmap_connection.sales.id
  user_id                   = "JDOE"
}

output "clients_of_jane" {
  value = data.idmap_sessions.jane.sessions[*].client
}
