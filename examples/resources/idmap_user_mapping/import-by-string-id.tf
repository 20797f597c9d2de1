# By id, or by <destination connection id or name>/<user id>.
import {
  to = idmap_user_mapping.jane
  id = "Sales Pod 1/JDOE"
}
