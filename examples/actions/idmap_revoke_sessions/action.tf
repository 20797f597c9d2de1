data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

# terraform apply -invoke=action.idmap_revoke_sessions.ivan
action "idmap_revoke_sessions" "ivan" {
  config {
    connection_id = data.idmap_connection.sales.id
    user_id       = "IPETROV"
  }
}

# Whenever the mapping changes, its user has to sign in anew.
resource "idmap_user_mapping" "ivan" {
  source_connection_id      = data.idmap_connection.mail.id
  destination_connection_id = data.idmap_connection.sales.id
  user_id                   = "IPETROV"
  email                     = "ivan.petrov@example.com"

  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.idmap_revoke_sessions.ivan]
    }
  }
}
