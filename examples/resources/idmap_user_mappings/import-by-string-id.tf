# All mappings of the two connections: <mail connection>/<application connection>, each by its id or its name.
import {
  to = idmap_user_mappings.sales
  id = "Example Microsoft 365/Sales Pod 1"
}
