# Real plans and applies, on the backend that the provider has inside. Run it with
#   IDMAP_EMBEDDED_DATABASE="$(mktemp -d)/idmap.db" terraform test

run "plan" {
  command = plan

  assert {
    condition     = length(idmap_user_mapping.sales) == 2
    error_message = "mappings.csv has two rows."
  }
}

run "apply" {
  assert {
    condition     = idmap_user_mapping.sales["JDOE"].email == "jane.doe@contoso.com"
    error_message = "JDOE is Jane."
  }
}

run "another_address_of_hers" {
  variables {
    mappings_file = "tests/data/another-address.csv"
    ids_before    = run.apply.mapping_ids
  }

  assert {
    condition     = idmap_user_mapping.sales["JDOE"].email == "jane.roe@contoso.com"
    error_message = "Jane has her other address."
  }

  assert {
    condition     = output.mapping_ids == var.ids_before
    error_message = "Another address is an update: nobody may get a new mapping."
  }
}

# expect_failures is for rules of the module, such as preconditions. It does not catch refusals of the provider.
run "private_address" {
  command = plan

  variables {
    mappings_file = "tests/data/private-address.csv"
  }

  expect_failures = [idmap_user_mapping.sales["JDOE"]]
}
