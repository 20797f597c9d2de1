data "idmap_connection" "mail" {
  name = "Example Microsoft 365"
}
