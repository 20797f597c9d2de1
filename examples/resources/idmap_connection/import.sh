# By id, or by name.
terraform import idmap_connection.mail 3f2b1c9e-8a7d-5e6f-9b0a-1c2d3e4f5a6b
terraform import idmap_connection.mail "Example Microsoft 365"
