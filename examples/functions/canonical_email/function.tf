locals {
  new_hires = [
    { email = "Anna.Smith@Example.com", user_id = "ASMITH" },
    { email = "SMTP:bo.chen@example.com", user_id = "BCHEN" },
  ]

  # Two spellings of one address are one key, so that Terraform refuses the second of them.
  by_address = { for hire in local.new_hires : provider::idmap::canonical_email(hire.email) => hire.user_id }
}

output "anna" {
  value = local.by_address["anna.smith@example.com"]
}
