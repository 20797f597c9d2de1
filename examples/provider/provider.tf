terraform {
  required_providers {
    idmap = {
      source = "idmap/idmap"
    }
  }
}

# A mapping backend that runs as a server. Keep the token out of the configuration: set IDMAP_TOKEN.
provider "idmap" {
  endpoint = "https://idmap.example.com"
}
