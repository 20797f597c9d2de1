data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}

data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

data "idmap_sign_in_diagnosis" "jane" {
  source_connection_id      = data.idmap_connection.mail.id
  destination_connection_id = data.idmap_connection.sales.id
  email                     = "jane.doe@example.com"
}

# Every plan and every apply warns if she cannot sign in, and says what to do.
check "jane_can_sign_in" {
  assert {
    condition = data.idmap_sign_in_diagnosis.jane.outcome == "allowed"
    error_message = join(" ", concat(
      [data.idmap_sign_in_diagnosis.jane.summary],
      [for check in data.idmap_sign_in_diagnosis.jane.checks : check.cure if check.status == "failed"],
    ))
  }
}
