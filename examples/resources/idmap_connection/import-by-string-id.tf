# By id, or by name.
import {
  to = idmap_connection.mail
  id = "Example Microsoft 365"
}
