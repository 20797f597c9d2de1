data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

# terraform apply -invoke=action.idmap_release_email.jane_doe
action "idmap_release_email" "jane_doe" {
  config {
    connection_id = data.idmap_connection.mail.id
    email         = "jane.doe@example.com"
    holder        = "JDOE"
    reason        = "JDOE left in May, and the new Jane Doe gets the address. Asked for by HR, ticket 4711."
  }
}

# By the id that the refusal says.
action "idmap_release_email" "ticket_4712" {
  config {
    email_assignment_id = "0b9f5f3e-6f1d-4a59-9d36-0d4fd1b7c2a1"
    reason              = "The address was never used. Asked for by HR, ticket 4712."
  }
}
