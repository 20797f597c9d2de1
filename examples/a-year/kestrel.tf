# Kestrel Optics, bought two years ago. Its people have no personnel numbers yet, so the key is the user id.

resource "idmap_user_mapping" "kestrel" {
  for_each = { for row in csvdecode(file("${path.module}/people/kestrel.csv")) : row.user_id => row.email }

  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  user_id                   = each.key
  email                     = each.value
}
