import {
  to = idmap_user_mappings.sales
  identity = {
    source_connection_id      = "5b2f6a0e-7d0a-5c1b-9a55-3c1d7f0e8a11"
    destination_connection_id = "a3c9e7f2-1b4d-5e6f-8a7b-9c0d1e2f3a44"
  }
}
