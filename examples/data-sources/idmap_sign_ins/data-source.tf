data "idmap_connection" "sales" {
  name = "Sales Pod 1"
}

# Who could not come in during the last week, and why.
data "idmap_sign_ins" "denied" {
  destination_connection_id = data.idmap_connection.sales.id
  outcome                   = "denied"
  from                      = timeadd(plantimestamp(), "-168h")
}

output "denied" {
  value = [for s in data.idmap_sign_ins.denied.sign_ins : "${s.time} ${s.email}: ${join(" ", s.messages)}"]
}

# Every plan and every apply warns if somebody has no mapping and needs one.
data "idmap_sign_ins" "waiting" {
  destination_connection_id = data.idmap_connection.sales.id
  reason                    = "mapping_required"
  from                      = timeadd(plantimestamp(), "-24h")
  limit                     = 100
}

check "nobody_waits_for_a_mapping" {
  assert {
    condition     = length(data.idmap_sign_ins.waiting.sign_ins) == 0
    error_message = "Without a mapping: ${join(", ", distinct(data.idmap_sign_ins.waiting.sign_ins[*].user_id))}."
  }
}
