import {
  to = idmap_connection.mail
  identity = {
    id = "3f2b1c9e-8a7d-5e6f-9b0a-1c2d3e4f5a6b"
  }
}
