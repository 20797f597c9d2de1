# No server at all: the provider runs the mapping backend itself, on a SQLite file.
provider "idmap" {
  alias             = "embedded"
  embedded_database = "idmap.db"
}
