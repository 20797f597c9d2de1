#!/bin/sh
# Each file of tests/refused has a row that the provider must refuse, with the code that the file is named after.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export IDMAP_EMBEDDED_DATABASE="$folder/idmap.db"

for file in tests/refused/*.csv; do
  code=$(basename "$file" .csv)
  if plan=$("${TERRAFORM:-terraform}" plan -input=false -no-color -var "mappings_file=$file" 2>&1); then
    echo "$file: the plan passes, and $code was expected" >&2
    exit 1
  fi
  if ! echo "$plan" | grep -q "^Code: $code\$"; then
    echo "$file: $code was expected, not" >&2
    echo "$plan" >&2
    exit 1
  fi
  echo "$file: refused"
done
